//! `qlaunch -r` on a real Slurm, and offline runs from beginning to end.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use volley::queue::Queue;
use volley::store::ledger::{Entry, Holder, Key};
use volley::store::{ClaimRequest, Order};
use volley::workflow::{Launch, State};

use crate::support::place::{Cleanup, Place};
use crate::support::run::wait_until;
use crate::support::site::Running;
use crate::support::{Worker, draft, service};

fn place(adapter: &str, conf: &str) -> Place {
    Place::with_adapter(&format!("_fw_q_type: SLURM\nqueue: debug\n{adapter}")).set("SLURM_CONF", conf)
}

fn add(place: &Place, name: &str, script: &str, spec: Value) {
    let mut all = json!({"_tasks": [{"_fw_name": "ScriptTask", "script": script}]});
    all.as_object_mut().expect("an object").extend(spec.as_object().expect("an object").clone());
    place.store().insert(&[draft(json!({"name": name, "spec": all}))], jiff::Timestamp::now()).expect("added");
}

fn launches(place: &Place) -> Vec<Launch> {
    let ids: Vec<i64> = place.fireworks().into_iter().flat_map(|firework| firework.launches).collect();
    place.store().find_launches(&ids).expect("finds")
}

fn json_of(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("reads")).expect("is JSON")
}

#[test]
fn every_firework_has_a_job_of_its_own() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place("rocket_launch: rlaunch singleshot\nwalltime: 00:10:00\n", &conf);
    let _queue = Cleanup(place.slurm(&conf));
    add(&place, "a job with a very long name & symbols!", "echo $SLURM_JOB_NAME > name", json!({}));
    let own =
        json!({"_queueadapter": {"job_name": "custom", "walltime": "00:01:00", "ntasks": 2}, "_launch_dir": "mine"});
    add(&place, "second", "echo $SLURM_JOB_NAME > name", own);
    place.run(&["qlaunch", "-r", "rapidfire"]).done();
    place.wait_until_completed();
    place.assert_each_ran_once();
    let launches = launches(&place);
    for launch in &launches {
        let history: Vec<_> = launch.state_history.iter().filter_map(|entry| entry.get_str("state").ok()).collect();
        assert_eq!(history, ["RESERVED", "RUNNING", "COMPLETED"]);
        assert!(launch.reservation().is_some_and(|job| job.parse::<u64>().is_ok()), "{:?}", launch.state_history);
    }
    let read =
        |launch: &Launch, file: &str| std::fs::read_to_string(Path::new(&launch.launch_dir).join(file)).expect("reads");
    assert_eq!([read(&launches[0], "name"), read(&launches[1], "name")], ["a_job_with_a_very_lo\n", "custom\n"]);
    assert!(launches[1].launch_dir.ends_with("/mine"), "{}", launches[1].launch_dir);
    let script = read(&launches[1], "FW_submit.script");
    assert!(script.contains("--time=00:01:00") && script.contains("--ntasks=2"), "{script}");
    assert!(script.contains("singleshot --fw_id 2"), "{script}");
    assert_eq!(json_of(&Path::new(&launches[0].launch_dir).join("FW.json"))["fw_id"], 1);
    assert_eq!(place.launchers().len(), 1, "no folder is left empty");
}

#[test]
fn a_job_for_one_firework() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place("", &conf);
    let _queue = Cleanup(place.slurm(&conf));
    add(&place, "first", "true", json!({}));
    add(&place, "second", "true", json!({}));
    place.run(&["qlaunch", "singleshot", "-f", "2"]).failed(2, "--fw_id needs -r");
    place.run(&["qlaunch", "-r", "singleshot", "-f", "9"]).failed(1, "there is no firework 9");
    place.run(&["qlaunch", "-r", "singleshot", "-f", "2"]).done();
    wait_until("it has run", || place.fireworks()[1].state == State::Completed);
    assert_eq!(place.fireworks()[0].state, State::Ready);
}

