//! `lpad`: the launchpad. One file for each verb.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::cli::common::{self, CommonArgs};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Format};
use crate::config::{Origin, Settings};
use crate::store::{Location, Store};

mod add;
mod add_recipe;
mod change;
mod delete_wflows;
mod get_fws;
mod get_launchdir;
mod get_wflows;
mod init;
mod listing;
mod rerun_fws;
mod reset;
mod results;
mod set_priority;
mod wait;

/// The launchpad: add workflows, look at them, steer them
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: CommonArgs,

    /// How results are printed [default: table on a terminal, json otherwise]
    #[arg(short, long, global = true, value_name = "FORMAT")]
    output: Option<Format>,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a my_launchpad.yaml and prepare the launchpad it names
    Init(init::Args),
    /// Delete every workflow, and begin again from id 1
    Reset(reset::Args),
    /// Add workflows from files
    #[command(visible_alias = "add_wf")]
    Add(add::Args),
    /// Add a workflow of a built-in recipe for each structure
    #[command(name = "add_recipe")]
    AddRecipe(add_recipe::Args),
    /// Show fireworks
    #[command(name = "get_fws")]
    GetFws(listing::ListArgs),
    /// Show workflows
    #[command(name = "get_wflows", visible_alias = "get_wfs")]
    GetWflows(listing::ListArgs),
    /// Print the directory a firework ran in
    #[command(name = "get_launchdir")]
    GetLaunchdir(get_launchdir::Args),
    /// Show what the recipes of a workflow found
    Results(results::Args),
    /// Wait until a workflow has ended
    Wait(wait::Args),
    /// Let fireworks run earlier or later
    #[command(name = "set_priority")]
    SetPriority(set_priority::Args),
    /// Run fireworks again, and what depends on them
    #[command(name = "rerun_fws")]
    RerunFws(change::ChangeArgs),
    /// Delete whole workflows
    #[command(name = "delete_wflows", visible_alias = "delete_wfs")]
    DeleteWflows(change::ChangeArgs),
    /// Print the version
    Version,
}

/// What a verb works with.
struct Context {
    settings: Settings,
    format: Format,
    silent: bool,
}

impl Context {
    /// Opens the launchpad. Whoever lets Volley choose it, or makes a new one, is told.
    fn open(&self) -> Result<Box<dyn Store>> {
        let new = matches!(&self.settings.location, Location::Sqlite(path) if !path.exists());
        let store = common::open_store(&self.settings)?;
        let place = store.describe();
        if !self.silent {
            let by_default = self.settings.location_origin == Origin::Default;
            let why = if by_default { " (no my_launchpad.yaml was found)" } else { "" };
            if new {
                output::note(&format!("lpad: made a new launchpad, {place}{why}"));
            } else if by_default {
                output::note(&format!("lpad: using {place}{why}"));
            }
        }
        Ok(store)
    }
}

/// Runs `lpad`.
pub fn run(args: Args) -> Result<ExitCode> {
    let context = Context {
        settings: args.common.settings()?,
        format: Format::resolve(args.output),
        silent: args.common.is_silent(),
    };
    let exit = match &args.verb {
        Verb::Init(args) => init::run(&context, args),
        Verb::Reset(args) => reset::run(&context, args),
        Verb::Add(args) => add::run(&context, args),
        Verb::AddRecipe(args) => add_recipe::run(&context, args),
        Verb::GetFws(args) => get_fws::run(&context, args),
        Verb::GetWflows(args) => get_wflows::run(&context, args),
        Verb::GetLaunchdir(args) => get_launchdir::run(&context, args),
        Verb::Results(args) => results::run(&context, args),
        Verb::Wait(args) => wait::run(&context, args),
        Verb::SetPriority(args) => set_priority::run(&context, args),
        Verb::RerunFws(args) => rerun_fws::run(&context, args),
        Verb::DeleteWflows(args) => delete_wflows::run(&context, args),
        Verb::Version => {
            output::text(&format!("volley {}", env!("CARGO_PKG_VERSION")))?;
            Ok(Exit::Done)
        }
    };
    Ok(exit?.into())
}
