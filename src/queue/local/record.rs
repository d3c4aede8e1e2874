//! What is known of the jobs of the local queue: `jobs/<id>.json` while they run, `done/<id>.json`
//! afterwards. Files come and change by rename, so a reader sees a whole one or none.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::output::Files;
use crate::queue::{Job, QueueError, Result, process};

/// Version of the files.
const VERSION: u32 = 1;
/// How many jobs that are over are remembered.
const REMEMBERED: usize = 500;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    version: u32,
    /// Its number.
    pub id: u64,
    /// What it does.
    pub state: State,
    /// The folder it starts in.
    pub dir: PathBuf,
    /// File name of the script in `dir`.
    pub script: String,
    /// What told it from other jobs before it had a number.
    #[serde(default)]
    pub token: Option<String>,
    /// Where its output goes.
    pub files: Files,
    /// When it was handed over.
    pub submitted: Timestamp,
    /// Process id of the supervisor.
    pub pid: Option<i32>,
    /// Birth of that process; a recycled process id has another.
    pub birth: Option<String>,
    /// When the script started.
    pub started: Option<Timestamp>,
    /// When it was over.
    pub ended: Option<Timestamp>,
    /// How the script ended: `exit code 0`, `signal 9`.
    pub exit: Option<String>,
    /// Why it did not start, or was lost.
    pub reason: Option<String>,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Handed over; its supervisor has not answered yet.
    Starting,
    /// The script runs.
    Running,
    /// The script has ended.
    Finished,
    /// The script could not be started.
    Failed,
    /// The supervisor is gone without a word.
    Lost,
}

impl Record {
    /// A job that is handed over; [`Folder::add`] gives it number and files.
    pub fn new(job: &Job, submitted: Timestamp) -> Self {
        Record {
            version: VERSION,
            id: 0,
            state: State::Starting,
            dir: job.dir.clone(),
            script: job.script.clone(),
            token: Some(job.token.clone()),
            files: Files::default(),
            submitted,
            pid: None,
            birth: None,
            started: None,
            ended: None,
            exit: None,
            reason: None,
        }
    }

    /// Whether its supervisor lives.
    pub fn is_alive(&self) -> bool {
        match (self.pid, &self.birth) {
            (Some(pid), Some(birth)) => process::birth(pid).as_ref() == Some(birth),
            _ => false,
        }
    }

    /// The same job, which could not be started.
    pub fn failed(&self, reason: String) -> Self {
        Record { state: State::Failed, reason: Some(reason), ..self.clone() }
    }

    /// The same job, whose supervisor is gone.
    pub fn lost(&self, now: Timestamp) -> Self {
        let reason = Some("the supervisor was killed, or the machine restarted".into());
        Record { state: State::Lost, ended: Some(now), reason, ..self.clone() }
    }
}

/// The jobs of one launchpad on one host.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Nothing is made before the first job.
    pub fn new(path: PathBuf) -> Self {
        Folder(path)
    }

    /// The folder that `path`, a job's file, is in.
    pub fn of_record(path: &Path) -> Option<Self> {
        path.parent().and_then(Path::parent).map(|folder| Folder(folder.to_owned()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    fn active_path(&self, id: u64) -> PathBuf {
        self.0.join("jobs").join(format!("{id}.json"))
    }

    fn done_path(&self, id: u64) -> PathBuf {
        self.0.join("done").join(format!("{id}.json"))
    }

    /// Keeps a new job under the next free number, and returns its file.
    pub fn add(&self, record: &mut Record, files: impl Fn(u64) -> Files) -> Result<PathBuf> {
        for folder in ["jobs", "done"] {
            let path = self.0.join(folder);
            std::fs::create_dir_all(&path).map_err(io(&path))?;
        }
        self.forget()?;
        loop {
            // In this order: a job that ends in between is in both, never in none.
            let taken = [ids(&self.0.join("jobs"))?, ids(&self.0.join("done"))?].concat();
            record.id = taken.into_iter().max().unwrap_or(0) + 1;
            record.files = files(record.id);
            let path = self.active_path(record.id);
            match written(&path, record)?.persist_noclobber(&path) {
                Ok(_) => return Ok(path),
                // Another qlaunch was faster.
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io(&path)(error.error)),
            }
        }
    }

    /// Replaces what is known of a job that is not over.
    pub fn update(&self, record: &Record) -> Result<()> {
        replace(&self.active_path(record.id), record)
    }

    /// Puts a job away that is over.
    pub fn finish(&self, record: &Record) -> Result<()> {
        replace(&self.done_path(record.id), record)?;
        let path = self.active_path(record.id);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io(&path)(error)),
            _ => Ok(()),
        }
    }

    /// The jobs that are not over, oldest first.
    pub fn active(&self) -> Result<Vec<Record>> {
        let mut ids = ids(&self.0.join("jobs"))?;
        ids.sort_unstable();
        let found = ids.into_iter().map(|id| read(&self.active_path(id)));
        found.filter_map(Result::transpose).collect()
    }

    /// Whether a job is not over.
    pub fn is_active(&self, id: u64) -> bool {
        self.active_path(id).exists()
    }

    /// A job, over or not.
    pub fn find(&self, id: u64) -> Result<Option<Record>> {
        match read(&self.active_path(id))? {
            Some(record) => Ok(Some(record)),
            None => read(&self.done_path(id)),
        }
    }

    /// Removes the oldest of the jobs that are over.
    fn forget(&self) -> Result<()> {
        let mut done = ids(&self.0.join("done"))?;
        done.sort_unstable();
        for id in done.iter().take(done.len().saturating_sub(REMEMBERED)) {
            // Another qlaunch may be at the same.
            drop(std::fs::remove_file(self.done_path(*id)));
        }
        Ok(())
    }
}

