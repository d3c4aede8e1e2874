//! `lpad errors`: failures, grouped by their cause.

use anyhow::Result;
use serde_json::{Value, json};

use super::Context;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, Cell, Format, Ink, Table, paint};
use crate::cli::select::SelectArgs;
use crate::cli::watch::WatchArgs;

use crate::launchpad::errors::{Group, groups};
use crate::store::Store;
use crate::workflow::{FwId, time};

/// Arguments of `lpad errors`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    select: SelectArgs,

    /// One group: its fireworks, and all that the last of them said
    #[arg(short, long, value_name = "N")]
    group: Option<usize>,

    /// At most so many groups, the largest; 0 for all
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    top: usize,

    #[command(flatten)]
    pub watch: WatchArgs,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let mut found = groups(&*store, &args.select.selection())?;
    if let Some(number) = args.group {
        let count = found.len();
        let group = number.checked_sub(1).and_then(|place| found.get(place));
        let known = if count == 0 { "nothing has failed".to_owned() } else { format!("they go from 1 to {count}") };
        let group = group.ok_or_else(|| failure(Exit::Error, format!("there is no group {number}: {known}")))?;
        return one(context, &*store, group);
    }
    if args.top > 0 {
        found.truncate(args.top);
    }
    match context.format {
        Format::Table => overview(&found)?,
        Format::Ids => {
            let mut ids: Vec<FwId> = found.into_iter().flat_map(|group| group.fw_ids).collect();
            ids.sort_unstable();
            super::listing::print_ids(Format::Ids, ids)?;
        }
        format => output::rows(format, found.iter().map(value).collect())?,
    }
    Ok(Exit::Done)
}

/// A line for each group, and how to go on.
fn overview(found: &[Group]) -> Result<()> {
    table(found).print("no failures")?;
    if !found.is_empty() {
        output::text("")?;
        for (command, does) in [
            ("lpad errors --group N           ", "shows one group"),
            ("lpad rerun_fws --error-group N  ", "runs its fireworks again"),
        ] {
            output::fitting(command, &paint(does, Ink::Faint), does)?;
        }
    }
    Ok(())
}

/// Groups as a table.
pub fn table(found: &[Group]) -> Table {
    let mut table = Table::new(&["group", "count", "cause", "last", "fireworks", "at"]);
    for group in found {
        table.row([
            Cell::from(group.number.to_string()),
            group.fw_ids.len().to_string().into(),
            group.cause.words().into(),
            group.newest.into(),
            examples(&group.fw_ids).into(),
            group.cause.place.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}

/// Ids as `-i` takes them, and that there are more.
fn examples(ids: &[FwId]) -> String {
    const SHOWN: usize = 4;
    let shown = output::id_line(ids.iter().copied());
    let mut parts = shown.split(',');
    let some: Vec<&str> = parts.by_ref().take(SHOWN).collect();
    some.join(",") + if parts.next().is_some() { ",…" } else { "" }
}

/// `n1 (200), n2 (40)`
fn hosts(group: &Group) -> String {
    let mut hosts: Vec<(&String, &usize)> = group.hosts.iter().collect();
    hosts.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    hosts.iter().map(|(host, count)| format!("{host} ({count})")).collect::<Vec<_>>().join(", ")
}

fn one(context: &Context, store: &dyn Store, group: &Group) -> Result<Exit> {
    let said = store.failures(&[group.example])?.pop().and_then(|failure| failure.trace);
    match context.format {
        Format::Ids => super::listing::print_ids(Format::Ids, group.fw_ids.iter().copied())?,
        Format::Table => {
            let ids = output::id_line(group.fw_ids.iter().copied());
            output::text(&paint(&output::plain(&group.cause.words()), Ink::Strong))?;
            let count = output::number(group.fw_ids.len(), "firework");
            let last = group.newest.map_or_else(String::new, |at| format!(", the last one {}", output::moment(at)));
            output::text(&format!("{count}{last}"))?;
            for (name, words) in [
                ("task", group.cause.task.clone().unwrap_or_default()),
                ("at", group.cause.place.clone().unwrap_or_default()),
                ("hosts", hosts(group)),
                ("ids", ids),
            ] {
                if !words.is_empty() {
                    output::text(&format!("{name:<6} {}", output::plain(&words)))?;
                }
            }
            if let Some(said) = said {
                output::text("")?;
                said.lines().try_for_each(|line| output::wrapped("", line))?;
            }
        }
        format => {
            let mut value = value(group);
            value["trace"] = json!(said);
            output::value(format, &value)?;
        }
    }
    Ok(Exit::Done)
}

/// A group as data.
pub fn value(group: &Group) -> Value {
    json!({
        "group": group.number,
        "count": group.fw_ids.len(),
        "cause": group.cause.words(),
        "exception": group.cause.exception,
        "message": group.cause.message,
        "task": group.cause.task,
        "at": group.cause.place,
        "last": group.newest.map(time::to_iso),
        "hosts": group.hosts,
        "fw_ids": group.fw_ids,
        "example_launch": group.example,
    })
}
