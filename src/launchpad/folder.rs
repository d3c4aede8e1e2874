//! What is in the launch directory of a firework, as far as it can be seen from here.

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::shorten::plain;
use super::tail::Spot;
use crate::workflow::Tracker;

/// What is there.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Folder {
    /// By name, files first: of many it is folders that are left out.
    pub entries: Vec<Entry>,
    /// How many more there are.
    pub more: usize,
    /// The output that was written last.
    pub newest: Option<PathBuf>,
    /// Why it cannot be seen from here; the entries are what the launchpad knows then.
    pub unseen: Option<String>,
}

/// Something in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// Its name, for people.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its bytes.
    pub size: u64,
    /// When it was written last.
    pub modified: Option<Timestamp>,
}

/// What something in a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A file.
    File,
    /// The end of a file that cannot be seen from here; the launchpad has it.
    Tracked,
    /// Something that cannot be opened.
    Other,
}

/// Nobody reads more.
const MOST: usize = 10_000;

/// The launch directory, or a folder in it.
pub fn folder(spot: &Spot, inside: &Path) -> Folder {
    match listed(&spot.dir.join(inside)) {
        Ok((mut entries, more)) => {
            let newest = spot.newest();
            let elsewhere = newest.as_deref().filter(|path| !path.starts_with(&spot.dir));
            if let Some(entry) = elsewhere.filter(|_| inside.as_os_str().is_empty()).map(|path| entry(path.to_owned()))
            {
                entries.insert(0, Entry { name: entry.path.display().to_string(), ..entry });
            }
            Folder { entries, more, newest, unseen: None }
        }
        Err(error) => Folder { entries: tracked(spot), unseen: Some(why(spot, &error)), ..Folder::default() },
    }
}

fn listed(path: &Path) -> io::Result<(Vec<Entry>, usize)> {
    let (mut files, mut folders, mut count) = (Vec::new(), Vec::new(), 0);
    for one in std::fs::read_dir(path)?.filter_map(Result::ok) {
        let is_folder = one.file_type().is_ok_and(|kind| kind.is_dir());
        let some = if is_folder { &mut folders } else { &mut files };
        if some.len() < MOST {
            some.push(one.path());
        }
        count += 1;
    }
    let mut entries: Vec<Entry> = files.into_iter().chain(folders).take(MOST).map(entry).collect();
    entries.sort_by(|a, b| (a.kind == Kind::Folder, &a.path).cmp(&(b.kind == Kind::Folder, &b.path)));
    let more = count - entries.len();
    Ok((entries, more))
}

fn entry(path: PathBuf) -> Entry {
    let name = plain(&path.file_name().unwrap_or_default().to_string_lossy());
    let data = path.metadata().ok();
    let kind = match &data {
        Some(data) if data.is_dir() => Kind::Folder,
        Some(data) if data.is_file() => Kind::File,
        _ => Kind::Other,
    };
    let modified = data.as_ref().and_then(|data| data.modified().ok()).and_then(|at| Timestamp::try_from(at).ok());
    Entry { path, name, kind, size: data.map_or(0, |data| data.len()), modified }
}

fn tracked(spot: &Spot) -> Vec<Entry> {
    let of = |tracker: &Tracker| Entry {
        path: spot.dir.join(&tracker.filename),
        name: plain(&tracker.filename),
        kind: Kind::Tracked,
        size: tracker.content.len() as u64,
        modified: None,
    };
    spot.seen.iter().map(of).collect()
}

fn why(spot: &Spot, error: &io::Error) -> String {
    let is_here = gethostname::gethostname().to_string_lossy() == spot.host;
    match (error.kind(), is_here, spot.is_over) {
        (io::ErrorKind::NotFound, false, _) => format!("it is on {} and cannot be seen from here", spot.host),
        (io::ErrorKind::NotFound, true, false) => "it is not there yet".to_owned(),
        (io::ErrorKind::NotFound, true, true) => "it is no longer there".to_owned(),
        _ => format!("it cannot be read: {error}"),
    }
}

/// `512 B`, `1.2 kB`, `34.0 MB`.
pub fn spelled(size: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if size < 1000 {
        return format!("{size} B");
    }
    let mut rest = size as f64 / 1000.0;
    let mut unit = 0;
    while rest >= 999.95 && unit + 1 < UNITS.len() {
        rest /= 1000.0;
        unit += 1;
    }
    format!("{rest:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(dir: &Path, host: &str, is_over: bool) -> Spot {
        let tracker = bson::bson!({"filename": "out.txt", "content": "the end"});
        let seen = vec![Tracker::from_bson(&tracker).expect("is one")];
        let known = vec!["opt.log".to_owned(), "*-12.out".to_owned()];
        Spot { launch_id: 1, is_over, dir: dir.to_owned(), host: host.into(), known, seen, job: Some("12".into()) }
    }

    #[test]
    fn files_come_first_and_what_the_job_wrote_is_there() {
        let top = tempfile::tempdir().expect("a folder");
        let dir = top.path().join("launch");
        std::fs::create_dir_all(dir.join("zoo")).expect("makes");
        std::fs::write(dir.join("FW.json"), "{}").expect("writes");
        std::fs::write(top.path().join("FW_job-12.out"), "printed").expect("writes");
        std::os::unix::fs::symlink("nowhere", dir.join("broken")).expect("links");
        let found = folder(&spot(&dir, "here", false), Path::new(""));
        let seen: Vec<(&str, Kind)> = found.entries.iter().map(|one| (one.name.as_str(), one.kind)).collect();
        let job = top.path().join("FW_job-12.out").display().to_string();
        let expected =
            [(job.as_str(), Kind::File), ("FW.json", Kind::File), ("broken", Kind::Other), ("zoo", Kind::Folder)];
        assert_eq!(seen, expected);
        assert_eq!(found.newest, Some(top.path().join("FW_job-12.out")));
        assert!(folder(&spot(&dir, "here", false), Path::new("zoo")).entries.is_empty());
    }

    #[test]
    fn of_many_folders_are_left_out() {
        let top = tempfile::tempdir().expect("a folder");
        for number in 0..MOST + 5 {
            std::fs::create_dir(top.path().join(format!("calc_{number:05}"))).expect("makes");
        }
        std::fs::write(top.path().join("opt.log"), "x").expect("writes");
        let found = folder(&spot(top.path(), "here", false), Path::new(""));
        assert_eq!((found.entries[0].name.as_str(), found.entries.len(), found.more), ("opt.log", MOST, 6));
    }

    #[test]
    fn a_folder_of_another_host_is_told_by_what_is_tracked() {
        let here = gethostname::gethostname().to_string_lossy().into_owned();
        for (host, is_over, words) in
            [("far", false, "it is on far and"), (&here, false, "not there yet"), (&here, true, "no longer there")]
        {
            let found = folder(&spot(Path::new("/nowhere/launch"), host, is_over), Path::new(""));
            assert!(found.unseen.as_ref().is_some_and(|why| why.contains(words)), "{found:?}");
            assert_eq!((found.entries[0].name.as_str(), found.entries[0].kind), ("out.txt", Kind::Tracked));
        }
    }

    #[test]
    fn sizes_are_short() {
        let all = [0, 999, 1000, 12_345, 999_960, 3_400_000_000];
        assert_eq!(all.map(spelled), ["0 B", "999 B", "1.0 kB", "12.3 kB", "1.0 MB", "3.4 GB"]);
    }
}
