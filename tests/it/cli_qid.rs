//! The queue job of a firework in every mode: who is asked for it finds it, and who names it ends it.

use std::process::Command;

use serde_json::{Value, json};
use volley::queue::{LaunchpadId, Queue};
use volley::workflow::State;

use crate::support::place::{Cleanup, Place, slurm};
use crate::support::raw::{edit_launch, reserve};
use crate::support::run::{Ran, wait_until};
use crate::support::service;
use crate::support::site::Site;

/// A launchpad, and the Slurm of the tests.
struct Cluster {
    site: Site,
    conf: String,
}

impl Cluster {
    fn new(site: Site, conf: &str) -> Self {
        let adapter = |keys: &str| format!("_fw_q_type: SLURM\nqueue: debug\n{keys}\n");
        site.write("plain.yaml", &adapter("rocket_launch: rlaunch singleshot"));
        site.write("pilot.yaml", &adapter("ntasks: 2\nrocket_launch: rlaunch rapidfire --slots 2"));
        site.write("held.yaml", &adapter("_fw_template_file: held.txt\nrocket_launch: rlaunch singleshot"));
        site.write("held.txt", "#!/bin/sh\n#SBATCH --begin=now+1hour\n$${rocket_launch}\n");
        Cluster { site, conf: conf.to_owned() }
    }

    fn volley(&self, words: &[&str]) -> Command {
        let mut command = self.site.volley(words);
        command.env("SLURM_CONF", &self.conf);
        command
    }

    /// Submits with an adapter file.
    fn qlaunch(&self, adapter: &str, words: &[&str]) {
        Ran::of(&mut self.volley(&[&["qlaunch", "-q", adapter], words].concat())).done();
    }

    fn lpad(&self, words: &[&str]) -> Ran {
        Ran::of(&mut self.volley(&[&["lpad", "-o", "json"], words].concat()))
    }

    /// Adds fireworks that run until they are killed.
    fn add(&self, count: usize) {
        for _ in 0..count {
            self.site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "sleep 1000"}]));
        }
    }

    fn wait_for(&self, fw_ids: &[i64], state: State) {
        wait_until(&format!("{fw_ids:?} are {state:?}"), || fw_ids.iter().all(|&id| self.site.state(id) == state));
    }

    /// The jobs of fireworks, as `get_qids` prints them.
    fn jobs(&self, fw_ids: &str) -> Vec<String> {
        let printed = self.lpad(&["get_qids", "-i", fw_ids]).done().stdout;
        printed.lines().map(str::to_owned).collect()
    }

    /// The fireworks of a job.
    fn found(&self, job: &str) -> Vec<i64> {
        match self.lpad(&["get_fws", "--qid", job, "-d", "ids"]).json() {
            Value::Array(ids) => ids.iter().filter_map(Value::as_i64).collect(),
            one => one.as_i64().into_iter().collect(),
        }
    }

    /// Cancels a job, which must say so of these.
    fn cancel(&self, job: &str, of: &[&str]) {
        let ran = self.lpad(&["cancel_qid", "--qid", job]).done();
        let said: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("cancelled Slurm job ")).collect();
        assert_eq!(said.len(), of.len(), "{ran:?}");
        for (line, of) in said.iter().zip(of) {
            assert!(line.contains(job) && line.ends_with(of), "{job} {of}: {ran:?}");
        }
    }
}

