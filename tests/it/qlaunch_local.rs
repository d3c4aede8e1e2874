//! `qlaunch` on this machine.

use volley::queue::Queue;
use volley::workflow::State;

use crate::support::place::{Cleanup, Place, most_jobs_while};
use crate::support::run::wait_until;

#[test]
fn keeps_so_many_jobs_and_no_more() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot\n");
    let queue = Cleanup(place.local());
    place.add_scripts(5, "sleep 0.5");
    let mut launcher = place.spawn(&["qlaunch", "rapidfire", "-m", "2"]);
    let most = most_jobs_while(&mut launcher, &queue.0);
    assert_eq!(most, 2);
    place.wait_until_completed();
    place.assert_each_ran_once();
    wait_until("the jobs have ended", || queue.0.list().expect("listed").is_empty());
    let launchers = place.launchers();
    assert_eq!(launchers.len(), 5);
    for launcher in launchers {
        assert!(launcher.join("FW_submit.script").is_file());
        let files = std::fs::read_dir(&launcher).expect("listed").map(|entry| entry.expect("listed").file_name());
        let outputs = files.filter(|name| name.to_string_lossy().starts_with("FW_job-")).count();
        assert_eq!(outputs, 2, "{}", launcher.display());
    }
}

#[test]
fn a_job_takes_fireworks_until_none_are_left_and_outlives_qlaunch() {
    // Nothing on the PATH, no adapter file: this machine is the queue.
    let place = Place::new().set("PATH", "/nowhere");
    let queue = Cleanup(place.local());
    place.add_scripts(4, "/bin/sleep 0.2");
    let ran = place.run(&["qlaunch", "singleshot"]).done();
    assert!(ran.stdout.contains("submitted job 1 to the local queue"), "{}", ran.stdout);
    assert!(place.fireworks().iter().any(|firework| firework.state != State::Completed));
    place.wait_until_completed();
    place.assert_each_ran_once();
    wait_until("the job has ended", || queue.0.list().expect("listed").is_empty());
}

#[test]
fn submits_nothing_when_nothing_is_ready() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\n");
    place.store();
    let ran = place.run(&["qlaunch", "rapidfire"]).done();
    assert!(ran.stdout.contains("no job submitted"), "{}", ran.stdout);
    let ran = place.run(&["qlaunch", "singleshot"]).done();
    assert!(ran.stdout.contains("no job submitted"), "{}", ran.stdout);
    assert_eq!(place.launchers(), Vec::<std::path::PathBuf>::new());
    assert!(!place.path().join("FW_submit.script").exists());
}

#[test]
fn two_launchers_share_one_limit() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot\n");
    let queue = Cleanup(place.local());
    place.add_scripts(4, "sleep 0.3");
    let mut first = place.spawn(&["qlaunch", "rapidfire", "-m", "1"]);
    let mut second = place.spawn(&["qlaunch", "rapidfire", "-m", "1"]);
    assert_eq!(most_jobs_while(&mut first, &queue.0), 1);
    assert!(most_jobs_while(&mut second, &queue.0) <= 1);
    place.wait_until_completed();
    place.assert_each_ran_once();
}

#[test]
fn stops_when_it_is_told_to() {
    use std::os::unix::process::ExitStatusExt;

    let place = Place::with_adapter("_fw_q_type: LOCAL\n");
    let queue = Cleanup(place.local());
    place.add_scripts(1, "true");
    let mut launcher = place.spawn(&["qlaunch", "rapidfire", "--nlaunches", "infinite"]);
    place.wait_until_completed();
    // Work that comes later is found, too.
    place.add_scripts(1, "true");
    place.wait_until_completed();
    let pid = rustix::process::Pid::from_child(&launcher);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("is there");
    let status = launcher.wait().expect("waited for");
    assert_eq!((status.code(), status.signal()), (Some(143), None));
    drop(queue);

    let ran = place.run(&["qlaunch", "rapidfire", "--nlaunches", "infinite", "--timeout", "1"]).done();
    assert!(ran.stdout.contains("ended by --timeout"), "{}", ran.stdout);
}

#[test]
fn refuses_a_bad_adapter_before_anything_is_done() {
    let place = Place::with_adapter("_fw_q_type: PBS\n");
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "rapidfire"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("PBS is not supported yet"), "{}", ran.stderr);
    let ran = place.run(&["qlaunch", "-q", "none.yaml", "singleshot"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("none.yaml"), "{}", ran.stderr);
    assert_eq!(place.launchers().len(), 0);
}

#[test]
fn fills_the_template_and_warns_of_the_rest() {
    let adapter = "_fw_q_type: LOCAL\nrocket_launch: 'true'\njob_name: relax\nwaltime: 1\npre_rocket: echo $$ > pid\n";
    let place = Place::with_adapter(adapter);
    let queue = Cleanup(place.local());
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "--launch_dir", "deep/in a folder", "singleshot"]).done();
    assert!(ran.stderr.contains("did you mean `walltime`?"), "{}", ran.stderr);
    let dir = place.path().join("deep/in a folder");
    wait_until("the job has ended", || queue.0.list().expect("listed").is_empty());
    let pid = std::fs::read_to_string(dir.join("pid")).expect("the shell's id");
    assert!(pid.trim().parse::<u32>().is_ok(), "{pid}");
    assert!(dir.join("relax-1.out").is_file() && dir.join("relax-1.error").is_file());
}