#[test]
fn what_the_queue_refuses_is_ready_again() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place("", &conf);
    let bad = json!({"_queueadapter": {"partition": "nosuch"}});
    add(&place, "bad", "true", bad);
    for verb in ["singleshot", "rapidfire"] {
        let ran = place.run(&["qlaunch", "-r", verb]);
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stderr.contains("Invalid partition name specified"), "{}", ran.stderr);
        let firework = &place.fireworks()[0];
        assert_eq!((firework.state, firework.launches.len()), (State::Ready, 0));
    }
    place.write("my_qadapter.yaml", "_fw_q_type: SLURM\nrocket_launch: rlaunch rapidfire\n");
    place.run(&["qlaunch", "-r", "singleshot"]).failed(2, "must be a singleshot");
    assert_eq!(place.fireworks()[0].state, State::Ready);
}

#[test]
fn an_offline_run_is_recovered_with_its_own_times() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    // On a node without the launchpad.
    let place = place("rocket_launch: env VOLLEY_LAUNCHPAD=/no/such/pad.db rlaunch singleshot --offline\n", &conf);
    let _queue = Cleanup(place.slurm(&conf));
    add(&place, "relax", "until [ -e ../go ]; do sleep 0.1; done; echo done", json!({"_category": "x"}));
    place.run(&["qlaunch", "-r", "--launch_dir", "OFF", "singleshot"]).done();
    let folder = place.path().join("OFF");
    let file = folder.join("FW_offline.json");
    wait_until("it has begun", || std::fs::read_to_string(&file).is_ok_and(|text| text.contains("started_on")));
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&json_of(&file)), "launch_id started_on checkpoint");
    assert_eq!(place.fireworks()[0].state, State::Reserved);
    let recover = || place.run(&["lpad", "recover_offline"]).done();
    assert!(recover().stderr.contains("1 job(s) recovered: [1]"));
    assert_eq!(place.fireworks()[0].state, State::Running);
    assert!(launches(&place)[0].lease().is_none());
    place.write("go", "");
    wait_until("it has ended", || std::fs::read_to_string(&file).is_ok_and(|text| text.contains("completed_on")));
    let told = json_of(&file);
    assert_eq!(keys(&told), "launch_id started_on checkpoint fwaction state completed_on");
    recover();
    place.assert_each_ran_once();
    let times = launches(&place)[0].times();
    assert_eq!(times.get_str("time_start").ok(), told["started_on"].as_str());
    assert_eq!(times.get_str("time_end").ok(), told["completed_on"].as_str());
    assert!(recover().stderr.contains("0 job(s) recovered"), "once");
    // It does not run again, whoever starts it.
    let again = place.volley(&["rlaunch", "singleshot", "--offline"]).current_dir(&folder).output().expect("runs");
    assert!(again.status.success() && json_of(&file) == told);
    if let Some(python) = service("VOLLEY_TEST_PYTHON", "python") {
        let read = "import json; from fireworks import FWAction, Firework; d = json.load(open('FW_offline.json')); \
                    FWAction.from_dict(d['fwaction']); print(d['state'], Firework.from_file('FW.json').fw_id)";
        let output = Command::new(python).args(["-c", read]).current_dir(&folder).output().expect("runs");
        let printed = String::from_utf8_lossy(&output.stdout);
        assert_eq!(printed.lines().last(), Some("COMPLETED 1"), "{output:?}");
    }
}

/// The files of FireWorks' own samples.
#[test]
fn what_python_wrote_is_recovered() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot --offline\n");
    let _queue = Cleanup(place.local());
    add(&place, "relax", "true", json!({}));
    let wait = "until [ -e go ]; do sleep 0.1; done";
    add(&place, "static", wait, json!({"_launch_dir": "two"}));
    place.run(&["qlaunch", "-r", "--launch_dir", "one", "singleshot", "-f", "1"]).done();
    let file = place.path().join("one/FW_offline.json");
    wait_until("it has ended", || std::fs::read_to_string(&file).is_ok_and(|text| text.contains("completed_on")));
    place.write("one/FW_offline.json", include_str!("../fixtures/fireworks/files/FW_offline.COMPLETED.json"));
    place.write("one/FW_ping.json", include_str!("../fixtures/fireworks/files/FW_ping.json"));
    place.run(&["lpad", "recover_offline"]).done();
    let times = launches(&place)[0].times();
    assert_eq!(place.fireworks()[0].state, State::Completed);
    assert_eq!(times.get_str("time_start").ok(), Some("2026-11-22T15:11:49.826424+00:00"));
    assert_eq!(times.get_f64("runtime_secs").ok(), Some(6.012953));

    place.run(&["qlaunch", "-r", "singleshot"]).done();
    place.run(&["lpad", "forget_offline", "-i", "2"]).done();
    assert!(place.store().offline_runs().expect("lists").is_empty());
    // It runs on, and is not asked about any more.
    place.write("two/go", "");
    let file = place.path().join("two/FW_offline.json");
    wait_until("it has ended", || std::fs::read_to_string(&file).is_ok_and(|text| text.contains("completed_on")));
    assert!(place.run(&["lpad", "recover_offline"]).done().stderr.contains("0 job(s) recovered"));
}

