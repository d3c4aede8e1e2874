//! The look at everything for `lpad doctor`. Workers go on meanwhile: what seems wrong is looked at
//! twice, a moment apart, and only what stays so is told.

use std::collections::{BTreeMap, HashMap};
use std::thread::sleep;
use std::time::Duration;

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::Timestamp;
use mongodb::error::ErrorKind;

use super::commands::ints;
use super::schema::INDEXED;
use super::wait::Look;
use super::{MongoStore, view};
use crate::store::examine::{age, holder};
use crate::store::mend::{DEAD, followed, judge};
use crate::store::{Finding, Result, Trouble};
use crate::workflow::{Firework, FwId, Launch, LaunchId, State, as_int, int_list, time};

/// Longer than any step of a living worker takes as a rule.
const MOMENT: Duration = Duration::from_millis(300);

/// Fireworks whose launches are read together.
const BATCH: usize = 1_000;

/// MongoDB's error code for a collection that does not exist.
const NO_COLLECTION: i32 = 26;

/// What seems wrong at the first look.
#[derive(Default)]
struct Suspicion {
    orphans: Vec<FwId>,
    /// Fireworks of which their workflow has another state.
    stale: Vec<FwId>,
    locked: Vec<(ObjectId, Bson)>,
    unreadable: Vec<Finding>,
}

impl MongoStore {
    pub(super) fn examine_database(&self) -> Result<Vec<Finding>> {
        self.refuse_newer()?;
        let at = self.server_time()?;
        let (mut suspicion, active) = self.first_look()?;
        let mut findings = std::mem::take(&mut suspicion.unreadable);
        self.examine_launches(&mut findings)?;
        for part in active.chunks(BATCH) {
            self.examine_active(part, at, &mut findings)?;
        }
        if !(suspicion.orphans.is_empty() && suspicion.stale.is_empty() && suspicion.locked.is_empty()) {
            sleep(MOMENT);
            self.second_look(&suspicion, at, &mut findings)?;
        }
        self.examine_counters(&mut findings)?;
        self.examine_indexes(&mut findings)?;
        Ok(findings)
    }

    /// Reads all workflows and fireworks without what is the user's. Returns also the fireworks
    /// that are RESERVED or RUNNING.
    fn first_look(&self) -> Result<(Suspicion, Vec<Firework>)> {
        let mut suspicion = Suspicion::default();
        let mut cached: HashMap<FwId, Option<State>> = HashMap::new();
        let projection = doc! { "nodes": 1, "fw_states": 1, "locked": 1 };
        for workflow in self.ask(self.workflows.find(doc! {}).projection(projection).run())? {
            let workflow = self.ask(workflow)?;
            let states = view::cached_states(&workflow);
            cached.extend(int_list(workflow.get("nodes")).into_iter().map(|node| (node, states.get(&node).copied())));
            if let Some(locked) = workflow.get("locked") {
                suspicion.locked.push((view::object_id(&workflow, &self.settings.place())?, locked.clone()));
            }
        }
        let mut active = Vec::new();
        let projection = doc! { "fw_id": 1, "name": 1, "state": 1, "updated_on": 1, "launches": 1 };
        for firework in self.ask(self.fireworks.find(doc! {}).projection(projection).run())? {
            let mut firework = self.ask(firework)?;
            firework.insert("spec", doc! {});
            let firework = match Firework::from_document(&firework) {
                Ok(firework) => firework,
                Err(error) => {
                    let fw_id = firework.get("fw_id").and_then(as_int);
                    suspicion.unreadable.push(Finding::unreadable(fw_id, &error.to_string()));
                    continue;
                }
            };
            match cached.get(&firework.fw_id) {
                None => suspicion.orphans.push(firework.fw_id),
                Some(state) if *state != Some(firework.state) => suspicion.stale.push(firework.fw_id),
                Some(_) => {}
            }
            if matches!(firework.state, State::Reserved | State::Running) {
                active.push(firework);
            }
        }
        Ok((suspicion, active))
    }

    /// Launches that nothing can be done with.
    fn examine_launches(&self, findings: &mut Vec<Finding>) -> Result<()> {
        let states: Vec<&str> = State::ALL.iter().map(|state| state.as_str()).collect();
        let no_number = |field: &str| doc! { field: { "$not": { "$type": "number" } } };
        let bad = doc! { "$or": [{ "state": { "$nin": states } }, no_number("fw_id"), no_number("launch_id")] };
        let projection = doc! { "fw_id": 1, "launch_id": 1, "state": 1 };
        for launch in self.collect(self.launches.find(bad).projection(projection).run())? {
            let shown = |key| launch.get(key).map_or("none".to_owned(), Bson::to_string);
            let what = format!("launch {} has the state {}", shown("launch_id"), shown("state"));
            findings.push(Finding::unreadable(launch.get("fw_id").and_then(as_int), &what));
        }
        Ok(())
    }

    /// RESERVED and RUNNING fireworks that nobody is about.
    fn examine_active(&self, active: &[Firework], at: Timestamp, findings: &mut Vec<Finding>) -> Result<()> {
        let ids: Vec<LaunchId> = active.iter().flat_map(|firework| firework.launches.iter().copied()).collect();
        let launches = self.launch_heads(&ids)?;
        let running = |firework: &&Firework| firework.state == State::Running;
        let judged = active
            .iter()
            .filter(running)
            .filter_map(|one| judge(&one.updated_on, followed(&one.launches, &launches), None, at));
        let offline = self.offline_launches(&judged.filter_map(|case| case.silent()).collect::<Vec<_>>())?;
        for firework in active {
            if firework.state == State::Running {
                let runs_offline = firework.launches.iter().any(|launch| offline.contains(launch));
                findings.extend(Finding::running(firework, &launches, at).filter(|_| !runs_offline));
            } else if let Some(since) = reserved_in_vain(firework, &launches, at) {
                let text =
                    format!("it has been RESERVED for {} without a launch; workers make it READY", age(at, since));
                findings.push(Finding { trouble: Trouble::Reserved, fw_id: Some(firework.fw_id), text });
            }
        }
        Ok(())
    }