#[test]
fn a_job_of_slurm_is_known_and_cancelled_in_every_mode() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    for site in Site::on_every_store() {
        let queue = Cleanup(slurm(&LaunchpadId::of(&site.launchpad.location), &conf));
        let cluster = Cluster::new(site, &conf);
        let listed = || {
            let mut jobs: Vec<String> = queue.0.list().expect("lists").into_iter().map(|job| job.id.id).collect();
            jobs.sort();
            jobs
        };
        cluster.add(2);
        cluster.qlaunch("plain.yaml", &["rapidfire", "--nlaunches", "2", "--array-size", "2"]);
        cluster.wait_for(&[1, 2], State::Running);
        cluster.add(1);
        cluster.qlaunch("plain.yaml", &["singleshot"]);
        cluster.wait_for(&[3], State::Running);
        cluster.add(2);
        cluster.qlaunch("pilot.yaml", &["singleshot"]);
        cluster.wait_for(&[4, 5], State::Running);
        cluster.add(1);
        cluster.qlaunch("held.yaml", &["-r", "singleshot"]);
        let before = listed();
        cluster.add(1);
        cluster.qlaunch("held.yaml", &["singleshot"]);
        let waiting = listed().into_iter().find(|job| !before.contains(job)).expect("one more");

        let jobs = cluster.jobs("1-7");
        let [first, second, plain, pilot, also_pilot, reserved, none] = &jobs[..] else { panic!("{jobs:?}") };
        let array = first.split_once('_').expect("an element").0.to_owned();
        assert!(second.starts_with(&format!("{array}_")) && pilot == also_pilot && none == "None", "{jobs:?}");
        let mut known: Vec<String> = [first, second, plain, pilot, reserved, &waiting].map(String::clone).to_vec();
        known.sort();
        assert_eq!(known, listed());
        let fireworks: [(&str, &[i64]); 7] = [
            (&array, &[1, 2]),
            (first, &[1]),
            (plain, &[3]),
            (pilot, &[4, 5]),
            (reserved, &[6]),
            (&waiting, &[]),
            ("1", &[]),
        ];
        for (job, fw_ids) in fireworks {
            assert_eq!(cluster.found(job), fw_ids, "{job}");
        }
        assert_eq!(cluster.lpad(&["get_fws", "--qid", pilot, "-s", "READY"]).json(), json!([]));
        let shown = cluster.lpad(&["get_fws", "--qid", plain, "-d", "all"]).json();
        assert_eq!(shown["launches"][0]["state_history"][0]["lease"]["job"]["id"], json!(plain));

        cluster.cancel(&waiting, &[", which had no firework"]);
        cluster.cancel(first, &[" of fw 1"]);
        wait_until("one element is gone", || !listed().contains(first));
        assert_eq!(cluster.site.state(2), State::Running, "the other one");
        cluster.cancel(&array, &[" of fw 2"]);
        cluster.cancel(plain, &[" of fw 3"]);
        cluster.cancel(pilot, &[" of fw 4", " of fw 5"]);
        cluster.cancel(reserved, &[" of fw 6"]);
        wait_until("all jobs are gone", || listed().is_empty());
        cluster.wait_for(&[1, 2, 3, 4, 5, 6, 7], State::Ready);
        let words = format!("Can't find any reserved jobs with reservation id: {array}");
        cluster.lpad(&["cancel_qid", "--qid", &array]).failed(4, &words);
        assert_eq!(cluster.found(&array), [1, 2], "also by what is archived");
        assert_eq!(cluster.jobs("1"), ["None"]);
    }
}

#[test]
fn a_job_of_this_machine_is_known_and_cancelled() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot\n");
    let queue = Cleanup(place.local());
    place.add_scripts(3, "sleep 1000");
    place.run(&["qlaunch", "singleshot"]).done();
    wait_until("it runs", || place.fireworks()[0].state == State::Running);
    let launch = place.store().find_launches(&place.fireworks()[0].launches).expect("finds").remove(0);
    let job = launch.lease().and_then(|lease| lease.job).expect("is in a job");
    assert_eq!((&*job.id, job.cluster), ("1", queue.0.realm()));
    assert_eq!(place.run(&["lpad", "get_qids", "-i", "1,2"]).done().stdout, "1\nNone\n");
    assert_eq!(place.run(&["lpad", "get_fws", "--qid", "1"]).json()["fw_id"], 1);
    let ran = place.run(&["lpad", "detect_lostruns"]).done();
    assert_eq!(place.fireworks()[0].state, State::Running, "{ran:?}");
    let ran = place.run(&["lpad", "cancel_qid", "--qid", "1"]).done();
    assert!(ran.stderr.contains("cancelled local job 1 (") && ran.stderr.contains(") of fw 1"), "{ran:?}");
    wait_until("the job is gone", || queue.0.list().expect("lists").is_empty());
    assert_eq!(place.fireworks()[0].state, State::Ready);

    // That of another machine has the same number.
    for (fw_id, cluster, whose) in [(2, "@elsewhere", "the local queue of elsewhere"), (3, "east", "cluster east")] {
        let launch_id = reserve(&place.location(), fw_id, "1", jiff::Timestamp::now());
        edit_launch(&place.location(), launch_id, |launch| assert!(launch.note_job("1", Some(cluster))));
        place.run(&["lpad", "cancel_qid", "--qid", "1"]).failed(5, whose);
        assert_eq!(place.fireworks()[1].state, State::Ready);
    }
}
