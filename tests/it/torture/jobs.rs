//! Workers in jobs of a real Slurm, which are cancelled and begun anew.

use std::path::Path;
use std::process::Command;

use super::fleet::{LOG, RUN};
use crate::support::random::Random;
use crate::support::run::{VOLLEY, private, wait_until};
use crate::support::service;
use crate::support::site::Site;

/// Some jobs, each a worker.
pub struct Jobs<'a> {
    site: &'a Site,
    run: String,
    conf: String,
    ids: Vec<String>,
    pub cancelled: usize,
    pub requeued: usize,
}

impl<'a> Jobs<'a> {
    /// So many, where there is a Slurm.
    pub fn start(site: &'a Site, run: &str, count: usize) -> Option<Self> {
        let conf = service("VOLLEY_TEST_SLURM_CONF", "slurm")?;
        let mut jobs = Jobs { site, run: run.to_owned(), conf, ids: Vec::new(), cancelled: 0, requeued: 0 };
        jobs.ids = (0..count).map(|_| jobs.submit()).collect();
        Some(jobs)
    }

    fn slurm(&self, program: &str, words: &[&str]) -> Command {
        let mut command = private(Path::new(program), self.site.path());
        command.args(words).env("SLURM_CONF", &self.conf);
        command
    }

    fn submit(&self) -> String {
        let worker = shlex::try_join([VOLLEY, "rlaunch", "-l", "my_launchpad.yaml", "-w", "worker_1/my_fworker.yaml"]);
        let line = format!("exec {} rapidfire --nlaunches infinite --sleep 2s", worker.expect("can be quoted"));
        let words =
            ["--parsable", "--requeue", "--open-mode=append", "-o", "jobs.log", "-J", "torture", "--wrap", &line];
        let mut command = self.slurm("sbatch", &words);
        let output = command.env(RUN, &self.run).env(LOG, self.site.path().join("evidence")).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Cancels one, or has it begun anew; another comes for one that is cancelled.
    pub fn attack(&mut self, random: &mut Random) {
        let at = random.below(self.ids.len());
        let id = self.ids[at].clone();
        // It may be over, or not have begun.
        if random.percent(60) {
            let signal: &[&str] = if random.percent(50) { &["--signal=KILL", "--full"] } else { &[] };
            let _ = self.slurm("scancel", &[signal, &[&id]].concat()).output();
            self.ids[at] = self.submit();
            self.cancelled += 1;
        } else {
            let _ = self.slurm("scontrol", &["requeue", &id]).output();
            self.requeued += 1;
        }
    }

    /// Ends all of them, those that wait, too.
    pub fn end(&self) {
        let mine = ["--name=torture", "--me"];
        for id in &self.ids {
            let _ = self.slurm("scancel", &[id]).output();
        }
        let is_left = || {
            let output = self.slurm("squeue", &[&mine[..], &["-h", "-o", "%i"]].concat()).output().expect("runs");
            let left = String::from_utf8_lossy(&output.stdout).into_owned();
            left.lines().any(|id| self.ids.iter().any(|ours| ours == id))
        };
        wait_until("no job is left", || !is_left());
    }
}

impl Drop for Jobs<'_> {
    fn drop(&mut self) {
        for id in &self.ids {
            let _ = self.slurm("scancel", &[id]).output();
        }
    }
}
