//! What runs when a verb takes the ground from it: which runs those are, and how each of them ends.
//!
//! The state changes first: from then on a run can report nothing any more, whatever becomes of it.
//! A job that was submitted for one firework alone is cancelled; a worker that may have more to do
//! is left to find out at its next renewal that the lease is no longer its own, and kills the task.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use jiff::Timestamp;

use super::reservation::{Sought, is_same_folder, job_of};
use crate::queue::{JobId, Queue, Standing};
use crate::store::{Fields, FireworkQuery, Result, Store, Verb, WorkflowQuery};
use crate::workflow::{Cause, FwId, Launch, LaunchId, Lease, Loss, State};

/// The launches that are reserved or run in the workflows of these fireworks.
pub fn active(store: &dyn Store, fw_ids: &[FwId]) -> Result<Vec<Launch>> {
    let fireworks = FireworkQuery {
        workflows: Some(Box::new(WorkflowQuery { fw_ids: Some(fw_ids.to_vec()), ..WorkflowQuery::default() })),
        states: vec![State::Reserved, State::Running],
        ..FireworkQuery::default()
    };
    let mut listed: Vec<LaunchId> = Vec::new();
    store.each_firework(&fireworks, Fields::Head, &mut |some| {
        listed.extend(some.into_iter().flat_map(|firework| firework.launches));
        ControlFlow::Continue(())
    })?;
    let mut launches = store.find_launches(&listed)?;
    launches.retain(|launch| matches!(launch.state, State::Reserved | State::Running));
    Ok(launches)
}

/// What became of a run whose firework was reset, held or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The firework that ran, or was to; none where a job had none.
    pub fw_id: Option<FwId>,
    /// What was done about it.
    pub end: End,
}

/// How a run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// Its queue job was cancelled: the name of the queue, and the job.
    Cancelled(&'static str, JobId),
    /// Its queue job was over already.
    Over(JobId),
    /// Its queue job is somebody else's.
    Foreign(JobId, String),
    /// Its queue job could not be cancelled, and why.
    Failed(JobId, String),
    /// Its worker finds out at its next renewal.
    Worker(Box<Lease>),
    /// It runs under Python FireWorks, on this host, which asks nobody.
    Python(String),
    /// It goes on, as was wished.
    Kept,
}

impl Stop {
    /// Whether something is left for a person to do.
    pub fn is_failure(&self) -> bool {
        matches!(self.end, End::Foreign(..) | End::Failed(..))
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.fw_id.map_or(", which had no firework,".to_owned(), |fw_id| format!(" of fw {fw_id}"));
        let fw_id = self.fw_id.unwrap_or_default();
        match &self.end {
            End::Cancelled(queue, job) => write!(f, "cancelled {queue} job {job}{}", of.trim_end_matches(',')),
            End::Over(job) => write!(f, "queue job {job}{of} is not in the queue any more"),
            End::Foreign(job, whose) => write!(f, "queue job {job}{of} is that of {whose}, and was left alone"),
            End::Failed(job, why) => write!(f, "queue job {job}{of} could not be cancelled: {why}"),
            End::Worker(lease) => {
                let (host, pid) = (&lease.host, lease.pid);
                let within = lease.renewed_every().as_secs();
                write!(f, "the worker on {host} (process {pid}) stops fw {fw_id} within {within} s")
            }
            End::Python(host) => write!(
                f,
                "fw {fw_id} runs under Python FireWorks on {host}, which cannot be told: it goes on, and its result does not count"
            ),
            End::Kept => write!(f, "fw {fw_id} keeps running; its result goes to its launch alone"),
        }
    }
}

/// The runs that a verb may stop.
pub struct Runs {
    launches: Vec<Launch>,
    keep: bool,
}

impl Runs {
    /// Looks at what runs in the workflows of these fireworks, before anything changes. With `keep`
    /// what runs goes on to its end.
    pub fn before(store: &dyn Store, fw_ids: &[FwId], keep: bool) -> Result<Self> {
        let launches = active(store, fw_ids)?;
        let of_volley = |launch: &&Launch| launch.state == State::Running && launch.lease().is_some();
        // A mark of an earlier verb that did not come to its end is wiped off, too.
        let marked = launches.iter().filter(of_volley).filter(|launch| keep || launch.is_kept());
        let marked: Vec<LaunchId> = marked.map(|launch| launch.launch_id).collect();
        if !marked.is_empty() {
            store.mark_kept(&marked, keep)?;
        }
        Ok(Runs { launches, keep })
    }

