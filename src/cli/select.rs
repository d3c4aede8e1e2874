//! Selections as they are typed: `-i 1,2,5-9`, `-s FIZZLED`, `-n re:^relax`, `--since 2h`.

use std::str::FromStr;

use bson::Document;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::cli::literal;
use crate::launchpad::Selection;
use crate::store::{Author, NamePattern};
use crate::workflow::{FwId, State, duration};

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

/// Ids as they are typed, or none: what `$(lpad get_fws -s FIZZLED -o ids)` stands for may be empty.
fn ids_or_none(text: &str) -> Result<Ids, BadIds> {
    if text.trim().is_empty() { Ok(Ids(Vec::new())) } else { text.parse() }
}

/// Each id once, where it came first.
fn once(mut ids: Vec<FwId>) -> Vec<FwId> {
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(*id));
    ids
}

/// A query in MongoDB's language as it is typed.
pub fn query(text: &str) -> Result<Document, literal::BadLiteral> {
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
fn pattern(text: &str) -> Result<String, String> {
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

/// A moment as it is typed: how long ago, or a date; one without an offset is of this place.
pub fn moment(text: &str) -> Result<Timestamp, String> {
    let here = |date: jiff::civil::DateTime| date.to_zoned(TimeZone::system()).ok().map(|at| at.timestamp());
    let date = text.parse().ok().or_else(|| text.parse().ok().and_then(here));
    let ago = || {
        let ago = SignedDuration::try_from(duration::parse(text).ok()?).ok()?;
        Timestamp::now().checked_sub(ago).ok()
    };
    date.or_else(ago).ok_or_else(|| {
        format!(
            "`{text}` is neither a time that has passed (90s, 10m, 2h, 3d) nor a date (2026-01-31, 2026-01-31T12:00)"
        )
    })
}

/// Which fireworks or workflows are meant: those for which all that is said holds.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SelectArgs {
    /// Ids of fireworks: 7 or 1,2,5-9; of a workflow any firework in it
    #[arg(short = 'i', long = "fw_id", value_name = "IDS", num_args = 0..=1, default_missing_value = "", value_parser = ids_or_none)]
    ids: Vec<Ids>,

    /// Of exactly this name, or re:REGEX for names in which that is found
    #[arg(short = 'n', long, value_parser = name_pattern)]
    name: Option<NamePattern>,

    /// In this state, or in one of several: READY,RUNNING
    #[arg(short = 's', long, value_delimiter = ',', value_name = "STATE")]
    state: Vec<State>,

    /// That match in MongoDB's language, as JSON or as Python: '{"spec.formula": "Si2"}'
    #[arg(short = 'q', long, value_name = "QUERY", value_parser = query)]
    query: Option<Document>,

    /// Ask -q of the launches: fireworks with such a launch [FireWorks: -lm]
    #[arg(long = "launches_mode", requires = "query")]
    launches_mode: bool,

    /// That this queue job was submitted for, or ran; the id of an array stands for all its elements
    #[arg(long, value_name = "JOB")]
    qid: Option<String>,

    /// That have changed since: 2h (ago), or a date such as 2026-01-31
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Timestamp>,

    /// FIZZLED fireworks in whose last error (trace, message, or why the run was lost) this is found
    #[arg(long = "failed-with", value_name = "REGEX", value_parser = pattern)]
    failed_with: Option<String>,

    /// In workflows that I have added
    #[arg(long)]
    mine: bool,

    /// All that is said is about workflows, and all their fireworks are meant [FireWorks: -wf]
    #[arg(long)]
    wf: bool,

    /// At most so many, the first ones; 0 for all
    #[arg(short, long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    max: usize,
}

impl SelectArgs {
    /// What is meant.
    pub fn selection(&self) -> Selection {
        let ids = self.ids.iter().flat_map(|ids| &ids.0).copied().collect();
        let (query, launch_query) = match self.launches_mode {
            true => (None, self.query.clone()),
            false => (self.query.clone(), None),
        };
        let selection = Selection {
            ids: (!self.ids.is_empty()).then(|| once(ids)),
            states: self.state.clone(),
            name: self.name.clone(),
            query,
            launch_query,
            job: self.qid.clone(),
            since: self.since,
            failed_with: self.failed_with.clone(),
            owner: self.mine.then(|| Author::here().user.clone()),
            workflows: None,
            limit: self.max,
        };
        match self.wf {
            true => Selection { limit: self.max, workflows: Some(Box::new(selection)), ..Selection::default() },
            false => selection,
        }
    }
}

/// What is said of selections below the options of a change.
const RULES: &str = "\
All conditions must hold. Where nothing fits, and where an id does not exist, nothing is changed, and the exit code is 4. \
Verbs on workflows: -n, -s, -q and --since are about the workflow (-s is its state, not that of its fireworks); -i, -lm, \
--qid and --failed-with mean the workflows with such a firework.";

/// Which fireworks or workflows to change: something must be said.
#[derive(Debug, Clone, clap::Args)]
#[command(group = clap::ArgGroup::new("selector").required(true).multiple(true)
    .args(["ids", "name", "state", "query", "qid", "since", "failed_with", "mine"]), after_help = RULES)]
pub struct RequiredSelectArgs {
    #[command(flatten)]
    args: SelectArgs,
}

impl RequiredSelectArgs {
    /// What is meant.
    pub fn selection(&self) -> Selection {
        self.args.selection()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_as_people_type_them() {
        let of = |text: &str| text.parse::<Ids>().map(|ids| ids.0);
        assert_eq!(of("7"), Ok(vec![7]));
        assert_eq!(of("1,2,5-9"), Ok(vec![1, 2, 5, 6, 7, 8, 9]));
        assert_eq!(of("1, 2, 2"), Ok(vec![1, 2]));
        for wrong in ["", "a", "1,", "9-5", "-1", "1-999999999999", "1-2-3"] {
            assert_eq!(of(wrong), Err(BadIds(wrong.into())), "{wrong}");
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
