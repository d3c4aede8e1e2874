//! `lpad update_fws`: changes in the specs of fireworks that do not run.

use anyhow::{Context as _, Result, bail};
use bson::Document;
use jiff::Timestamp;
use serde_json::Value;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::{Exit, failure};
use crate::launchpad::error::list;
use crate::workflow::{FwId, json};

/// Arguments of `lpad update_fws`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    change: ChangeArgs,

    /// What to set in the specs, as JSON; a key may be a path: '{"_tasks.1.script": "true"}'
    #[arg(short, long, value_name = "JSON", required = true)]
    update: String,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let set = parse(&args.update)?;
    let store = context.open()?;
    let ids = args.change.fireworks(context, &*store, |fireworks| format!("change the specs of {fireworks}"))?;
    let changed = store.update_specs(&ids, &set, Timestamp::now())?;
    tracing::info!("Finished updating {} FWs", changed.len());
    let left: Vec<FwId> = ids.into_iter().filter(|id| !changed.contains(id)).collect();
    if left.is_empty() {
        return Ok(Exit::Done);
    }
    let exit = if changed.is_empty() { Exit::Error } else { Exit::SomeFailed };
    let why = "a spec can be changed while its firework is READY, WAITING, FIZZLED, DEFUSED or PAUSED; rerun it first";
    Err(failure(exit, format!("unchanged: firework {}: {why}", list(&left))))
}

fn parse(text: &str) -> Result<Document> {
    match serde_json::from_str(text).context("--update is no JSON")? {
        Value::Object(map) if !map.is_empty() => Ok(json::to_document(&map)),
        _ => bail!("--update is a JSON mapping of keys to values, such as {{\"_tasks.1.script\": \"true\"}}"),
    }
}
