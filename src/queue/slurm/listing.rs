//! Reads what `squeue` prints.
//!
//! A line that does not have its four fields is an error: to take a listing that we cannot read
//! for "no jobs" would fill the queue.

use std::time::Duration;

use super::states::job_state;
use crate::queue::{JobId, JobState, QueuedJob};

/// Id, state, time used, comment. The comment is last: it may contain anything.
pub const FORMAT: &str = "%i|~|%T|~|%M|~|%k";
const SEPARATOR: &str = "|~|";

/// The jobs with our comment that are not over. `Err` is the line that cannot be read.
pub fn parse(answer: &str, comment: &str) -> Result<Vec<QueuedJob>, String> {
    let mut cluster = None;
    let mut jobs = Vec::new();
    for line in answer.lines().map(str::trim).filter(|line| !line.is_empty()) {
        // With SLURM_CLUSTERS, or in a federation, a heading stands above the jobs of each.
        if let Some(name) = line.strip_prefix("CLUSTER: ") {
            cluster = Some(name.trim().to_owned());
            continue;
        }
        let fields: Vec<&str> = line.splitn(4, SEPARATOR).map(str::trim).collect();
        let [id, state, time, said] = fields[..] else { return Err(line.to_owned()) };
        if !id.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(line.to_owned());
        }
        let state = job_state(state);
        if said == comment && state != JobState::Finished {
            let running_for = if state == JobState::Running { elapsed(time) } else { None };
            jobs.push(QueuedJob { id: JobId { id: id.to_owned(), cluster: cluster.clone() }, state, running_for });
        }
    }
    Ok(jobs)
}

/// `[[days-]hours:]minutes:seconds`.
fn elapsed(text: &str) -> Option<Duration> {
    let (days, clock) = text.split_once('-').unwrap_or(("0", text));
    let mut seconds = days.parse::<u64>().ok()?;
    let parts: Vec<u64> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, rest] = match parts[..] {
        [hours, minutes, rest] => [hours, minutes, rest],
        [minutes, rest] => [0, minutes, rest],
        _ => return None,
    };
    for (unit, part) in [(24, hours), (60, minutes), (60, rest)] {
        seconds = seconds.checked_mul(unit)?.checked_add(part)?;
    }
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(id: &str, state: JobState, seconds: Option<u64>) -> QueuedJob {
        QueuedJob { id: JobId::new(id), state, running_for: seconds.map(Duration::from_secs) }
    }

    #[test]
    fn counts_our_jobs_only() {
        // As Slurm 22.05 prints an array of three, one of which runs, another launchpad's job, a
        // job of somebody without a comment, and one whose comment has our separator.
        let answer = "6_2|~|PENDING|~|0:00|~|volley:a\n6_3|~|PENDING|~|0:00|~|volley:a\n\
                      6_1|~|RUNNING|~|1:05|~|volley:a\n7|~|RUNNING|~|0:01|~|volley:ab\n\
                      8|~|RUNNING|~|0:01|~|(null)\n9|~|RUNNING|~|0:01|~|x|~|volley:a\n\
                      10|~|COMPLETING|~|2:00|~|volley:a\n11|~|CANCELLED|~|2:00|~|volley:a\n";
        let expected = vec![
            job("6_2", JobState::Waiting, None),
            job("6_3", JobState::Waiting, None),
            job("6_1", JobState::Running, Some(65)),
            job("10", JobState::Ending, None),
        ];
        assert_eq!(parse(answer, "volley:a"), Ok(expected));
        assert_eq!(parse("", "volley:a"), Ok(vec![]));
    }

    #[test]
    fn reads_several_clusters() {
        let jobs = parse("CLUSTER: east\n1|~|RUNNING|~|0:09|~|v\nCLUSTER: west\n1|~|PENDING|~|0:00|~|v\n", "v");
        let clusters: Vec<_> = jobs.expect("is read").into_iter().map(|job| job.id.to_string()).collect();
        assert_eq!(clusters, ["1 (east)", "1 (west)"]);
    }

    #[test]
    fn refuses_what_is_no_listing() {
        for answer in ["slurm is down for maintenance\n", "7|~|RUNNING|~|0:01\n", "JOBID|~|STATE|~|TIME|~|COMMENT\n"] {
            assert_eq!(parse(answer, "v"), Err(answer.trim().to_owned()));
        }
    }

    #[test]
    fn an_unknown_state_is_not_over() {
        assert_eq!(parse("1|~|TELEPORTING|~|0:01|~|v\n", "v").expect("is read").len(), 1);
    }

    #[test]
    fn reads_the_time_used() {
        for (text, seconds) in [
            ("0:00", Some(0)),
            ("1:05", Some(65)),
            ("1:00:01", Some(3601)),
            ("2-01:00:00", Some(176_400)),
            ("INVALID", None),
            ("", None),
        ] {
            assert_eq!(elapsed(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
