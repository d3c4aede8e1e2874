//! What a worker in a queue job tells the ledger of its launcher.

use std::process::Command;

use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::json;
use volley::store::ledger::{Entry, Holder, JobName, Key, Word};

use crate::support::processes::script;
use crate::support::run::wait_until;
use crate::support::site::{Running, Site};

/// A launchpad with one place in its ledger.
struct Place<'a> {
    site: &'a Site,
    key: Key,
    element: Option<u32>,
}

impl<'a> Place<'a> {
    fn take(site: &'a Site, element: Option<u32>) -> Self {
        let key = Key { cluster: "east".into(), user: "ann".into() };
        let (holder, taken) = (Holder::default(), Timestamp::now());
        let entry =
            Entry { token: "/t".into(), element, holder, taken, group: None, job: None, word: None, missed: None };
        let store = &site.launchpad.store;
        assert!(store.take_places(&key, 0, &[entry], None).expect("takes").is_some());
        Place { site, key, element }
    }

    /// `rlaunch` in the job that has it.
    fn rlaunch(&self, arguments: &[&str]) -> Command {
        let mut command = self.site.rlaunch(arguments);
        command.env("VOLLEY_PLACE", "/t").env("VOLLEY_LEDGER", self.key.id());
        command.envs(self.element.map(|element| ("SLURM_ARRAY_TASK_ID", element.to_string())));
        command
    }

    fn entry(&self) -> Entry {
        self.site.launchpad.store.ledger(&self.key).expect("reads").jobs.remove(0)
    }

    fn has_started(&self) -> bool {
        matches!(self.entry().word, Some(Word::Started(_)))
    }

    fn is_ending(&self) -> bool {
        matches!(self.entry().word, Some(Word::Ending(_)))
    }
}

fn job(id: &str, cluster: Option<&str>) -> Option<JobName> {
    Some(JobName { id: id.into(), cluster: cluster.map(str::to_owned) })
}

#[test]
fn a_worker_says_when_it_begins_and_ends() {
    for site in Site::on_every_store() {
        let place = Place::take(&site, Some(2));
        site.add_tasks(script("touch here; until [ -e ../go ]; do sleep 0.02; done"));
        let mut worker = place.rlaunch(&["rapidfire"]);
        worker.env("SLURMD_NODENAME", "n1").env("SLURM_CLUSTER_NAME", "east");
        worker.env("SLURM_ARRAY_JOB_ID", "17").env("SLURM_JOB_ID", "19");
        let worker = Running::of(&mut worker);
        wait_until("it runs", || place.has_started());
        assert_eq!(place.entry().job, job("17_2", Some("east")));
        site.write("go", "");
        let (code, log) = worker.end();
        assert!(code == Some(0) && place.is_ending(), "{log}");
    }
}

#[test]
fn it_says_so_also_after_a_signal_and_when_there_is_nothing() {
    let site = Site::sqlite();
    let place = Place::take(&site, None);
    let nothing = place.rlaunch(&["singleshot"]).env("VOLLEY_JOB_ID", "5").output().expect("runs");
    assert!(nothing.status.success() && place.is_ending());
    let here = volley::queue::local::realm();
    assert_eq!(place.entry().job, job("5", Some(&here)));
    site.add(json!({"spec": {"_tasks": script("touch begun; sleep 1000"), "_launch_dir": "."}}));
    let worker = Running::of(&mut place.rlaunch(&["singleshot"]));
    wait_until("it runs", || site.path().join("begun").exists());
    assert!(place.has_started());
    worker.signal(Signal::TERM);
    let (code, log) = worker.end();
    assert!(code == Some(143) && place.is_ending(), "{log}");
    assert_eq!(place.entry().job, job("5", Some(&here)), "what is not known does not replace what is");
}
