//! `get_fws` and `get_wflows`: fireworks and workflows in the shapes FireWorks prints.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bson::{Bson, Document};
use serde_json::{Map, Value, json};

use super::LaunchpadError;
use crate::store::{Fields, FireworkQuery, Store};
use crate::workflow::json::{from_bson, from_document};
use crate::workflow::{Firework, FwId, Launch, LaunchId, State, int_list};

/// How much is shown of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// State, name and dates.
    Less,
    /// And the launches, or what a workflow consists of.
    More,
    /// Everything.
    All,
    /// Of workflows, states and queue jobs; of fireworks, everything.
    Reservations,
}

/// Fireworks as FireWorks' `to_dict` has them, cut down to the detail. Launches are read only
/// where they are shown.
pub fn fireworks(store: &dyn Store, found: &[Firework], detail: Detail) -> Result<Vec<Value>, LaunchpadError> {
    let launches = match detail {
        Detail::Less => BTreeMap::new(),
        Detail::More => launches(store, found.iter().flat_map(|fw| &fw.launches))?,
        Detail::All | Detail::Reservations => {
            launches(store, found.iter().flat_map(|fw| fw.launches.iter().chain(&fw.archived_launches)))?
        }
    };
    Ok(found.iter().map(|firework| Value::Object(firework_map(firework, detail, &launches))).collect())
}

fn firework_map(firework: &Firework, detail: Detail, launches: &BTreeMap<LaunchId, Launch>) -> Map<String, Value> {
    let mut map = Map::new();
    let whole = detail >= Detail::All;
    if whole {
        map.insert("spec".into(), Value::Object(from_document(&firework.spec)));
    }
    map.insert("fw_id".into(), firework.fw_id.into());
    map.insert("created_on".into(), from_bson(&firework.created_on));
    map.insert("updated_on".into(), from_bson(&firework.updated_on));
    for (key, ids) in [("launches", &firework.launches), ("archived_launches", &firework.archived_launches)] {
        let shown: Vec<Value> = ids.iter().filter_map(|id| launches.get(id)).map(launch_value).collect();
        if !shown.is_empty() && (key == "launches" || whole) {
            map.insert(key.into(), shown.into());
        }
    }
    let (state, name) = (firework.state.as_str().into(), firework.name.as_str().into());
    // FireWorks leaves WAITING out of a firework's dictionary and puts it back at the end.
    let last = if firework.state == State::Waiting {
        [("name", name), ("state", state)]
    } else {
        [("state", state), ("name", name)]
    };
    map.extend(last.map(|(key, value)| (key.to_owned(), value)));
    map
}

/// A launch without the fields that follow from its history.
fn launch_value(launch: &Launch) -> Value {
    Value::Object(from_document(&launch.to_dictionary()))
}

fn launches<'a>(
    store: &dyn Store,
    ids: impl Iterator<Item = &'a LaunchId>,
) -> Result<BTreeMap<LaunchId, Launch>, LaunchpadError> {
    let ids: Vec<LaunchId> = ids.copied().collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    Ok(store.find_launches(&ids)?.into_iter().map(|launch| (launch.launch_id, launch)).collect())
}

/// The firework that names a workflow in FireWorks' listings.
pub fn workflow_id(workflow: &Document) -> Option<FwId> {
    int_list(workflow.get("nodes")).first().copied()
}

/// Fireworks with their launches that count.
pub type Members = BTreeMap<FwId, (Firework, Vec<Launch>)>;

/// The fireworks of workflows, without their specs, and the launches of these.
pub fn members(store: &dyn Store, workflows: &[Document]) -> Result<Members, LaunchpadError> {
    let nodes: Vec<FwId> = workflows.iter().flat_map(|workflow| int_list(workflow.get("nodes"))).collect();
    let query = FireworkQuery { ids: Some(nodes), ..FireworkQuery::default() };
    let mut found = Vec::new();
    store.each_firework(&query, Fields::Head, &mut |some| {
        found.extend(some);
        ControlFlow::Continue(())
    })?;
    let launches = launches(store, found.iter().flat_map(|firework| &firework.launches))?;
    let with_launches = |firework: Firework| {
        let ran = firework.launches.iter().filter_map(|id| launches.get(id)).cloned().collect();
        (firework.fw_id, (firework, ran))
    };
    Ok(found.into_iter().map(with_launches).collect())
}

/// Workflows as FireWorks' summaries have them.
pub fn workflows(store: &dyn Store, found: &[Document], detail: Detail) -> Result<Vec<Value>, LaunchpadError> {
    if detail == Detail::Less {
        return Ok(found.iter().map(|workflow| Value::Object(less(workflow))).collect());
    }
    let members = members(store, found)?;
    Ok(found.iter().map(|workflow| Value::Object(more(workflow, detail, &members))).collect())
}

