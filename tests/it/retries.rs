//! `_retry`: what fails or is lost is tried again as the spec, or the worker's configuration, says.

use bson::Document;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use volley::store::{FireworkQuery, Mending, Store, Witness};
use volley::workflow::{Cause, Firework, FwAction, Launch, Loss, State, time};

use crate::support::cli::Cli;
use crate::support::site::Site;
use crate::support::{Launchpad, Worker, draft, outcome};

fn firework(store: &dyn Store, fw_id: i64) -> Firework {
    let one = FireworkQuery { ids: Some(vec![fw_id]), ..FireworkQuery::default() };
    store.find_fireworks(&one).expect("finds").pop().expect("exists")
}

fn chain(retry: Value) -> Value {
    let task = json!([{"_fw_name": "ScriptTask", "script": "false"}]);
    let first =
        json!({"fw_id": 1, "spec": {"_tasks": task, "_retry": retry, "_queueadapter": {"walltime": "01:00:00"}}});
    json!({"fws": [first, {"fw_id": 2, "spec": {"_tasks": task}}], "links": {"1": [2]}})
}

/// Says of everything that its job was over.
struct TimeOut;

impl Witness for TimeOut {
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        vec![Some(Loss::new(Cause::Timeout, "Slurm job 12: TIMEOUT")); launches.len()]
    }
}

#[test]
fn failures_are_tried_again_and_every_attempt_is_kept() {
    for pad in std::iter::once(Launchpad::sqlite()).chain(Launchpad::mongo()) {
        let store = &*pad.store;
        store.insert(&[draft(chain(json!({"max": 2})))], Timestamp::now()).expect("inserts");
        let failed = FwAction::fizzled(None, "no convergence", bson::Bson::Null);
        let mut states = Vec::new();
        for _ in 0..3 {
            let claim = Worker::new("w").claim(store, 1).pop().expect("claims");
            store.finish(&[outcome(&claim, State::Fizzled, failed.clone())], Timestamp::now()).expect("finishes");
            states.push(firework(store, 1).state);
        }
        assert_eq!(states, [State::Ready, State::Ready, State::Fizzled]);
        assert_eq!(firework(store, 2).state, State::Waiting);
        let attempts = firework(store, 1);
        assert_eq!((attempts.launches.len(), attempts.archived_launches.len()), (1, 2));
        for launch in store.find_launches(&attempts.archived_launches).expect("finds") {
            let action = launch.action.expect("its reason");
            assert!(action.to_string().contains("no convergence"), "{action}");
        }
    }
}

#[test]
fn a_delay_is_waited_for() {
    for pad in std::iter::once(Launchpad::sqlite()).chain(Launchpad::mongo()) {
        let store = &*pad.store;
        store.insert(&[draft(chain(json!({"max": 9, "delay": "1h"})))], Timestamp::now()).expect("inserts");
        let worker = Worker::new("w");
        let claim = worker.claim(store, 1).pop().expect("claims");
        store.finish(&[outcome(&claim, State::Fizzled, FwAction::default())], Timestamp::now()).expect("finishes");
        let again = firework(store, 1);
        assert_eq!(again.state, State::Ready);
        let date = time::from_text(again.spec.get_str("_not_before").expect("a date")).expect("is one");
        let count = |when| store.count_claimable(&worker.fworker, when, 9).expect("counts");
        assert_eq!((count(Timestamp::now()), count(date), count(Timestamp::MAX)), (0, 1, 1));
        assert_eq!(worker.claim(store, 1).len(), 0, "not yet");
        assert_eq!(worker.claim_at(store, Timestamp::now() + SignedDuration::from_mins(61)).len(), 1);
        // Who asks for it need not wait.
        store.steer(volley::store::Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        assert!(!firework(store, 1).spec.contains_key("_not_before"));
        assert_eq!(worker.claim(store, 1).len(), 1);
    }
}

#[test]
fn what_was_short_grows_and_the_machine_is_free_of_charge() {
    for pad in std::iter::once(Launchpad::sqlite()).chain(Launchpad::mongo()) {
        let store = &*pad.store;
        let policy = json!({"max": 1, "on": ["timeout"], "grow": {"walltime": 1.5}});
        store.insert(&[draft(chain(policy))], Timestamp::now()).expect("inserts");
        let mending = Mending { witness: &TimeOut, only: Some(&[1]), ..Mending::default() };
        let walltime = || {
            let spec: Document = firework(store, 1).spec;
            spec.get_document("_queueadapter").expect("is there").get_str("walltime").expect("a time").to_owned()
        };
        let worker = Worker::new("w");
        let claim = worker.claim(store, 1).pop().expect("claims");
        assert!(store.give_back(claim.held(), &Loss::new(Cause::Preempted, "gone"), Timestamp::now()).expect("gives"));
        assert_eq!((firework(store, 1).state, walltime()), (State::Ready, "01:00:00".into()));
        worker.claim(store, 1).pop().expect("claims");
        store.mend(&mending, Timestamp::now()).expect("mends");
        assert_eq!((firework(store, 1).state, walltime()), (State::Ready, "01:30:00".into()));
        worker.claim(store, 1).pop().expect("claims");
        store.mend(&mending, Timestamp::now()).expect("mends");
        assert_eq!((firework(store, 1).state, walltime()), (State::Fizzled, "01:30:00".into()));
    }
}

#[test]
fn rlaunch_tries_again_by_itself() {
    for site in Site::on_every_store() {
        // Fails until it has been there three times.
        let script = format!("echo x >> {0}/tries; test $(wc -l < {0}/tries) -ge 3", site.path().display());
        let tasks = json!([{"_fw_name": "ScriptTask", "script": script}]);
        let fw_id = site.add(json!({"spec": {"_tasks": tasks, "_retry": {"max": 5, "delay": "10ms"}}}))[0];
        let output = site.volley(&["rlaunch", "rapidfire"]).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(site.state(fw_id), State::Completed);
        assert_eq!(firework(&*site.launchpad.store, fw_id).archived_launches.len(), 2);
    }
}

#[test]
fn the_configuration_says_it_for_all() {
    let site = Site::sqlite();
    site.write("volley.yaml", "retry: {max: 2, on: fizzled}\nmax_lost: 3\n");
    let fw_id = site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "false"}]));
    let output = site.volley(&["rlaunch", "rapidfire"]).output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(site.state(fw_id), State::Fizzled);
    assert_eq!(firework(&*site.launchpad.store, fw_id).archived_launches.len(), 2);
    site.write("volley.yaml", "retry: {max: 2, on: sometimes}\n");
    let output = site.volley(&["rlaunch", "rapidfire"]).output().expect("runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && said.contains("volley.yaml") && said.contains("timeout, oom or node_fail"),
        "{said}"
    );
}

#[test]
fn a_policy_that_is_none_is_refused_when_it_is_added() {
    let cli = Cli::sqlite();
    cli.write("wf.yaml", "spec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}], _retry: {max: many}}\n");
    let refused = cli.lpad(&["add", "wf.yaml"]).failed(1, "a whole number for `max`");
    assert!(refused.stderr.contains("_retry"), "{}", refused.stderr);
}
