//! What dead Python workers leave behind is put right by whoever comes by, and the living are left
//! alone. Python FireWorks makes each mess itself; then its dates are set back.

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use volley::store::{Mend, Mended, Mending};
use volley::workflow::{Launch, State, int_list, time};

use crate::support::Launchpad;
use crate::support::peer::Peer;
use crate::support::site::Site;

/// A chain of two on a launchpad that Python shares, and looks behind it.
struct Scene {
    site: Site,
    peer: Peer,
}

impl Scene {
    fn new() -> Option<Self> {
        let pad = Launchpad::mongo()?;
        let peer = Peer::on(&pad)?;
        let scene = Scene { site: Site::on(pad), peer };
        let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
        scene.site.add(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}, "name": "chain"}));
        Some(scene)
    }

    fn ask(&mut self, request: Value) -> i64 {
        self.peer.ask(request).as_i64().unwrap_or_default()
    }

    fn documents(&self, collection: &str) -> mongodb::sync::Collection<Document> {
        self.site.launchpad.database().collection(collection)
    }

    fn set(&self, collection: &str, filter: Document, set: Document) {
        let changed = self.documents(collection).update_one(filter, doc! {"$set": set}).run().expect("updates");
        assert_eq!(changed.matched_count, 1);
    }

    /// As if the launch had last been heard of so long ago; the dates keep their form, or get another.
    fn age_launch(&self, launch_id: i64, minutes: i64, form: impl Fn(Timestamp) -> Bson) {
        let document = self.documents("launches").find_one(doc! {"launch_id": launch_id}).run().expect("finds");
        let mut launch = Launch::from_document(&document.expect("exists")).expect("a launch");
        for entry in &mut launch.state_history {
            for key in ["created_on", "updated_on"] {
                if entry.contains_key(key) {
                    entry.insert(key, form(ago(minutes)));
                }
            }
        }
        self.set("launches", doc! {"launch_id": launch_id}, doc! {"state_history": launch.state_history});
    }

    fn mend(&self) -> Vec<Mended> {
        self.site.launchpad.store.mend(&Mending::default(), Timestamp::now()).expect("mends")
    }

    fn workflow(&self) -> Document {
        self.documents("workflows").find_one(doc! {}).run().expect("finds").expect("exists")
    }

    /// The states, which workflow and fireworks must agree about, in our eyes and in Python's.
    fn states(&mut self) -> [String; 3] {
        let workflow = self.workflow();
        assert!(!workflow.contains_key("locked"), "{workflow}");
        let state = workflow.get_str("state").expect("a state").to_owned();
        let of = |fw_id: i64| self.site.state(fw_id).to_string();
        let states = [state.clone(), of(1), of(2)];
        let cached = workflow.get_document("fw_states").expect("states");
        assert_eq!([cached.get_str("1"), cached.get_str("2")].map(|one| one.expect("a state")), states[1..]);
        let read = self.peer.ask(json!({"verb": "states", "fw_id": 1}));
        assert_eq!(read, json!({"workflow": state, "fireworks": {"1": states[1], "2": states[2]}}));
        states
    }
}

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

fn iso(at: Timestamp) -> Bson {
    time::to_iso(at).into()
}

#[test]
fn a_reservation_without_a_launch_is_undone() {
    let Some(mut scene) = Scene::new() else { return };
    let dying = Peer::on(&scene.site.launchpad).expect("as before");
    dying.ask_last(json!({"verb": "reserve_and_die", "fw_id": 1}));
    assert_eq!(scene.site.state(1), State::Reserved);
    assert_eq!(scene.mend(), [], "it may be alive");
    let old = doc! {"updated_on": time::to_bson_date(ago(11))};
    scene.set("fireworks", doc! {"fw_id": 1}, old.clone());
    assert_eq!(scene.mend(), [Mended { fw_id: 1, what: Mend::Freed(State::Reserved) }]);
    assert_eq!(scene.states(), ["READY", "READY", "WAITING"]);

    // A job that waits in the queue is none, whatever has been done with it since.
    scene.ask(json!({"verb": "reserve", "fw_id": 1}));
    scene.set("fireworks", doc! {"fw_id": 1}, old);
    assert_eq!(scene.mend(), []);
    assert_eq!(scene.states(), ["RESERVED", "RESERVED", "WAITING"]);
}

#[test]
fn an_end_that_the_firework_was_not_told_of_is_applied() {
    let Some(mut scene) = Scene::new() else { return };
    let launch_id = scene.ask(json!({"verb": "checkout", "fw_id": 1}));
    let action = json!({"update_spec": {"told": true}, "mod_spec": [{"_push": {"list": 1}}]});
    scene.ask(json!({"verb": "complete", "launch_id": launch_id, "action": action, "refresh": false}));
    assert_eq!(scene.mend(), [], "its worker may wait for a lock");
    scene.age_launch(launch_id, 11, iso);
    // Somebody holds the workflow at the moment.
    scene.set("workflows", doc! {}, doc! {"locked": true});
    assert_eq!(scene.mend(), []);
    scene.documents("workflows").update_one(doc! {}, doc! {"$unset": {"locked": ""}}).run().expect("unlocks");
    assert_eq!(scene.mend(), [Mended { fw_id: 1, what: Mend::Settled(launch_id) }]);
    assert_eq!(scene.states(), ["RUNNING", "COMPLETED", "READY"]);
    let spec = scene.site.firework(2).spec;
    assert_eq!((spec.get_bool("told").ok(), spec.get_array("list").ok()), (Some(true), Some(&vec![1.into()])));
}