    /// Those that have lost their ground, now that these fireworks have changed. The others go on as
    /// before.
    pub fn stopped_by(self, store: &dyn Store, changed: &BTreeSet<FwId>) -> Result<(Vec<Launch>, Vec<Stop>)> {
        let (stopped, others): (Vec<Launch>, Vec<Launch>) =
            self.launches.into_iter().partition(|launch| changed.contains(&launch.fw_id));
        if !self.keep {
            return Ok((stopped, Vec::new()));
        }
        let others: Vec<LaunchId> = others.iter().map(|launch| launch.launch_id).collect();
        if !others.is_empty() {
            store.mark_kept(&others, false)?;
        }
        let runs = stopped.iter().filter(|launch| launch.state == State::Running);
        Ok((Vec::new(), runs.map(|launch| Stop { fw_id: Some(launch.fw_id), end: End::Kept }).collect()))
    }
}

/// Ends the reservations of what is paused: their jobs go, and whoever resumes the firework shall
/// not wait for them.
pub fn end_reservations(store: &dyn Store, stopped: &[Launch], verb: Verb, now: Timestamp) -> Result<()> {
    let reserved = stopped.iter().filter(|launch| launch.state == State::Reserved);
    let reserved: Vec<LaunchId> = reserved.map(|launch| launch.launch_id).collect();
    if matches!(verb, Verb::Pause | Verb::PauseWorkflow) && !reserved.is_empty() {
        store.retire(&reserved, &Loss::new(Cause::User, verb.as_str()), now)?;
    }
    Ok(())
}

/// Ends runs whose launches do not count any more, and jobs that somebody has named, whatever else
/// would run in them. The queue is opened only where it is needed.
pub fn stop(
    launches: &[Launch],
    named: Option<&Sought>,
    open: impl FnOnce() -> Result<Box<dyn Queue>, String>,
) -> Vec<Stop> {
    let job_of = |launch: &Launch| named.and_then(|named| named.job_of(launch)).or_else(|| job_of(launch));
    let idle = named.map(|named| named.idle.as_slice()).unwrap_or_default();
    let mut jobs: BTreeMap<JobId, Option<&Launch>> = idle.iter().map(|job| (job.clone(), None)).collect();
    jobs.extend(launches.iter().filter_map(|launch| Some((job_of(launch)?, Some(launch)))));
    let ends = if jobs.is_empty() { BTreeMap::new() } else { cancel(jobs, open) };
    // A launcher has yet to hear that one is over.
    let news = idle.iter().filter_map(|job| ends.get(job)).filter(|end| !matches!(end, End::Over(_)));
    let mut stops: Vec<Stop> = news.map(|end| Stop { fw_id: None, end: end.clone() }).collect();
    for launch in launches {
        let job = job_of(launch);
        let end = job.as_ref().and_then(|job| ends.get(job)).cloned();
        let is_cancelled = matches!(end, Some(End::Cancelled(..)));
        let runs_in_job = |lease: &Lease| lease.job.as_ref().map(|job| &job.id) == job.as_ref().map(|job| &job.id);
        let worker = match (launch.state, launch.lease()) {
            (State::Running, Some(lease)) if !(is_cancelled && runs_in_job(&lease)) => Some(End::Worker(lease.into())),
            (State::Running, None) if !is_cancelled => Some(End::Python(launch.host.clone())),
            _ => None,
        };
        stops.extend(end.into_iter().chain(worker).map(|end| Stop { fw_id: Some(launch.fw_id), end }));
    }
    stops
}

