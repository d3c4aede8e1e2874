//! Whatever dies, at whatever write, is healed by those who come by later, with no verb of anybody:
//! every transition is cut after every command, each statement of a bulk counted, and the clock of the
//! store moves on.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::{
    self, Appendix, Claim, FireworkQuery, Mend, Mended, Mending, Order, Store, Verb, Witness, WorkflowQuery,
};
use volley::workflow::{Cause, Draft, FwAction, FwId, Launch, Loss, State, int_list};

use crate::support::line::Line;
use crate::support::{Launchpad, Worker, draft, outcome, stopped};

/// What one process does before it dies.
type Act = Box<dyn FnOnce(&dyn Store) + Send>;

/// Prepares a launchpad, and says what is done there by whoever dies.
type Prepare = fn(&Launchpad) -> Act;

fn task() -> Document {
    doc! {"_fw_name": "ScriptTask", "script": "true"}
}

/// 1 -> 2, 3 -> 4.
fn diamond() -> Draft {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    draft(json!({"fws": [fw(1), fw(2), fw(3), fw(4)], "links": {"1": [2, 3], "2": [4], "3": [4]}}))
}

fn claim(pad: &Launchpad, fw_id: FwId) -> Claim {
    Worker::new("w").claim_as(&*pad.store, 1, Some(fw_id), Order::Fifo).pop().expect("is ready")
}

fn end(store: &dyn Store, claim: &Claim, action: FwAction) {
    store.finish(&[outcome(claim, State::Completed, action)], Timestamp::now()).expect("finishes");
}

/// The root is done, 2 runs, 3 is READY.
fn half_done(pad: &Launchpad) -> Claim {
    pad.store.insert(&[diamond()], Timestamp::now()).expect("inserts");
    end(&*pad.store, &claim(pad, 1), FwAction::default());
    claim(pad, 2)
}

fn all_done(pad: &Launchpad) {
    let two = half_done(pad);
    end(&*pad.store, &two, detour());
    drain(&*pad.store);
}

/// A `_push` into the join, and a detour before it.
fn detour() -> FwAction {
    let fw = |id: i64| doc! {"fw_id": id, "spec": {"_tasks": [task()]}};
    let detour = doc! {"fws": [fw(-1), fw(-2)], "links": {"-1": [-2]}};
    let push = doc! {"_push": {"from": 2}};
    FwAction { detours: vec![detour], mod_spec: vec![push], ..FwAction::default() }
}

fn verb(verb: Verb, fw_id: FwId) -> Act {
    Box::new(move |store| drop(store.steer(verb, fw_id, Timestamp::now())))
}

/// Knows that everything is lost.
struct Prophet;

impl Witness for Prophet {
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        vec![Some(Loss::new(Cause::NodeFail, "it burnt")); launches.len()]
    }
}

