//! `lpad detect_lostruns`: FireWorks' words; leases for runs of Volley, pings for those of Python.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::Order;
use volley::workflow::{FwAction, LaunchId, State, time};

use crate::support::Worker;
use crate::support::raw::{edit_launch, expire};
use crate::support::run::Ran;
use crate::support::shared::Shared;
use crate::support::site::Site;

fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

/// Fireworks that a worker has claimed, with their launches.
fn claimed(site: &Site, count: usize) -> Vec<LaunchId> {
    let mut worker = Worker::new("w");
    // Leases that have ended are not doubted for long.
    worker.lease.renew = Some(SignedDuration::from_secs(1));
    let claim = |_| {
        let fw_id = site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
        worker.claim_as(&*site.launchpad.store, 1, Some(fw_id), Order::Fifo)[0].launch.launch_id
    };
    (0..count).map(claim).collect()
}

/// As if Python FireWorks ran it, and had pinged last so long ago.
fn without_lease(site: &Site, launch_id: LaunchId, begun: i64, pinged: i64) {
    edit_launch(&site.launchpad.location, launch_id, |launch| {
        let last = launch.state_history.last_mut().expect("has a history");
        last.remove("lease");
        last.insert("created_on", time::to_iso(ago(begun)));
        last.insert("updated_on", time::to_iso(ago(pinged)));
    });
}

fn lpad(site: &Site, words: &[&str]) -> Ran {
    Ran::of(&mut site.volley(&[&["lpad", "detect_lostruns"], words].concat()))
}

fn counts(launches: usize, fireworks: usize, inconsistent: usize) -> String {
    format!(
        "\nDetection completed:\n  Lost launches: {launches}\n  Lost FireWorks: {fireworks}\n  Inconsistent FireWorks: {inconsistent}\n"
    )
}

const HINT: &str = "You can fix lost FWs using the --rerun or --fizzle arguments to the detect_lostruns command\n";
const REFRESH: &str = "You can fix inconsistent FWs using the --refresh argument to the detect_lostruns command\n";

#[test]
fn what_is_lost_is_shown_and_changed_only_on_demand() {
    for site in Site::on_every_store() {
        let launches = claimed(&site, 4);
        let location = &site.launchpad.location;
        expire(location, launches[0], ago(5));
        // 2 is held. 3 has been run again, and runs once more: nothing is wrong with it.
        Ran::of(&mut site.volley(&["lpad", "rerun_fws", "-i", "3"])).done();
        Worker::new("w").claim_as(&*site.launchpad.store, 1, Some(3), Order::Fifo);
        edit_launch(location, launches[3], |launch| {
            launch.finish(State::Completed, &FwAction::default(), "o", Timestamp::now());
        });
        let everything = || Ran::of(&mut site.volley(&["lpad", "get_fws", "-d", "all"])).done().stdout;
        let before = everything();
        let ran = lpad(&site, &[]).done();
        assert_eq!(ran.stdout, counts(1, 1, 1) + HINT + REFRESH);
        for words in ["Detected 1 lost FWs: [1]", "Detected 1 inconsistent FWs: [4]", "fw_id 1: the lease of process"] {
            assert!(ran.stderr.contains(words), "no `{words}` in {ran:?}");
        }
        assert_eq!(lpad(&site, &["-d", "ids"]).done().stdout, counts(1, 1, 1) + "1\n4\n" + HINT + REFRESH);
        assert_eq!(everything(), before);

        assert_eq!(lpad(&site, &["--refresh"]).done().stdout, counts(1, 1, 1) + HINT);
        assert_eq!(site.state(4), State::Completed);
        assert_eq!(lpad(&site, &["--rerun"]).done().stdout, counts(1, 1, 0));
        assert_eq!(lpad(&site, &[]).done().stdout, counts(0, 0, 0));
        let states: Vec<State> = site.fireworks().iter().map(|firework| firework.state).collect();
        assert_eq!(states, [State::Ready, State::Running, State::Running, State::Completed]);
    }
}

#[test]
fn lost_runs_are_fizzled_on_demand() {
    for site in Site::on_every_store() {
        let launches = claimed(&site, 1);
        expire(&site.launchpad.location, launches[0], ago(5));
        lpad(&site, &["--fizzle", "--rerun"]).failed(2, "cannot be used with");
        assert_eq!(lpad(&site, &["--fizzle"]).done().stdout, counts(1, 1, 0));
        assert!(site.stacktrace(1).contains("given up: the lease of process"), "{}", site.stacktrace(1));
    }
}

#[test]
fn pythons_runs_are_judged_by_time() {
    for site in Site::on_every_store() {
        let launches = claimed(&site, 2);
        without_lease(&site, launches[0], 600, 300);
        without_lease(&site, launches[1], 60, 30);
        let found = |words: &[&str]| {
            let ran = lpad(&site, &[words, &["-d", "ids"]].concat()).done();
            ran.stdout.lines().nth(2).expect("a count").trim_start_matches("  Lost launches: ").to_owned()
        };
        assert_eq!([found(&[]), found(&["--time", "60"]), found(&["--time", "86400"])], ["1", "2", "0"]);
        let short = found(&["--time", "60", "--max_runtime", "3600"]);
        let long = found(&["--time", "60", "--min_runtime", "3600"]);
        assert_eq!([short, long], ["1", "1"]);
        let of = |query: &str| found(&["--time", "60", "-q", query]);
        assert_eq!([of("{'fw_id': 2}"), of(r#"{"fw_id": {"$gt": 2}}"#)], ["1", "0"]);
        assert_eq!(found(&["--time", "60", "-lq", "{'host': 'nowhere'}"]), "0");
        lpad(&site, &["-q", "{'fw_id':"]).failed(2, "the text ends where a value is expected");
    }
}

#[test]
fn the_words_are_those_of_fireworks() {
    let Some(shared) = Shared::new() else { return };
    let launches = claimed(&shared.site, 1);
    without_lease(&shared.site, launches[0], 600, 300);
    let theirs = || {
        let lpad = std::path::Path::new(&shared.python).with_file_name("lpad");
        let mut command = std::process::Command::new(lpad);
        shared.at_home(&mut command);
        let ran = Ran::of(command.arg("detect_lostruns")).done();
        // Their log goes to the same stream.
        let is_log = |line: &&str| line.starts_with("20") && line.contains(" INFO ");
        ran.stdout.lines().filter(|line| !is_log(line)).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(lpad(&shared.site, &[]).done().stdout, theirs());
    lpad(&shared.site, &["--rerun"]).done();
    assert_eq!(shared.states(1), json!(["READY", {"1": "READY"}]));
    assert_eq!(lpad(&shared.site, &[]).done().stdout, theirs());
}
