//! The dates of FireWorks' documents: ISO strings in UTC with exactly six fraction digits.
//!
//! Python compares these strings byte by byte and parses them with a fixed format, so a writer has
//! no freedom. Readers meet more: old releases wrote naive strings, with or without a fraction,
//! and some operations write BSON dates into the same fields.

use bson::Bson;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// `2026-11-22T15:00:48.044934+00:00`.
pub fn to_iso(at: Timestamp) -> String {
    let micros = at.as_microsecond();
    // Truncated to whole microseconds first: the string and the instant stay equal.
    let at = Timestamp::from_microsecond(micros).unwrap_or(at);
    at.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
}

/// Reads a date in any form that FireWorks has written: with or without fraction, with an offset
/// or naive (then UTC), or a BSON date.
pub fn from_bson(value: &Bson) -> Option<Timestamp> {
    match value {
        Bson::String(text) => from_text(text),
        Bson::DateTime(date) => Timestamp::from_millisecond(date.timestamp_millis()).ok(),
        _ => None,
    }
}

/// Reads an ISO date with an offset, or a naive one as UTC.
pub fn from_text(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let naive: DateTime = text.parse().ok()?;
    Some(naive.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// The BSON date of `workflows.created_on` and `updated_on`.
pub fn to_bson_date(at: Timestamp) -> Bson {
    Bson::DateTime(bson::DateTime::from_millis(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn always_six_digits() {
        let at = |micros| Timestamp::from_microsecond(micros).expect("in range");
        assert_eq!(to_iso(at(0)), "1970-01-01T00:00:00.000000+00:00");
        assert_eq!(to_iso(at(1_500_000)), "1970-01-01T00:00:01.500000+00:00");
        assert_eq!(to_iso(at(1)), "1970-01-01T00:00:00.000001+00:00");
    }

    #[test]
    fn reads_every_form_fireworks_wrote() {
        let expected = from_text("2026-11-22T15:00:48+00:00").expect("with offset");
        for form in [
            "2026-11-22T15:00:48",
            "2026-11-22T15:00:48.000000",
            "2026-11-22T15:00:48.000000+00:00",
            "2026-11-22T16:00:48+01:00",
        ] {
            assert_eq!(from_text(form), Some(expected), "{form}");
        }
        assert_eq!(from_bson(&to_bson_date(expected)), Some(expected));
        assert_eq!(from_text("yesterday"), None);
    }
}