/// Every transition of a store, by name.
const TRANSITIONS: [(&str, Prepare); 20] = [
    ("add", |_| Box::new(|store| drop(store.insert(&[diamond(), diamond()], Timestamp::now())))),
    ("claim of one", |pad| {
        pad.store.insert(&[diamond()], Timestamp::now()).expect("inserts");
        Box::new(|store| drop(Worker::new("w").try_claim(store, 1, None, Order::Fifo)))
    }),
    ("claim of several", |pad| {
        pad.store.insert(&[diamond(), diamond()], Timestamp::now()).expect("inserts");
        Box::new(|store| drop(Worker::new("w").try_claim(store, 2, None, Order::Fifo)))
    }),
    ("renew", |pad| {
        let held = half_done(pad).held();
        Box::new(move |store| drop(store.renew(&[held], &[], &Worker::new("w").lease, Timestamp::now())))
    }),
    ("release", |pad| {
        let held = half_done(pad).held();
        Box::new(move |store| drop(store.release(&[held], Timestamp::now())))
    }),
    ("give back", |pad| {
        let held = half_done(pad).held();
        Box::new(move |store| drop(store.give_back(held, &stopped("SIGTERM"), Timestamp::now())))
    }),
    ("finish", |pad| {
        let ended = outcome(&half_done(pad), State::Completed, detour());
        Box::new(move |store| drop(store.finish(&[ended], Timestamp::now())))
    }),
    ("finish once more", |pad| {
        let two = half_done(pad);
        let ended = outcome(&two, State::Completed, detour());
        pad.store.finish(std::slice::from_ref(&ended), Timestamp::now()).expect("finishes");
        drain(&*pad.store);
        Box::new(move |store| drop(store.finish(&[ended], Timestamp::now())))
    }),
    ("fizzle", |pad| {
        let ended = outcome(&half_done(pad), State::Fizzled, FwAction::default());
        Box::new(move |store| drop(store.finish(&[ended], Timestamp::now())))
    }),
    ("rerun of all", |pad| {
        all_done(pad);
        verb(Verb::Rerun, 1)
    }),
    ("rerun of what runs", |pad| {
        half_done(pad);
        verb(Verb::Rerun, 2)
    }),
    ("defuse of what runs", |pad| {
        half_done(pad);
        verb(Verb::Defuse, 2)
    }),
    ("defuse", |pad| {
        half_done(pad);
        verb(Verb::DefuseWorkflow, 1)
    }),
    ("reignite", |pad| {
        half_done(pad);
        pad.store.steer(Verb::DefuseWorkflow, 1, Timestamp::now()).expect("defuses");
        verb(Verb::ReigniteWorkflow, 1)
    }),
    ("pause", |pad| {
        half_done(pad);
        verb(Verb::PauseWorkflow, 1)
    }),
    ("resume", |pad| {
        half_done(pad);
        pad.store.steer(Verb::PauseWorkflow, 1, Timestamp::now()).expect("pauses");
        verb(Verb::ResumeWorkflow, 1)
    }),
    ("archive", |pad| {
        half_done(pad);
        verb(Verb::ArchiveWorkflow, 1)
    }),
    ("delete", |pad| {
        half_done(pad);
        pad.store.insert(&[diamond()], Timestamp::now()).expect("inserts");
        Box::new(|store| drop(store.delete_workflows(&[2])))
    }),
    ("append", |pad| {
        half_done(pad);
        let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
        let draft = draft(json!({"fws": [fw(-1), fw(-2)], "links": {"-1": [-2]}}));
        let appendix = Appendix { draft, parents: vec![1], detour: false, pull_spec_mods: true };
        Box::new(move |store| drop(store.append(&appendix, Timestamp::now())))
    }),
    ("mend", |pad| {
        half_done(pad);
        Box::new(|store| drop(store.mend(&Mending { witness: &Prophet, ..Mending::default() }, Timestamp::now())))
    }),
];

/// Those who come by later, and find in the end that there is nothing left to mend.
struct Healers(Vec<Box<dyn Store>>);

impl Healers {
    fn of(pad: &Launchpad) -> Self {
        let later = |ahead| store::open_ahead(&pad.location, SignedDuration::from_secs(ahead)).expect("opens");
        Healers([700, 740, 1500, 1540].map(later).into())
    }

    fn come_by(&self, when: &str) {
        let mend = |store: &dyn Store| store.mend(&Mending::default(), Timestamp::now()).expect("mends");
        let rounds: Vec<Vec<Mended>> = self.0.iter().map(|store| mend(&**store)).collect();
        let last = rounds.last().expect("somebody comes by");
        assert!(last.iter().all(|one| matches!(one.what, Mend::Suspected(_))), "{when}: never ends: {last:?}");
    }
}

/// Everything that can be run is.
fn drain(store: &dyn Store) {
    let worker = Worker::new("another");
    while let Some(claim) = worker.claim(store, 1).pop() {
        end(store, &claim, FwAction::default());
    }
}

