//! Verbs that take the ground from something that runs end it, too, and say how.

use std::path::Path;

use bson::Document;
use jiff::Timestamp;
use serde_json::json;
use volley::queue::Queue;
use volley::store::Location;
use volley::workflow::{Launch, State};

use crate::support::place::{Cleanup, Place};
use crate::support::raw::{edit_launch, reserve};
use crate::support::run::{Ran, wait_until};
use crate::support::service;
use crate::support::site::{Running, Site};

/// Leases that are renewed every second.
const OFTEN: &str = "{lease: 10s, renew: 1s}";

/// A firework whose task writes its process id into a file, and does not end before there is `go`.
fn waiting(site: &Site) -> i64 {
    let here = site.path().display().to_string();
    let script = format!(
        "echo $$ > '{here}/pid.new'; mv '{here}/pid.new' '{here}/pid'; while ! test -e '{here}/go'; do sleep 0.05; done"
    );
    site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": script}]))
}

/// Has a worker run it, and waits until it does. Returns the process of the task.
fn start(site: &Site, fw_id: i64) -> (Running, u32) {
    let worker = site.start(&["singleshot", "-f", &fw_id.to_string()]);
    let pid = site.path().join("pid");
    wait_until("the task runs", || pid.exists());
    let id = std::fs::read_to_string(&pid).expect("reads").trim().parse().expect("a process id");
    std::fs::remove_file(pid).expect("removes");
    (worker, id)
}

fn launches(site: &Site, fw_id: i64) -> Vec<Launch> {
    let firework = site.firework(fw_id);
    let all = [firework.launches, firework.archived_launches].concat();
    site.launchpad.store.find_launches(&all).expect("finds")
}

#[test]
fn each_verb_ends_the_task_of_a_worker() {
    for site in Site::on_every_store() {
        site.write("volley.yaml", OFTEN);
        for (verb, after) in [
            ("rerun_fws", Some(State::Ready)),
            ("defuse_fws", Some(State::Defused)),
            ("defuse_wflows", Some(State::Defused)),
            ("archive_wflows", Some(State::Archived)),
            ("delete_wflows", None),
        ] {
            let fw_id = waiting(&site);
            let (worker, task) = start(&site, fw_id);
            let ran = Ran::of(&mut site.volley(&["lpad", verb, "-i", &fw_id.to_string()])).done();
            let told = format!("(process {}) stops fw {fw_id} within 1 s", worker.pid());
            assert!(ran.stderr.contains(&told), "no `{told}`: {ran:?}");
            let (code, log) = worker.end();
            assert!(log.contains("is no longer ours"), "{verb}: {code:?} {log}");
            assert!(!Path::new(&format!("/proc/{task}")).exists(), "{verb}: the task runs on");
            if let Some(state) = after {
                assert_eq!(site.state(fw_id), state, "{verb}");
                let launches = launches(&site, fw_id);
                assert_eq!(launches.iter().map(|launch| launch.state).collect::<Vec<_>>(), [State::Fizzled]);
            }
        }
    }
}

#[test]
fn a_run_that_is_kept_comes_to_its_end() {
    for site in Site::on_every_store() {
        site.write("volley.yaml", OFTEN);
        let fw_id = waiting(&site);
        let (worker, _) = start(&site, fw_id);
        let ran = Ran::of(&mut site.volley(&["lpad", "rerun_fws", "-i", "1", "--keep-running"])).done();
        assert!(ran.stderr.contains("fw 1 keeps running; its result goes to its launch alone"), "{ran:?}");
        assert_eq!(site.state(fw_id), State::Ready);
        let until = || launches(&site, fw_id)[0].lease().expect("a lease").until;
        for _ in 0..2 {
            let before = until();
            wait_until("the lease is renewed", || until() > before);
        }
        site.write("go", "");
        let (code, log) = worker.end();
        assert!(code == Some(0) && log.contains("fw_id: 1 COMPLETED") && !log.contains("no longer ours"), "{log}");
        let firework = site.firework(fw_id);
        assert_eq!((firework.state, firework.launches.len(), firework.archived_launches.len()), (State::Ready, 0, 1));
        let launch = &launches(&site, fw_id)[0];
        assert_eq!(launch.state, State::Completed);
        let data = launch.action.as_ref().and_then(|action| action.get_document("stored_data").ok()).cloned();
        assert!(data.is_some_and(|data: Document| data.contains_key("returncode")), "{launch:?}");
        // The next run is another one.
        site.run_well(&["singleshot"]);
        assert_eq!(site.state(fw_id), State::Completed);
    }
}

