//! What has become of jobs: asks `squeue`, and where that leaves something open and there is
//! accounting, `sacct`.
//!
//! A controller that answers and does not know a job is proof that it is over, where it shows the
//! jobs of everybody; one that does not answer proves nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use super::accounting::{self, Ended};
use super::jobs;
use super::site::{self, Site};
use super::standing::NO_SUCH_JOB;
use super::{Slurm, Words};
use crate::queue::{Fate, JobId, Kind, KnownJob, QueueError, Result};
use crate::workflow::{Cause, Loss};

/// For so long a command may take: there is always a next time.
const PATIENCE: Duration = Duration::from_secs(10);
/// Far below what the kernel allows as one argument.
const AT_ONCE: usize = 5_000;

impl Slurm {
    pub(super) fn find_fates(&self, asked: &[JobId]) -> Result<Vec<KnownJob>> {
        let site = self.site()?;
        let mut by_cluster: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for job in asked.iter().filter(|job| !job.is_local()) {
            by_cluster.entry(job.cluster.as_deref().unwrap_or(&site.cluster)).or_default().push(&job.id);
        }
        let mut found = BTreeMap::new();
        let mut trouble = None;
        for (cluster, ids) in by_cluster {
            // Without accounting Slurm knows of no other cluster.
            if cluster != site.cluster && !site.accounting {
                continue;
            }
            // Of half an answer nobody could tell which half it is.
            let answers: Result<Vec<_>> = ids.chunks(AT_ONCE).map(|ids| self.ask(site, cluster, ids)).collect();
            match answers {
                Ok(jobs) => found.extend(jobs.into_iter().flatten().map(|(id, job)| ((cluster, id), job))),
                Err(error) => trouble = Some(error),
            }
        }
        if let (Some(error), true) = (trouble, found.is_empty()) {
            return Err(error);
        }
        let known = |job: &JobId| {
            let found = found.get(&(job.cluster.as_deref().unwrap_or(&site.cluster), job.id.as_str()));
            found.cloned().unwrap_or_else(|| KnownJob::absent(Fate::Unknown))
        };
        Ok(asked.iter().map(known).collect())
    }

    /// Asks once; what it answers does not change.
    pub(super) fn site(&self) -> Result<&Site> {
        if let Some(site) = self.site.get() {
            return Ok(site);
        }
        let site = match self.run(&self.programs.control, &["show", "config"]) {
            Ok(answer) => site::parse(&answer).ok_or_else(|| strange(&self.programs.control, answer))?,
            // Whoever submits by commands of his own need not have this one.
            Err(error) if error.kind() == Kind::Wrong => {
                tracing::debug!("taking the queue for a Slurm without accounting: {error}");
                Site::unknown()
            }
            Err(error) => return Err(error),
        };
        Ok(self.site.get_or_init(|| site))
    }

    fn ask<'a>(&self, site: &Site, cluster: &str, ids: &[&'a str]) -> Result<BTreeMap<&'a str, KnownJob>> {
        let home = cluster == site.cluster;
        // `-M` needs accounting; but where SLURM_CLUSTERS names others, this one has to be named.
        let elsewhere = !home || std::env::var_os("SLURM_CLUSTERS").is_some();
        let of: &[&str] = if elsewhere { &["-M", cluster] } else { &[] };
        let absent = if home && !site.private { Fate::Gone } else { Fate::Unknown };
        let listed = self.listed(of, cluster, ids)?;
        let job = |id: &&'a str| (*id, listed.get(*id).cloned().unwrap_or_else(|| KnownJob::absent(absent.clone())));
        let mut jobs: BTreeMap<&str, KnownJob> = ids.iter().map(job).collect();

        let open: Vec<&str> = jobs.iter().filter(|(_, job)| is_open(&job.fate)).map(|(id, _)| *id).collect();
        if site.accounting && !open.is_empty() {
            match self.accounted(of, &open) {
                Ok(ended) => {
                    for id in open {
                        if let (Some(job), Some(ended)) = (jobs.get_mut(id), ended.get(id)) {
                            job.dir = job.dir.take().or_else(|| ended.dir.clone());
                            job.fate = Fate::Over(self.loss(ended));
                        }
                    }
                }
                Err(error) => tracing::debug!("no reasons from accounting: {error}"),
            }
        }
        Ok(jobs)
    }

    /// The jobs that the controller knows, those of everybody and in every partition.
    fn listed(&self, of: &[&str], cluster: &str, ids: &[&str]) -> Result<BTreeMap<String, KnownJob>> {
        let list = ids.join(",");
        let arguments = [of, &["-h", "-a", "-r", "-t", "all", "-j", &list, "-O", jobs::FORMAT]].concat();
        let answer = match self.run(&self.programs.status, &arguments) {
            // Of several it shows those that it knows.
            Err(QueueError::Failed { stderr, .. }) if ids.len() == 1 && stderr.contains(NO_SUCH_JOB) => String::new(),
            answer => answer?,
        };
        jobs::parse(&answer, cluster).map_err(|line| strange(&self.programs.status, line))
    }

    fn accounted(&self, of: &[&str], ids: &[&str]) -> Result<BTreeMap<String, Ended>> {
        let list = ids.join(",");
        let delimiter = format!("--delimiter={}", accounting::SEPARATOR);
        let arguments = [of, &["-n", "-X", "-P", &delimiter, "-j", &list, "-o", accounting::FORMAT]].concat();
        let answer = self.run(&self.programs.accounting, &arguments)?;
        accounting::parse(&answer).map_err(|line| strange(&self.programs.accounting, line))
    }

    fn loss(&self, ended: &Ended) -> Loss {
        let by = ended.by.map(|user| {
            // Sites name their users in many ways; this program knows them all.
            let name = self.run(&vec!["id".into()], &["-nu", &user.to_string()]).unwrap_or_default();
            let name = Some(name.trim()).filter(|name| !name.is_empty());
            name.map_or_else(|| format!(" by user {user}"), |name| format!(" by user {user} ({name})"))
        });
        Loss::new(ended.cause, format!("{}{}", ended.state, by.unwrap_or_default()))
    }

    pub(super) fn run(&self, program: &Words, arguments: &[&str]) -> Result<String> {
        self.run_within(self.timeout.min(PATIENCE), program, arguments)
    }
}

/// Whether accounting may know more.
fn is_open(fate: &Fate) -> bool {
    matches!(fate, Fate::Gone | Fate::Unknown | Fate::Over(Loss { cause: Cause::Cancelled, .. }))
}

pub(super) fn strange(program: &Words, line: String) -> QueueError {
    QueueError::Strange { command: program.join(" "), line }
}
