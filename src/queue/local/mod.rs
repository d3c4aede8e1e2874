//! The embedded queue: this machine, no daemon.
//!
//! A job is the same script that Slurm would get, run by a supervisor: this binary once more, in
//! a session of its own, so that it outlives `qlaunch` and the terminal. Jobs start at once;
//! nobody is there who could start a waiting one later, so it is the launcher's limit that keeps
//! their number at that of the cores. What is known of a job is one small file (see
//! [`record`]), made and replaced atomically: any number of `qlaunch` may work at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::{Pid, Signal};

use super::{
    Details, Fate, Job, JobId, JobState, KnownJob, LOCAL, LaunchpadId, OF_JOBS, Queue, QueueError, QueuedJob, Result,
    Standing,
};
use crate::workflow::{Cause, Loss};
use record::{Folder, Record, State};

mod output;
mod record;
mod supervise;

pub use supervise::supervise;

/// How long a supervisor may take to start its script.
const START: Duration = Duration::from_secs(60);

/// The queue of this machine.
#[derive(Debug, Clone)]
pub struct Local {
    folder: Folder,
    supervisor: Vec<PathBuf>,
    environment: Vec<(String, String)>,
}

impl Local {
    /// Jobs of `launchpad` on this host, kept below `state`. `supervisor` is the command that
    /// ends in [`supervise`] when the path of a record is added; `environment` is added to what
    /// jobs inherit.
    pub fn new(
        state: &Path,
        launchpad: &LaunchpadId,
        supervisor: Vec<PathBuf>,
        environment: Vec<(String, String)>,
    ) -> Self {
        // A home folder may be shared by hosts, a process id is not.
        let host = gethostname::gethostname();
        Local { folder: Folder::new(state.join(launchpad.as_str()).join(host)), supervisor, environment }
    }

    /// Whether a job may be one of this queue.
    fn has(&self, job: &JobId) -> bool {
        job.cluster.is_none() || job.cluster == self.realm()
    }

    fn spawn(&self, record: &Path, dir: &Path) -> std::io::Result<Child> {
        let mut words = self.supervisor.iter();
        let mut command = Command::new(words.next().map_or(Path::new(""), PathBuf::as_path));
        for key in OF_JOBS {
            command.env_remove(key);
        }
        command
            .args(words)
            .arg(record)
            .current_dir(dir)
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
    }

    /// Waits until the supervisor says that the script runs, or why it does not.
    fn await_start(&self, id: u64, supervisor: &mut Child) -> std::result::Result<(), String> {
        let begun = Instant::now();
        let mut ended: Option<ExitStatus> = None;
        loop {
            match self.folder.find(id).map_err(|error| error.to_string())? {
                Some(Record { state: State::Starting, .. }) => {}
                Some(Record { state: State::Failed, reason, .. }) => return Err(reason.unwrap_or_default()),
                _ => return Ok(()),
            }
            if let Some(status) = ended {
                return Err(format!("the supervisor ended with {}", super::command::describe(status)));
            }
            if begun.elapsed() > START {
                // It may have ended just now; then there is nothing to kill.
                drop(supervisor.kill());
                return Err(format!("the supervisor did not answer within {} s", START.as_secs()));
            }
            std::thread::sleep(Duration::from_millis(2));
            // Asked before the record is read again: what it wrote, it wrote before it ended.
            ended = supervisor.try_wait().map_err(|error| error.to_string())?;
        }
    }
}

