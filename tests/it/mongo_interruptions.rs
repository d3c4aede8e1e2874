//! MongoDB writes without transactions: a worker (or a server) that dies between any two of its
//! writes must leave what others can go on with. The line to it is cut after every command of a
//! transition; then its lock expires, and others come by.

use std::collections::BTreeMap;
use std::sync::Arc;

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::{
    self, Appendix, Claim, ClaimRequest, FireworkQuery, Held, Mending, Order, Store, Verb, Verdict, WorkflowQuery,
};
use volley::workflow::{FwAction, FwId, Launch, State, time};

use crate::support::line::Line;
use crate::support::{Launchpad, Worker, draft, outcome, stopped};

/// A diamond 1 -> 2, 3 -> 4 of which a worker, whose line will be cut, has done the root.
struct Scene<'p> {
    pad: &'p Launchpad,
    line: Line,
    mortal: Arc<dyn Store>,
    worker: Worker,
}

impl<'p> Scene<'p> {
    fn on(pad: &'p Launchpad) -> Self {
        pad.store.reset().expect("resets");
        let (line, mortal) = Line::store(pad);
        let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
        let diamond = json!({"fws": [fw(1), fw(2), fw(3), fw(4)], "links": {"1": [2, 3], "2": [4], "3": [4]}});
        mortal.insert(&[draft(diamond)], Timestamp::now()).expect("inserts");
        let scene = Scene { pad, line, mortal, worker: Worker::new("mortal") };
        let root = scene.claim(1);
        finish(&*scene.mortal, &root, FwAction::default());
        scene
    }

    fn claim(&self, fw_id: FwId) -> Claim {
        self.worker.claim_as(&*self.mortal, 1, Some(fw_id), Order::Fifo).pop().expect("is ready")
    }

    fn claim_of_another(&self, fw_id: FwId) -> Claim {
        let worker = Worker::new("another");
        worker.claim_as(&*self.pad.store, 1, Some(fw_id), Order::Fifo).pop().expect("is ready")
    }

    /// Does it with only so many commands. True when they sufficed.
    fn die_after(&self, commands: usize, act: impl FnOnce(&dyn Store) + Send + 'static) -> bool {
        let sufficed = self.line.die_after(commands, &self.mortal, act);
        if !sufficed {
            self.expire();
        }
        sufficed
    }

    /// As if the time of the lock had passed.
    fn expire(&self) {
        let past = time::to_iso(Timestamp::now() - SignedDuration::from_secs(1));
        let workflows = self.pad.database().collection::<Document>("workflows");
        let locked = doc! {"locked": {"$exists": true}};
        workflows.update_many(locked, doc! {"$set": {"locked.until": past}}).run().expect("updates");
    }

    /// Another worker does all there is to do.
    fn drain(&self) {
        let worker = Worker::new("another");
        while let Some(claim) = worker.claim(&*self.pad.store, 1).pop() {
            let action = if claim.firework.fw_id == 3 { push(3) } else { FwAction::default() };
            finish(&*self.pad.store, &claim, action);
        }
    }

    fn states(&self) -> BTreeMap<FwId, State> {
        let fireworks = self.pad.store.find_fireworks(&FireworkQuery::default()).expect("finds");
        fireworks.into_iter().map(|firework| (firework.fw_id, firework.state)).collect()
    }

    /// What must hold at any time, once a lock has been taken over.
    fn check(&self, when: &str) {
        let workflow = self.pad.store.find_workflows(&WorkflowQuery::default()).expect("finds").pop().expect("exists");
        assert!(!workflow.contains_key("locked"), "{when}: still locked: {workflow}");
        let states = self.states();
        let parents = workflow.get_document("parent_links").expect("links");
        for (&fw_id, &state) in states.iter().filter(|&(_, &state)| state == State::Waiting) {
            let parents = volley::workflow::int_list(parents.get(fw_id.to_string()));
            let waits = parents.iter().any(|parent| states.get(parent) != Some(&State::Completed));
            assert!(waits, "{when}: firework {fw_id} is {state} for nothing: {states:?} {workflow}");
        }
        let pushed = self.pushed();
        assert!(
            pushed.iter().all(|one| pushed.iter().filter(|other| *other == one).count() == 1),
            "{when}: {pushed:?}"
        );
    }

