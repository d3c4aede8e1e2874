//! Reads what `sacct` prints of jobs: it remembers longer than the controller, and who cancelled.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::states::cause;
use crate::workflow::Cause;

/// The columns asked for. The folder is last: it may contain anything.
pub const FORMAT: &str = "JobID,State,WorkDir";
/// What stands between them.
pub const SEPARATOR: &str = "|~|";

/// A job that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its state: `TIMEOUT`.
    pub state: String,
    /// What that means.
    pub cause: Cause,
    /// The number of the user who cancelled it.
    pub by: Option<u32>,
    /// The folder it was submitted from.
    pub dir: Option<PathBuf>,
}

/// The jobs that are over. `Err` is the line that cannot be read.
pub fn parse(answer: &str) -> Result<BTreeMap<String, Ended>, String> {
    let mut jobs = BTreeMap::new();
    for line in answer.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.splitn(3, SEPARATOR).map(str::trim).collect();
        let [id, state, dir] = fields[..] else { return Err(line.to_owned()) };
        if !id.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(line.to_owned());
        }
        // `CANCELLED by 1000`; a job that was never begun is only `CANCELLED`.
        let (state, by) = state.split_once(" by ").map_or((state, None), |(state, by)| (state, by.parse().ok()));
        let Some(cause) = cause(state) else { continue };
        let dir = dir.starts_with('/').then(|| dir.into());
        let id = id.strip_suffix("+0").unwrap_or(id);
        jobs.insert(id.to_owned(), Ended { state: state.to_owned(), cause, by, dir });
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(state: &str, cause: Cause, by: Option<u32>) -> Ended {
        Ended { state: state.into(), cause, by, dir: Some("/home/a b".into()) }
    }

    #[test]
    fn tells_who_cancelled() {
        let answer = "12|~|CANCELLED by 1000|~|/home/a b\n13|~|TIMEOUT|~|/home/a b\n14_3|~|OUT_OF_MEMORY|~|/home/a b\n\
                      15+0|~|NODE_FAIL|~|/home/a b\n16|~|RUNNING|~|/home/a b\n17|~|CANCELLED|~|/home/a b\n\
                      18|~|PREEMPTED|~|/home/a b\n19|~|RESIZING|~|/home/a b\n";
        let jobs = parse(answer).expect("is read");
        let expected = [
            ("12", ended("CANCELLED", Cause::Cancelled, Some(1000))),
            ("13", ended("TIMEOUT", Cause::Timeout, None)),
            ("14_3", ended("OUT_OF_MEMORY", Cause::OutOfMemory, None)),
            ("15", ended("NODE_FAIL", Cause::NodeFail, None)),
            ("17", ended("CANCELLED", Cause::Cancelled, None)),
            ("18", ended("PREEMPTED", Cause::Preempted, None)),
        ];
        assert_eq!(jobs, expected.map(|(id, job)| (id.to_owned(), job)).into());
    }

    #[test]
    fn refuses_what_is_no_listing() {
        for answer in ["Slurm accounting storage is disabled\n", "12|~|TIMEOUT\n", "JobID|~|State|~|WorkDir\n"] {
            assert_eq!(parse(answer), Err(answer.trim().to_owned()));
        }
    }
}
