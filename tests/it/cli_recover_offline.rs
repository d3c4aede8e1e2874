//! `lpad recover_offline`: results that workers have left are recorded once, whoever comes by, and
//! those that cannot be are kept.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use volley::queue::LaunchpadId;
use volley::store::{Claim, Verb};
use volley::workflow::{State, time};

use crate::support::Worker;
use crate::support::run::Ran;
use crate::support::site::Site;

/// A worker of this host that has died.
fn dead() -> Worker {
    let mut child = std::process::Command::new("true").spawn().expect("starts");
    let pid = child.id();
    child.wait().expect("ends");
    let mut worker = Worker::new("w");
    worker.lease.pid = pid;
    worker.lease.host = gethostname::gethostname().to_string_lossy().into_owned();
    worker.lease.boot_id = volley::queue::process::boot();
    worker
}

/// A firework with a child, claimed by `worker`, and a folder for its result.
fn claimed(site: &Site, worker: &Worker) -> (Claim, PathBuf) {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    let id = site.add(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}))[0];
    let store = &*site.launchpad.store;
    let claim = worker.claim_as(store, 1, Some(id), volley::store::Order::Fifo).pop().expect("is ready");
    let folder = site.path().join(format!("block_1/launcher_{id}"));
    std::fs::create_dir_all(&folder).expect("makes it");
    (claim, folder)
}

fn result(site: &Site, worker: &Worker, claim: &Claim, ended: Timestamp) -> Value {
    let started = time::to_iso(ended - SignedDuration::from_secs(100));
    json!({
        "volley_result": 2, "launch_id": claim.launch.launch_id, "fw_id": claim.firework.fw_id,
        "launchpad": LaunchpadId::of(&site.launchpad.location).as_str(), "owner": worker.lease.owner,
        "state": "COMPLETED", "started": started, "ended": time::to_iso(ended), "running": null, "trackers": [],
        "action": {"stored_data": {"x": 1.5}},
    })
}

fn write(folder: &Path, result: &Value) {
    std::fs::write(folder.join("FW_result.json"), result.to_string()).expect("writes");
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("reads").map(|entry| entry.expect("reads").file_name());
    let mut names: Vec<String> = entries.map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// The run of a dead worker is not lost where its result can be seen.
#[test]
fn what_a_dead_worker_has_left_is_recorded_and_not_run_again() {
    for site in Site::on_every_store() {
        let worker = dead();
        let folder = site.path().join("here");
        std::fs::create_dir(&folder).expect("makes it");
        let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [], "_launch_dir": folder.to_str()}});
        site.add(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}));
        let claim = worker.claim(&*site.launchpad.store, 1).pop().expect("is ready");
        write(&folder, &result(&site, &worker, &claim, Timestamp::now()));
        // As an idle worker does.
        let ran = Ran::of(&mut site.volley(&["lpad", "detect_lostruns", "--rerun"]));
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!([site.state(1), site.state(2)], [State::Completed, State::Ready], "{ran:?}");
        assert_eq!(site.stored_data(1), bson::doc! {"x": 1.5});
        assert!(files(&folder).is_empty());
    }
}

fn recover(site: &Site, arguments: &[&str]) -> Ran {
    Ran::of(&mut site.volley(&[&["lpad", "recover_offline"], arguments].concat()))
}

#[test]
fn a_result_is_recorded_with_its_own_times_and_removed() {
    for site in Site::on_every_store() {
        let worker = dead();
        let (claim, folder) = claimed(&site, &worker);
        let ended = Timestamp::now() - SignedDuration::from_secs(50);
        write(&folder, &result(&site, &worker, &claim, ended));
        let ran = recover(&site, &[]).done();
        assert!(ran.stderr.contains("1 job(s) recovered: [1]"), "{}", ran.stderr);
        assert!(files(&folder).is_empty());
        let launch = site.launch(1);
        assert_eq!((site.state(1), site.state(2), launch.state), (State::Completed, State::Ready, State::Completed));
        let document = launch.to_document();
        assert_eq!(document.get_f64("runtime_secs").ok(), Some(100.0));
        assert_eq!(document.get_str("time_end").ok(), Some(time::to_iso(ended).as_str()));
        // Once more, as by one who was slower: recorded before, and removed.
        write(&folder, &result(&site, &worker, &claim, ended));
        recover(&site, &["--dir", "block_1"]).done();
        assert!(files(&folder).is_empty());
        assert_eq!(site.firework(1).launches.len(), 1);
    }
}

#[test]
fn a_worker_records_what_waits_in_its_tree() {
    for site in Site::on_every_store() {
        let worker = dead();
        let (claim, folder) = claimed(&site, &worker);
        write(&folder, &result(&site, &worker, &claim, Timestamp::now()));
        site.run_well(&["rapidfire"]);
        assert_eq!((site.state(1), site.state(2)), (State::Completed, State::Completed));
        assert!(files(&folder).is_empty());
    }
}

#[test]
fn a_result_of_the_first_version_is_recorded() {
    for site in Site::on_every_store() {
        let worker = dead();
        let (claim, folder) = claimed(&site, &worker);
        let mut old = result(&site, &worker, &claim, Timestamp::now());
        for key in ["launchpad", "started", "running", "trackers"] {
            old.as_object_mut().expect("an object").remove(key);
        }
        old["volley_result"] = json!(1);
        write(&folder, &old);
        recover(&site, &["block_1"]).done();
        assert_eq!((site.state(1), files(&folder).len()), (State::Completed, 0));
    }
}

#[test]
fn what_cannot_be_recorded_is_kept() {
    for site in Site::on_every_store() {
        let worker = dead();
        let (claim, folder) = claimed(&site, &worker);
        let whole = result(&site, &worker, &claim, Timestamp::now());
        let changed = |key: &str, value: Value| {
            let mut other = whole.clone();
            other[key] = value;
            write(&folder, &other);
        };
        let is_untouched = || (site.state(1), files(&folder)) == (State::Running, vec!["FW_result.json".to_owned()]);
        changed("volley_result", json!(3));
        recover(&site, &[]).failed(1, "written by a newer Volley (version 3");
        assert!(is_untouched());
        recover(&site, &["-i", "-pe"]).done();
        changed("launchpad", json!("another-0123456789abcdef"));
        recover(&site, &[]).done();
        assert!(is_untouched());
        recover(&site, &["no/such"]).failed(1, "there is no such directory");

        write(&folder, &whole);
        site.launchpad.store.steer(Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        let ran = recover(&site, &[]).done();
        assert!(ran.stderr.contains("kept as") && ran.stderr.contains("FW_result.lost.json"), "{}", ran.stderr);
        assert_eq!((site.state(1), files(&folder)), (State::Ready, vec!["FW_result.lost.json".to_owned()]));
    }
}

#[test]
fn a_worker_that_lives_reports_for_itself() {
    for site in Site::on_every_store() {
        let mut worker = dead();
        worker.lease.pid = std::process::id();
        let (claim, folder) = claimed(&site, &worker);
        write(&folder, &result(&site, &worker, &claim, Timestamp::now()));
        recover(&site, &[]).done();
        assert_eq!((site.state(1), files(&folder).len()), (State::Running, 1));
    }
}
