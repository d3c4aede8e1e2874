//! Reads what `squeue` prints of all jobs of the user.

use std::time::Duration;

use super::mark::ours;
use super::records::records;
use super::states::job_state;
use crate::queue::{Details, JobId, JobState, QueuedJob};

/// Id, state, time used and left, reason, hosts, partition; then as [`super::records`] has it.
pub const FORMAT: &str = "%i|~|%T|~|%M|~|%L|~|%r|~|%N|~|%P|~|%Z|~|%i|~|%k|~|%i";

/// The jobs with our mark that are not over. `Err` is the line that cannot be read.
pub fn parse(answer: &str, mark: &str) -> Result<Vec<QueuedJob>, String> {
    let mut jobs = Vec::new();
    for record in records(answer)? {
        let [id, words, used, left, reason, hosts, partition] = record.fields;
        let state = job_state(words);
        let Some(token) = ours(record.comment, mark).filter(|_| state != JobState::Finished) else { continue };
        jobs.push(QueuedJob {
            id: JobId { id: id.to_owned(), cluster: record.cluster.map(str::to_owned) },
            state,
            running_for: length(used).filter(|_| state == JobState::Running),
            token: Some(token.to_owned()).filter(|token| !token.is_empty()),
            dir: record.dir.map(Into::into),
            details: Details {
                state: words.to_owned(),
                reason: said(reason),
                // One that waits has all of its time left.
                left: length(left).filter(|_| state == JobState::Running),
                hosts: said(hosts),
                partition: said(partition),
            },
        });
    }
    Ok(jobs)
}

/// A field that says something.
fn said(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !matches!(text.as_str(), "" | "None" | "(null)" | "N/A"))
}

/// `[[days-]hours:]minutes:seconds`; none of what is no time, or has no end.
fn length(text: &str) -> Option<Duration> {
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
        // As Slurm 22.05 prints one that waits, and one that runs.
        let (left, reason, hosts) =
            if state == "PENDING" { ("30:00", "Resources", "") } else { ("28:55", "None", "n[1-2]") };
        format!("{id}|~|{state}|~|{time}|~|{left}|~|{reason}|~|{hosts}|~|debug|~|/runs/a b|~|{id}|~|{comment}|~|{id}\n")
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
            details: Details { partition: Some("debug".into()), ..Details::default() },
        };
        let mut expected = vec![
            job("6_2", JobState::Waiting, None, Some("/runs/a b")),
            job("6_3", JobState::Waiting, None, Some("/runs/a b")),
            job("6_1", JobState::Running, Some(65), Some("/runs/a b")),
            job("10", JobState::Ending, None, None),
        ];
        for waiting in &mut expected[..2] {
            (waiting.details.state, waiting.details.reason) = ("PENDING".into(), Some("Resources".into()));
        }
        for (job, state) in expected[2..].iter_mut().zip(["RUNNING", "COMPLETING"]) {
            (job.details.state, job.details.hosts) = (state.into(), Some("n[1-2]".into()));
        }
        expected[2].details.left = Some(Duration::from_secs(28 * 60 + 55));
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
            ("UNLIMITED", None),
            ("NOT_SET", None),
            ("", None),
        ] {
            assert_eq!(length(text), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
