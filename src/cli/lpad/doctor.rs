//! `lpad doctor`: what is not as it should be, in the launchpad and around it. Changes nothing unless
//! it is told to.

use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;
use rustix::fs::Access;
use serde_json::{Value, json};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, Table};
use crate::config::qadapter::QueueAdapter;
use crate::launchpad::doctor;
use crate::launchpad::lost::{self, Search};
use crate::store::{Finding, Mending, Store, Trouble};
use crate::verbs::queue::open_queue;
use crate::workflow::{Launch, Loss};

/// Arguments of `lpad doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Put right what can be put right without asking: what the dead have left half done, states,
    /// indexes, counters, launches that nobody waits for. Nothing is removed; what is left for a
    /// person is shown
    #[arg(long)]
    fix: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let mut found = doctor::examine(&*store, Timestamp::now())?;
    if args.fix && !found.is_empty() {
        let max_lost = context.settings.volley.max_lost;
        let mending = Mending { max_lost, witness: &context.here(&*store), ..Mending::default() };
        for done in doctor::fix(&*store, &found, &mending, Timestamp::now())? {
            tracing::info!("fixed: {done}");
        }
        found = doctor::examine(&*store, Timestamp::now())?;
    }
    found.extend(lost_runs(context, &*store, &found)?);
    found.extend(queue(context));
    found.extend(folder());
    if context.format == Format::Table {
        let mut table = Table::new(&["finding", "id", "what"]);
        for finding in &found {
            let id = finding.fw_id.map(|id| id.to_string()).unwrap_or_default();
            table.row([Cell::from(finding.trouble.as_str()), id.into(), finding.text.as_str().into()]);
        }
        table.print(&format!("{} is as it should be", store.describe()))?;
    } else {
        output::rows(context.format, found.iter().map(value).collect())?;
    }
    // As `grep` and its like: scripts ask whether there is anything.
    Ok(if found.is_empty() { Exit::Done } else { Exit::Error })
}

/// Runs that this host or its queue knows to be over, where nothing else has been found of them.
fn lost_runs(context: &Context, store: &dyn Store, known: &[Finding]) -> Result<Vec<Finding>> {
    let lost = lost::search(store, &context.here(store), &Search::default())?.launches;
    let is_new = |launch: &Launch| !known.iter().any(|finding| finding.fw_id == Some(launch.fw_id));
    let finding = |(launch, loss): (Launch, Loss)| {
        let text = format!("launch {} is lost ({loss}); idle workers see to it", launch.launch_id);
        Finding { trouble: Trouble::Running, fw_id: Some(launch.fw_id), text }
    };
    Ok(lost.into_iter().filter(|(launch, _)| is_new(launch)).map(finding).collect())
}

/// What is wrong with the queue that my_qadapter.yaml describes; without one nobody may want any.
fn queue(context: &Context) -> Vec<Finding> {
    let Some(file) = &context.settings.queueadapter_file else { return Vec::new() };
    let of = |trouble, text| Finding { trouble, fw_id: None, text };
    let adapter = match QueueAdapter::load(Some(file)) {
        Ok(adapter) => adapter,
        Err(error) => return vec![of(Trouble::Adapter, error.to_string())],
    };
    let mut found: Vec<Finding> = adapter.warnings.into_iter().map(|text| of(Trouble::Adapter, text)).collect();
    match open_queue(&context.settings, Vec::new()) {
        Err(error) => found.push(of(Trouble::Queue, error.in_full())),
        Ok(open) => match open.queue.list() {
            Err(error) => found.push(of(Trouble::Queue, error.to_string())),
            Ok(jobs) => tracing::info!(
                "{} answers; {} of this launchpad",
                open.queue.describe(),
                output::number(jobs.len(), "job")
            ),
        },
    }
    found
}

/// Whether launches could make their folders here.
fn folder() -> Option<Finding> {
    let error = rustix::fs::access(Path::new("."), Access::WRITE_OK | Access::EXEC_OK).err()?;
    let text = format!("launches cannot make folders in the present one: {}", std::io::Error::from(error));
    Some(Finding { trouble: Trouble::Folder, fw_id: None, text })
}

fn value(finding: &Finding) -> Value {
    json!({ "finding": finding.trouble.as_str(), "fw_id": finding.fw_id, "message": finding.text })
}
