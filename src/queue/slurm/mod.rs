//! Slurm, through `sbatch`, `squeue` and `scancel`.
//!
//! Our jobs carry the comment `volley:<launchpad id>`; nothing else tells them from the user's
//! other jobs, so partitions, clusters and job names are free. No accounting is needed; where there
//! is some, `sacct` is asked what became of jobs that the controller has forgotten.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use super::command::{self, Words};
use super::{Job, JobId, KnownJob, LaunchpadId, Queue, QueueError, QueuedJob, Result, Standing};
use site::Site;

mod accounting;
mod fates;
mod job_end;
mod jobs;
mod listing;
mod site;
mod standing;
mod states;
mod submission;

pub use job_end::job_end;

/// The programs of Slurm, each as words to which arguments are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// `sbatch`, or what `_q_commands_override` says.
    pub submit: Words,
    /// `squeue`, or what `_q_commands_override` says.
    pub status: Words,
    /// `scancel`.
    pub cancel: Words,
    /// `scontrol`.
    pub control: Words,
    /// `sacct`.
    pub accounting: Words,
}

impl Default for Programs {
    fn default() -> Self {
        let words = |program: &str| vec![program.to_owned()];
        Programs {
            submit: words("sbatch"),
            status: words("squeue"),
            cancel: words("scancel"),
            control: words("scontrol"),
            accounting: words("sacct"),
        }
    }
}

/// The Slurm of this machine.
#[derive(Debug, Clone)]
pub struct Slurm {
    launchpad: LaunchpadId,
    programs: Programs,
    environment: Vec<(String, String)>,
    timeout: Duration,
    site: OnceLock<Site>,
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
        Slurm { launchpad, programs, environment, timeout, site: OnceLock::new() }
    }

    fn comment(&self) -> String {
        format!("volley:{}", self.launchpad)
    }

    /// The jobs of each cluster that has to be named: to name its own a Slurm needs accounting.
    fn by_cluster<'j>(&self, jobs: &'j [JobId]) -> BTreeMap<Option<&'j str>, Vec<&'j JobId>> {
        let is_home = |cluster: &&str| self.site().is_ok_and(|site| site.cluster == *cluster);
        let mut by_cluster: BTreeMap<Option<&str>, Vec<&JobId>> = BTreeMap::new();
        for job in jobs.iter().filter(|job| !job.is_local()) {
            by_cluster.entry(job.cluster.as_deref().filter(|name| !is_home(name))).or_default().push(job);
        }
        by_cluster
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
        for (cluster, jobs) in self.by_cluster(jobs) {
            for jobs in jobs.chunks(AT_ONCE) {
                let mut arguments = of(cluster);
                arguments.extend(jobs.iter().map(|job| job.id.as_str()));
                command::run(&self.programs.cancel, &arguments, None, &self.environment, None)?;
            }
        }
        Ok(())
    }

    fn standings(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Standing>> {
        let user = rustix::process::getuid().as_raw();
        let mut found = BTreeMap::new();
        for (cluster, jobs) in self.by_cluster(jobs) {
            for jobs in jobs.chunks(AT_ONCE) {
                let list = jobs.iter().map(|job| job.id.as_str()).collect::<Vec<_>>().join(",");
                let arguments = [&of(cluster)[..], &["-h", "-a", "-r", "-j", &list, "-o", standing::FORMAT]].concat();
                let answer =
                    command::run(&self.programs.status, &arguments, None, &self.environment, Some(self.timeout));
                let answer = match answer {
                    // Of several it shows those that it knows.
                    Err(QueueError::Failed { stderr, .. }) if stderr.contains(standing::NO_SUCH_JOB) => continue,
                    answer => answer?,
                };
                let shown = standing::parse(&answer, user, &self.comment())
                    .map_err(|line| QueueError::Strange { command: self.programs.status.join(" "), line })?;
                let asked = |job: &&JobId| Some(((*job).clone(), shown.get(&JobId::new(&job.id))?.clone()));
                found.extend(jobs.iter().filter_map(asked));
            }
        }
        Ok(found)
    }

    fn fates(&self, jobs: &[JobId]) -> Result<Vec<KnownJob>> {
        self.find_fates(jobs)
    }
}

/// Far below what the kernel allows as arguments.
const AT_ONCE: usize = 1000;

/// The options that name a cluster.
fn of(cluster: Option<&str>) -> Vec<&str> {
    cluster.map_or_else(Vec::new, |cluster| vec!["-M", cluster])
}
