//! `lpad get_fws`: fireworks.

use anyhow::Result;

use super::Context;
use super::listing::{Display, ListArgs, local_time, print_ids};
use super::{lost, unable};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, Table};
use crate::launchpad::Selection;
use crate::launchpad::listing::{self, Detail};
use crate::store::Store;
use crate::workflow::Firework;

/// Arguments of `lpad get_fws`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    list: ListArgs,

    /// That this queue job was submitted for, or ran; the id of an array stands for all its elements
    #[arg(long, value_name = "ID")]
    qid: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let list = &args.list;
    let selection = Selection { job: args.qid.clone(), ..list.select.selection() };
    let query = selection.fireworks(&*store, list.sort(), list.max)?;
    if list.display == Display::Count {
        output::value(context.format, &store.count_fireworks(&query)?.into())?;
        return Ok(Exit::Done);
    }
    let found = store.find_fireworks(&query)?;
    show(context.format, &*store, &found, list.display)?;
    Ok(Exit::Done)
}

/// Shows fireworks.
pub fn show(format: Format, store: &dyn Store, found: &[Firework], display: Display) -> Result<()> {
    match display.detail() {
        None if display == Display::Count => output::value(format, &found.len().into()),
        None => print_ids(format, found.iter().map(|firework| firework.fw_id)),
        Some(detail @ (Detail::Less | Detail::More)) if format == Format::Table => {
            table(store, found, detail)?;
            let mut lines = unable::lines(store, found)?.into_iter().chain(lost::lines(store, found)?);
            lines.try_for_each(|line| output::text(&line))
        }
        Some(detail) => output::list(format, listing::fireworks(store, found, detail)?),
    }
}

fn table(store: &dyn Store, found: &[Firework], detail: Detail) -> Result<()> {
    let dirs = detail == Detail::More;
    let mut table = Table::new(if dirs {
        &["id", "state", "name", "created", "updated", "launches", "directory"]
    } else {
        &["id", "state", "name", "created", "updated"]
    });
    let shown = listing::fireworks(store, found, detail)?;
    for (firework, shown) in found.iter().zip(&shown) {
        let date = |key| Cell::from(local_time(&shown[key]));
        let mut row = vec![
            Cell::from(firework.fw_id.to_string()),
            firework.state.into(),
            firework.name.as_str().into(),
            date("created_on"),
            date("updated_on"),
        ];
        if dirs {
            let last = shown["launches"].as_array().and_then(|launches| launches.last());
            row.push(firework.launches.len().to_string().into());
            row.push(last.and_then(|launch| launch["launch_dir"].as_str()).unwrap_or_default().into());
        }
        table.row(row);
    }
    table.print("no fireworks")
}
