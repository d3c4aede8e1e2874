//! `lpad results -i ID`: energies and forces of a workflow at a glance.

use anyhow::Result;
use serde_json::{Value, json};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, SummaryColumns, Table};
use crate::launchpad::results::{FireworkResult, results};
use crate::recipes::Summary;
use crate::workflow::FwId;

/// Arguments of `lpad results`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Any firework of the workflow
    #[arg(short = 'i', long = "fw_id", value_name = "ID")]
    fw_id: FwId,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let found = results(&*store, args.fw_id)?;
    if context.format == Format::Table {
        table(&found)?;
    } else {
        // Always a list, however many fireworks there are: this is no listing of FireWorks.
        let rows = found.iter().flat_map(|firework| rows(firework).map(move |row| value(firework, row)));
        output::value(context.format, &rows.collect())?;
    }
    Ok(Exit::Done)
}

fn table(found: &[FireworkResult]) -> Result<()> {
    let columns = SummaryColumns::of(found.iter().flat_map(|firework| &firework.summaries));
    let mut table = Table::new(&[&["id", "name", "state"], columns.head().as_slice(), &["directory"]].concat());
    for firework in found {
        for row in rows(firework) {
            let start: [Cell; 3] =
                [firework.fw_id.to_string().into(), firework.name.as_str().into(), firework.state.into()];
            let directory = firework.directory.as_deref().unwrap_or_default();
            table.row(start.into_iter().chain(columns.cells(row)).chain([directory.into()]));
        }
    }
    table.print("no fireworks")?;
    found.iter().filter(|firework| !firework.collected.is_empty()).try_for_each(collected)
}

/// What one firework has collected from others.
fn collected(firework: &FireworkResult) -> Result<()> {
    let rows: Vec<(&Value, Summary)> =
        firework.collected.iter().filter_map(|row| Some((row, Summary::from_value(row)?))).collect();
    // Other tasks, too, may store a list of this name.
    if rows.is_empty() {
        return Ok(());
    }
    let columns = SummaryColumns::of(rows.iter().map(|(_, row)| row));
    let mut table = Table::new(&[&["id"], columns.head().as_slice()].concat());
    for (row, summary) in &rows {
        let id = row["fw_id"].as_i64().map(|id| id.to_string()).unwrap_or_default();
        table.row([id.into()].into_iter().chain(columns.cells(Some(summary))));
    }
    output::text(&format!("\nCollected by firework {} ({}):", firework.fw_id, firework.name))?;
    table.print("nothing")
}

/// A row for each structure, but one for every firework.
fn rows(firework: &FireworkResult) -> impl Iterator<Item = Option<&Summary>> {
    let none = firework.summaries.is_empty().then_some(None);
    firework.summaries.iter().map(Some).chain(none)
}

fn value(firework: &FireworkResult, summary: Option<&Summary>) -> Value {
    let mut value = json!({
        "fw_id": firework.fw_id,
        "name": firework.name,
        "state": firework.state.as_str(),
        "formula": summary.map(|summary| summary.formula.as_str()),
        "energy": summary.map(|summary| summary.energy),
        "max_force": summary.map(|summary| summary.max_force),
        "steps": summary.and_then(|summary| summary.steps),
        "converged": summary.and_then(|summary| summary.converged),
        "directory": firework.directory,
    });
    if let Some(summary) = summary.filter(|summary| summary.miller_index.is_some()) {
        value["miller_index"] = json!(summary.miller_index);
        value["shift"] = json!(summary.shift);
        value["surface_energy"] = json!(summary.surface_energy);
    }
    if !firework.collected.is_empty() {
        value["collected"] = json!(firework.collected);
    }
    value
}
