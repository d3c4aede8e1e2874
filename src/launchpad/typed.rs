//! Ids, names, moments and queries as people type them: `1,2,5-9`, `re:^relax`, `2h`, `{"spec.formula": "Si2"}`.

use std::str::FromStr;

use bson::Document;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::literal::{self, BadLiteral};
use crate::store::NamePattern;
use crate::workflow::{FwId, duration};

/// Ids, in the order in which they were typed, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids(pub Vec<FwId>);

/// A text that is no list of ids.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no list of ids; write 7 or 1,2,5-9")]
pub struct BadIds(String);

/// More ids than anybody means; a slip of the finger must not fill the memory.
const MOST: usize = 10_000_000;

impl FromStr for Ids {
    type Err = BadIds;

    fn from_str(text: &str) -> Result<Self, BadIds> {
        let bad = || BadIds(text.to_owned());
        let mut ids = Vec::new();
        for part in text.split(',').map(str::trim) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: FwId = first.trim().parse().map_err(|_| bad())?;
            let last: FwId = last.trim().parse().map_err(|_| bad())?;
            let more = usize::try_from(last - first).map_err(|_| bad())?;
            if ids.len().saturating_add(more) >= MOST {
                return Err(bad());
            }
            ids.extend(first..=last);
        }
        Ok(Ids(once(ids)))
    }
}

/// Each id once, where it came first.
pub fn once(mut ids: Vec<FwId>) -> Vec<FwId> {
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    ids
}

/// A query in MongoDB's language as it is typed.
pub fn query(text: &str) -> Result<Document, BadLiteral> {
    literal::document(text)
}

/// A name as it is typed.
pub fn name_pattern(text: &str) -> Result<NamePattern, String> {
    Ok(match text.strip_prefix("re:") {
        Some(regex) => NamePattern::Like(pattern(regex)?),
        None => NamePattern::Exactly(text.to_owned()),
    })
}

/// A regular expression that both stores understand.
pub fn pattern(text: &str) -> Result<String, String> {
    match regex::Regex::new(text) {
        Ok(_) => Ok(text.to_owned()),
        // The rest of its words draws the place.
        Err(error) => {
            let said = error.to_string();
            let why = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Err(format!("`{text}` is no regular expression: {why}"))
        }
    }
}

/// A moment as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// So long ago.
    Ago(SignedDuration),
    /// Then.
    At(Timestamp),
}

/// A text that is no moment that has passed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither a time that has passed (90s, 10m, 2h, 3d) nor a date (2026-01-31, 2026-01-31T12:00)")]
pub struct BadMoment(String);

impl FromStr for Moment {
    type Err = BadMoment;

    /// How long ago, or a date; one without an offset is of this place.
    fn from_str(text: &str) -> Result<Self, BadMoment> {
        let here = |date: jiff::civil::DateTime| date.to_zoned(TimeZone::system()).ok().map(|at| at.timestamp());
        let date = text.parse().ok().or_else(|| text.parse().ok().and_then(here));
        let ago = || SignedDuration::try_from(duration::parse(text).ok()?).ok();
        date.map(Moment::At).or_else(|| ago().map(Moment::Ago)).ok_or_else(|| BadMoment(text.to_owned()))
    }
}

impl Moment {
    /// When that was, or the beginning of all time.
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::Ago(ago) => now.checked_sub(ago).unwrap_or(Timestamp::MIN),
            Moment::At(at) => at,
        }
    }
}

/// The same, by the clock of this host.
pub fn moment(text: &str) -> Result<Timestamp, BadMoment> {
    text.parse::<Moment>().map(|moment| moment.before(Timestamp::now()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::launchpad::words::id_line;

    #[test]
    fn ids_as_people_type_them() {
        let of = |text: &str| text.parse::<Ids>().map(|ids| ids.0);
        assert_eq!(of("7"), Ok(vec![7]));
        assert_eq!(of("1,2,5-9"), Ok(vec![1, 2, 5, 6, 7, 8, 9]));
        assert_eq!(of("1, 2, 2"), Ok(vec![1, 2]));
        for wrong in ["", "a", "1,", "9-5", "-1", "1-999999999999", "1-2-3"] {
            assert_eq!(of(wrong), Err(BadIds(wrong.into())), "{wrong}");
        }
        for printed in [vec![7], vec![1, 2, 3, 7, 8, 10], vec![9, 8, 1, 2, 3, 4]] {
            assert_eq!(of(&id_line(printed.iter().copied())), Ok(printed));
        }
    }

    #[test]
    fn moments_are_dates_or_so_long_ago() {
        assert_eq!(moment("2026-01-31T12:00:00Z"), Ok("2026-01-31T12:00:00Z".parse().expect("a date")));
        let midnight = jiff::civil::date(2026, 1, 31).to_zoned(TimeZone::system()).expect("a day").timestamp();
        assert_eq!(moment("2026-01-31"), Ok(midnight));
        let then = moment("2h").expect("a duration");
        assert_eq!(Timestamp::now().duration_since(then).as_hours(), 2);
        for wrong in ["", "yesterday", "2026-13-01", "-2h"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_texts_or_regular_expressions() {
        assert_eq!(name_pattern("relax (1)"), Ok(NamePattern::Exactly("relax (1)".into())));
        assert_eq!(name_pattern("re:^relax"), Ok(NamePattern::Like("^relax".into())));
        assert!(name_pattern("re:(").is_err());
    }
}
