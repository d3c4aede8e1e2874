//! Reads what `squeue` prints of all jobs of the user.

use std::time::Duration;

use super::mark::ours;
use super::records::records;
use super::states::job_state;
use crate::queue::{JobId, JobState, QueuedJob};

/// Id, state, time used; then as [`super::records`] has it.
pub const FORMAT: &str = "%i|~|%T|~|%M|~|%Z|~|%i|~|%k|~|%i";

/// The jobs with our mark that are not over. `Err` is the line that cannot be read.
pub fn parse(answer: &str, mark: &str) -> Result<Vec<QueuedJob>, String> {
    let mut jobs = Vec::new();
    for record in records(answer)? {
        let [id, state, time] = record.fields;
        let state = job_state(state);
        let Some(token) = ours(record.comment, mark).filter(|_| state != JobState::Finished) else { continue };
        jobs.push(QueuedJob {
            id: JobId { id: id.to_owned(), cluster: record.cluster.map(str::to_owned) },
            state,
            running_for: if state == JobState::Running { elapsed(time) } else { None },
            token: Some(token.to_owned()).filter(|token| !token.is_empty()),
            dir: record.dir.map(Into::into),
        });
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

    fn line(id: &str, state: &str, time: &str, comment: &str) -> String {
        format!("{id}|~|{state}|~|{time}|~|/runs/a b|~|{id}|~|{comment}|~|{id}\n")
    }

    #[test]
    fn counts_our_jobs_only() {
        // As Slurm 22.05 prints an array of three, one of which runs, another launchpad's job, a
        // job of somebody without a comment, and one of an earlier version.
        let answer = [
            line("6_2", "PENDING", "0:00", "volley:a /runs/a b"),
            line("6_3", "PENDING", "0:00", "volley:a /runs/a b"),
            line("6_1", "RUNNING", "1:05", "volley:a /runs/a b"),
            line("7", "RUNNING", "0:01", "volley:ab /runs/a b"),
            line("8", "RUNNING", "0:01", "(null)"),
            line("9", "RUNNING", "0:01", "x|~|volley:a"),
            line("10", "COMPLETING", "2:00", "mine volley:a"),
            line("11", "CANCELLED", "2:00", "volley:a /runs/a b"),
        ];
        let job = |id: &str, state, seconds: Option<u64>, token: Option<&str>| QueuedJob {
            id: JobId::new(id),
            state,
            running_for: seconds.map(Duration::from_secs),
            token: token.map(str::to_owned),
            dir: Some("/runs/a b".into()),
        };
        let expected = vec![
            job("6_2", JobState::Waiting, None, Some("/runs/a b")),
            job("6_3", JobState::Waiting, None, Some("/runs/a b")),
            job("6_1", JobState::Running, Some(65), Some("/runs/a b")),
            job("10", JobState::Ending, None, None),
        ];
        assert_eq!(parse(&answer.concat(), "volley:a"), Ok(expected));
        assert_eq!(parse("", "volley:a"), Ok(vec![]));
    }

    #[test]
    fn reads_several_clusters() {
        let lines = [line("1", "RUNNING", "0:09", "v"), line("1", "PENDING", "0:00", "v")];
        let jobs = parse(&format!("CLUSTER: east\n{}\nCLUSTER: west\n{}", lines[0], lines[1]), "v");
        let clusters: Vec<_> = jobs.expect("is read").into_iter().map(|job| job.id.to_string()).collect();
        assert_eq!(clusters, ["1 (east)", "1 (west)"]);
    }

    #[test]
    fn an_unknown_state_is_not_over() {
        assert_eq!(parse(&line("1", "TELEPORTING", "0:01", "v"), "v").expect("is read").len(), 1);
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