#[test]
fn a_run_that_was_marked_fizzled_is_fizzled() {
    let Some(mut scene) = Scene::new() else { return };
    let launch_id = scene.ask(json!({"verb": "checkout", "fw_id": 1}));
    let ended =
        json!({"verb": "complete", "launch_id": launch_id, "action": null, "state": "FIZZLED", "refresh": false});
    scene.ask(ended);
    scene.age_launch(launch_id, 11, iso);
    assert_eq!(scene.mend(), [Mended { fw_id: 1, what: Mend::Settled(launch_id) }]);
    assert_eq!(scene.states(), ["FIZZLED", "FIZZLED", "WAITING"]);
}

#[test]
fn a_zombie_settles_nothing() {
    let Some(mut scene) = Scene::new() else { return };
    let first = scene.ask(json!({"verb": "checkout", "fw_id": 1}));
    scene.ask(json!({"verb": "rerun", "fw_id": 1}));
    scene.ask(json!({"verb": "checkout", "fw_id": 1}));
    scene.ask(json!({"verb": "complete", "launch_id": first, "action": {"update_spec": {"zombie": 1}}}));
    scene.age_launch(first, 100, iso);
    assert_eq!(scene.mend(), []);
    assert_eq!(scene.states(), ["RUNNING", "RUNNING", "WAITING"]);
}

#[test]
fn a_run_without_pings_is_lost() {
    let Some(mut scene) = Scene::new() else { return };
    let naive = |at: Timestamp| Bson::from(at.strftime("%Y-%m-%dT%H:%M:%S").to_string());
    let forms: [&dyn Fn(Timestamp) -> Bson; 3] = [&iso, &naive, &time::to_bson_date];
    let mut archived = Vec::new();
    for form in forms {
        let launch_id = scene.ask(json!({"verb": "checkout", "fw_id": 1}));
        scene.age_launch(launch_id, 230, form);
        assert_eq!(scene.mend(), []);
        scene.age_launch(launch_id, 241, form);
        let mended = scene.mend();
        assert!(
            matches!(&mended[..], [Mended { fw_id: 1, what: Mend::Lost(id, _) }] if *id == launch_id),
            "{mended:?}"
        );
        assert_eq!(scene.states(), ["READY", "READY", "WAITING"]);
        archived.push(launch_id);
        let document = scene.documents("launches").find_one(doc! {"launch_id": launch_id}).run().expect("finds");
        let launch = Launch::from_document(&document.expect("exists")).expect("a launch");
        let last = launch.state_history.last().expect("a history");
        assert_eq!((launch.state, launch.action), (State::Fizzled, None));
        assert!(last.get_str("lost").is_ok_and(|reason| reason.starts_with("no ping since ")), "{last}");
    }
    let firework = scene.documents("fireworks").find_one(doc! {"fw_id": 1}).run().expect("finds").expect("exists");
    assert_eq!(int_list(firework.get("archived_launches")), archived);
}

#[test]
fn an_offline_run_is_heard_of_when_somebody_asks() {
    let Some(mut scene) = Scene::new() else { return };
    let launch_id = scene.ask(json!({"verb": "checkout", "fw_id": 1}));
    scene.age_launch(launch_id, 1_000, iso);
    let run = doc! {"fw_id": 1, "launch_id": launch_id as i32, "deprecated": false, "completed": false};
    scene.documents("offline_runs").insert_one(run).run().expect("inserts");
    assert_eq!(scene.mend(), []);
    assert_eq!(scene.states(), ["RUNNING", "RUNNING", "WAITING"]);
    scene.set("offline_runs", doc! {}, doc! {"deprecated": true});
    assert!(matches!(&scene.mend()[..], [Mended { fw_id: 1, what: Mend::Lost(..) }]));
}

#[test]
fn stale_states_of_a_workflow_are_corrected() {
    let Some(mut scene) = Scene::new() else { return };
    scene.set("workflows", doc! {}, doc! {"fw_states.1": "RUNNING", "state": "RUNNING"});
    assert_eq!(scene.mend(), [], "somebody may be about it");
    scene.set("fireworks", doc! {"fw_id": 1}, doc! {"updated_on": time::to_iso(ago(11))});
    assert_eq!(scene.mend(), [Mended { fw_id: 1, what: Mend::Corrected(1) }]);
    assert_eq!(scene.states(), ["READY", "READY", "WAITING"]);
    scene.set("workflows", doc! {}, doc! {"state": "FIZZLED", "updated_on": time::to_bson_date(ago(11))});
    assert_eq!(scene.mend(), [Mended { fw_id: 1, what: Mend::Corrected(0) }]);
    assert_eq!(scene.states(), ["READY", "READY", "WAITING"]);
}

