//! Keys of a spec that are heeded when it is run: what stands in them is checked when a workflow is
//! added, while the user is still there.

use bson::{Bson, Document};

use super::limits::{BadLimit, Limits};
use super::retry::{self, NOT_BEFORE, RETRY};
use super::room::Ask;
use super::tracker::{BadTracker, TRACKERS};
use super::{RetryPolicy, Tracker};

/// Files that a firework takes over: name, and what to call it.
pub const FILES_IN: &str = "_files_in";
/// Files that its parents have passed on: name and path.
pub const FILES_PREV: &str = "_files_prev";
/// Files that it passes on: name and pattern.
pub const FILES_OUT: &str = "_files_out";
/// Tasks that run beside it.
pub const BACKGROUND: &str = "_background_tasks";

/// The directory that a firework names itself.
pub fn own_directory(spec: &Document) -> Option<&str> {
    spec.get_str("_launch_dir").ok().filter(|wanted| !wanted.is_empty())
}

/// The same, where it is the same for everybody: variables such as `$SCRATCH` are for the worker to read.
pub fn fixed_directory(spec: &Document) -> Option<&str> {
    own_directory(spec).filter(|wanted| !wanted.contains('$'))
}

/// A reserved key that cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {reason}")]
pub struct BadKey {
    /// The key.
    pub key: &'static str,
    reason: String,
}

/// Names of files, with what stands for each.
pub fn files<'s>(spec: &'s Document, key: &'static str) -> Result<Vec<(&'s str, &'s str)>, BadKey> {
    let wrong = || BadKey { key, reason: "must be a mapping of names to files".to_owned() };
    match spec.get(key) {
        None | Some(Bson::Null) => Ok(Vec::new()),
        Some(Bson::Document(map)) => {
            map.iter().map(|(name, file)| Ok((name.as_str(), file.as_str().ok_or_else(wrong)?))).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// Checks those without which a firework cannot be run as it asks to be.
pub fn check_files(spec: &Document) -> Result<(), BadKey> {
    [FILES_IN, FILES_PREV, FILES_OUT].iter().try_for_each(|key| files(spec, key).map(drop))
}

/// Checks all of them.
pub fn check(spec: &Document) -> Result<(), BadKey> {
    check_files(spec)?;
    let wrong = |error: BadTracker| BadKey { key: TRACKERS, reason: error.to_string() };
    Tracker::of(spec).into_iter().try_for_each(|tracker| tracker.map(drop).map_err(wrong))?;
    RetryPolicy::of(spec).map_err(|error| BadKey { key: RETRY, reason: error.to_string() })?;
    Limits::of(spec).and_then(|_| Ask::of(spec)).map_err(|BadLimit { key, reason }| BadKey { key, reason })?;
    retry::check_date(spec).map_err(|reason| BadKey { key: NOT_BEFORE, reason })?;
    background(spec).iter().try_for_each(|one| background_tasks(one).map(drop))
}

/// The background tasks of a spec.
pub fn background(spec: &Document) -> &[Bson] {
    match spec.get(BACKGROUND) {
        None | Some(Bson::Null) => &[],
        Some(Bson::Array(listed)) => listed,
        Some(one) => std::slice::from_ref(one),
    }
}

/// The tasks of one of them.
pub fn background_tasks(one: &Bson) -> Result<Vec<&Document>, BadKey> {
    let tasks = one.as_document().and_then(|one| match one.get("tasks")? {
        Bson::Array(tasks) => tasks.iter().map(Bson::as_document).collect(),
        task => task.as_document().map(|task| vec![task]),
    });
    tasks.ok_or_else(|| BadKey { key: BACKGROUND, reason: "must be a list of mappings with `tasks`".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn mistakes_are_named() {
        for (spec, expected) in [
            (doc! {FILES_IN: 3}, "`_files_in`: must be a mapping of names to files"),
            (doc! {FILES_OUT: ["a"]}, "`_files_out`: must be a mapping of names to files"),
            (doc! {FILES_PREV: {"a": 1}}, "`_files_prev`: must be a mapping of names to files"),
            (doc! {TRACKERS: ["log"]}, "`_trackers`: a tracker is a mapping with a `filename`"),
            (doc! {BACKGROUND: [{"task": {}}]}, "`_background_tasks`: must be a list of mappings with `tasks`"),
            (doc! {BACKGROUND: {"tasks": ["x"]}}, "`_background_tasks`: must be a list of mappings with `tasks`"),
        ] {
            assert_eq!(check(&spec).expect_err("is refused").to_string(), expected);
        }
        let good = doc! {FILES_IN: {"a": "b"}, FILES_OUT: null, TRACKERS: [], BACKGROUND: {"tasks": {"_fw_name": "X"}}};
        assert_eq!(check(&good), Ok(()));
    }
}
