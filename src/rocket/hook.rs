//! `FWAction.json`: how a task in any language returns an action.
//!
//! A file of this name (or `FWAction.yaml`) that a task leaves in its directory replaces the
//! task's own action. It is then renamed to `FWAction_<task>.json`, so that, other than in
//! FireWorks, it does not count again after the next task.

use std::fs;
use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use crate::config::nearest;
use crate::firetask::TaskFailure;
use crate::workflow::spelled_out::spelled_out;
use crate::workflow::{FwAction, json};

/// Takes the action that task `number` left in the directory, if it did.
pub fn take(directory: &Path, number: usize) -> Result<Option<FwAction>, TaskFailure> {
    for kind in ["json", "yaml"] {
        let path = directory.join(format!("FWAction.{kind}"));
        let file = |source| TaskFailure::File { verb: "read", path: path.clone(), source };
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(file(error)),
        };
        let text = String::from_utf8_lossy(&bytes);
        let read = if kind == "json" { read_json(&text) } else { read_yaml(&text) };
        let action = read.map_err(|reason| TaskFailure::ActionFile { path: path.clone(), reason })?;
        fs::rename(&path, directory.join(format!("FWAction_{number}.{kind}"))).map_err(file)?;
        return Ok(Some(spelled_out(&action, Timestamp::now())));
    }
    Ok(None)
}

fn read_json(text: &str) -> Result<FwAction, String> {
    serde_json::from_str(text).map_err(|error| error.to_string()).and_then(|value| read(&value))
}

fn read_yaml(text: &str) -> Result<FwAction, String> {
    serde_saphyr::from_str(text).map_err(|error| error.to_string()).and_then(|value| read(&value))
}

fn read(value: &Value) -> Result<FwAction, String> {
    let map = value.as_object().ok_or("an FWAction is a mapping of `stored_data`, `update_spec`, ...")?;
    // What an action does not have would be lost without a word.
    let known = FwAction::default().to_document();
    let known: Vec<&str> = known.keys().map(String::as_str).collect();
    if let Some(unknown) = map.keys().find(|key| !key.starts_with(['_', '@']) && !known.contains(&key.as_str())) {
        return Err(format!("unknown key `{unknown}` in an FWAction{}", nearest::hint(unknown, &known)));
    }
    FwAction::from_document(&json::to_document(map)).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn is_taken_once() {
        let directory = tempfile::tempdir().expect("a directory");
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).expect("writes");
        assert!(matches!(take(directory.path(), 1), Ok(None)));
        write("FWAction.json", r#"{"update_spec": {"a": 1}}"#);
        let action = take(directory.path(), 1).expect("reads").expect("is there");
        assert_eq!(action.update_spec, doc! {"a": 1});
        assert!(directory.path().join("FWAction_1.json").exists());
        assert!(matches!(take(directory.path(), 2), Ok(None)));
        write("FWAction.yaml", "exit: true\n");
        assert!(take(directory.path(), 2).expect("reads").expect("is there").exit);
    }

    #[test]
    fn nonsense_names_the_file() {
        let directory = tempfile::tempdir().expect("a directory");
        for (text, reason) in [
            ("{", "EOF"),
            ("[1]", "mapping"),
            (r#"{"update_spec": 3}"#, "update_spec"),
            (r#"{"stord_data": {}}"#, "did you mean `stored_data`?"),
        ] {
            fs::write(directory.path().join("FWAction.json"), text).expect("writes");
            let failure = take(directory.path(), 1).expect_err("is refused").to_string();
            assert!(failure.contains("FWAction.json") && failure.contains(reason), "{failure}");
        }
    }
}
