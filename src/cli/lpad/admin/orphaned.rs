//! `lpad admin orphaned`: fireworks that belong to no workflow.

use anyhow::Result;

use super::super::Context;
use super::super::change::selected;
use super::super::delete_wflows::remove_directories;
use super::super::get_fws::show_all;
use super::super::listing::ListArgs;
use crate::cli::confirm::{Change, ConfirmArgs, Kind};
use crate::cli::exit::{Exit, failure};
use crate::cli::output::number;
use crate::cli::select::SelectArgs;
use crate::launchpad::delete::directories;
use crate::launchpad::preview::preview;
use crate::launchpad::{LaunchpadError, deed};
use crate::store::{FireworkQuery, Store};
use crate::workflow::FwId;

/// Arguments of `lpad admin orphaned`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    select: SelectArgs,

    #[command(flatten)]
    list: ListArgs,

    /// Delete them, with their launches
    #[arg(long)]
    remove: bool,

    /// With --remove: remove the launch directories, too, that were made for launches (launcher_...) and
    /// that nothing else uses
    #[arg(long, requires = "remove")]
    ldirs: bool,

    #[command(flatten)]
    confirm: ConfirmArgs,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let query = args.select.selection().fireworks(&*store, args.list.sort())?;
    let limit = query.limit;
    let mut orphans = store.orphans(&store.firework_ids(&FireworkQuery { limit: 0, ..query })?)?;
    if limit > 0 {
        orphans.truncate(limit);
    }
    if args.remove {
        return remove(context, &*store, orphans, args);
    }
    let these = FireworkQuery { ids: Some(orphans), sort: args.list.sort(), ..FireworkQuery::default() };
    show_all(context.format, &*store, &these, &args.list)?;
    Ok(Exit::Done)
}

fn remove(context: &Context, store: &dyn Store, orphans: Vec<FwId>, args: &Args) -> Result<Exit> {
    if orphans.is_empty() {
        let none = "every firework that was asked for belongs to a workflow, or was added just now".to_owned();
        return selected(Err(LaunchpadError::NothingSelected(none)));
    }
    let found = store.find_fireworks(&FireworkQuery { ids: Some(orphans.clone()), ..FireworkQuery::default() })?;
    let change = Change {
        what: format!("delete {} of no workflow", number(found.len(), "firework")),
        count: found.len(),
        preview: preview(found.iter().map(|one| (one.state.as_str(), one.name.as_str(), one.fw_id))),
        kind: Kind::Delete,
    };
    args.confirm.confirm(&change, context.settings.fw_config.pw_check_num)?;
    let ran_in = if args.ldirs { directories(store, orphans.clone())? } else { Vec::new() };
    let gone = store.delete_orphans(&orphans)?;
    tracing::info!("Finished deleting {} orphaned FWs", gone.len());
    deed::of_fireworks(store, "admin orphaned", gone, Some("deleted".to_owned()));
    let left = if args.ldirs { remove_directories(context, store, ran_in, &[])? } else { Vec::new() };
    if left.is_empty() { Ok(Exit::Done) } else { Err(failure(Exit::SomeFailed, left.join("\n"))) }
}
