//! Moments and stretches of time for people.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::store::examine::age;

/// What is longer ago has a date.
const LONG_AGO: SignedDuration = SignedDuration::from_hours(7 * 24);

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

/// A moment as it suits the reader: a program, or a later reader of a file, does not know what time it was.
pub fn moment(at: Timestamp) -> String {
    if super::is_terminal() { ago(at, Timestamp::now()) } else { date(at) }
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
}