/// The numbers in a folder; none when it does not exist.
fn ids(folder: &Path) -> Result<Vec<u64>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(folder)(error)),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let name = entry.map_err(io(folder))?.file_name();
        // Files that are being written have other names.
        ids.extend(name.to_str().and_then(|name| name.strip_suffix(".json")).and_then(|id| id.parse::<u64>().ok()));
    }
    Ok(ids)
}

/// A record; `None` when it is not there.
pub fn read(path: &Path) -> Result<Option<Record>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(path)(error)),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| io(path)(std::io::Error::other(error)))
}

fn written(path: &Path, record: &Record) -> Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(io(folder))?;
    let text = serde_json::to_vec_pretty(record).map_err(|error| io(path)(std::io::Error::other(error)))?;
    file.write_all(&text).map_err(io(path))?;
    Ok(file)
}

fn replace(path: &Path, record: &Record) -> Result<()> {
    written(path, record)?.persist(path).map(drop).map_err(|error| io(path)(error.error))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> QueueError {
    let path = path.to_owned();
    move |source| QueueError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record::new(&Job::new("/d".into(), "s"), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn numbers_are_never_given_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(folder.path().join("queue"));
        let mut ids: Vec<u64> = std::thread::scope(|scope| {
            let add = || {
                (0..10)
                    .map(|_| {
                        let mut record = record();
                        folder.add(&mut record, |_| Files::default()).expect("added");
                        record.id
                    })
                    .collect::<Vec<_>>()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(add)).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("joined")).collect()
        });
        ids.sort_unstable();
        assert_eq!(ids, (1..=40).collect::<Vec<_>>());
        assert_eq!(folder.active().expect("listed").len(), 40);

        let mut last = folder.find(40).expect("read").expect("is there");
        folder.finish(&last).expect("finished");
        folder.add(&mut last, |_| Files::default()).expect("added");
        assert_eq!(last.id, 41);
    }

    #[test]
    fn a_recycled_process_is_not_the_job() {
        let mut record = record();
        record.pid = i32::try_from(std::process::id()).ok();
        record.birth = record.pid.and_then(process::birth);
        assert!(record.is_alive());
        record.birth = Some("another boot:1".into());
        assert!(!record.is_alive());
    }

    #[test]
    fn reads_the_first_version() {
        let text = r#"{"version":1,"id":7,"state":"running","dir":"/d","script":"FW_submit.script",
            "files":{"stdout":"/d/a.out","stderr":"/d/a.error"},"submitted":"2026-11-22T15:00:00Z","pid":12,
            "birth":"boot:34","started":"2026-11-22T15:00:01Z","ended":null,"exit":null,"reason":null}"#;
        let record: Record = serde_json::from_str(text).expect("is read");
        assert_eq!((record.id, record.state, record.pid), (7, State::Running, Some(12)));
    }
}
