//! Locks of Python FireWorks processes, which name no owner: those of the living are waited for,
//! those of the dead are broken, and what the dead left half written is brought in order.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use volley::store::{FireworkQuery, Verdict};
use volley::workflow::{FwAction, Launch, State, time};

use crate::support::peer::Peer;
use crate::support::run::wait_until;
use crate::support::site::Site;
use crate::support::{Launchpad, Worker, draft, outcome};

/// A diamond 1 -> 2, 3 -> 4 called `diamond`, of which the root is done.
fn diamond(pad: &Launchpad) -> Worker {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    let links = json!({"1": [2, 3], "2": [4], "3": [4]});
    let workflow = json!({"fws": [fw(1), fw(2), fw(3), fw(4)], "links": links, "name": "diamond"});
    pad.store.insert(&[draft(workflow)], Timestamp::now()).expect("inserts");
    let worker = Worker::new("w");
    let root = worker.claim(&*pad.store, 1).pop().expect("claims");
    let done = outcome(&root, State::Completed, FwAction::default());
    pad.store.finish(&[done], Timestamp::now()).expect("finishes");
    worker
}

/// As if nothing had changed in the workflow for so long.
fn age_workflow(pad: &Launchpad, minutes: i64) {
    let then = Timestamp::now() - SignedDuration::from_mins(minutes);
    let workflows = pad.database().collection::<Document>("workflows");
    workflows.update_one(doc! {}, doc! {"$set": {"updated_on": time::to_bson_date(then)}}).run().expect("updates");
}

/// As if the launches had last been heard of so long ago.
fn age_launches(pad: &Launchpad, minutes: i64) {
    let launches = pad.database().collection::<Document>("launches");
    let then = time::to_iso(Timestamp::now() - SignedDuration::from_mins(minutes));
    for document in launches.find(doc! {}).run().expect("finds") {
        let document = document.expect("reads");
        let mut launch = Launch::from_document(&document).expect("a launch");
        for entry in &mut launch.state_history {
            for key in ["created_on", "updated_on"] {
                if entry.contains_key(key) {
                    entry.insert(key, &then);
                }
            }
        }
        let set = doc! {"$set": {"state_history": launch.state_history}};
        launches.update_one(doc! {"launch_id": launch.launch_id}, set).run().expect("updates");
    }
}

fn is_locked_by_python(pad: &Launchpad) -> bool {
    let workflow = pad.database().collection::<Document>("workflows").find_one(doc! {}).run();
    workflow.expect("finds").expect("exists").get("locked") == Some(&Bson::Boolean(true))
}

fn join(pad: &Launchpad) -> (State, Option<Bson>) {
    let query = FireworkQuery { ids: Some(vec![4]), ..FireworkQuery::default() };
    let join = pad.store.find_fireworks(&query).expect("finds").pop().expect("exists");
    (join.state, join.spec.get("from").cloned())
}

/// A command whose log is read as it comes.
struct Told {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStderr>>,
    log: String,
}

impl Told {
    fn start(site: &Site, arguments: &[&str]) -> Self {
        let mut command = site.volley(arguments);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("starts");
        let lines = BufReader::new(child.stderr.take().expect("is piped")).lines();
        Told { child, lines, log: String::new() }
    }

    /// Waits for a line that says so.
    fn wait_for(&mut self, words: &str) -> String {
        loop {
            let line = self.lines.next().unwrap_or_else(|| panic!("no `{words}` in {}", self.log)).expect("reads");
            self.log.push_str(&line);
            if line.contains(words) {
                return line;
            }
        }
    }

    /// Its end, which must be a good one; all it said.
    fn end(mut self) -> String {
        for line in self.lines.by_ref() {
            self.log.push_str(&line.expect("reads"));
        }
        assert!(self.child.wait().expect("ends").success(), "{}", self.log);
        self.log
    }
}

#[test]
fn the_living_are_waited_for_and_named() {
    let Some(pad) = Launchpad::mongo() else { return };
    let Some(mut peer) = Peer::on(&pad) else { return };
    diamond(&pad);
    let site = Site::on(pad);
    peer.ask(json!({"verb": "lock", "fw_id": 1}));
    let mut rerun = Told::start(&site, &["lpad", "rerun_fws", "-i", "1"]);
    let line = rerun.wait_for("waiting for");
    assert!(line.contains("the workflow of firework 1 (`diamond`)") && line.contains("Python FireWorks"), "{line}");
    assert!(is_locked_by_python(&site.launchpad));
    peer.ask(json!({"verb": "unlock", "fw_id": 1}));
    let log = rerun.end();
    assert_eq!(log.matches("waiting for").count(), 1, "not every look is worth a word: {log}");
    assert_eq!(site.state(1), State::Ready);
}

