//! `lpad results -i ID`: energies and forces of a workflow at a glance.

use anyhow::Result;
use serde_json::{Value, json};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Format, Table};
use crate::launchpad::results::{FireworkResult, results};
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
        output::value(context.format, &found.iter().map(value).collect())?;
    }
    Ok(Exit::Done)
}

fn table(found: &[FireworkResult]) -> Result<()> {
    let head = ["id", "name", "state", "formula", "energy (eV)", "max force (eV/Å)", "steps", "converged", "directory"];
    let mut table = Table::new(&head);
    for firework in found {
        let of =
            |show: &dyn Fn(&crate::recipes::Summary) -> String| firework.summary.as_ref().map(show).unwrap_or_default();
        let yes = |yes: bool| if yes { "yes" } else { "no" };
        table.row([
            firework.fw_id.to_string().into(),
            firework.name.as_str().into(),
            firework.state.into(),
            of(&|summary| summary.formula.clone()).into(),
            of(&|summary| format!("{:.6}", summary.energy)).into(),
            of(&|summary| format!("{:.6}", summary.max_force)).into(),
            of(&|summary| summary.steps.map(|steps| steps.to_string()).unwrap_or_default()).into(),
            of(&|summary| summary.converged.map(yes).unwrap_or_default().to_owned()).into(),
            firework.directory.as_deref().unwrap_or_default().into(),
        ]);
    }
    table.print("no fireworks")
}

fn value(firework: &FireworkResult) -> Value {
    let summary = firework.summary.as_ref();
    json!({
        "fw_id": firework.fw_id,
        "name": firework.name,
        "state": firework.state.as_str(),
        "formula": summary.map(|summary| summary.formula.as_str()),
        "energy": summary.map(|summary| summary.energy),
        "max_force": summary.map(|summary| summary.max_force),
        "steps": summary.and_then(|summary| summary.steps),
        "converged": summary.and_then(|summary| summary.converged),
        "directory": firework.directory,
    })
}