    /// Tells what is still as it was at the first look.
    fn second_look(&self, suspicion: &Suspicion, at: Timestamp, findings: &mut Vec<Finding>) -> Result<()> {
        let fw_ids = [suspicion.orphans.as_slice(), &suspicion.stale].concat();
        let locked: Vec<ObjectId> = suspicion.locked.iter().map(|(workflow, _)| *workflow).collect();
        let of = doc! { "$or": [{ "nodes": { "$in": ints(&fw_ids) } }, { "_id": { "$in": &locked } }] };
        let projection = doc! { "name": 1, "nodes": 1, "fw_states": 1, "locked": 1, "updated_on": 1 };
        let mut cached: BTreeMap<FwId, Option<State>> = BTreeMap::new();
        for workflow in self.collect(self.workflows.find(of).projection(projection).run())? {
            let states = view::cached_states(&workflow);
            cached.extend(int_list(workflow.get("nodes")).into_iter().map(|node| (node, states.get(&node).copied())));
            let id = view::object_id(&workflow, &self.settings.place())?;
            if let Some(look) =
                Look::of(&workflow, id, at).filter(|look| suspicion.locked.contains(&(id, look.locked.clone())))
            {
                findings.push(held(&look, &workflow));
            }
        }
        // Those without a workflow that may still get one.
        let young = self.young(&suspicion.orphans)?;
        let projection = doc! { "_id": 0, "fw_id": 1, "name": 1, "state": 1 };
        let of = doc! { "fw_id": { "$in": ints(&fw_ids) } };
        for firework in self.collect(self.fireworks.find(of).sort(doc! { "fw_id": 1 }).projection(projection).run())? {
            let Some(fw_id) = firework.get("fw_id").and_then(as_int) else { continue };
            let text = |key| firework.get_str(key).unwrap_or_default();
            match cached.get(&fw_id) {
                None if young.contains(&fw_id) => {}
                None => findings.push(Finding::orphan(fw_id, text("name"), text("state"))),
                Some(state) if state.map(State::as_str) != Some(text("state")) => {
                    let known = state.map_or("nothing", State::as_str);
                    let text = format!("it is {}, and its workflow says {known}; workers see to it", text("state"));
                    findings.push(Finding { trouble: Trouble::States, fw_id: Some(fw_id), text });
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    fn examine_counters(&self, findings: &mut Vec<Finding>) -> Result<()> {
        let counters = self.database.collection::<Document>("fw_id_assigner");
        let counters = self.ask(counters.find_one(doc! {}).run())?.unwrap_or_default();
        for (counter, collection, field) in
            [("next_fw_id", "fireworks", "fw_id"), ("next_launch_id", "launches", "launch_id")]
        {
            let next = counters.get(counter).and_then(as_int);
            findings.extend(Finding::counter(counter, next, self.highest(collection, field)?));
        }
        Ok(())
    }

    fn examine_indexes(&self, findings: &mut Vec<Finding>) -> Result<()> {
        let mut found = Vec::new();
        for collection in INDEXED {
            let listed = self.database.collection::<Document>(collection).list_indexes().run();
            let listed = match listed.and_then(Iterator::collect::<mongodb::error::Result<Vec<_>>>) {
                Err(error) if is_missing(&error) => Vec::new(),
                listed => self.ask(listed)?,
            };
            found.extend(listed.into_iter().map(|index| (collection, index.keys)));
        }
        for index in self.indexes() {
            // The order of keys matters, which documents do not compare.
            let same = |keys: &Document| {
                keys.iter()
                    .map(|(key, value)| (key, as_int(value)))
                    .eq(index.keys.iter().map(|(key, value)| (key, as_int(value))))
            };
            if !found.iter().any(|(collection, keys)| *collection == index.collection && same(keys)) {
                let text = format!(
                    "{} has no index {}; `lpad init` makes it, and FireWorks' `lpad admin tuneup`",
                    index.collection,
                    index.name()
                );
                findings.push(Finding { trouble: Trouble::Index, fw_id: None, text });
            }
        }
        Ok(())
    }
}

/// A lock that stands. Python's locks do not say since when; whoever holds one has changed nothing
/// of the workflow since it was last changed.
fn held(look: &Look, workflow: &Document) -> Finding {
    let changed = time::from_bson(&look.updated_on);
    let changed = changed.map_or_else(String::new, |changed| format!("; last changed {} ago", age(look.now, changed)));
    let over = if look.has_expired() { "; its time is over, and whoever comes by takes it over" } else { "" };
    let text = format!("its workflow `{}` is locked by {}{changed}{over}", look.name, holder(&look.locked));
    Finding { trouble: Trouble::Locked, fw_id: int_list(workflow.get("nodes")).into_iter().min(), text }
}

/// Since when a firework is RESERVED that no queue job is for: Python's mark before the launch.
fn reserved_in_vain(firework: &Firework, launches: &BTreeMap<LaunchId, Launch>, at: Timestamp) -> Option<Timestamp> {
    let open = |id: &LaunchId| launches.get(id).is_some_and(|launch| !launch.state.is_final());
    let since = time::from_bson(&firework.updated_on)?;
    (at.duration_since(since) > DEAD && !firework.launches.iter().any(open)).then_some(since)
}

fn is_missing(error: &mongodb::error::Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(command) if command.code == NO_COLLECTION)
}