/// What must hold whenever nothing is under way.
fn check(pad: &Launchpad, when: &str) {
    let fireworks = pad.store.find_fireworks(&FireworkQuery::default()).expect("finds");
    let fireworks: BTreeMap<FwId, _> = fireworks.into_iter().map(|firework| (firework.fw_id, firework)).collect();
    let state = |fw_id: FwId| fireworks.get(&fw_id).map(|firework| firework.state);
    let mut linked = BTreeSet::new();
    for workflow in pad.store.find_workflows(&WorkflowQuery::default()).expect("finds") {
        assert!(!workflow.contains_key("locked"), "{when}: {workflow}");
        let nodes = int_list(workflow.get("nodes"));
        let cached = workflow.get_document("fw_states").expect("states");
        let parents = workflow.get_document("parent_links").expect("links");
        for &fw_id in &nodes {
            assert!(linked.insert(fw_id), "{when}: firework {fw_id} is twice in {workflow}");
            let real = state(fw_id);
            assert_eq!(
                cached.get_str(fw_id.to_string()).ok(),
                real.map(State::as_str),
                "{when}: {fw_id} in {workflow}"
            );
            let above: Vec<_> = int_list(parents.get(fw_id.to_string())).into_iter().map(state).collect();
            let is_free = above.iter().all(|parent| *parent == Some(State::Completed));
            let is_right = match real {
                Some(State::Waiting) => !is_free,
                Some(State::Ready | State::Running | State::Completed) => is_free,
                _ => true,
            };
            assert!(is_right, "{when}: firework {fw_id} is {real:?} below {above:?}");
        }
    }
    for firework in fireworks.values() {
        // Of an addition that died half way: nobody will ever run it.
        let is_orphan = !linked.contains(&firework.fw_id);
        assert!(!is_orphan || firework.state == State::Waiting, "{when}: {firework:?}");
    }
    let launches = pad.database().collection::<Document>("launches");
    for launch in launches.find(doc! {"state": {"$in": ["RUNNING", "RESERVED"]}}).run().expect("finds") {
        let launch = Launch::from_document(&launch.expect("reads")).expect("a launch");
        let firework = fireworks.get(&launch.fw_id);
        let counts = firework.is_some_and(|firework| firework.launches.contains(&launch.launch_id));
        assert!(counts, "{when}: launch {} runs for nobody", launch.launch_id);
    }
    for firework in fireworks.values().filter(|firework| firework.state == State::Running) {
        assert!(!firework.launches.is_empty(), "{when}: firework {} is RUNNING without a launch", firework.fw_id);
    }
}

/// Cuts some of the transitions after every command.
fn cut_every(transitions: &[(&str, Prepare)]) {
    let Some(pad) = Launchpad::mongo() else { return };
    let healers = Healers::of(&pad);
    for (name, prepare) in transitions {
        for commands in 0.. {
            pad.store.reset().expect("resets");
            let (line, mortal) = Line::store(&pad);
            let act = prepare(&pad);
            let sufficed = line.die_after(commands, &mortal, act);
            let when = format!("{name}, cut after {commands} commands");
            healers.come_by(&when);
            check(&pad, &when);
            drain(&*pad.store);
            check(&pad, &format!("{when}, and drained"));
            if sufficed {
                assert!(commands > 0, "{name}: nothing was cut");
                break;
            }
        }
    }
}

#[test]
fn what_workers_do_is_healed_wherever_it_is_cut() {
    cut_every(&TRANSITIONS[..9]);
}

#[test]
fn what_verbs_do_is_healed_wherever_it_is_cut() {
    cut_every(&TRANSITIONS[9..]);
}

/// A copy that died half way is not mistaken for a launchpad: it says so, and can be made again.
#[test]
fn a_copy_cut_anywhere_is_made_again() {
    fn copy(store: &dyn Store) -> store::Result<()> {
        let source = Launchpad::sqlite();
        source.store.insert(&[diamond()], Timestamp::now()).expect("inserts");
        store.import(&mut |take| source.store.export(&mut |batch| take(batch)))
    }
    for commands in 0.. {
        let Some(pad) = Launchpad::mongo() else { return };
        let (line, mortal) = Line::store(&pad);
        let sufficed = line.die_after(commands, &mortal, |store| drop(copy(store)));
        if let Err(refused) = copy(&*pad.store) {
            let said = refused.to_string();
            assert!(sufficed || said.contains("lpad reset"), "cut after {commands}: {said}");
            pad.store.reset().expect("resets");
            copy(&*pad.store).expect("copies");
        }
        check(&pad, &format!("copied after {commands} commands"));
        if sufficed {
            return;
        }
    }
}
