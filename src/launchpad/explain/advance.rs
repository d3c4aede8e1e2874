//! How far a task has come that makes many steps.

use std::time::Duration;

use bson::Document;

use crate::recipes::time_left;
use crate::workflow::checkpoint::{LEFT, OF, STEPS};
use crate::workflow::{Launch, as_int};

/// What it has kept of that.
#[derive(Debug, Clone, PartialEq)]
pub struct Advance {
    /// Steps made.
    pub steps: i64,
    /// Steps to make, if that is known.
    pub of: Option<i64>,
    /// How long the rest was to take then.
    pub left: Option<Duration>,
}

impl Advance {
    /// Of a launch on its way.
    pub fn of(launch: &Launch) -> Option<Self> {
        let (_, progress) = launch.progress()?;
        let number = |key: &str, within: &Document| within.get(key).and_then(as_int);
        let left = progress.get_f64(LEFT).ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Some(Self { steps: number(STEPS, progress)?, of: number(OF, progress), left })
    }

    /// `step 1200 of 20000, about 3 min left`
    pub fn words(&self) -> String {
        let of = self.of.map_or_else(String::new, |of| format!(" of {of}"));
        let left = self.left.map_or_else(String::new, |left| format!(", {}", time_left(left)));
        format!("step {}{of}{left}", self.steps)
    }
}
