//! Reads what `squeue` prints of jobs that it is asked about, ended ones included: Slurm remembers
//! those for `MinJobAge`, 5 minutes where nothing else is said.

use std::collections::BTreeMap;

use super::states::{cause, job_state};
use crate::queue::{Fate, JobState, KnownJob};
use crate::workflow::Loss;

/// Number, name, state, restarts, folder, as wide as they are. The folder is last: it may contain
/// anything.
pub const FORMAT: &str = "JobID:0|~|,JobArrayID:0|~|,State:0|~|,RestartCnt:0|~|,WorkDir:0";
const SEPARATOR: &str = "|~|";

/// The jobs of `cluster`, by each of their names: an element of an array has a number of its own,
/// too. `Err` is the line that cannot be read.
pub fn parse(answer: &str, cluster: &str) -> Result<BTreeMap<String, KnownJob>, String> {
    let mut here = true;
    let mut jobs = BTreeMap::new();
    for line in answer.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix("CLUSTER: ") {
            here = name.trim() == cluster;
            continue;
        }
        let fields: Vec<&str> = line.splitn(5, SEPARATOR).map(str::trim).collect();
        let [number, name, state, restarts, dir] = fields[..] else { return Err(line.to_owned()) };
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(line.to_owned());
        }
        if !here {
            continue;
        }
        let dir = dir.starts_with('/').then(|| dir.into());
        let job = KnownJob { fate: fate(state, restarts.parse().ok()), dir };
        // The components of a heterogeneous job are `12+0`, `12+1`, ...: it runs in the first.
        let name = name.strip_suffix("+0").unwrap_or(name);
        jobs.insert(number.to_owned(), job.clone());
        jobs.insert(name.to_owned(), job);
    }
    Ok(jobs)
}

fn fate(state: &str, restarts: Option<u32>) -> Fate {
    match job_state(state) {
        JobState::Waiting if state != "CONFIGURING" => Fate::Waiting,
        JobState::Waiting | JobState::Running => restarts.map_or(Fate::Unknown, |restarts| Fate::Running { restarts }),
        JobState::Ending => Fate::Ending,
        JobState::Finished => cause(state).map_or(Fate::Unknown, |cause| Fate::Over(Loss::new(cause, state))),
        JobState::Unknown => Fate::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Cause;

    fn fates(answer: &str, names: &[&str]) -> Vec<Option<Fate>> {
        let jobs = parse(answer, "east").expect("is read");
        names.iter().map(|name| jobs.get(*name).map(|job| job.fate.clone())).collect()
    }

    #[test]
    fn reads_what_slurm_22_05_prints() {
        // A cancelled job, one that was begun anew twice, an element of an array, one that waits for
        // its next turn after a requeue, and one whose processes are being ended.
        let answer = "12|~|12|~|CANCELLED|~|0|~|/tmp/a\n13|~|13|~|RUNNING|~|2|~|/tmp/b|~|c\n\
                      17|~|14_2|~|RUNNING|~|0|~|/tmp/sl\n18|~|18|~|PENDING|~|1|~|/tmp/sl\n\
                      19|~|19|~|COMPLETING|~|0|~|/tmp/sl\n";
        let running = |restarts| Some(Fate::Running { restarts });
        let cancelled = Some(Fate::Over(Loss::new(Cause::Cancelled, "CANCELLED")));
        assert_eq!(
            fates(answer, &["12", "13", "14_2", "17", "18", "19", "20"]),
            [cancelled, running(2), running(0), running(0), Some(Fate::Waiting), Some(Fate::Ending), None]
        );
        let jobs = parse(answer, "east").expect("is read");
        assert_eq!(jobs["13"].dir.as_deref(), Some("/tmp/b|~|c".as_ref()));
        assert_eq!(parse("", "east"), Ok(BTreeMap::new()));
    }

    /// Earlier ones fill up with blanks, later ones end every line with the last suffix.
    #[test]
    fn blanks_do_not_matter() {
        let answer = "12  |~|12  |~|NODE_FAIL   |~|0   |~|/a b  \n";
        assert_eq!(fates(answer, &["12"]), [Some(Fate::Over(Loss::new(Cause::NodeFail, "NODE_FAIL")))]);
    }

    #[test]
    fn only_what_is_certain() {
        for state in ["TELEPORTING", "REVOKED", ""] {
            assert_eq!(fates(&format!("12|~|12|~|{state}|~|0|~|/a\n"), &["12"]), [Some(Fate::Unknown)], "{state}");
        }
        assert_eq!(fates("12|~|12|~|RUNNING|~|N/A|~|(null)\n", &["12"]), [Some(Fate::Unknown)]);
        for state in ["CONFIGURING", "SUSPENDED", "STOPPED", "RESIZING"] {
            let runs = Some(Fate::Running { restarts: 1 });
            assert_eq!(fates(&format!("12|~|12|~|{state}|~|1|~|/a\n"), &["12"]), [runs], "{state}");
        }
    }

    #[test]
    fn a_number_counts_in_its_cluster() {
        let answer = "CLUSTER: west\n12|~|12|~|TIMEOUT|~|0|~|/a\n\nCLUSTER: east\n12|~|12+0|~|RUNNING|~|0|~|/a\n\
                      13|~|12+1|~|RUNNING|~|0|~|/a\n";
        assert_eq!(fates(answer, &["12"]), [Some(Fate::Running { restarts: 0 })]);
        assert_eq!(fates("CLUSTER: west\n12|~|12|~|TIMEOUT|~|0|~|/a\n", &["12"]), [None]);
    }

    #[test]
    fn refuses_what_is_no_listing() {
        for answer in ["down for maintenance\n", "7|~|7|~|RUNNING|~|0\n", "JOBID|~|JOBID|~|STATE|~|0|~|WORK_DIR\n"] {
            assert_eq!(parse(answer, "east"), Err(answer.trim().to_owned()));
        }
    }
}