/// `NAME--ID`, as FireWorks names both in listings.
fn label(name: &str, id: FwId) -> String {
    format!("{name}--{id}")
}

/// The fields of a workflow that are shown, in the order in which they are stored.
fn head(workflow: &Document, is_shown: impl Fn(&str) -> bool) -> Map<String, Value> {
    let shown = workflow.iter().filter(|(key, _)| is_shown(key));
    let mut map: Map<String, Value> = shown.map(|(key, value)| (key.clone(), from_bson(value))).collect();
    if let Some(name) = map.get_mut("name") {
        let stored = workflow.get_str("name").unwrap_or_default();
        *name = label(stored, workflow_id(workflow).unwrap_or_default()).into();
    }
    map
}

fn less(workflow: &Document) -> Map<String, Value> {
    let mut map = head(workflow, |key| matches!(key, "state" | "name" | "created_on"));
    let letters: Vec<&str> = states(workflow).values().map(|state| abbreviation(*state)).collect();
    map.insert("states_list".into(), letters.join("-").into());
    map
}

/// The states of the fireworks of a workflow, by id.
pub fn states(workflow: &Document) -> BTreeMap<FwId, State> {
    let states = workflow.get_document("fw_states").into_iter().flatten();
    states.filter_map(|(id, state)| Some((id.parse().ok()?, state.as_str()?.parse().ok()?))).collect()
}

/// First letter; three where READY, RUNNING and RESERVED would be one.
fn abbreviation(state: State) -> &'static str {
    let name = state.as_str();
    if name.starts_with('R') { &name[..3] } else { &name[..1] }
}

fn more(workflow: &Document, detail: Detail, members: &Members) -> Map<String, Value> {
    let mut nodes = int_list(workflow.get("nodes"));
    nodes.sort_unstable();
    let name_of = |id: FwId| members.get(&id).map_or_else(|| id.to_string(), |(firework, _)| label(&firework.name, id));
    let mut map = head(workflow, |key| match detail {
        Detail::All => !matches!(key, "_id" | "nodes" | "fw_states"),
        _ => matches!(key, "state" | "name" | "created_on" | "updated_on"),
    });
    for key in ["links", "parent_links"] {
        if let Some(links) = map.get_mut(key) {
            *links = named_links(workflow.get(key), name_of);
        }
    }
    let (mut states, mut runs) = (Map::new(), Map::new());
    for (firework, launches) in nodes.iter().filter_map(|id| members.get(id)) {
        let name = name_of(firework.fw_id);
        states.insert(name.clone(), firework.state.as_str().into());
        let shown = |launch: &Launch| match detail {
            Detail::Reservations => reservation(launch),
            _ => launch.launch_dir.as_str().into(),
        };
        // As they come from FireWorks' index of launches.
        let mut launches: Vec<&Launch> = launches.iter().collect();
        launches.sort_unstable_by_key(|launch| launch.launch_id);
        runs.insert(name, launches.into_iter().map(shown).collect());
    }
    map.insert("states".into(), states.into());
    map.insert(if detail == Detail::Reservations { "launches" } else { "launch_dirs" }.into(), runs.into());
    map
}

/// What FireWorks shows of a launch beside its queue job.
fn reservation(launch: &Launch) -> Value {
    let jobs = launch.state_history.iter().map(|entry| {
        let job = entry.get("reservation_id").map(|id| ("reservation_id".to_owned(), from_bson(id)));
        Value::Object(job.into_iter().collect())
    });
    json!({
        "_id": null,
        "launch_dir": launch.launch_dir,
        "state_history": jobs.collect::<Vec<_>>(),
        "launch_id": launch.launch_id,
    })
}

fn named_links(links: Option<&Bson>, name_of: impl Fn(FwId) -> String) -> Value {
    let links = links.and_then(Bson::as_document).into_iter().flatten();
    let named = links.filter_map(|(parent, children)| {
        let children: Value = int_list(Some(children)).into_iter().map(|child| Value::from(name_of(child))).collect();
        Some((name_of(parent.parse().ok()?), children))
    });
    Value::Object(named.collect())
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn states_are_listed_by_id_with_their_letters() {
        let workflow = doc! {
            "nodes": [8, 7], "name": "w", "state": "RUNNING",
            "fw_states": {"10": "RUNNING", "8": "READY", "7": "COMPLETED", "9": "WAITING", "11": "RESERVED"},
        };
        let map = less(&workflow);
        assert_eq!(map["states_list"], "C-REA-W-RUN-RES");
        assert_eq!(map["name"], "w--8", "the first node names it, as in FireWorks");
    }
}