#[test]
fn a_lock_that_nobody_waits_for_is_broken_in_the_second_round() {
    let Some(mut scene) = Scene::new() else { return };
    let launch_id = scene.ask(json!({"verb": "checkout", "fw_id": 1}));
    let action = json!({"update_spec": {"told": true}});
    let mut dying = Peer::on(&scene.site.launchpad).expect("as before");
    // After the firework, before its child and the workflow.
    dying.ask(json!({"verb": "states", "fw_id": 1}));
    dying.ask_last(json!({"verb": "complete_and_die", "launch_id": launch_id, "action": action, "writes": 1}));
    assert_eq!((scene.site.state(1), scene.site.state(2)), (State::Completed, State::Waiting));
    assert_eq!(scene.mend(), []);
    scene.age_launch(launch_id, 11, iso);
    scene.set("workflows", doc! {}, doc! {"updated_on": time::to_bson_date(ago(11))});
    assert_eq!(scene.mend(), [], "seen for the first time so");
    assert_eq!(scene.mend(), [Mended { fw_id: 1, what: Mend::Unlocked }]);
    assert_eq!(scene.states(), ["RUNNING", "COMPLETED", "READY"]);
    assert_eq!(scene.site.firework(2).spec.get_bool("told").ok(), Some(true));
}

#[test]
fn a_claim_that_died_before_its_launch_is_undone() {
    let Some(mut scene) = Scene::new() else { return };
    // Ours, after its second write.
    let claimed = doc! {"state": "RUNNING", "launches": [99], "updated_on": time::to_iso(ago(11))};
    scene.set("fireworks", doc! {"fw_id": 1}, claimed);
    assert_eq!(scene.mend(), [Mended { fw_id: 1, what: Mend::Freed(State::Running) }]);
    assert_eq!(scene.states(), ["READY", "READY", "WAITING"]);
    assert!(scene.site.firework(1).launches.is_empty());
}

#[test]
fn an_idle_worker_mends_and_the_fleet_takes_turns() {
    let Some(mut scene) = Scene::new() else { return };
    let dying = Peer::on(&scene.site.launchpad).expect("as before");
    dying.ask_last(json!({"verb": "reserve_and_die", "fw_id": 1}));
    scene.set("fireworks", doc! {"fw_id": 1}, doc! {"updated_on": time::to_bson_date(ago(11))});
    let log = scene.site.run_well(&["rapidfire", "--nlaunches", "2", "--sleep", "1"]);
    assert!(log.contains("mended: fw_id 1 was RESERVED without a launch: READY again"), "{log}");
    assert_eq!(scene.states(), ["COMPLETED", "COMPLETED", "COMPLETED"]);
    // Less than a minute ago somebody has looked.
    scene.set("workflows", doc! {}, doc! {"state": "READY", "updated_on": time::to_bson_date(ago(11))});
    let minute = SignedDuration::from_mins(1);
    let store = &scene.site.launchpad.store;
    assert_eq!(
        store.mend(&Mending { every: minute, ..Mending::default() }, Timestamp::now()).expect("looks at the turn"),
        []
    );
    assert_eq!(scene.mend(), [Mended { fw_id: 1, what: Mend::Corrected(0) }]);
}

#[test]
fn no_collection_is_read_from_end_to_end() {
    let Some(mut scene) = Scene::new() else { return };
    let fw = json!({"spec": {"_tasks": []}});
    for _ in 0..200 {
        scene.site.add(fw.clone());
    }
    let launch_id = scene.ask(json!({"verb": "checkout", "fw_id": 1}));
    scene.age_launch(launch_id, 300, iso);
    let dying = Peer::on(&scene.site.launchpad).expect("as before");
    dying.ask_last(json!({"verb": "reserve_and_die", "fw_id": 9}));
    scene.set("fireworks", doc! {"fw_id": 9}, doc! {"updated_on": time::to_bson_date(ago(11))});
    scene.set("fireworks", doc! {"fw_id": 12}, doc! {"state": "PAUSED", "updated_on": time::to_iso(ago(11))});
    let old = doc! {"locked": true, "updated_on": time::to_bson_date(ago(11))};
    scene.set("workflows", doc! {"nodes": 13}, old);
    let database = scene.site.launchpad.database();
    database.run_command(doc! {"profile": 2}).run().expect("profiles");
    let rounds: Vec<Mended> = (0..6).flat_map(|_| scene.mend()).collect();
    database.run_command(doc! {"profile": 0}).run().expect("stops");
    let mended: Vec<i64> = rounds.iter().map(|one| one.fw_id).collect();
    assert_eq!(mended, [9, 1, 12, 13], "{rounds:?}");
    let scans = doc! {"planSummary": {"$regex": "COLLSCAN"}, "ns": {"$not": {"$regex": "volley_mend|volley_busy|offline_runs|profile"}}};
    let scan = database.collection::<Document>("system.profile").find_one(scans).run().expect("finds");
    assert_eq!(scan, None);
}
