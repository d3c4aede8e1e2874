//! The three sides that live through a story: Python FireWorks, our SQLite store, our MongoDB
//! store; and what can be seen of each.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use serde_json::{Value, json};
use volley::store::{Appendix, Claim, FireworkQuery, Order, Verb, Verdict, WorkflowQuery};
use volley::workflow::{Draft, Firework, FwAction, FwId, SpecChange, State};

use super::story::document;
use crate::support::peer::Peer;
use crate::support::{Launchpad, Worker, outcome};

/// What a launchpad looks like, as far as FireWorks promises anything.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// None where the sides need not agree.
    pub state: Option<String>,
    pub cached: BTreeMap<FwId, String>,
    pub links: BTreeMap<FwId, BTreeSet<i64>>,
    pub parent_links: BTreeMap<FwId, BTreeSet<i64>>,
    pub fireworks: BTreeMap<FwId, FireworkView>,
}

/// What a firework looks like. The spec is extended JSON: types and the order of keys count.
#[derive(Debug, Clone, PartialEq)]
pub struct FireworkView {
    pub name: String,
    pub state: State,
    pub spec: String,
    pub launches: BTreeSet<i64>,
    pub archived: BTreeSet<i64>,
}

impl View {
    fn of(fireworks: Vec<Firework>, workflow: &Document) -> Self {
        let map = |field: &str| workflow.get_document(field).expect("a map of the workflow");
        let id = |key: &String| -> FwId { key.parse().expect("an id") };
        let links = |field: &str| {
            let lists = map(field).iter();
            lists.map(|(key, ids)| (id(key), volley::workflow::int_list(Some(ids)).into_iter().collect())).collect()
        };
        View {
            state: workflow.get_str("state").ok().map(str::to_owned),
            cached: map("fw_states").iter().map(|(key, state)| (id(key), state.to_string())).collect(),
            links: links("links"),
            parent_links: links("parent_links"),
            fireworks: fireworks.into_iter().map(|firework| (firework.fw_id, FireworkView::of(firework))).collect(),
        }
    }

    /// Ids of the fireworks in one of these states.
    pub fn in_state(&self, states: &[State]) -> Vec<FwId> {
        let all = self.fireworks.iter();
        all.filter(|(_, firework)| states.contains(&firework.state)).map(|(&fw_id, _)| fw_id).collect()
    }

    /// Where two differ, one line each; nothing if they do not.
    pub fn difference(&self, other: &View) -> Vec<String> {
        let mut lines = Vec::new();
        let mut note = |what: String, ours: String, theirs: String| {
            if ours != theirs {
                lines.push(format!("{what}:\n    FireWorks {theirs}\n    Volley    {ours}"));
            }
        };
        if let (Some(ours), Some(theirs)) = (&self.state, &other.state) {
            note("workflow".into(), ours.clone(), theirs.clone());
        }
        note("fw_states".into(), format!("{:?}", self.cached), format!("{:?}", other.cached));
        note("links".into(), format!("{:?}", self.links), format!("{:?}", other.links));
        note("parent_links".into(), format!("{:?}", self.parent_links), format!("{:?}", other.parent_links));
        let ids: BTreeSet<FwId> = self.fireworks.keys().chain(other.fireworks.keys()).copied().collect();
        for fw_id in ids {
            let text = |view: &View| view.fireworks.get(&fw_id).map_or("none".into(), |one| format!("{one:?}"));
            note(format!("firework {fw_id}"), text(self), text(other));
        }
        lines
    }
}

/// The embedded parents without what differs from run to run, in the order of their ids.
fn reduce_fizzled_parents(spec: &mut Document) {
    if let Ok(parents) = spec.get_array_mut("_fizzled_parents") {
        let id = |parent: &Bson| parent.as_document().and_then(|parent| parent.get_i32("fw_id").ok());
        parents.sort_by_key(id);
    }
    for parent in spec.get_array_mut("_fizzled_parents").into_iter().flatten().filter_map(Bson::as_document_mut) {
        for key in ["created_on", "updated_on"] {
            parent.insert(key, "a date");
        }
        for launch in parent.get_array_mut("launches").into_iter().flatten().filter_map(Bson::as_document_mut) {
            let stored = launch.get_document("action").ok().and_then(|action| action.get("stored_data")).cloned();
            *launch = doc! {"id": launch.get("launch_id"), "state": launch.get("state"), "stored": stored};
        }
        // One that a rerun took from a worker stays RUNNING in Python's archive.
        for launch in parent.get_array_mut("archived_launches").into_iter().flatten() {
            *launch = launch.as_document().and_then(|launch| launch.get("launch_id")).cloned().unwrap_or(Bson::Null);
        }
        if let Ok(archived) = parent.get_array_mut("archived_launches") {
            archived.sort_by_key(volley::workflow::as_int);
        }
        parent.get_document_mut("spec").into_iter().for_each(reduce_fizzled_parents);
    }
}

impl FireworkView {
    fn of(mut firework: Firework) -> Self {
        reduce_fizzled_parents(&mut firework.spec);
        FireworkView {
            name: firework.name,
            state: firework.state,
            spec: Bson::Document(firework.spec).into_canonical_extjson().to_string(),
            launches: firework.launches.into_iter().collect(),
            archived: firework.archived_launches.into_iter().collect(),
        }
    }
}

