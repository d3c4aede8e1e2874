//! The mark by which jobs of one launchpad are told from others in the same queue.
//!
//! It is derived from where the launchpad is, so every `qlaunch` that names the same place finds
//! the same jobs: an SQLite file by its path (links resolved), a MongoDB database by
//! `host:port/name`. One server under two names is two launchpads here.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::store::Location;

/// `launchpad-1f3c…`: a readable name and 16 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchpadId(String);

impl LaunchpadId {
    /// That of a launchpad.
    pub fn of(location: &Location) -> Self {
        match location {
            Location::Sqlite(path) => {
                let path = resolved(path);
                let name = path.file_stem().unwrap_or_default().to_string_lossy();
                LaunchpadId::from_parts(&name, path.as_os_str().as_encoded_bytes())
            }
            Location::Mongo(settings) => {
                LaunchpadId::from_parts(&settings.name, settings.place().to_lowercase().as_bytes())
            }
        }
    }

    fn from_parts(name: &str, place: &[u8]) -> Self {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(32).collect();
        LaunchpadId(format!("{name}-{:016x}", fnv1a(place)))
    }

    /// As text; only letters, digits, `_` and `-`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LaunchpadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path without links; the file itself need not exist yet.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => path.to_owned(),
    }
}

/// FNV-1a, 64 bits: stable across releases, which the standard library's hasher is not.
/// <http://www.isthe.com/chongo/tech/comp/fnv/>
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MongoSettings;

    #[test]
    fn stays_the_same_for_ever() {
        // Published test vectors of FNV-1a.
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
        let id = LaunchpadId::of(&Location::Mongo(Box::default()));
        assert_eq!(id.as_str(), "fireworks-1b0bc5aece5873f4");
    }

    #[test]
    fn one_launchpad_has_one_id() {
        let mongo = |host: &str, name: &str| {
            let settings = MongoSettings { host: host.into(), name: name.into(), ..MongoSettings::default() };
            LaunchpadId::of(&Location::Mongo(Box::new(settings)))
        };
        assert_eq!(mongo("Db.example", "a"), mongo("db.example", "a"));
        assert_eq!(mongo("mongodb://me:secret@db.example/a", "a"), mongo("mongodb://db.example/a", "a"));
        assert_ne!(mongo("db.example", "a"), mongo("db.example", "b"));

        let folder = tempfile::tempdir().expect("a folder");
        let file = |path: PathBuf| LaunchpadId::of(&Location::Sqlite(path));
        let before = file(folder.path().join("my pad.db"));
        std::fs::write(folder.path().join("my pad.db"), "").expect("written");
        std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).expect("linked");
        assert_eq!(before, file(folder.path().join("my pad.db")));
        assert_eq!(before, file(folder.path().join("link/my pad.db")));
        assert!(before.as_str().starts_with("my_pad-"), "{before}");
    }
}