#[test]
fn an_offline_run_that_is_told_to_end_comes_back() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: true singleshot --offline\n");
    add(&place, "long", "touch begun; sleep 1000", json!({}));
    place.run(&["qlaunch", "-r", "--launch_dir", "one", "singleshot"]).done();
    let folder = place.path().join("one");
    let mut rocket = place.volley(&["rlaunch", "singleshot", "--offline", "--fw_id", "1"]);
    let rocket = Running::of(rocket.current_dir(&folder));
    wait_until("it runs", || folder.join("begun").exists());
    rocket.signal(rustix::process::Signal::TERM);
    let (code, log) = rocket.end();
    assert_eq!(code, Some(128 + 15), "{log}");
    place.run(&["lpad", "recover_offline"]).done();
    let firework = &place.fireworks()[0];
    assert_eq!((firework.state, &firework.archived_launches), (State::Ready, &vec![1]));
    let launch = place.store().find_launches(&[1]).expect("finds").pop().expect("exists");
    assert_eq!(launch.loss().map(|loss| loss.text).as_deref(), Some("SIGTERM"));
    assert!(place.store().offline_runs().expect("lists").is_empty());
}

#[test]
fn what_a_dead_launcher_has_reserved_is_given_back() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\n");
    add(&place, "one", "true", json!({}));
    let queue = place.local();
    let key = Key { cluster: queue.cluster().expect("is known"), user: rustix::process::getuid().as_raw().to_string() };
    let token = place.path().join("never_made").to_string_lossy().into_owned();
    let entry = Entry {
        token: token.clone(),
        element: None,
        holder: Holder { host: "login2".into(), ..Holder::default() },
        taken: jiff::Timestamp::now() - jiff::SignedDuration::from_mins(11),
        group: None,
        job: None,
        word: None,
        missed: Some(jiff::Timestamp::now() - jiff::SignedDuration::from_mins(11)),
    };
    place.store().take_places(&key, 0, &[entry], None).expect("answers").expect("is taken");
    let worker = Worker::new("launcher");
    let request = ClaimRequest {
        retry: None,
        worker: &worker.fworker,
        fw_id: None,
        order: Order::Fifo,
        lease: &worker.lease,
        host: ("testhost", "127.0.0.1"),
        token: Some(&token),
        directory: &|_| place.path(),
        now: jiff::Timestamp::now(),
    };
    place.store().reserve(&request).expect("reserves").expect("is ready");
    place.run(&["qlaunch", "-r", "singleshot"]).done();
    place.wait_until_completed();
    let firework = &place.fireworks()[0];
    assert_eq!((&firework.launches, &firework.archived_launches), (&vec![2], &vec![1]));
}

#[test]
fn a_misspelt_key_of_a_firework_is_named() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\n");
    let _queue = Cleanup(place.local());
    add(&place, "one", "true", json!({"_queueadapter": {"qeue": "many", "walltime": "00:01:00"}}));
    let ran = place.run(&["qlaunch", "-r", "rapidfire"]).done();
    assert!(ran.stderr.contains("firework 1: `_queueadapter`: `qeue` (did you mean `queue`?)"), "{ran:?}");
    place.wait_until_completed();
}

#[test]
fn the_worker_knows_what_scratch_is() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\npre_rocket: export SCRATCH=\"$HOME/there\"\n");
    let _queue = Cleanup(place.local());
    add(&place, "one", "touch here", json!({"_launch_dir": "$SCRATCH/mine"}));
    place.run(&["qlaunch", "-r", "rapidfire"]).done();
    place.wait_until_completed();
    assert!(place.path().join("there/mine/here").exists());
    assert!(!place.path().join("$SCRATCH").exists());
    assert_eq!(place.launchers().len(), 1, "where the job starts");
    assert!(launches(&place)[0].launch_dir.ends_with("/there/mine"));
}