    fn pushed(&self) -> Vec<Bson> {
        let query = FireworkQuery { ids: Some(vec![4]), ..FireworkQuery::default() };
        let join = self.pad.store.find_fireworks(&query).expect("finds").pop().expect("exists");
        join.spec.get_array("from").cloned().unwrap_or_default()
    }

    /// All is done, each once.
    fn check_end(&self, when: &str, fireworks: usize) {
        self.check(when);
        let states = self.states();
        assert!(states.values().all(|&state| state == State::Completed), "{when}: {states:?}");
        assert_eq!(states.len(), fireworks, "{when}: {states:?}");
        let mut pushed: Vec<i32> = self.pushed().iter().filter_map(Bson::as_i32).collect();
        pushed.sort_unstable();
        assert_eq!(pushed, [2, 3], "{when}");
        let workflow = self.pad.store.find_workflows(&WorkflowQuery::default()).expect("finds").pop().expect("exists");
        assert_eq!(workflow.get_str("state").ok(), Some("COMPLETED"), "{when}: {workflow}");
        self.check_cache(when);
        let marked = doc! {"volley_applied": {"$exists": true}};
        let fireworks = self.pad.database().collection::<Document>("fireworks");
        assert_eq!(fireworks.count_documents(marked).run().expect("counts"), 0, "{when}: a mark is left");
    }

    fn check_cache(&self, when: &str) {
        let workflow = self.pad.store.find_workflows(&WorkflowQuery::default()).expect("finds").pop().expect("exists");
        let real: Document = self.states().iter().map(|(id, state)| (id.to_string(), state.as_str().into())).collect();
        assert_eq!(workflow.get_document("fw_states").ok(), Some(&real), "{when}");
    }
}

fn push(value: i32) -> FwAction {
    FwAction { mod_spec: vec![doc! {"_push": {"from": value}}], ..FwAction::default() }
}

/// A `_push` into the join and a detour before it.
fn push_and_detour() -> FwAction {
    let fw = |id: i64| doc! {"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}};
    let detour = doc! {"fws": [fw(-1), fw(-2)], "links": {"-1": [-2]}};
    FwAction { detours: vec![detour], ..push(2) }
}

fn finish(store: &dyn Store, claim: &Claim, action: FwAction) {
    let verdicts = store.finish(&[outcome(claim, State::Completed, action)], Timestamp::now()).expect("finishes");
    assert_eq!(verdicts, [Verdict::Recorded], "fw_id {}", claim.firework.fw_id);
}

/// Cuts the outcome of firework 2 after every command; `others_first` says who comes by first.
fn cut_every_finish(others_first: bool) {
    let Some(pad) = Launchpad::mongo() else { return };
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let left = scene.claim(2);
        let ended = outcome(&left, State::Completed, push_and_detour());
        let again = ended.clone();
        let sufficed = scene.die_after(commands, move |store| drop(store.finish(&[ended], Timestamp::now())));
        let when = format!("finish cut after {commands} commands");
        if others_first {
            scene.drain();
            scene.check(&when);
        }
        // The worker finds its result on disk and reports again.
        let verdict = scene.pad.store.finish(&[again], Timestamp::now()).expect("finishes");
        assert_eq!(verdict, [Verdict::Recorded], "{when}");
        scene.drain();
        scene.check_end(&when, 6);
        if sufficed {
            assert!((9..30).contains(&commands), "{commands}");
            return;
        }
    }
}

#[test]
fn an_outcome_cut_anywhere_is_finished_by_others() {
    cut_every_finish(true);
}

#[test]
fn an_outcome_cut_anywhere_is_finished_by_its_worker() {
    cut_every_finish(false);
}

