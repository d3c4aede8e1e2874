//! `lpad get_fws`: fireworks.

use anyhow::Result;
use serde_json::Value;

use super::Context;
use super::listing::{Display, ListArgs, local_time, print_ids, stream, up_to};
use super::{lost, page};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, List, Table};
use crate::cli::select::SelectArgs;
use crate::launchpad::Selection;
use crate::launchpad::listing::{self, Detail};
use crate::store::{Fields, FireworkQuery, Store};
use crate::verbs::unable;
use crate::workflow::Firework;

/// Arguments of `lpad get_fws`.
#[derive(Debug, clap::Args)]
#[command(after_help = SHAPE)]
pub struct Args {
    #[command(flatten)]
    select: SelectArgs,

    #[command(flatten)]
    pub list: ListArgs,
}

/// What programs get to read.
pub const SHAPE: &str = "\
With -o json, as FireWorks: {fw_id, created_on, updated_on, state, name} with -d less; launches before state with -d \
more; spec first and archived_launches, too, with -d all. One firework stands alone, several are a list, none is []; \
-o jsonl has one in each line, however many there are. -o ids prints one line that -i takes: \
lpad rerun_fws -i $(lpad get_fws -s FIZZLED -o ids)";

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let selection = args.select.selection();
    if let (Format::Table, None, Some([fw_id])) = (context.format, args.list.display, selection.ids.as_deref())
        && output::is_terminal()
        && selection == (Selection { ids: selection.ids.clone(), ..Selection::default() })
    {
        page::show(context, &*store, *fw_id)?;
        return Ok(Exit::Done);
    }
    let query = selection.fireworks(&*store, args.list.sort())?;
    show_all(context.format, &*store, &query, &args.list)?;
    Ok(Exit::Done)
}

/// Shows the fireworks that match, some at a time.
pub fn show_all(format: Format, store: &dyn Store, query: &FireworkQuery, list: &ListArgs) -> Result<()> {
    let display = list.display(format);
    match display.detail() {
        None if display == Display::Count => {
            output::value(format, &up_to(query.limit, store.count_fireworks(query)?).into())
        }
        None => print_ids(format, store.firework_ids(query)?),
        Some(detail @ (Detail::Less | Detail::More | Detail::Reservations)) if format == Format::Table => {
            let mut rows = Rows::new(detail);
            // READY fireworks are asked what they need of a worker: that is in their specs.
            stream(|take| store.each_firework(query, Fields::Whole, take), |some| rows.add(store, &some))?;
            rows.print()
        }
        Some(detail) => {
            let fields = if detail < Detail::All { Fields::Head } else { Fields::Whole };
            let mut out = List::new(format);
            stream(|take| store.each_firework(query, fields, take), |some| push(&mut out, store, &some, detail))?;
            out.end()
        }
    }
}

/// Shows fireworks.
pub fn show(format: Format, store: &dyn Store, found: &[Firework], display: Display) -> Result<()> {
    match display.detail() {
        None if display == Display::Count => output::value(format, &found.len().into()),
        None => print_ids(format, found.iter().map(|firework| firework.fw_id)),
        Some(detail @ (Detail::Less | Detail::More | Detail::Reservations)) if format == Format::Table => {
            let mut rows = Rows::new(detail);
            rows.add(store, found)?;
            rows.print()
        }
        Some(detail) => {
            let mut out = List::new(format);
            push(&mut out, store, found, detail)?;
            out.end()
        }
    }
}

/// So many fireworks have their launches, with all that these have stored, read at once.
const TOGETHER: usize = 500;

fn push(out: &mut List, store: &dyn Store, found: &[Firework], detail: Detail) -> Result<()> {
    for some in found.chunks(TOGETHER) {
        listing::fireworks(store, some, detail)?.into_iter().try_for_each(|value| out.push(value))?;
    }
    Ok(())
}

/// The queue job that the last launch was submitted with.
fn reservation(shown: &Value) -> &str {
    let launch = shown["launches"].as_array().and_then(|launches| launches.last());
    let history = launch.and_then(|launch| launch["state_history"].as_array());
    history
        .and_then(|entries| entries.iter().rev().find_map(|entry| entry["reservation_id"].as_str()))
        .unwrap_or_default()
}

/// A table of fireworks that grows; what is not shown of them is not kept.
struct Rows {
    detail: Detail,
    table: Table,
    /// What else is said, below the table.
    lines: Vec<String>,
}

impl Rows {
    fn new(detail: Detail) -> Self {
        let table = Table::new(match detail {
            Detail::More => &["id", "state", "name", "created", "updated", "launches", "directory"],
            Detail::Reservations => &["id", "state", "name", "queue job"],
            _ => &["id", "state", "name", "created", "updated"],
        });
        Rows { detail, table, lines: Vec::new() }
    }

    fn add(&mut self, store: &dyn Store, found: &[Firework]) -> Result<()> {
        for some in found.chunks(TOGETHER) {
            let shown = listing::fireworks(store, some, self.detail)?;
            for (firework, shown) in some.iter().zip(&shown) {
                self.table.row(self.cells(firework, shown));
            }
            self.lines.extend(unable::lines(store, some)?);
            self.lines.extend(lost::lines(store, some)?);
        }
        Ok(())
    }

    fn cells(&self, firework: &Firework, shown: &Value) -> Vec<Cell> {
        if self.detail == Detail::Reservations {
            return vec![
                Cell::from(firework.fw_id.to_string()),
                firework.state.into(),
                firework.name.as_str().into(),
                reservation(shown).into(),
            ];
        }
        let date = |key| Cell::from(local_time(&shown[key]));
        let mut row = vec![
            Cell::from(firework.fw_id.to_string()),
            firework.state.into(),
            firework.name.as_str().into(),
            date("created_on"),
            date("updated_on"),
        ];
        if self.detail == Detail::More {
            let last = shown["launches"].as_array().and_then(|launches| launches.last());
            row.push(firework.launches.len().to_string().into());
            row.push(last.and_then(|launch| launch["launch_dir"].as_str()).unwrap_or_default().into());
        }
        row
    }

    fn print(&self) -> Result<()> {
        self.table.print("no fireworks")?;
        self.lines.iter().try_for_each(|line| output::text(&output::plain(line)))
    }
}
