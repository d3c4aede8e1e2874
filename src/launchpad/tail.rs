//! `tail`: which file tells how a firework is getting on, and what it says.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use bson::Bson;

use super::LaunchpadError;
use super::explain::{Subject, brief_subjects};
use crate::store::Store;
use crate::workflow::{FwId, Launch, LaunchId, State, Tracker};

/// Where a firework writes.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The state of the firework.
    pub state: State,
    /// Its launch, once it has one.
    pub launch: Option<Spot>,
    /// Whether that is of an earlier run: the firework is to run again.
    pub is_earlier: bool,
}

/// A launch, as far as its output goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// Which.
    pub launch_id: LaunchId,
    /// Whether it has ended.
    pub is_over: bool,
    /// Its directory.
    pub dir: PathBuf,
    /// Its host.
    pub host: String,
    /// The files that are known to hold output, by their names in the directory.
    pub known: Vec<String>,
    /// The ends of files that the launchpad has, as they were seen last.
    pub seen: Vec<Tracker>,
    /// The queue job it runs in, or ran in last.
    pub job: Option<String>,
}

/// Looks where a firework writes now.
pub fn place(store: &dyn Store, fw_id: FwId) -> Result<Place, LaunchpadError> {
    let Some(subject) = brief_subjects(store, &[fw_id])?.pop() else {
        return Err(LaunchpadError::UnknownFireworks(vec![fw_id]));
    };
    Ok(place_of(&subject))
}

/// The same of a firework that has been read.
pub fn place_of(subject: &Subject) -> Place {
    let state = subject.firework.state;
    // One that waits to run again shows what it wrote the last time.
    let followed = subject.followed();
    let launch = followed.or(subject.launches.last());
    let spot = |launch: &Launch| Spot {
        launch_id: launch.launch_id,
        is_over: launch.state.is_final() || !matches!(state, State::Running | State::Reserved),
        dir: PathBuf::from(&launch.launch_dir),
        host: launch.host.clone(),
        known: known(launch, subject.firework.tasks()),
        seen: launch.trackers.iter().filter_map(|one| Tracker::from_bson(one).ok()).collect(),
        job: launch.queue_job().map(|job| job.id),
    };
    Place { state, launch: launch.map(spot), is_earlier: followed.is_none() && launch.is_some() }
}

/// Names of files that tasks, queues and trackers write.
fn known<'a>(launch: &Launch, tasks: impl Iterator<Item = &'a bson::Document>) -> Vec<String> {
    let mut known: Vec<String> = ["opt.log", "md.log", "FW_job.out", "FW_job.error"].map(str::to_owned).to_vec();
    let files = ["stdout_file", "stderr_file"];
    for task in tasks {
        known.extend(files.iter().filter_map(|key| task.get(key).and_then(Bson::as_str)).map(str::to_owned));
    }
    let trackers = launch.trackers.iter().filter_map(|one| Tracker::from_bson(one).ok());
    known.extend(trackers.map(|tracker| tracker.filename));
    if let Some(job) = launch.queue_job() {
        known.extend(files_of(&job.id));
    }
    known
}

/// Names of the files that a queue job writes what its programs print to.
fn files_of(job: &str) -> [String; 3] {
    [format!("slurm-{job}.out"), format!("*-{job}.out"), format!("*-{job}.error")]
}

/// The launch directories of a job are so far below its own at most: in its block, or beside its launcher's.
const ABOVE: usize = 2;

/// What usually holds output.
const ENDINGS: [&str; 5] = ["out", "log", "err", "error", "txt"];

impl Spot {
    /// The file that was written last: of those that are known, else of those whose names look like output,
    /// else what its queue job has written in a folder above.
    pub fn newest(&self) -> Option<PathBuf> {
        newest_in(&self.dir, &self.known, &ENDINGS).or_else(|| self.of_job())
    }

    /// Where the output is that is in no file of the directory.
    pub fn elsewhere(&self) -> String {
        match &self.job {
            Some(job) => {
                format!("what its tasks print goes to the files of queue job {job}, which are not there, or empty")
            }
            None => format!(
                "what its tasks print goes to where `rlaunch` runs on {}, unless they name a `stdout_file`",
                self.host
            ),
        }
    }