#[test]
fn a_run_that_is_kept_outlives_its_workflow() {
    for site in Site::on_every_store() {
        site.write("volley.yaml", OFTEN);
        let fw_id = waiting(&site);
        let (worker, _) = start(&site, fw_id);
        let launch_id = site.launch(fw_id).launch_id;
        Ran::of(&mut site.volley(&["lpad", "delete_wflows", "-i", "1", "--keep-running"])).done();
        assert_eq!(site.fireworks(), []);
        site.write("go", "");
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        let launch = site.launchpad.store.find_launches(&[launch_id]).expect("finds").remove(0);
        assert_eq!(launch.state, State::Completed);
    }
}

#[test]
fn a_paused_run_is_refused_and_goes_on() {
    for site in Site::on_every_store() {
        site.write("volley.yaml", OFTEN);
        let fw_id = waiting(&site);
        let (worker, _) = start(&site, fw_id);
        Ran::of(&mut site.volley(&["lpad", "pause_fws", "-i", "1"])).failed(1, "firework 1 is RUNNING");
        site.write("go", "");
        assert_eq!(worker.end().0, Some(0));
        assert_eq!(site.state(fw_id), State::Completed);
    }
}

/// A place with READY fireworks, whose queue is Slurm.
fn place(count: usize) -> Place {
    let place = Place::with_adapter("_fw_q_type: SLURM\n");
    place.add_scripts(count, "true");
    place
}

#[test]
fn the_job_of_a_firework_is_cancelled_and_no_other() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place(4).set("SLURM_CONF", &conf);
    let queue = Cleanup(place.slurm(&conf));
    place.write("job.sh", "#!/bin/bash\n#SBATCH --output=/dev/null\nsleep 1000\n");
    let job = || {
        let job = volley::queue::Job::new(place.path(), "job.sh");
        queue.0.submit(&job).expect("submits").id
    };
    let jobs: Vec<String> = (0..5).map(|_| job()).collect();
    for (fw_id, job) in (1..=4).zip(&jobs) {
        let launch_id = reserve(&place.location(), fw_id, job, Timestamp::now());
        let dir = place.path().to_string_lossy().into_owned();
        edit_launch(&place.location(), launch_id, |launch| launch.launch_dir = dir);
    }
    let printed = place.run(&["lpad", "get_qids", "-i", "1,2"]).done().stdout;
    assert_eq!(printed, format!("{}\n{}\n", jobs[0], jobs[1]));
    place.run(&["lpad", "get_qids", "-i", "9"]).failed(1, "there is no firework 9");

    let told = |ran: Ran, fw_id: usize| {
        let ran = ran.done();
        let words = format!("cancelled Slurm job {} of fw {fw_id}", jobs[fw_id - 1]);
        assert!(ran.stderr.contains(&words), "no `{words}`: {ran:?}");
    };
    told(place.run(&["lpad", "defuse_fws", "-i", "1"]), 1);
    told(place.run(&["lpad", "pause_fws", "-i", "2"]), 2);
    told(place.run(&["lpad", "cancel_qid", "--qid", &jobs[2]]), 3);
    wait_until("three jobs are gone", || queue.0.list().expect("lists").len() == 2);
    place.run(&["lpad", "cancel_qid", "--qid", &jobs[2]]).failed(4, "Can't find any reserved jobs");
    let ran = place.run(&["lpad", "rerun_fws", "-i", "4", "--keep-running"]).done();
    assert!(!ran.stderr.contains("job"), "{ran:?}");
    assert_eq!(queue.0.list().expect("lists").len(), 2);

    place.run(&["lpad", "resume_fws", "-i", "2"]).done();
    let states: Vec<State> = place.fireworks().iter().map(|firework| firework.state).collect();
    assert_eq!(states, [State::Defused, State::Ready, State::Ready, State::Ready]);
}

