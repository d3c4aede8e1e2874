//! How long a firework may take: what its spec says of that.

use std::time::Duration;

use bson::{Bson, Document};

use super::duration;

/// What it needs: a worker that has less time left does not begin it.
pub const WALLTIME: &str = "_walltime";
/// What it may take: then it is ended, and FIZZLED.
pub const MAX_RUNTIME: &str = "_max_runtime";

/// The limits of one firework.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// `_walltime`.
    pub walltime: Option<Duration>,
    /// `_max_runtime`.
    pub max_runtime: Option<Duration>,
}

/// A limit that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}`: {reason}")]
pub struct BadLimit {
    /// Which.
    pub key: &'static str,
    /// Why not.
    pub reason: String,
}

impl Limits {
    /// What a spec says.
    pub fn of(spec: &Document) -> Result<Self, BadLimit> {
        Ok(Limits { walltime: read(spec, WALLTIME)?, max_runtime: read(spec, MAX_RUNTIME)? })
    }
}

fn read(spec: &Document, key: &'static str) -> Result<Option<Duration>, BadLimit> {
    let wrong = |reason| BadLimit { key, reason };
    match spec.get(key) {
        None | Some(Bson::Null) => Ok(None),
        Some(value) => time(value).map(Some).map_err(wrong),
    }
}

/// A duration, as a text or in seconds.
pub fn time(value: &Bson) -> Result<Duration, String> {
    let text = match value {
        Bson::String(text) => text.clone(),
        Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) => value.to_string(),
        other => return Err(format!("{other} is no duration; write 90s, 2h or seconds")),
    };
    duration::parse(&text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn reads_durations_and_numbers() {
        let limits = Limits::of(&doc! {"_walltime": "1-00:00:00", "_max_runtime": 90}).expect("is good");
        let [day, short] = [86_400, 90].map(|seconds| Some(Duration::from_secs(seconds)));
        assert_eq!(limits, Limits { walltime: day, max_runtime: short });
        let half = Limits::of(&doc! {"_walltime": null, "_max_runtime": 0.5}).expect("is good");
        assert_eq!(half, Limits { walltime: None, max_runtime: Some(Duration::from_millis(500)) });
        assert_eq!(Limits::of(&doc! {}), Ok(Limits::default()));
    }

    #[test]
    fn names_what_is_wrong() {
        for (wrong, part) in [
            (doc! {"_walltime": "soon"}, "`_walltime`: `soon` is no duration"),
            (doc! {"_max_runtime": -5}, "`_max_runtime`: `-5` is no duration"),
            (doc! {"_max_runtime": ["2h"]}, "`_max_runtime`"),
        ] {
            let message = Limits::of(&wrong).expect_err("is refused").to_string();
            assert!(message.contains(part), "{message}");
        }
    }
}