    /// What its queue job has written, in its own folder: there goes what tasks print without a file of
    /// their own.
    fn of_job(&self) -> Option<PathBuf> {
        let files = files_of(self.job.as_ref()?);
        self.dir.ancestors().skip(1).take(ABOVE).find_map(|folder| newest_in(folder, &files, &[]))
    }
}

/// The file of a folder that was written last and holds something; those that are known come first.
fn newest_in(folder: &Path, known: &[String], endings: &[&str]) -> Option<PathBuf> {
    let mut best: Option<(bool, SystemTime, PathBuf)> = None;
    for entry in std::fs::read_dir(folder).ok()?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Ok(data) = entry.path().metadata() else { continue };
        let is_known = known.iter().any(|known| is_of(&name, known));
        let ending = Path::new(&name).extension().and_then(|end| end.to_str()).unwrap_or_default();
        // An empty file tells nothing yet.
        if !data.is_file() || data.len() == 0 || !(is_known || endings.contains(&ending)) {
            continue;
        }
        let this = (is_known, data.modified().unwrap_or(SystemTime::UNIX_EPOCH), entry.path());
        if best.as_ref().is_none_or(|best| (this.0, this.1) > (best.0, best.1)) {
            best = Some(this);
        }
    }
    best.map(|(_, _, path)| path)
}

/// Whether a file has this name; `*` at its beginning stands for anything.
fn is_of(name: &str, known: &str) -> bool {
    known.strip_prefix('*').map_or(name == known, |end| name.ends_with(end))
}

/// A file that grows.
#[derive(Debug)]
pub struct Growing {
    path: PathBuf,
    read: u64,
}

impl Growing {
    /// What is there is known already.
    pub fn new(path: &Path) -> io::Result<Self> {
        Ok(Growing { path: path.to_owned(), read: path.metadata()?.len() })
    }

    /// Which file it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last lines of what was there.
    pub fn end(&self, lines: usize) -> io::Result<String> {
        super::last_lines::of_beginning(&self.path, self.read, lines)
    }

    /// What has been added since, some of it at a time. A file that has become shorter is read from its
    /// beginning.
    pub fn more(&mut self) -> io::Result<Vec<u8>> {
        const SOME: u64 = 1024 * 1024;
        let mut file = File::open(&self.path)?;
        if file.metadata()?.len() < self.read {
            self.read = 0;
        }
        file.seek(SeekFrom::Start(self.read))?;
        let mut bytes = Vec::new();
        self.read += file.take(SOME).read_to_end(&mut bytes)? as u64;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_of_the_known_files_is_chosen() {
        let folder = tempfile::tempdir().expect("a folder");
        let known = vec!["opt.log".to_owned(), "*-12.out".to_owned()];
        let spot = Spot {
            launch_id: 1,
            is_over: false,
            dir: folder.path().join("launch"),
            host: "h".into(),
            known,
            seen: Vec::new(),
            job: Some("12".into()),
        };
        let newest = || spot.newest().map(|path| path.file_name().expect("a name").to_string_lossy().into_owned());
        std::fs::create_dir(&spot.dir).expect("is made");
        assert_eq!(newest(), None);
        let write = |name: &str, second: u64| {
            let path = spot.dir.join(name);
            std::fs::write(&path, "x").expect("writes");
            let at = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
            File::options().append(true).open(path).expect("opens").set_modified(at).expect("is set");
        };
        write("FW.json", 9);
        assert_eq!(newest(), None);
        write("../FW_job-11.out", 9);
        write("../my.log", 9);
        assert_eq!(newest(), None, "of another job, or of nobody");
        write("../FW_job-12.out", 9);
        assert_eq!(newest().as_deref(), Some("FW_job-12.out"));
        write("my.log", 8);
        assert_eq!(newest().as_deref(), Some("my.log"));
        write("opt.log", 1);
        assert_eq!(newest().as_deref(), Some("opt.log"));
        write("relax-12.out", 2);
        assert_eq!(newest().as_deref(), Some("relax-12.out"));
    }

    #[test]
    fn what_is_added_is_read_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        std::fs::write(&path, "old\n").expect("writes");
        let mut growing = Growing::new(&path).expect("is there");
        assert_eq!(growing.more().expect("reads"), b"");
        std::fs::write(&path, "old\nnew\n").expect("writes");
        assert_eq!(growing.more().expect("reads"), b"new\n");
        std::fs::write(&path, "a\n").expect("writes");
        assert_eq!(growing.more().expect("reads"), b"a\n");
    }
}
