//! Slurm, through `sbatch`, `squeue` and `scancel`.
//!
//! Our jobs have `volley:<launchpad id>` in their comments; nothing else tells them from the user's
//! other jobs, so partitions, clusters and job names are free. No accounting is needed; where there
//! is some, `sacct` is asked what became of jobs that the controller has forgotten.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use super::command::{self, Call, Words};
use super::{Job, JobId, KnownJob, LaunchpadId, Queue, QueueError, QueuedJob, Result, Standing};
use fates::strange;
use site::Site;

mod accounting;
mod fates;
mod hosts;
mod job_end;
mod jobs;
mod listing;
mod mark;
mod records;
mod site;
mod standing;
mod states;
mod submission;
mod submit;

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
    /// `sinfo`.
    pub nodes: Words,
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
            nodes: words("sinfo"),
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

    fn mark(&self) -> String {
        mark::mark(&self.launchpad)
    }

    fn run_within(&self, timeout: Duration, program: &Words, arguments: &[&str]) -> Result<String> {
        command::run(
            program,
            arguments,
            Call { environment: &self.environment, timeout: Some(timeout), ..Call::default() },
        )
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
        format!("Slurm ({}, comment {})", self.programs.submit.join(" "), self.mark())
    }

    fn cluster(&self) -> Result<String> {
        Ok(self.site()?.cluster.clone())
    }

    fn check(&self, job: &Job) -> Result<()> {
        self.test(job)
    }

    fn command(&self, job: &Job, script: &str) -> Option<String> {
        Some(self.sbatch_line(job, script))
    }

    fn most_elements(&self) -> Result<Option<u32>> {
        Ok(self.site()?.elements)
    }

    fn other_hosts(&self, job: &Job) -> Result<Vec<String>> {
        self.find_other_hosts(job)
    }

    fn submit(&self, job: &Job) -> Result<JobId> {
        let arguments = self.sbatch_arguments(job)?;
        let answer = self.sbatch(job, &["--parsable"], &arguments)?;
        submission::parse(&answer).ok_or_else(|| strange(&self.programs.submit, answer))
    }

    fn list(&self) -> Result<Vec<QueuedJob>> {
        // By number: a name need not be known on this node.
        let user = rustix::process::getuid().as_raw().to_string();
        // -r: every element of a pending array is a line, as each will be a job.
        let arguments = ["-h", "-r", "-u", &user, "-o", listing::FORMAT];
        let answer = self.run_within(self.timeout, &self.programs.status, &arguments)?;
        listing::parse(&answer, &self.mark()).map_err(|line| strange(&self.programs.status, line))
    }

    fn cancel(&self, jobs: &[JobId]) -> Result<()> {
        for (cluster, jobs) in self.by_cluster(jobs) {
            for jobs in jobs.chunks(AT_ONCE) {
                let mut arguments = of(cluster);
                arguments.extend(jobs.iter().map(|job| job.id.as_str()));
                self.run_within(self.timeout.max(LONGEST), &self.programs.cancel, &arguments)?;
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
                let answer = match self.run_within(self.timeout, &self.programs.status, &arguments) {
                    // Of several it shows those that it knows.
                    Err(QueueError::Failed { stderr, .. }) if stderr.contains(standing::NO_SUCH_JOB) => continue,
                    answer => answer?,
                };
                let shown = standing::parse(&answer, user, &self.mark())
                    .map_err(|line| strange(&self.programs.status, line))?;
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

/// What `sbatch` and `scancel` may take at least: they try again themselves while Slurm is busy, and a
/// submission that is broken off may have been one.
const LONGEST: Duration = Duration::from_secs(300);
/// Far below what the kernel allows as arguments.
const AT_ONCE: usize = 1000;

/// The options that name a cluster.
fn of(cluster: Option<&str>) -> Vec<&str> {
    cluster.map_or_else(Vec::new, |cluster| vec!["-M", cluster])
}
