//! `lpad tail`: the output of a firework while it runs.

use std::process::Stdio;

use serde_json::json;
use volley::workflow::State;

use crate::support::run::{Ran, wait_until};
use crate::support::site::Site;

#[test]
fn it_follows_until_the_firework_ends() {
    for site in Site::on_every_store() {
        let script = "echo begun; until [ -e ../go ]; do sleep 0.05; done; echo ended";
        let task = json!({"_fw_name": "ScriptTask", "script": script, "stdout_file": "out.txt"});
        site.add(json!({"name": "slow", "spec": {"_tasks": [task], "_launch_dir": "here"}}));
        Ran::of(&mut site.volley(&["lpad", "tail", "-i", "1", "--no-follow"])).failed(1, "has not run yet");
        let mut tail = site.volley(&["lpad", "tail", "-i", "1"]);
        let tail = tail.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        let worker = site.rlaunch(&["singleshot"]).spawn().expect("starts");
        let out = site.path().join("here/out.txt");
        wait_until("it has begun", || std::fs::read_to_string(&out).is_ok_and(|text| text == "begun\n"));
        let shown = Ran::of(&mut site.volley(&["lpad", "tail", "-i", "1", "--no-follow"])).done();
        assert!(shown.stdout == "begun\n" && shown.stderr.contains("out.txt <=="), "{shown:?}");
        site.write("go", "");
        assert!(worker.wait_with_output().expect("ends").status.success());
        let followed = Ran::from(tail.wait_with_output().expect("ends")).done();
        assert_eq!(followed.stdout, "begun\nended\n", "{followed:?}");
        let last = Ran::of(&mut site.volley(&["lpad", "tail", "-i", "1", "-n", "1"])).done();
        assert_eq!(last.stdout, "ended\n");
        let named = Ran::of(&mut site.volley(&["lpad", "tail", "-i", "1", "-f", "FW.json", "-n", "1"])).done();
        assert_eq!(named.stdout, "}\n");
        Ran::of(&mut site.volley(&["lpad", "tail", "-i", "1", "-f", "no"])).failed(1, "there is no file ");
        Ran::of(&mut site.volley(&["lpad", "tail", "-i", "9"])).failed(1, "there is no firework 9");
    }
}

#[test]
fn what_is_elsewhere_is_told_by_its_trackers() {
    for site in Site::on_every_store() {
        let task = json!({"_fw_name": "ScriptTask", "script": "printf 'a\\nb\\n' > log"});
        let spec = json!({"_tasks": [task], "_trackers": [{"filename": "log"}], "_launch_dir": "there"});
        site.add(json!({"name": "tracked", "spec": spec}));
        site.add(json!({"name": "silent", "spec": {"_tasks": [], "_launch_dir": "there2"}}));
        assert!(site.rlaunch(&["-s", "rapidfire"]).output().expect("runs").status.success());
        for dir in ["there", "there2"] {
            let _ = std::fs::remove_dir_all(site.path().join(dir));
        }
        let told = Ran::of(&mut site.volley(&["lpad", "tail", "-i", "1", "-n", "1"])).done();
        assert!(told.stdout == "b\n" && told.stderr.contains("cannot be seen from here"), "{told:?}");
        Ran::of(&mut site.volley(&["lpad", "tail", "-i", "2"])).failed(1, "cannot be seen from here: it is on");
    }
}

#[test]
fn it_says_where_output_is_that_is_in_no_file() {
    let site = Site::sqlite();
    let script = "echo told; until [ -e ../../go ]; do sleep 0.05; done; rm ../../go";
    let task = json!({"_fw_name": "ScriptTask", "script": script});
    site.add(json!({"name": "by hand", "spec": {"_tasks": [task], "_launch_dir": "there/launcher_1"}}));
    site.write("go", "");
    assert!(site.rlaunch(&["singleshot"]).output().expect("runs").status.success());
    let tail = ["lpad", "tail", "-i", "1"];
    Ran::of(&mut site.volley(&tail)).failed(1, "there is no output in").failed(1, "where `rlaunch` runs on");
    // A job's files are those of its folder, above.
    let rerun = ["lpad", "rerun_fws", "-i", "1"];
    Ran::of(&mut site.volley(&rerun)).done();
    let mut worker = site.rlaunch(&["singleshot"]);
    let worker = worker.env("SLURMD_NODENAME", "n1").env("SLURM_JOB_ID", "4711").spawn().expect("starts");
    wait_until("it runs", || site.firework(1).state == State::Running);
    site.write("there/FW_job-4711.out", "told\n");
    let mut follow = site.volley(&tail);
    let follow = follow.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
    site.write("go", "");
    assert!(worker.wait_with_output().expect("ends").status.success());
    let followed = Ran::from(follow.wait_with_output().expect("ends")).done();
    assert!(followed.stdout == "told\n" && followed.stderr.contains("FW_job-4711.out <=="), "{followed:?}");
    Ran::of(&mut site.volley(&rerun)).done();
    let earlier = Ran::of(&mut site.volley(&tail)).done();
    assert!(earlier.stderr.contains("firework 1 is READY again; this is what its last run wrote"), "{earlier:?}");
}
