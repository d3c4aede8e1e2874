//! Numbers, ids, moments and stretches of time in words, the same wherever they are said.

use std::fmt::Write as _;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::store::examine::age;
use crate::workflow::FwId;

/// What is longer ago has a date.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(7 * 24);

/// `1 firework`, `3 fireworks`.
pub fn number(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `1,2,5-9`: ids in the order in which they come; three and more that follow each other are a range.
pub fn id_line(ids: impl IntoIterator<Item = FwId>) -> String {
    let mut runs: Vec<(FwId, FwId)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == id => *last = id,
            _ => runs.push((id, id)),
        }
    }
    let mut line = String::new();
    for (first, last) in runs {
        let separator = if line.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = match last - first {
            0 => write!(line, "{separator}{first}"),
            1 => write!(line, "{separator}{first},{last}"),
            _ => write!(line, "{separator}{first}-{last}"),
        };
    }
    line
}

/// A moment in the reader's time zone, to the second.
pub fn date(at: Timestamp) -> String {
    at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `3 min ago`; a date when that is long ago, or yet to come.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let passed = now.duration_since(at);
    // Clocks of two hosts may differ by a few seconds.
    if passed > LONG_AGO || passed < SignedDuration::from_secs(-10) {
        return date(at);
    }
    format!("{} ago", age(now, at))
}

/// `3 s`, `2 min 5 s`, `1 h 12 min`, `3 d 4 h`: the two largest units.
pub fn stretch(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds % 60, "s")];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown = parts[first..].iter().take(2).filter(|(count, _)| *count > 0);
    let text: Vec<String> = shown.map(|(count, unit)| format!("{count} {unit}")).collect();
    if text.is_empty() { format!("{} ms", length.as_millis().max(0)) } else { text.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lately_is_relative() {
        let now = Timestamp::from_second(1_800_000_000).expect("in range");
        let before = |seconds| ago(now - SignedDuration::from_secs(seconds), now);
        assert_eq!([before(5), before(200), before(200_000)], ["5 s ago", "3 min ago", "2 d ago"]);
        assert_eq!(before(-3), "0 s ago");
        assert!(before(8 * 86_400).starts_with("2027-01-") && before(-3600).starts_with("2027-01-"));
    }

    #[test]
    fn stretches_have_two_units() {
        let of = |seconds| stretch(SignedDuration::from_secs(seconds));
        assert_eq!(
            [of(3), of(125), of(3600), of(4320), of(273_600)],
            ["3 s", "2 min 5 s", "1 h", "1 h 12 min", "3 d 4 h"]
        );
        assert_eq!(stretch(SignedDuration::from_millis(40)), "40 ms");
    }

    #[test]
    fn ids_that_follow_each_other_are_ranges() {
        for (ids, line) in
            [(vec![], ""), (vec![7], "7"), (vec![1, 2, 3, 7, 8, 10], "1-3,7,8,10"), (vec![9, 8, 1, 2, 3, 4], "9,8,1-4")]
        {
            assert_eq!(id_line(ids), line);
        }
    }
}
