//! `lpad events`: who did what, when.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, Table};
use crate::cli::select::{Ids, moment};
use crate::cli::watch::WatchArgs;
use crate::launchpad::events::{Entry, events};
use crate::launchpad::preview::shortened;
use crate::store::Author;
use crate::workflow::time;

/// Arguments of `lpad events`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Of these fireworks and their workflows, also what workers did: 7 or 1,2,5-9
    #[arg(short = 'i', long = "fw_id", value_name = "IDS")]
    ids: Option<Ids>,

    /// What was done since: 2h (ago), or a date such as 2026-01-31
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Timestamp>,

    /// What this user did
    #[arg(long, value_name = "NAME", conflicts_with = "mine")]
    user: Option<String>,

    /// What I did
    #[arg(long)]
    mine: bool,

    /// At most so many, the newest; 0 for all [default: 100 without -i, else all]
    #[arg(short, long, value_name = "N")]
    max: Option<usize>,

    #[command(flatten)]
    pub watch: WatchArgs,
}

/// So many are shown when nothing is said.
const MOST: usize = 100;

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let me = if args.mine { Some(Author::here().user.clone()) } else { None };
    let user = args.user.as_deref().or(me.as_deref());
    let ids = args.ids.as_ref().map(|ids| ids.0.as_slice());
    let most = args.max.unwrap_or(if ids.is_some() { 0 } else { MOST });
    let found = events(&*store, ids, user, args.since, most)?;
    match context.format {
        Format::Table => table(&found)?,
        format => output::rows(format, found.iter().map(value).collect())?,
    }
    Ok(Exit::Done)
}

fn table(found: &[Entry]) -> Result<()> {
    let mut table = Table::new(&["when", "what", "fireworks", "who", "host", "launch", "note"]);
    for entry in found {
        table.row([
            Cell::from(entry.at),
            entry.what.as_str().into(),
            about(entry).into(),
            entry.who.as_str().into(),
            entry.host.as_str().into(),
            entry.launch.map(|launch| launch.to_string()).unwrap_or_default().into(),
            entry.note.clone().unwrap_or_default().into(),
        ]);
    }
    table.print("no events")
}

/// `1-3,7`, `workflows 1,7`
fn about(entry: &Entry) -> String {
    let mut fw_ids = entry.fw_ids.clone();
    fw_ids.sort_unstable();
    let mut parts = Vec::new();
    if !fw_ids.is_empty() {
        parts.push(shortened(&fw_ids));
    }
    match entry.workflows.as_slice() {
        [] => {}
        [one] => parts.push(format!("workflow {one}")),
        several => parts.push(format!("workflows {}", shortened(several))),
    }
    parts.join(", ")
}

fn value(entry: &Entry) -> Value {
    json!({
        "at": time::to_iso(entry.at),
        "what": entry.what,
        "by": if entry.is_worker { "worker" } else { "user" },
        "who": entry.who,
        "host": entry.host,
        "fw_ids": entry.fw_ids,
        "workflows": entry.workflows,
        "launch_id": entry.launch,
        "note": entry.note,
    })
}