/// A claim holds no lock: others go on, and whatever was claimed can be given back. (What a dead
/// worker has claimed is freed when its lease has expired, which is not the locks' business.)
#[test]
fn a_claim_cut_anywhere_hinders_nobody() {
    let Some(pad) = Launchpad::mongo() else { return };
    for limit in [1, 2] {
        for commands in 0.. {
            let scene = Scene::on(&pad);
            let worker = Worker::new("mortal");
            let lease = worker.lease.clone();
            let sufficed = scene.die_after(commands, move |store| {
                let _ = worker.try_claim(store, limit, None, Order::Fifo);
            });
            let when = format!("claim of {limit} cut after {commands} commands");
            scene.drain();
            scene.check(&when);
            let launches = scene.pad.database().collection::<Document>("launches");
            let mine = launches.find(doc! {"state_history.lease.owner": &lease.owner, "state": "RUNNING"});
            for launch in mine.run().expect("finds") {
                let launch = Launch::from_document(&launch.expect("reads")).expect("a launch");
                let held = Held { fw_id: launch.fw_id, launch_id: launch.launch_id };
                let given = scene.pad.store.give_back(held, &stopped("cut"), Timestamp::now()).expect("gives back");
                // Several are begun before they are all claimed.
                assert!(given || limit > 1, "{when}: {held:?}");
            }
            scene.drain();
            scene.check(&when);
            if sufficed {
                break;
            }
        }
    }
}

#[test]
fn a_rerun_cut_anywhere_is_finished_by_the_next() {
    let Some(pad) = Launchpad::mongo() else { return };
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let left = scene.claim(2);
        finish(&*scene.mortal, &left, push(2));
        scene.drain();
        scene.check_end("before", 4);
        let sufficed = scene.die_after(commands, |store| drop(store.steer(Verb::Rerun, 1, Timestamp::now())));
        let when = format!("rerun cut after {commands} commands");
        scene.pad.store.steer(Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        scene.check_cache(&when);
        let expected = [(1, State::Ready), (2, State::Waiting), (3, State::Waiting), (4, State::Waiting)];
        assert_eq!(scene.states(), BTreeMap::from(expected), "{when}");
        if sufficed {
            return;
        }
    }
}

/// Fireworks of the workflow of firework 1, and of all others.
fn members(scene: &Scene<'_>) -> (Vec<FwId>, Vec<Vec<FwId>>) {
    let nodes = |workflow: &Document| volley::workflow::int_list(workflow.get("nodes"));
    let all = scene.pad.store.find_workflows(&WorkflowQuery::default()).expect("finds");
    let (own, others): (Vec<_>, Vec<_>) = all.iter().map(nodes).partition(|nodes: &Vec<FwId>| nodes.contains(&1));
    (own.into_iter().next().expect("exists"), others)
}

#[test]
fn a_rerun_that_replaces_a_detour_can_be_cut_anywhere() {
    let Some(pad) = Launchpad::mongo() else { return };
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let left = scene.claim(2);
        finish(&*scene.mortal, &left, push_and_detour());
        scene.drain();
        scene.check_end("before", 6);
        let sufficed = scene.die_after(commands, |store| drop(store.steer(Verb::Rerun, 1, Timestamp::now())));
        let when = format!("rerun cut after {commands} commands");
        scene.pad.store.steer(Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        let (own, mut others) = members(&scene);
        others.iter_mut().for_each(|nodes| nodes.sort_unstable());
        assert_eq!((own.len(), others), (4, vec![vec![5, 6]]), "{when}");
        use State::{Archived, Ready, Waiting};
        let expected = [(1, Ready), (2, Waiting), (3, Waiting), (4, Waiting), (5, Archived), (6, Archived)];
        assert_eq!(scene.states(), BTreeMap::from(expected), "{when}");
        scene.drain();
        assert_eq!(scene.states().values().filter(|&&state| state == State::Completed).count(), 4, "{when}");
        if sufficed {
            return;
        }
    }
}