impl Queue for Local {
    fn name(&self) -> &'static str {
        "local"
    }

    fn describe(&self) -> String {
        format!("local queue of this machine ({})", self.folder.path().display())
    }

    fn cluster(&self) -> Result<String> {
        Ok(self.realm().unwrap_or_default())
    }

    fn submit(&self, job: &Job) -> Result<JobId> {
        let script = job.dir.join(&job.script);
        let text =
            std::fs::read_to_string(&script).map_err(|source| QueueError::Io { path: script.clone(), source })?;
        let mut record = Record::new(job, Timestamp::now());
        let path = self.folder.add(&mut record, |id| output::files(&text, &job.dir, &job.script, id))?;

        let not_started = |reason: String| QueueError::NotStarted { script: script.clone(), reason };
        let mut supervisor = match self.spawn(&path, &job.dir) {
            Ok(child) => child,
            Err(error) => {
                self.folder.finish(&record.failed(error.to_string()))?;
                return Err(not_started(error.to_string()));
            }
        };
        if let Err(reason) = self.await_start(record.id, &mut supervisor) {
            self.folder.finish(&record.failed(reason.clone()))?;
            return Err(not_started(reason));
        }
        // Somebody has to hear of its end while we live, or it stays as a zombie.
        std::thread::spawn(move || supervisor.wait());
        Ok(JobId::new(record.id.to_string()))
    }

    fn list(&self) -> Result<Vec<QueuedJob>> {
        let now = Timestamp::now();
        let mut jobs = Vec::new();
        for record in self.folder.active()? {
            let age = |since: Timestamp| Duration::try_from(now - since).unwrap_or_default();
            let (state, running_for) = match record.state {
                State::Starting if age(record.submitted) < START * 2 => (JobState::Waiting, None),
                State::Running if record.is_alive() => (JobState::Running, record.started.map(age)),
                _ => {
                    // A supervisor removes its record before it ends, so one that is still there
                    // belongs to a supervisor that was killed.
                    if self.folder.is_active(record.id) {
                        self.folder.finish(&record.lost(now))?;
                    }
                    continue;
                }
            };
            let (id, token, dir) = (JobId::new(record.id.to_string()), record.token, Some(record.dir));
            jobs.push(QueuedJob { id, state, running_for, token, dir, details: details(state) });
        }
        Ok(jobs)
    }

    fn cancel(&self, jobs: &[JobId]) -> Result<()> {
        for record in self.folder.active()? {
            let asked = jobs.iter().any(|job| self.has(job) && job.id == record.id.to_string());
            let pid = record.pid.and_then(Pid::from_raw);
            if let (true, true, Some(pid)) = (asked, record.is_alive(), pid) {
                // To the supervisor alone: it passes the signal on, once. It may be gone by now.
                let _ = rustix::process::kill_process(pid, Signal::TERM);
            }
        }
        Ok(())
    }

    fn standings(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Standing>> {
        // Its records are this user's, and of this launchpad.
        let ours = |state: JobState| Standing { stranger: None, dir: None, words: details(state).state };
        let listed = self.list()?;
        let standing = |job: &JobId| {
            let found = listed.iter().find(|listed| listed.id.id == job.id && self.has(job))?;
            Some((job.clone(), ours(found.state)))
        };
        Ok(jobs.iter().filter_map(standing).collect())
    }

    fn realm(&self) -> Option<String> {
        Some(realm())
    }

    fn fates(&self, jobs: &[JobId]) -> Result<Vec<KnownJob>> {
        let known = |job: &JobId| {
            // A number of another queue, or one that is forgotten.
            let number = job.id.parse().ok().filter(|_| self.has(job));
            let record = number.map(|id| self.folder.find(id)).transpose()?.flatten();
            Ok(record.map_or_else(
                || KnownJob::absent(Fate::Unknown),
                |record| KnownJob { fate: fate(&record), dir: Some(record.dir) },
            ))
        };
        jobs.iter().map(known).collect()
    }
}

/// What is shown of a job. Nothing here has an end that is set.
fn details(state: JobState) -> Details {
    let hosts = (state == JobState::Running).then(|| gethostname::gethostname().to_string_lossy().into_owned());
    Details { state: format!("{state:?}").to_uppercase(), hosts, ..Details::default() }
}

/// What stands for the cluster of the jobs of this machine.
pub fn realm() -> String {
    format!("{LOCAL}{}", gethostname::gethostname().to_string_lossy())
}

fn fate(record: &Record) -> Fate {
    let over =
        |why: &Option<String>| Fate::Over(Loss::new(Cause::Unexplained, why.clone().unwrap_or_else(|| "over".into())));
    match record.state {
        State::Starting => Fate::Waiting,
        // Listing them tells lost ones from others.
        State::Running if !record.is_alive() => Fate::Unknown,
        State::Running => Fate::Running { restarts: 0 },
        State::Finished => over(&record.exit),
        State::Failed | State::Lost => over(&record.reason),
    }
}