/// Python FireWorks on a database of its own.
pub struct Oracle {
    peer: Peer,
    launchpad: Launchpad,
}

/// FireWorks raised an error.
#[derive(Debug)]
pub struct Refused(pub String);

impl Oracle {
    /// Starts it, where there are a Python and a MongoDB.
    pub fn start() -> Option<Self> {
        let launchpad = Launchpad::mongo()?;
        Some(Oracle { peer: Peer::running("oracle.py", &launchpad)?, launchpad })
    }

    fn ask(&mut self, request: &Value) -> Result<Value, Refused> {
        let answer = self.peer.question(request);
        match answer.get("refused") {
            Some(reason) => Err(Refused(reason.as_str().unwrap_or_default().to_owned())),
            None => Ok(answer["done"].clone()),
        }
    }

    pub fn begin(&mut self, workflow: &Value) {
        self.ask(&json!({"do": "start", "workflow": workflow})).expect("a workflow for FireWorks");
    }

    pub fn claim(&mut self, fw_id: FwId) -> i64 {
        let launch = self.ask(&json!({"do": "claim", "fw_id": fw_id})).expect("claims");
        launch.as_i64().expect("it was free")
    }

    pub fn finish(&mut self, launch_id: i64, state: State, action: &Value) -> Result<(), Refused> {
        let request = json!({"do": "finish", "launch_id": launch_id, "state": state.as_str(), "action": action});
        self.ask(&request).map(drop)
    }

    pub fn steer(&mut self, verb: &str, fw_id: FwId) {
        self.ask(&json!({"do": "steer", "verb": verb, "fw_id": fw_id})).expect("does it, or logs that it cannot");
    }

    pub fn append(&mut self, workflow: &Value, parents: &[FwId], detour: bool, pull: bool) -> Result<(), Refused> {
        let request = json!({"do": "append", "workflow": workflow, "parents": parents, "detour": detour, "pull": pull});
        self.ask(&request).map(drop)
    }

    pub fn update(&mut self, fw_ids: &[FwId], changes: &Value) {
        self.ask(&json!({"do": "update", "fw_ids": fw_ids, "changes": changes})).expect("updates");
    }

    pub fn view(&self) -> View {
        let database = self.launchpad.database();
        let fireworks = database.collection::<Document>("fireworks").find(doc! {}).run().expect("finds");
        let fireworks = fireworks.map(|one| Firework::from_document(&one.expect("reads")).expect("a firework"));
        let workflow = database.collection::<Document>("workflows").find_one(doc! {}).run().expect("finds");
        View::of(fireworks.collect(), &workflow.expect("a workflow"))
    }
}

/// One of our stores.
pub struct Ours {
    pub name: &'static str,
    launchpad: Launchpad,
    worker: Worker,
    /// Claims by the launch id that FireWorks gave.
    claims: BTreeMap<i64, Claim>,
}

impl Ours {
    pub fn new(name: &'static str, launchpad: Launchpad) -> Self {
        Ours { name, launchpad, worker: Worker::new("w"), claims: BTreeMap::new() }
    }

    pub fn begin(&mut self, workflow: &Value) {
        self.claims.clear();
        self.launchpad.store.reset().expect("resets");
        let draft = Draft::from_document(&document(workflow)).expect("a workflow for us");
        self.launchpad.store.insert(&[draft], Timestamp::now()).expect("inserts");
    }

    pub fn claim(&mut self, fw_id: FwId, launch_id: i64) {
        let claim = self.worker.claim_as(&*self.launchpad.store, 1, Some(fw_id), Order::Fifo).pop();
        self.claims.insert(launch_id, claim.expect("it was free"));
    }

    pub fn finish(&mut self, launch_id: i64, state: State, action: &Value) -> Verdict {
        let action = FwAction::from_document(&document(action)).expect("an action");
        let outcome = outcome(&self.claims[&launch_id], state, action);
        self.launchpad.store.finish(&[outcome], Timestamp::now()).expect("finishes")[0]
    }

    pub fn steer(&mut self, verb: Verb, fw_id: FwId) {
        // Where FireWorks logs that it cannot, and leaves everything alone, we say no.
        let _ = self.launchpad.store.steer(verb, fw_id, Timestamp::now());
    }

    pub fn append(&mut self, workflow: &Value, parents: &[FwId], detour: bool, pull: bool) -> bool {
        let draft = Draft::from_document(&document(workflow)).expect("a workflow for us");
        let appendix = Appendix { draft, parents: parents.to_vec(), detour, pull_spec_mods: pull };
        self.launchpad.store.append(&appendix, Timestamp::now()).is_ok()
    }

    pub fn update(&mut self, fw_ids: &[FwId], changes: &Value) {
        let change = SpecChange::setting(document(changes)).expect("a change");
        self.launchpad.store.update_specs(fw_ids, &change, Timestamp::now()).expect("updates");
    }

    pub fn view(&self) -> View {
        let fireworks = self.launchpad.store.find_fireworks(&FireworkQuery::default()).expect("finds");
        let workflow = self.launchpad.store.find_workflows(&WorkflowQuery::default()).expect("finds").pop();
        View::of(fireworks, &workflow.expect("a workflow"))
    }
}
