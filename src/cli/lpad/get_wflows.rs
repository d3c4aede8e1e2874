//! `lpad get_wflows`: workflows.

use anyhow::Result;
use bson::Document;

use super::Context;
use super::listing::{Display, ListArgs, local_time, print_ids};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, Table};
use crate::launchpad::listing::{self, Detail};
use crate::store::{FireworkQuery, Store};
use crate::workflow::json::from_bson;
use crate::workflow::{State, int_list};

pub fn run(context: &Context, list: &ListArgs) -> Result<Exit> {
    let store = context.open()?;
    let found = store.find_workflows(&list.select.selection().workflows(&*store, list.sort(), list.max)?)?;
    match list.display.detail() {
        None if list.display == Display::Count => output::value(context.format, &found.len().into())?,
        None => print_ids(context.format, found.iter().filter_map(listing::workflow_id))?,
        Some(Detail::Less) if context.format == Format::Table => overview(&found)?,
        Some(Detail::More) if context.format == Format::Table => members(&*store, &found)?,
        Some(detail) => output::list(context.format, listing::workflows(&*store, &found, detail)?)?,
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
    for workflow in found {
        let query = FireworkQuery { ids: Some(int_list(workflow.get("nodes"))), ..FireworkQuery::default() };
        let fireworks = store.find_fireworks(&query)?;
        let last: Vec<i64> = fireworks.iter().filter_map(|firework| firework.launches.last().copied()).collect();
        let launches = store.find_launches(&last)?;
        for firework in &fireworks {
            let launch = launches.iter().find(|launch| firework.launches.last() == Some(&launch.launch_id));
            table.row([
                id(workflow),
                workflow.get_str("name").unwrap_or_default().into(),
                firework.fw_id.to_string().into(),
                firework.state.into(),
                firework.name.as_str().into(),
                launch.map_or("", |launch| launch.launch_dir.as_str()).into(),
            ]);
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
    let states = listing::states(workflow);
    let count = |wanted: State| states.values().filter(|&&state| state == wanted).count();
    let counts = State::ALL.into_iter().map(|state| (count(state), state)).filter(|(count, _)| *count > 0);
    counts.map(|(count, state)| format!("{count} {state}")).collect::<Vec<_>>().join(", ")
}
