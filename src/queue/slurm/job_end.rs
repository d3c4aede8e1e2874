//! When the time of a Slurm job is over, asked from inside it.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{Programs, QueueError, Result, command};
use crate::queue::command::Call;

/// How long `squeue` may take.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Asks `squeue` for the end of a job; `None` when it has no time limit.
pub fn job_end(job: &str) -> Result<Option<Timestamp>> {
    let program = Programs::default().status;
    // The user may want dates in another form.
    let standard = ("SLURM_TIME_FORMAT".to_owned(), "standard".to_owned());
    let call = Call { environment: &[standard], timeout: Some(TIMEOUT), ..Call::default() };
    let answer = command::run(&program, &["-h", "-j", job, "-o", "%e"], call)?;
    let line = answer.lines().next().unwrap_or_default().trim();
    parse(line, &TimeZone::system())
        .ok_or_else(|| QueueError::Strange { command: program.join(" "), line: line.to_owned() })
}

/// The end as `squeue` prints it, in local time. Outer `None`: that is no date.
fn parse(text: &str, zone: &TimeZone) -> Option<Option<Timestamp>> {
    if matches!(text, "N/A" | "NONE" | "UNLIMITED") {
        return Some(None);
    }
    let local: DateTime = text.parse().ok()?;
    Some(Some(zone.to_timestamp(local).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_squeue_prints() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let at = |text: &str| text.parse::<Timestamp>().ok();
        assert_eq!(parse("2026-11-25T22:10:00", &zone), Some(at("2026-11-25T21:10:00Z")));
        for none in ["N/A", "NONE"] {
            assert_eq!(parse(none, &zone), Some(None));
        }
        for wrong in ["", "tomorrow", "22:10:00", "END_TIME"] {
            assert_eq!(parse(wrong, &zone), None, "{wrong}");
        }
    }
}
