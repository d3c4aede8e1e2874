//! Durations as people type them: `90s`, `10m`, `2h`, `1h30m`, `1-00:00:00`, or plain seconds.

use std::time::Duration;

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no duration; write 90s, 10m, 2h, 1h30m, 1-00:00:00 (days-hours:minutes:seconds) or seconds")]
pub struct BadDuration(String);

/// Reads a duration. A number without a unit is in seconds, as FireWorks' options have it.
pub fn parse(text: &str) -> Result<Duration, BadDuration> {
    let trimmed = text.trim();
    let seconds = if trimmed.contains(':') || trimmed.contains('-') { clock(trimmed) } else { units(trimmed) };
    seconds
        .filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| BadDuration(text.to_owned()))
}

/// Slurm's `[days-]hours[:minutes[:seconds]]`; without days, `minutes:seconds` needs all three.
fn clock(text: &str) -> Option<f64> {
    let (days, rest) = match text.split_once('-') {
        Some((days, rest)) => (whole(days)?, rest),
        None => (0.0, text),
    };
    let parts: Vec<f64> = rest.split(':').map(whole).collect::<Option<_>>()?;
    let with_days = text.contains('-');
    let [hours, minutes, seconds] = match *parts.as_slice() {
        [hours, minutes, seconds] => [hours, minutes, seconds],
        [hours, minutes] if with_days => [hours, minutes, 0.0],
        [hours] if with_days => [hours, 0.0, 0.0],
        [minutes, seconds] => [0.0, minutes, seconds],
        _ => return None,
    };
    Some(((days * 24.0 + hours) * 60.0 + minutes) * 60.0 + seconds)
}

/// Numbers with units, one after another: `1h30m`.
fn units(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds);
    }
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let factor = match unit.trim() {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * factor;
        rest = tail;
    }
    (!text.is_empty()).then_some(total)
}

fn whole(text: &str) -> Option<f64> {
    text.parse::<u32>().ok().map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_type() {
        let cases = [
            ("90s", 90.0),
            ("10m", 600.0),
            ("2h", 7200.0),
            ("1h30m", 5400.0),
            ("1d", 86400.0),
            ("250ms", 0.25),
            ("0.5", 0.5),
            ("60", 60.0),
            ("0", 0.0),
            ("1-00:00:00", 86400.0),
            ("1-12", 129_600.0),
            ("02:30:00", 9000.0),
            ("30:00", 1800.0),
        ];
        for (text, seconds) in cases {
            assert_eq!(parse(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["", "soon", "10 parsecs", "-5", "5-", "1:2:3:4", "inf", "nan", "1e300h"] {
            assert_eq!(parse(text), Err(BadDuration(text.into())), "{text}");
        }
    }
}