#[test]
fn the_dead_are_relieved_of_it() {
    let Some(pad) = Launchpad::mongo() else { return };
    let Some(mut peer) = Peer::on(&pad) else { return };
    diamond(&pad);
    let site = Site::on(pad);
    // A Python worker has just begun here: whoever holds the lock may be alive, for all its age.
    peer.ask(json!({"verb": "checkout", "fw_id": 2}));
    peer.ask(json!({"verb": "lock", "fw_id": 1}));
    drop(peer);
    age_workflow(&site.launchpad, 11);
    let begun = Instant::now();
    let mut rerun = Told::start(&site, &["lpad", "rerun_fws", "-i", "1"]);
    rerun.wait_for("waiting for");
    wait_until("a dead holder would have been relieved", || begun.elapsed() > Duration::from_secs(5));
    assert!(is_locked_by_python(&site.launchpad));
    age_launches(&site.launchpad, 11);
    let line = rerun.wait_for("broke the lock");
    assert!(line.contains("(`diamond`)") && line.contains("11 min ago"), "{line}");
    rerun.end();
    assert_eq!(site.state(1), State::Ready);
}

/// A Python worker dies in the middle of reporting firework 2, after so many of its writes to
/// fireworks; then ours reports firework 3.
fn dies_after(writes: i32) {
    let Some(pad) = Launchpad::mongo() else { return };
    let Some(mut peer) = Peer::on(&pad) else { return };
    let worker = diamond(&pad);
    let push = |value: i32| doc! {"_push": {"from": value}};
    let launch: Value = peer.ask(json!({"verb": "checkout", "fw_id": 2}));
    let ours = worker.claim(&*pad.store, 1).pop().expect("claims");
    let spawned = json!({"fws": [{"fw_id": -1, "spec": {"_tasks": []}}], "links": {}, "metadata": {}});
    let action = json!({"mod_spec": [{"_push": {"from": 2}}], "additions": if writes == 1 { json!([]) } else { json!([spawned]) }});
    peer.ask_last(json!({"verb": "complete_and_die", "launch_id": launch, "action": action, "writes": writes}));
    assert!(is_locked_by_python(&pad));
    age_workflow(&pad, 11);
    age_launches(&pad, 11);
    let mod_spec = FwAction { mod_spec: vec![push(3)], ..FwAction::default() };
    let verdicts = pad.store.finish(&[outcome(&ours, State::Completed, mod_spec)], Timestamp::now());
    assert_eq!(verdicts.expect("finishes"), [Verdict::Recorded]);
    assert_eq!(join(&pad), (State::Ready, Some(Bson::Array(vec![2.into(), 3.into()]))), "{writes} writes");
    let workflow = pad.database().collection::<Document>("workflows").find_one(doc! {}).run();
    let workflow = workflow.expect("finds").expect("exists");
    assert!(!workflow.contains_key("locked"), "{workflow}");
    let states = workflow.get_document("fw_states").expect("states");
    let of = |fw_id: &str| states.get_str(fw_id).expect("a state").to_owned();
    assert_eq!([of("2"), of("3"), of("4")], ["COMPLETED", "COMPLETED", "READY"]);
    if writes > 1 {
        let children = workflow.get_document("links").and_then(|links| links.get_array("2")).expect("links");
        assert_eq!(children.len(), 2, "what it spawned is linked: {workflow}");
    }
    let fireworks = pad.database().collection::<Document>("fireworks");
    let marked = fireworks.count_documents(doc! {"volley_applied": {"$exists": true}}).run().expect("counts");
    assert_eq!(marked, 0, "no mark is left behind");
}

#[test]
fn what_a_child_was_not_told_is_told() {
    // The parent has the lower id: it is written, the child is not.
    dies_after(1);
}

#[test]
fn what_a_child_was_told_is_not_told_again() {
    // What it spawned, the parent, the child; the workflow is not.
    dies_after(3);
}
