//! `results`: what recipes found, in a few numbers for each structure.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use bson::Bson;
use serde_json::{Map, Value, json};

use super::{LaunchpadError, Selection};
use crate::recipes::{Summary, single, warnings};
use crate::science::io::mson::from_mson;
use crate::science::io::{Frame, Results};
use crate::store::{Fields, FireworkQuery, Store, WorkflowQuery};
use crate::workflow::json::from_document;
use crate::workflow::{Firework, FwId, Launch, LaunchId, State, int_list};

mod condition;
mod fields;

pub use condition::{BadCondition, Condition};
pub use fields::{FIELDS, special};

/// One firework and what it found.
#[derive(Debug)]
pub struct FireworkResult {
    /// Its id.
    pub fw_id: FwId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Where it ran last.
    pub directory: Option<String>,
    /// The gist of its result document, when a recipe has written one: a row for each structure.
    pub summaries: Vec<Summary>,
    /// The rows it has collected from the recipes above it, in their order.
    pub collected: Vec<Value>,
    /// What its document warns of, a sentence each.
    pub warnings: Vec<String>,
    /// The document itself.
    document: Value,
}

/// So many launches are read at a time: a document with a trajectory may be large.
const SOME: usize = 100;

/// The results of a selection, some fireworks at a time, until `take` breaks off. Ids stand for their
/// workflows, in which the other conditions are looked for. Where no id is given, fireworks that have
/// found nothing are left out.
pub fn each(
    store: &dyn Store,
    selection: &Selection,
    take: &mut dyn FnMut(Vec<FireworkResult>) -> ControlFlow<()>,
) -> Result<(), LaunchpadError> {
    let query = query(store, selection)?;
    let all = selection.ids.is_some();
    let mut trouble = None;
    store.each_firework(&query, Fields::Head, &mut |fireworks| {
        for some in fireworks.chunks(SOME) {
            match found(store, some) {
                Ok(mut found) => {
                    found.retain(|one| all || !one.summaries.is_empty() || !one.collected.is_empty());
                    if take(found).is_break() {
                        return ControlFlow::Break(());
                    }
                }
                Err(error) => {
                    trouble = Some(error);
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    trouble.map_or(Ok(()), Err)
}

/// The fireworks that are looked at.
fn query(store: &dyn Store, selection: &Selection) -> Result<FireworkQuery, LaunchpadError> {
    let Some(ids) = &selection.ids else {
        let mut query = selection.fireworks(store, None)?;
        if query.states.is_empty() {
            query.states = vec![State::Completed, State::Fizzled];
        }
        return Ok(query);
    };
    let of = WorkflowQuery { fw_ids: Some(ids.clone()), ..WorkflowQuery::default() };
    let workflows = store.find_workflows(&of)?;
    let members: std::collections::BTreeSet<FwId> =
        workflows.iter().flat_map(|workflow| int_list(workflow.get("nodes"))).collect();
    let missing: Vec<FwId> = ids.iter().copied().filter(|id| !members.contains(id)).collect();
    if !missing.is_empty() {
        return Err(LaunchpadError::UnknownFireworks(missing));
    }
    let inside = Selection { ids: Some(members.into_iter().collect()), ..selection.clone() };
    inside.fireworks(store, None)
}

fn found(store: &dyn Store, fireworks: &[Firework]) -> Result<Vec<FireworkResult>, LaunchpadError> {
    let last: Vec<LaunchId> = fireworks.iter().filter_map(|firework| firework.launches.last().copied()).collect();
    let launches = if last.is_empty() { Vec::new() } else { store.find_launches(&last)? };
    let launches: BTreeMap<LaunchId, Launch> = launches.into_iter().map(|one| (one.launch_id, one)).collect();
    let of = |firework: &Firework| {
        let launch = firework.launches.last().and_then(|id| launches.get(id));
        let document = launch.map(stored_data).unwrap_or_default();
        FireworkResult {
            fw_id: firework.fw_id,
            name: firework.name.clone(),
            state: firework.state,
            directory: launch.map(|launch| launch.launch_dir.clone()),
            summaries: Summary::all_of(&document),
            collected: document["results"].as_array().cloned().unwrap_or_default(),
            warnings: warnings(&document),
            document,
        }
    };
    Ok(fireworks.iter().map(of).collect())
}

impl FireworkResult {
    /// A row for each structure, but one for every firework, with all fields that rows have: what is
    /// unknown is null.
    pub fn rows(&self) -> Vec<Map<String, Value>> {
        let none = self.summaries.is_empty().then_some(None);
        self.summaries.iter().map(Some).chain(none).map(|summary| self.row(summary)).collect()
    }

    fn row(&self, summary: Option<&Summary>) -> Map<String, Value> {
        let mut known = summary.map(Summary::to_value).unwrap_or_default();
        if let Some(summary) = summary {
            known["energy_per_atom"] = json!(summary.energy_per_atom());
        }
        let value = |field: &str| match field {
            "fw_id" => json!(self.fw_id),
            "name" => json!(self.name),
            "state" => json!(self.state.as_str()),
            "directory" => json!(self.directory),
            found => known[found].clone(),
        };
        FIELDS.iter().map(|field| ((*field).to_owned(), value(field))).collect()
    }

    /// The structure of each summary as the recipe left it, with its energy and forces.
    pub fn frames(&self) -> Vec<Option<Frame>> {
        let documents = if self.summaries.is_empty() { Vec::new() } else { single(&self.document) };
        let mut of = documents.into_iter().filter(|document| Summary::of(document).is_some());
        self.summaries.iter().map(|_| self.frame(of.next()?)).collect()
    }

    fn frame(&self, document: &Value) -> Option<Frame> {
        let mut atoms = from_mson(&document["atoms"]).ok()?;
        let about = json!({ "fw_id": self.fw_id, "name": self.name });
        // Whatever else is known of the structure is in the launchpad; nested notes have no place here.
        atoms.info_mut().retain(|_, value| !value.is_object() && !value.is_array());
        atoms.info_mut().extend(about.as_object().cloned().unwrap_or_default());
        let read = |key: &str| document["results"][key].clone();
        Some(Frame {
            atoms,
            results: Results {
                energy: read("energy").as_f64(),
                energies: None,
                forces: serde_json::from_value(read("forces")).ok(),
                stress: serde_json::from_value(read("stress")).ok(),
            },
        })
    }
}

/// What its launch stored; of a relaxation that did not converge, how far it came.
pub fn stored_data(launch: &Launch) -> Value {
    let stored = launch.action.as_ref().and_then(|action| action.get("stored_data")).and_then(Bson::as_document);
    let mut stored = stored.map_or(Value::Null, |stored| Value::Object(from_document(stored)));
    let details = stored.pointer_mut("/_exception/_details").filter(|details| details["atoms"].is_object());
    match details.map(Value::take) {
        Some(details) => details,
        None => stored,
    }
}