/// Cancels jobs that are ours, and says of each what came of it.
fn cancel(
    jobs: BTreeMap<JobId, Option<&Launch>>,
    open: impl FnOnce() -> Result<Box<dyn Queue>, String>,
) -> BTreeMap<JobId, End> {
    let failed = |jobs: &[JobId], why: &str| -> BTreeMap<JobId, End> {
        jobs.iter().map(|job| (job.clone(), End::Failed(job.clone(), why.to_owned()))).collect()
    };
    let ids: Vec<JobId> = jobs.keys().cloned().collect();
    let queue = match open() {
        Ok(queue) => queue,
        Err(why) => return failed(&ids, &why),
    };
    let standings = match queue.standings(&ids) {
        Ok(standings) => standings,
        Err(error) => return failed(&ids, &error.to_string()),
    };
    let mut ends = BTreeMap::new();
    let mut ours = Vec::new();
    for (job, launch) in jobs {
        if let Some(other) = other_queue(&*queue, &job) {
            ends.extend(failed(&[job], &format!("it is in {other}, and the queue here is {}", queue.describe())));
            continue;
        }
        match standings.get(&job).map(|standing| stranger(&job, launch, standing)) {
            None => drop(ends.insert(job.clone(), End::Over(job))),
            Some(Some(whose)) => drop(ends.insert(job.clone(), End::Foreign(job, whose))),
            Some(None) => ours.push(job),
        }
    }
    if !ours.is_empty() {
        match queue.cancel(&ours) {
            Ok(()) => ends.extend(ours.into_iter().map(|job| (job.clone(), End::Cancelled(queue.name(), job)))),
            Err(error) => ends.extend(failed(&ours, &error.to_string())),
        }
    }
    ends
}

/// The queue that a job is in, when that is another kind than this one, or of another machine.
fn other_queue(queue: &dyn Queue, job: &JobId) -> Option<String> {
    let cluster = job.cluster.as_deref()?;
    let is_elsewhere = (job.is_local() || queue.realm().is_some()) && queue.realm().as_deref() != Some(cluster);
    let name = || match cluster.strip_prefix('@').filter(|_| job.is_local()) {
        Some(host) => format!("the local queue of {host}"),
        None => format!("Slurm's cluster {cluster}"),
    };
    is_elsewhere.then(name)
}

/// Whose a job is, when it is not that of the launch, or of a launcher: its number may have been given
/// to another one since, or be of another cluster.
fn stranger(job: &JobId, launch: Option<&Launch>, standing: &Standing) -> Option<String> {
    let (None, Some(launch)) = (&standing.stranger, launch) else {
        return standing.stranger.clone();
    };
    // Its own worker knows.
    if launch.lease().and_then(|lease| lease.job).is_some_and(|own| own.id == job.id) {
        return None;
    }
    let dir = standing.dir.as_ref().filter(|dir| !is_same_folder(dir, Path::new(&launch.launch_dir)))?;
    Some(format!("something else, submitted from {}", dir.display()))
}

#[cfg(test)]
mod tests {

    use bson::{Document, doc};

    use super::*;
    use crate::queue::{Job, KnownJob, QueueError, QueuedJob};

    /// Job 12 waits, 13 is somebody else's, 14 cannot be cancelled.
    struct Fake;

    impl Queue for Fake {
        fn name(&self) -> &'static str {
            "Slurm"
        }
        fn describe(&self) -> String {
            String::new()
        }
        fn cluster(&self) -> crate::queue::Result<String> {
            Ok("east".into())
        }

