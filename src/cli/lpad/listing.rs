//! What `get_fws` and `get_wflows` have in common: how much of what, in which order.

use std::ops::ControlFlow;
use std::str::FromStr;

use anyhow::Result;
use clap::ValueEnum;
use serde_json::Value;

use crate::cli::output::{self, Format};
use crate::cli::watch::WatchArgs;
use crate::launchpad::listing::Detail;
use crate::store::{self, Direction, SortKey, TakeSome};
use crate::workflow::{FwId, time};

/// How a listing is cut and sorted.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// How much is shown [default: less]
    #[arg(short, long = "display_format", value_enum, ignore_case = true)]
    pub display: Option<Display>,

    /// Lowest or oldest first; what is equal comes by id
    #[arg(long, value_enum, value_name = "KEY", ignore_case = true, conflicts_with = "rsort")]
    sort: Option<Key>,

    /// Highest or newest first
    #[arg(long, value_enum, value_name = "KEY", ignore_case = true)]
    rsort: Option<Key>,

    #[command(flatten)]
    pub watch: WatchArgs,
}

/// FireWorks' display formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Display {
    /// Ids only
    Ids,
    /// How many there are; where only states are asked for and there are over 20 000, as of 10 s ago at most
    Count,
    /// State, name and dates
    Less,
    /// And launches, or the fireworks of each workflow
    More,
    /// Everything, as JSON
    All,
    /// Of workflows, states and queue jobs; of fireworks, everything
    Reservations,
}

impl Display {
    /// The detail of those that show documents.
    pub fn detail(self) -> Option<Detail> {
        match self {
            Display::Ids | Display::Count => None,
            Display::Less => Some(Detail::Less),
            Display::More => Some(Detail::More),
            Display::All => Some(Detail::All),
            Display::Reservations => Some(Detail::Reservations),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
enum Key {
    /// The id; of a workflow the lowest one in it
    #[value(alias = "id")]
    FwId,
    /// The name
    Name,
    /// The state, by its name
    State,
    /// `_priority`; what has none is lowest. Of fireworks only
    Priority,
    /// How many launches a firework has, or fireworks a workflow
    #[value(aliases = ["launches", "fireworks"])]
    Size,
    /// Date of creation
    #[value(alias = "created")]
    CreatedOn,
    /// Date of the last change
    #[value(alias = "updated")]
    UpdatedOn,
}

impl From<Key> for SortKey {
    fn from(key: Key) -> Self {
        match key {
            Key::FwId => SortKey::FwId,
            Key::Name => SortKey::Name,
            Key::State => SortKey::State,
            Key::Priority => SortKey::Priority,
            Key::Size => SortKey::Size,
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

    /// How much is shown in this format.
    pub fn display(&self, format: Format) -> Display {
        match self.display.unwrap_or(Display::Less) {
            Display::Count => Display::Count,
            _ if format == Format::Ids => Display::Ids,
            display => display,
        }
    }
}

/// How many of so many are shown at most.
pub fn up_to(limit: usize, count: u64) -> u64 {
    if limit == 0 { count } else { count.min(limit as u64) }
}

/// Shows what a store finds, some at a time, until something cannot be shown.
pub fn stream<T>(
    each: impl FnOnce(&mut TakeSome<'_, T>) -> store::Result<()>,
    mut show: impl FnMut(Vec<T>) -> Result<()>,
) -> Result<()> {
    let mut shown = Ok(());
    each(&mut |some| {
        shown = show(some);
        if shown.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    shown
}

/// Prints ids: for people, and with `-o ids`, in one line that `-i` takes.
pub fn print_ids(format: Format, ids: impl IntoIterator<Item = FwId>) -> Result<()> {
    match format {
        Format::Table | Format::Ids => match output::id_line(ids).as_str() {
            "" => Ok(()),
            line => output::text(line),
        },
        _ => output::list(format, ids.into_iter().map(Value::from).collect()),
    }
}

/// A stored date as it suits the reader.
pub fn local_time(date: &Value) -> String {
    date.as_str().and_then(time::from_text).map_or_else(String::new, output::moment)
}
