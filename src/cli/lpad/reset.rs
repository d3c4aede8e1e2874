//! `lpad reset`: everything goes, and ids begin again from 1.

use anyhow::Result;

use super::Context;
use crate::cli::confirm::{Change, ConfirmArgs, Kind};
use crate::cli::exit::Exit;
use crate::cli::output::number;
use crate::store::{Location, WorkflowQuery};

/// Arguments of `lpad reset`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    confirm: ConfirmArgs,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let name = match &context.settings.location {
        Location::Mongo(mongo) => mongo.name.clone(),
        Location::Sqlite(path) => path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
    };
    let workflows = store.count_workflows(&WorkflowQuery::default())? as usize;
    let change = Change {
        what: format!("reset {} and delete {} with all data", store.describe(), number(workflows, "workflow")),
        count: workflows,
        preview: Vec::new(),
        kind: Kind::Reset(&name),
    };
    args.confirm.confirm(&change, context.settings.fw_config.pw_check_num)?;
    store.reset()?;
    tracing::info!("LaunchPad was RESET.");
    Ok(Exit::Done)
}