        fn submit(&self, _: &Job) -> crate::queue::Result<JobId> {
            Ok(JobId::new("1"))
        }
        fn list(&self) -> crate::queue::Result<Vec<QueuedJob>> {
            Ok(Vec::new())
        }
        fn cancel(&self, jobs: &[JobId]) -> crate::queue::Result<()> {
            assert!(!jobs.contains(&JobId::new("13")), "not ours");
            let denied = |job: &JobId| QueueError::Hangs { command: format!("scancel {job}"), seconds: 5 };
            jobs.iter().find(|job| job.id == "14").map_or(Ok(()), |job| Err(denied(job)))
        }
        fn standings(&self, _: &[JobId]) -> crate::queue::Result<BTreeMap<JobId, Standing>> {
            let standing = |stranger: Option<&str>| Standing {
                stranger: stranger.map(Into::into),
                dir: None,
                words: "PENDING".into(),
            };
            let known = [("12", None), ("13", Some("user ann")), ("14", None)];
            Ok(known.into_iter().map(|(id, stranger)| (JobId::new(id), standing(stranger))).collect())
        }
        fn fates(&self, _: &[JobId]) -> crate::queue::Result<Vec<KnownJob>> {
            Ok(Vec::new())
        }
    }

    fn launch(fw_id: FwId, job: Option<&str>, running: Option<Document>) -> Launch {
        let mut history = vec![doc! {"state": "RESERVED", "reservation_id": job}];
        let state = if running.is_some() { "RUNNING" } else { "RESERVED" };
        history.extend(running.map(|lease| doc! {"state": "RUNNING", "lease": lease}));
        let document = doc! {"launch_id": fw_id, "fw_id": fw_id, "host": "h", "state": state, "state_history": history};
        Launch::from_document(&document).expect("a launch")
    }

    fn said(launch: Launch) -> Vec<String> {
        stop(&[launch], None, || Ok(Box::new(Fake))).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_run_ends_in_its_own_way() {
        let lease = |job: Option<&str>| {
            doc! {"owner": "o", "host": "n7", "pid": 5, "renew": 20, "until": "2026-01-01T00:00:00Z", "job": job.map(|id| doc! {"id": id})}
        };
        assert_eq!(said(launch(7, Some("12"), None)), ["cancelled Slurm job 12 of fw 7"]);
        assert_eq!(said(launch(7, Some("12"), Some(lease(Some("12"))))), ["cancelled Slurm job 12 of fw 7"]);
        assert_eq!(
            said(launch(7, Some("12"), Some(lease(None)))),
            ["cancelled Slurm job 12 of fw 7", "the worker on n7 (process 5) stops fw 7 within 20 s"],
            "taken up by another than the job"
        );
        assert_eq!(
            said(launch(7, None, Some(lease(Some("99"))))),
            ["the worker on n7 (process 5) stops fw 7 within 20 s"]
        );
        assert_eq!(said(launch(7, Some("13"), None)), ["queue job 13 of fw 7 is that of user ann, and was left alone"]);
        assert_eq!(said(launch(7, Some("15"), None)), ["queue job 15 of fw 7 is not in the queue any more"]);
        assert_eq!(
            said(launch(7, Some("14"), None)),
            ["queue job 14 of fw 7 could not be cancelled: `scancel 14` did not answer within 5 s"]
        );
        assert!(said(launch(7, None, Some(doc! {})))[0].contains("Python FireWorks on h"));
        assert!(said(launch(7, None, None)).is_empty());
        let unopened = stop(&[launch(7, Some("12"), None)], None, || Err("no my_qadapter.yaml".to_owned()));
        assert!(unopened[0].is_failure() && unopened[0].to_string().ends_with("no my_qadapter.yaml"));
    }

    #[test]
    fn a_job_that_is_named_goes_whoever_runs_in_it() {
        let in_job = |fw_id, id: &str| {
            let lease = doc! {"owner": "o", "host": "n7", "pid": 5, "until": "2026-01-01T00:00:00Z", "job": {"id": id}};
            launch(fw_id, None, Some(lease))
        };
        let said = |named: &str, idle: &[&str]| -> Vec<String> {
            let idle = idle.iter().map(|id| JobId::new(*id)).collect();
            let named = Sought { names: vec![named.into()], idle, ..Sought::default() };
            let stops = stop(&[in_job(7, "12"), in_job(8, "12")], Some(&named), || Ok(Box::new(Fake)));
            stops.iter().map(ToString::to_string).collect()
        };
        assert_eq!(said("12", &[]), ["cancelled Slurm job 12 of fw 7", "cancelled Slurm job 12 of fw 8"]);
        let left = |fw_id| format!("the worker on n7 (process 5) stops fw {fw_id} within 30 s");
        let foreign = "queue job 13, which had no firework, is that of user ann, and was left alone";
        assert_eq!(said("13", &["13", "15"]), [foreign.to_owned(), left(7), left(8)]);
        let elsewhere = JobId { id: "12".into(), cluster: Some("@login2".into()) };
        let named = Sought { names: vec!["12".into()], idle: vec![elsewhere], ..Sought::default() };
        let said = stop(&[], Some(&named), || Ok(Box::new(Fake))).remove(0).to_string();
        assert!(said.contains("could not be cancelled: it is in the local queue of login2"), "{said}");
    }
}
