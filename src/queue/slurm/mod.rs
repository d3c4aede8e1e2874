//! Slurm, through `sbatch`, `squeue` and `scancel`.
//!
//! Our jobs carry the comment `volley:<launchpad id>`; nothing else tells them from the user's
//! other jobs, so partitions, clusters and job names are free. No accounting is needed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::command::{self, Words};
use super::{Job, JobId, LaunchpadId, Queue, QueueError, QueuedJob, Result};

mod listing;
mod submission;

/// The programs of Slurm, each as words to which arguments are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// `sbatch`, or what `_q_commands_override` says.
    pub submit: Words,
    /// `squeue`, or what `_q_commands_override` says.
    pub status: Words,
    /// `scancel`.
    pub cancel: Words,
}

impl Default for Programs {
    fn default() -> Self {
        let words = |program: &str| vec![program.to_owned()];
        Programs { submit: words("sbatch"), status: words("squeue"), cancel: words("scancel") }
    }
}

/// The Slurm of this machine.
#[derive(Debug, Clone)]
pub struct Slurm {
    launchpad: LaunchpadId,
    programs: Programs,
    environment: Vec<(String, String)>,
    timeout: Duration,
}

impl Slurm {
    /// Jobs of `launchpad`; `environment` is added to what jobs inherit, `timeout` is how long
    /// `squeue` may take.
    pub fn new(
        launchpad: LaunchpadId,
        programs: Programs,
        environment: Vec<(String, String)>,
        timeout: Duration,
    ) -> Self {
        Slurm { launchpad, programs, environment, timeout }
    }

    fn comment(&self) -> String {
        format!("volley:{}", self.launchpad)
    }
}

impl Queue for Slurm {
    fn name(&self) -> &'static str {
        "Slurm"
    }

    fn describe(&self) -> String {
        format!("Slurm ({}, comment {})", self.programs.submit.join(" "), self.comment())
    }

    fn submit(&self, job: &Job) -> Result<JobId> {
        let comment = format!("--comment={}", self.comment());
        // No time limit: whether a killed sbatch has submitted is anybody's guess.
        let arguments = ["--parsable", &comment, &job.script];
        let answer = command::run(&self.programs.submit, &arguments, Some(&job.dir), &self.environment, None)?;
        submission::parse(&answer)
            .ok_or_else(|| QueueError::Strange { command: self.programs.submit.join(" "), line: answer })
    }

    fn list(&self) -> Result<Vec<QueuedJob>> {
        // By number: a name need not be known on this node.
        let user = rustix::process::getuid().as_raw().to_string();
        // -r: every element of a pending array is a line, as each will be a job.
        let arguments = ["-h", "-r", "-u", &user, "-o", listing::FORMAT];
        let answer = command::run(&self.programs.status, &arguments, None, &self.environment, Some(self.timeout))?;
        listing::parse(&answer, &self.comment())
            .map_err(|line| QueueError::Strange { command: self.programs.status.join(" "), line })
    }

    fn cancel(&self, jobs: &[JobId]) -> Result<()> {
        let mut by_cluster: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
        for job in jobs {
            by_cluster.entry(job.cluster.as_deref()).or_default().push(&job.id);
        }
        for (cluster, ids) in by_cluster {
            let cluster: Vec<&str> = cluster.map_or_else(Vec::new, |cluster| vec!["-M", cluster]);
            // Far below what the kernel allows as arguments.
            for ids in ids.chunks(1000) {
                let arguments = [cluster.as_slice(), ids].concat();
                command::run(&self.programs.cancel, &arguments, None, &self.environment, None)?;
            }
        }
        Ok(())
    }
}