#[test]
fn a_job_of_somebody_else_is_left_alone_and_named() {
    let place = place(4);
    let fakes = place.path().join("bin");
    std::fs::create_dir(&fakes).expect("makes a folder");
    let us = rustix::process::getuid().as_raw();
    let program = |name: &str, text: String| {
        let path = fakes.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("writes");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("permits");
    };
    let line = |id: &str, user: u32, name: &str, dir: &str| {
        format!("echo '{id}|~|{user}|~|{name}|~|PENDING|~|Priority|~|{dir}|~|{id}|~|(null)|~|{id}'")
    };
    let (dir, lines) = ("/launches/there", [("11", us + 1, "ann"), ("12", us, "me")]);
    let lines: Vec<String> = lines.iter().map(|(id, user, name)| line(id, *user, name, dir)).collect();
    program("squeue", lines.join("\n") + "\n" + &line("14", us, "me", "/launches/elsewhere"));
    program("scancel", "echo $* >> called; echo 'scancel: the controller is on holiday' >&2; exit 1".into());
    let path = format!("{}:{}", fakes.display(), std::env::var("PATH").expect("a PATH"));
    let place = place.set("PATH", &path);
    for (fw_id, job) in [(1, "11"), (2, "12"), (3, "13"), (4, "14")] {
        reserve(&place.location(), fw_id, job, Timestamp::now());
    }
    place.run(&["lpad", "defuse_fws", "-i", "1"]).failed(5, "job 11 of fw 1 is that of user ann, and was left alone");
    place
        .run(&["lpad", "defuse_fws", "-i", "4"])
        .failed(5, "is that of something else, submitted from /launches/elsewhere");
    assert!(!place.path().join("called").exists());
    place.run(&["lpad", "defuse_fws", "-i", "2"]).failed(5, "the controller is on holiday");
    assert_eq!(std::fs::read_to_string(place.path().join("called")).expect("was called").trim(), "12");
    let ran = place.run(&["lpad", "delete_wflows", "-i", "3"]).done();
    assert!(ran.stderr.contains("queue job 13 of fw 3 is not in the queue any more"), "{ran:?}");
    let states: Vec<State> = place.fireworks().iter().map(|firework| firework.state).collect();
    assert_eq!(states, [State::Defused; 3], "the state changes, whatever becomes of the job");
}

#[test]
fn a_reservation_that_is_kept_stands_as_in_fireworks() {
    for site in Site::on_every_store() {
        let fw_id = site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
        reserve(&site.launchpad.location, fw_id, "12", Timestamp::now());
        let lpad = |words: &[&str]| Ran::of(&mut site.volley(&[&["lpad"], words].concat())).done();
        lpad(&["pause_fws", "-i", "1", "--keep-running"]);
        lpad(&["resume_fws", "-i", "1"]);
        assert_eq!(site.state(fw_id), State::Reserved);
        if let Location::Sqlite(_) = site.launchpad.location {
            site.write("my_qadapter.yaml", "_fw_q_type: local\n");
            let ran = lpad(&["pause_fws", "-i", "1"]);
            assert!(ran.stderr.contains("queue job 12 of fw 1 is not in the queue any more"), "{ran:?}");
            lpad(&["resume_fws", "-i", "1"]);
            assert_eq!(site.state(fw_id), State::Ready);
        }
    }
}