#[test]
fn an_appended_workflow_cut_anywhere_is_there_or_not() {
    let Some(pad) = Launchpad::mongo() else { return };
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let draft = draft(json!({"fws": [fw(-1), fw(-2)], "links": {"-1": [-2]}}));
        let appendix = Appendix { draft, parents: vec![1], detour: false, pull_spec_mods: true };
        let again = appendix.clone();
        let sufficed = scene.die_after(commands, move |store| drop(store.append(&appendix, Timestamp::now())));
        let when = format!("append cut after {commands} commands");
        // Somebody comes by, and finishes it or undoes it.
        let left = scene.claim_of_another(2);
        finish(&*scene.pad.store, &left, push(2));
        let (mut own, others) = members(&scene);
        own.sort_unstable();
        let known: Vec<FwId> = scene.states().into_keys().collect();
        // Cut off before the lock, the fireworks are not there either.
        assert_eq!((&own, others), (&known, Vec::new()), "{when}");
        assert!(matches!(own.len(), 4 | 6), "{when}: {own:?}");
        scene.pad.store.append(&again, Timestamp::now()).expect("appends");
        scene.drain();
        assert!(scene.states().values().all(|&state| state == State::Completed), "{when}: {:?}", scene.states());
        scene.check(&when);
        scene.check_cache(&when);
        if sufficed {
            return;
        }
    }
}

fn reserve(store: &dyn Store, fw_id: FwId) -> volley::store::Result<Option<Claim>> {
    let worker = Worker::new("launcher");
    store.reserve(&ClaimRequest {
        retry: None,
        worker: &worker.fworker,
        fw_id: Some(fw_id),
        order: Order::Fifo,
        lease: &worker.lease,
        host: ("testhost", "127.0.0.1"),
        token: None,
        directory: &|_| "/launches/here".into(),
        now: Timestamp::now(),
    })
}

impl Scene<'_> {
    /// Somebody mends later, and gives back what is reserved and has its launch; then all is done.
    fn free_and_drain(&self, when: &str) {
        let later = store::open_ahead(&self.pad.location, SignedDuration::from_mins(11)).expect("opens");
        later.mend(&Mending::default(), Timestamp::now()).expect("mends");
        let reserved = FireworkQuery { states: vec![State::Reserved], ..FireworkQuery::default() };
        for firework in self.pad.store.find_fireworks(&reserved).expect("finds") {
            let held = Held { fw_id: firework.fw_id, launch_id: *firework.launches.last().expect("it has its launch") };
            assert!(self.pad.store.cancel_reservation(held, Timestamp::now()).expect("cancels"), "{when}");
        }
        self.drain();
        assert!(self.states().values().all(|&state| state == State::Completed), "{when}: {:?}", self.states());
        self.check_cache(when);
    }
}

#[test]
fn a_reservation_may_die_anywhere() {
    let Some(pad) = Launchpad::mongo() else { return };
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let sufficed = scene.die_after(commands, |store| drop(reserve(store, 2)));
        scene.free_and_drain(&format!("reserved with {commands} commands"));
        if sufficed {
            assert_eq!(commands, 5);
            break;
        }
    }
}

#[test]
fn the_end_of_a_reservation_may_die_anywhere() {
    let Some(pad) = Launchpad::mongo() else { return };
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let held = reserve(&*scene.mortal, 2).expect("reserves").expect("is ready").held();
        let sufficed = scene.die_after(commands, move |store| drop(store.cancel_reservation(held, Timestamp::now())));
        scene.free_and_drain(&format!("cancelled with {commands} commands"));
        if sufficed {
            break;
        }
    }
}

#[test]
fn the_claim_of_a_reservation_may_die_anywhere() {
    let Some(pad) = Launchpad::mongo() else { return };
    for commands in 0.. {
        let scene = Scene::on(&pad);
        reserve(&*scene.mortal, 2).expect("reserves").expect("is ready");
        let worker = Worker::new("mortal");
        let sufficed = scene.die_after(commands, move |store| drop(worker.try_claim(store, 1, Some(2), Order::Fifo)));
        let when = format!("taken up with {commands} commands");
        // The lease, where there is one, is only suspected at first.
        let later = |minutes| store::open_ahead(&pad.location, SignedDuration::from_mins(minutes)).expect("opens");
        later(5).mend(&Mending::default(), Timestamp::now()).expect("mends");
        scene.free_and_drain(&when);
        if sufficed {
            break;
        }
    }
}
