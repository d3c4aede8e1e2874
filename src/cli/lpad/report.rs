//! `lpad report`: FireWorks' text blocks; JSON where it is asked for.

use std::fmt::Write as _;

use anyhow::Result;
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::select::query;
use crate::launchpad::report::{self, Interval, Period};
use crate::store::tally::Counted;

/// Arguments of `lpad report`.
#[derive(Debug, clap::Args)]
#[command(after_help = SHAPE)]
pub struct Args {
    /// What is counted [FireWorks: -c]
    #[arg(long, value_enum, default_value_t = Collection::Fws, ignore_case = true)]
    collection: Collection,

    /// How long a period is
    #[arg(short, long, value_enum, default_value_t = Length::Days, ignore_case = true)]
    interval: Length,

    /// How many periods; 0 for all there ever were
    #[arg(short, long = "num_intervals", default_value_t = 5, value_name = "NUMBER")]
    number: u32,

    /// Only what matches, in MongoDB's language, as JSON or as Python
    #[arg(short, long, value_name = "QUERY", value_parser = query)]
    query: Option<bson::Document>,
}

const SHAPE: &str = "\
Fireworks and workflows are counted by the date of their last change, launches by that of their end, in UTC. \
With -o json: a list of {date_key, states: {STATE: number}, count, completed_score}, newest first.";

/// What is counted.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Collection {
    /// Fireworks
    #[value(alias = "fireworks")]
    Fws,
    /// Workflows
    #[value(alias = "workflows")]
    Wflows,
    /// Launches
    Launches,
}

/// FireWorks' intervals.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Length {
    Minutes,
    Hours,
    Days,
    Months,
    Years,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let (name, of) = match args.collection {
        Collection::Fws => ("fws", Counted::Fireworks),
        Collection::Wflows => ("wflows", Counted::Workflows),
        Collection::Launches => ("launches", Counted::Launches),
    };
    let interval = match args.interval {
        Length::Minutes => Interval::Minutes,
        Length::Hours => Interval::Hours,
        Length::Days => Interval::Days,
        Length::Months => Interval::Months,
        Length::Years => Interval::Years,
    };
    let periods = report::report(&*store, of, interval, args.number, args.query.clone(), Timestamp::now())?;
    match context.text_or() {
        Some(format) => output::rows(format, periods.iter().map(value).collect())?,
        None => output::text(&text(name, &periods))?,
    }
    Ok(Exit::Done)
}

fn value(period: &Period) -> Value {
    let states: Map<String, Value> =
        period.states.iter().map(|(state, count)| (state.as_str().to_owned(), (*count).into())).collect();
    json!({
        "date_key": period.date_key,
        "states": states,
        "count": period.count(),
        "completed_score": period.completed_score(),
    })
}

fn text(name: &str, periods: &[Period]) -> String {
    let title = format!("Stats on {name}");
    let line = "-".repeat(title.len());
    let mut text = format!("{line}\n{title}\n{line}\n");
    if periods.is_empty() {
        return text + "There are no stats to display for the chosen time period.";
    }
    for period in periods {
        let head = format!("Stats for time-period {}\n", period.date_key);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{head}{}", "=".repeat(head.len()));
        for (state, count) in &period.states {
            let _ = writeln!(text, "{state} : {count}");
        }
        let _ = write!(text, "\ntotal : {}\nC/(C+F) : {:.1}%\n\n", period.count(), period.completed_score());
    }
    text
}
