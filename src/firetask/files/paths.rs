//! Paths as a user writes them: `$VARIABLES`, `~` and what is relative to the launch directory, as
//! Python's `abspath(expanduser(expandvars(...)))`.

use std::env;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// The path that is meant by `text`, seen from `directory`.
pub fn absolute(directory: &Path, text: &str) -> PathBuf {
    let text = expand_variables(text, |name| env::var(name).ok());
    normal(&directory.join(expand_user(&text, home)))
}

/// `$NAME` and `${NAME}` as Python's `expandvars`: what is not set stays as it is written.
pub fn expand_variables(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        expanded += &rest[..start];
        let after = &rest[start + 1..];
        let (name, length) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let end = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..end], end)
            }
        };
        match value(name).filter(|_| !name.is_empty()) {
            Some(value) => expanded += &value,
            None => expanded += &rest[start..=start + length],
        }
        rest = &after[length..];
    }
    expanded + rest
}

/// `~` and `~NAME` at the beginning; whoever is not known stays as written, as in Python.
fn expand_user(text: &str, home: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
    let Some(after) = text.strip_prefix('~') else { return text.into() };
    let (name, rest) = after.split_once('/').unwrap_or((after, ""));
    home(name).map_or_else(|| text.into(), |home| home.join(rest.trim_start_matches('/')))
}

/// The home of a user, or with an empty name our own.
fn home(name: &str) -> Option<PathBuf> {
    if name.is_empty() {
        return env::home_dir();
    }
    // Users of a cluster stand in no file, and who they are only the C library can ask.
    let asked = Command::new("getent").args(["passwd", "--", name]).output().ok()?;
    let home = asked.stdout.split(|byte| matches!(byte, b':' | b'\n')).nth(5).filter(|home| !home.is_empty())?;
    Some(OsString::from_vec(home.to_vec()).into())
}

/// Without `.` and `..`, which are taken literally, as Python does: `link/..` is where the link is.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            // The root is its own parent.
            Component::ParentDir => drop(normal.pop()),
            component => normal.push(component),
        }
    }
    normal
}

/// The path with something appended to its last name.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut bytes = path.as_os_str().as_bytes().to_vec();
    bytes.extend_from_slice(suffix.as_bytes());
    OsString::from_vec(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_expanded_as_in_python() {
        let value = |name: &str| (name == "HOME").then(|| "/h".to_owned());
        for (text, expected) in [
            ("$HOME/a", "/h/a"),
            ("x${HOME}y", "x/hy"),
            ("$HOMES/a$", "$HOMES/a$"),
            ("${NO}/$HOME", "${NO}//h"),
            ("a${HOME", "a${HOME"),
            ("é$HOME$", "é/h$"),
        ] {
            assert_eq!(expand_variables(text, value), expected, "{text}");
        }
    }

    #[test]
    fn homes_are_found() {
        let home = |name: &str| match name {
            "" => Some(PathBuf::from("/home/me")),
            "ada" => Some(PathBuf::from("/home/ada")),
            _ => None,
        };
        for (text, expected) in [
            ("~", "/home/me/"),
            ("~/a/b", "/home/me/a/b"),
            ("~ada/x", "/home/ada/x"),
            ("~nobody/x", "~nobody/x"),
            ("a/~", "a/~"),
        ] {
            assert_eq!(expand_user(text, home), Path::new(expected), "{text}");
        }
        assert_eq!(super::home("root"), Some("/root".into()));
        assert_eq!(super::home("no-such-user"), None);
    }

    #[test]
    fn paths_are_made_absolute() {
        for (text, expected) in [
            ("a", "/launch/a"),
            ("./a//b/", "/launch/a/b"),
            ("../../../x", "/x"),
            ("/etc/../a", "/a"),
            (".", "/launch"),
        ] {
            let path = absolute(Path::new("/launch"), text);
            assert_eq!(path.as_os_str(), expected, "{text}");
        }
    }
}
