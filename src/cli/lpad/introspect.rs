//! `lpad introspect`: FireWorks' tables of what FIZZLED fireworks have in common.

use anyhow::Result;
use serde_json::{Value, json};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Column, tabulate};
use crate::launchpad::introspect::{Place, Trait, introspect};

/// Arguments of `lpad introspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = SHAPE)]
pub struct Args {
    /// Look at so many of each state, the last ones
    #[arg(short, long, default_value_t = 100, value_name = "NUMBER")]
    max: usize,

    /// Show what differs by so many per cent between FIZZLED and COMPLETED
    #[arg(short, long, default_value_t = 10.0, value_name = "PERCENT")]
    threshold: f64,
}

const SHAPE: &str = "\
With -o json: a list of {place, key, value, completed, fizzled, difference}, place by place.";

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let found = introspect(&*store, args.max, args.threshold)?;
    match context.text_or() {
        Some(format) => {
            let of =
                |(place, traits): &(Place, Vec<Trait>)| traits.iter().map(|one| value(*place, one)).collect::<Vec<_>>();
            output::rows(format, found.iter().flat_map(of).collect())?;
        }
        None => found.iter().try_for_each(|(place, traits)| output::text(&output::printable(&text(*place, traits))))?,
    }
    Ok(Exit::Done)
}

fn value(place: Place, one: &Trait) -> Value {
    json!({
        "place": place.path(),
        "key": one.key,
        "value": one.value,
        "completed": one.completed,
        "fizzled": one.fizzled,
        "difference": one.difference,
    })
}

fn text(place: Place, traits: &[Trait]) -> String {
    let title = format!("Introspection report for {}", place.path());
    let line = "=".repeat(title.len());
    let head = format!("{line}\n{title}\n{line}\n");
    if place == Place::Stacktraces {
        let one = |one: &Trait| {
            format!("----{} Failures have the following stack trace--------------\n{}\n\n", one.fizzled, one.value)
        };
        return head + &traits.iter().map(one).collect::<String>();
    }
    let words = |of: fn(&Trait) -> &String| Column::Words(traits.iter().map(of).cloned().collect());
    let table = tabulate(&[
        ("key", words(|one| &one.key)),
        ("value", words(|one| &one.value)),
        ("#C", Column::Whole(traits.iter().map(|one| one.completed).collect())),
        ("#F", Column::Whole(traits.iter().map(|one| one.fizzled).collect())),
        ("%C - %F", Column::Numbers(traits.iter().map(|one| one.difference).collect())),
    ]);
    format!("{head}{table}\n")
}
