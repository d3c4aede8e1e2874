//! What `get_fws` and `get_wflows` have in common: how much of what, in which order.

use std::str::FromStr;

use anyhow::Result;
use clap::ValueEnum;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::cli::output::{self, Format};
use crate::cli::select::SelectArgs;
use crate::launchpad::listing::Detail;
use crate::store::{Direction, SortKey};
use crate::workflow::{FwId, time};

/// Options of a listing.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub select: SelectArgs,

    /// How much is shown
    #[arg(short, long = "display_format", value_enum, default_value_t = Display::Less, ignore_case = true)]
    pub display: Display,

    /// At most so many; 0 for all
    #[arg(short, long, default_value_t = 0, hide_default_value = true)]
    pub max: usize,

    /// Oldest first
    #[arg(long, value_enum, value_name = "KEY", conflicts_with = "rsort")]
    sort: Option<Key>,

    /// Newest first
    #[arg(long, value_enum, value_name = "KEY")]
    rsort: Option<Key>,
}

/// FireWorks' display formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Display {
    /// Ids only
    Ids,
    /// How many there are
    Count,
    /// State, name and dates
    Less,
    /// And launches, or the fireworks of each workflow
    More,
    /// Everything, as JSON
    All,
}

impl Display {
    /// The detail of those that show documents.
    pub fn detail(self) -> Option<Detail> {
        match self {
            Display::Ids | Display::Count => None,
            Display::Less => Some(Detail::Less),
            Display::More => Some(Detail::More),
            Display::All => Some(Detail::All),
        }
    }
}

/// A display format, or none: what FireWorks' detections take.
#[derive(Debug, Clone, Copy)]
pub struct Shown(pub Option<Display>);

impl FromStr for Shown {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        if text.eq_ignore_ascii_case("none") {
            return Ok(Shown(None));
        }
        Display::from_str(text, true).map(|display| Shown(Some(display)))
    }
}

/// What can be sorted by.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Key {
    /// Date of creation
    CreatedOn,
    /// Date of the last change
    UpdatedOn,
}

impl From<Key> for SortKey {
    fn from(key: Key) -> Self {
        match key {
            Key::CreatedOn => SortKey::CreatedOn,
            Key::UpdatedOn => SortKey::UpdatedOn,
        }
    }
}

impl ListArgs {
    /// The order that was asked for.
    pub fn sort(&self) -> Option<(SortKey, Direction)> {
        let ascending = self.sort.map(|key| (key.into(), Direction::Ascending));
        ascending.or(self.rsort.map(|key| (key.into(), Direction::Descending)))
    }
}

/// Prints ids: on a terminal in one line that `-i` takes.
pub fn print_ids(format: Format, ids: impl Iterator<Item = FwId>) -> Result<()> {
    if format == Format::Table {
        return output::text(&ids.map(|id| id.to_string()).collect::<Vec<_>>().join(","));
    }
    output::list(format, ids.map(Value::from).collect())
}

/// A stored date in the reader's time zone, to the second.
pub fn local_time(date: &Value) -> String {
    let at = date.as_str().and_then(time::from_text);
    at.map_or_else(String::new, |at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
}
