//! `lpad admin`: repair and care. One file for each verb.

use anyhow::Result;
use clap::Subcommand;

use super::Context;
use super::change::ChangeArgs;
use crate::cli::exit::Exit;

mod maintain;
mod orphaned;
mod refresh;
mod tuneup;
mod unlock;

/// Arguments of `lpad admin`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Put right what dead workers have left behind, as idle workers do it: lost runs and stale
    /// reservations are READY again, half-done steps are finished
    Maintain(maintain::Args),
    /// Derive anew, in whole workflows, what follows from their fireworks
    ///
    /// Launches that have ended are applied, what waits for nothing becomes READY, and the states of
    /// the workflow are those of its fireworks.
    Refresh(ChangeArgs),
    /// Take the locks of workflows away, and finish what their holders were about
    ///
    /// A lock of Volley ends by itself 30 s after its holder has died. One that may still be held by
    /// a living process of Volley is left alone unless --yes is given.
    Unlock(unlock::Args),
    /// Show fireworks that belong to no workflow, or delete them
    ///
    /// Whoever adds a workflow and dies half way leaves such; `lpad doctor` names them, too.
    Orphaned(orphaned::Args),
    /// Make indexes that are missing, and have the store look how its data are spread
    Tuneup(tuneup::Args),
}

/// Runs `lpad admin`.
pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    match &args.verb {
        Verb::Maintain(args) => maintain::run(context, args),
        Verb::Refresh(args) => refresh::run(context, args),
        Verb::Unlock(args) => unlock::run(context, args),
        Verb::Orphaned(args) => orphaned::run(context, args),
        Verb::Tuneup(args) => tuneup::run(context, args),
    }
}
