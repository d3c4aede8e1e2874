//! `lpad get_wflows`: workflows.

use std::collections::BTreeMap;

use anyhow::Result;
use bson::Document;

use super::Context;
use super::listing::{Display, ListArgs, local_time, print_ids, stream, up_to};
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, Cell, Format, List, Table};
use crate::cli::select::SelectArgs;
use crate::launchpad::listing::{self, Detail};
use crate::launchpad::progress::count_words;
use crate::store::{SortKey, Store};
use crate::workflow::json::from_bson;
use crate::workflow::{State, int_list};

/// Arguments of `lpad get_wflows`.
#[derive(Debug, clap::Args)]
#[command(after_help = SHAPE)]
pub struct Args {
    #[command(flatten)]
    select: SelectArgs,

    #[command(flatten)]
    pub list: ListArgs,

    /// As a table, also in a pipe
    #[arg(short, long)]
    table: bool,
}

const SHAPE: &str = "\
With -o json, as FireWorks: {state, name, created_on, states_list} with -d less, name being NAME--ID; updated_on, \
states and launch_dirs by NAME--ID with -d more; links, parent_links and metadata, too, with -d all; states and launches \
with their reservation_id with -d reservations. One workflow stands alone, several are a list, none is []; -o jsonl has \
one in each line. -d ids and -o ids name a workflow by one of its fireworks.";

/// So many workflows have their fireworks and launches read at once.
const TOGETHER: usize = 100;

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let list = &args.list;
    let sort = list.sort();
    if matches!(sort, Some((SortKey::Priority, _))) {
        return Err(failure(Exit::Usage, "workflows have no priority, their fireworks have: sort by something else"));
    }
    if args.table && context.text_or().is_some() {
        return Err(failure(Exit::Usage, "-t prints a table, -o another format: leave one of them out"));
    }
    let store = context.open()?;
    let query = args.select.selection().workflows(&*store, sort)?;
    let format = if args.table { Format::Table } else { context.format };
    let display = list.display(format);
    match display.detail() {
        None if display == Display::Count => {
            output::value(format, &up_to(query.limit, store.count_workflows(&query)?).into())?;
        }
        None => {
            let mut ids = Vec::new();
            let mut collect = |some: Vec<Document>| {
                ids.extend(some.iter().filter_map(listing::workflow_id));
                Ok(())
            };
            stream(|take| store.each_workflow(&query, take), &mut collect)?;
            print_ids(format, ids)?;
        }
        Some(Detail::Less) if format == Format::Table => overview(&store.find_workflows(&query)?)?,
        Some(Detail::More) if format == Format::Table => members(&*store, &store.find_workflows(&query)?)?,
        Some(detail) => {
            let mut out = List::new(format);
            let push = |some: Vec<Document>| {
                some.chunks(TOGETHER).try_for_each(|some| {
                    listing::workflows(&*store, some, detail)?.into_iter().try_for_each(|value| out.push(value))
                })
            };
            stream(|take| store.each_workflow(&query, take), push)?;
            out.end()?;
        }
    }
    Ok(Exit::Done)
}

/// A line for each workflow.
fn overview(found: &[Document]) -> Result<()> {
    let mut table = Table::new(&["id", "state", "name", "created", "fireworks"]);
    for workflow in found {
        table.row([
            id(workflow),
            state(workflow),
            workflow.get_str("name").unwrap_or_default().into(),
            local_time(&workflow.get("created_on").map(from_bson).unwrap_or_default()).into(),
            counts(workflow).into(),
        ]);
    }
    table.print("no workflows")
}

/// A line for each firework.
fn members(store: &dyn Store, found: &[Document]) -> Result<()> {
    let mut table = Table::new(&["workflow", "of", "id", "state", "name", "directory"]);
    for some in found.chunks(TOGETHER) {
        let members = listing::members(store, some)?;
        for workflow in some {
            let mut nodes = int_list(workflow.get("nodes"));
            nodes.sort_unstable();
            for (firework, launches) in nodes.iter().filter_map(|id| members.get(id)) {
                table.row([
                    id(workflow),
                    workflow.get_str("name").unwrap_or_default().into(),
                    firework.fw_id.to_string().into(),
                    firework.state.into(),
                    firework.name.as_str().into(),
                    launches.last().map_or("", |launch| launch.launch_dir.as_str()).into(),
                ]);
            }
        }
    }
    table.print("no workflows")
}

fn id(workflow: &Document) -> Cell {
    listing::workflow_id(workflow).map_or_else(String::new, |id| id.to_string()).into()
}

fn state(workflow: &Document) -> Cell {
    let text = workflow.get_str("state").unwrap_or_default();
    text.parse::<State>().map_or_else(|_| text.into(), Cell::State)
}

/// `3 COMPLETED, 1 READY`
fn counts(workflow: &Document) -> String {
    let mut counts = BTreeMap::new();
    listing::states(workflow).into_values().for_each(|state| *counts.entry(state).or_default() += 1);
    count_words(&counts)
}
