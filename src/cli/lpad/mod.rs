//! `lpad`: the launchpad. One file for each verb.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::cli::common::{self, CommonArgs};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Format};
use crate::config::{Origin, Settings};
use crate::store::{Location, Store, Verb as Change};

mod add;
mod add_recipe;
mod admin;
mod append_wflow;
mod cancel_qid;
mod change;
mod copy;
mod delete_wflows;
mod detect_lostruns;
mod detect_unreserved;
mod doctor;
mod explain;
mod forget_offline;
mod get_fws;
mod get_launchdir;
mod get_qids;
mod get_wflows;
mod healing;
mod init;
mod listing;
mod lost;
mod recover_offline;
mod rerun_fws;
mod reset;
mod results;
mod set_priority;
mod steer;
mod unable;
mod update_fws;
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
    GetFws(get_fws::Args),
    /// Show workflows
    #[command(name = "get_wflows", visible_alias = "get_wfs")]
    GetWflows(listing::ListArgs),
    /// Say why a firework does not run, or what became of it
    Explain(explain::Args),
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
    RerunFws(rerun_fws::Args),
    /// Take fireworks out; what depends on them waits until they are reignited
    #[command(name = "defuse_fws")]
    DefuseFws(steer::StopArgs),
    /// Undo a defusal of fireworks
    #[command(name = "reignite_fws")]
    ReigniteFws(change::ChangeArgs),
    /// Hold fireworks that wait or are ready
    #[command(name = "pause_fws")]
    PauseFws(steer::StopArgs),
    /// Let paused fireworks go on
    #[command(name = "resume_fws")]
    ResumeFws(change::ChangeArgs),
    /// Change the specs of fireworks that do not run
    #[command(name = "update_fws")]
    UpdateFws(update_fws::Args),
    /// Put a workflow below fireworks that are there
    #[command(name = "append_wflow")]
    AppendWflow(append_wflow::Args),
    /// Defuse all of a workflow that has not ended
    #[command(name = "defuse_wflows", visible_alias = "defuse_wfs")]
    DefuseWflows(steer::StopArgs),
    /// Undo the defusals in a workflow
    #[command(name = "reignite_wflows", visible_alias = "reignite_wfs")]
    ReigniteWflows(change::ChangeArgs),
    /// Hold all of a workflow that waits or is ready
    #[command(name = "pause_wflows", visible_alias = "pause_wfs")]
    PauseWflows(steer::StopArgs),
    /// Let all that is paused in a workflow go on
    #[command(name = "resume_wflows", visible_alias = "resume_wfs")]
    ResumeWflows(change::ChangeArgs),
    /// Put whole workflows away for good; their data stay
    #[command(name = "archive_wflows", visible_alias = "archive_wfs")]
    ArchiveWflows(steer::StopArgs),
    /// Delete whole workflows
    #[command(name = "delete_wflows", visible_alias = "delete_wfs")]
    DeleteWflows(steer::StopArgs),
    /// Print the queue jobs that were submitted for fireworks
    #[command(name = "get_qids")]
    GetQids(get_qids::Args),
    /// Undo what a queue job was submitted for, and cancel the job
    #[command(name = "cancel_qid")]
    CancelQid(cancel_qid::Args),
    /// Look for runs that nobody is about any more; changes nothing unless it is told to
    ///
    /// A run of Volley is lost when its lease has ended, one of Python FireWorks when it has not
    /// pinged for --time. A firework is inconsistent when it is RUNNING and the launch that it
    /// follows has ended. Nobody has to do this by hand: idle workers see to it.
    #[command(name = "detect_lostruns")]
    DetectLostruns(detect_lostruns::Args),
    /// Look for reservations that no queue job has come for
    #[command(name = "detect_unreserved")]
    DetectUnreserved(detect_unreserved::Args),
    /// Repair and care: maintain, refresh, unlock, tuneup
    Admin(admin::Args),
    /// Record what ran without the launchpad (`--offline`), or could not report to it any more
    #[command(name = "recover_offline")]
    RecoverOffline(recover_offline::Args),
    /// Ask no more about offline runs
    #[command(name = "forget_offline")]
    ForgetOffline(change::ChangeArgs),
    /// Copy a whole launchpad into another store: a backup, or a move
    Copy(copy::Args),
    /// Look for what is not as it should be; changes nothing without --fix, exits with 1 when there is something
    ///
    /// Lists fireworks that belong to no workflow, locked workflows, workflows that have other states
    /// for their fireworks than these have, fireworks that are RESERVED or RUNNING for nobody, launches
    /// that no firework lists, documents that cannot be read, counters below the highest id, missing
    /// indexes; and clocks that differ, a queue of my_qadapter.yaml that does not answer, keys in it
    /// that its template has not, a folder in which nothing can be launched. Exits with 0 when all is
    /// well.
    Doctor(doctor::Args),
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
        Verb::Explain(args) => explain::run(&context, args),
        Verb::GetLaunchdir(args) => get_launchdir::run(&context, args),
        Verb::Results(args) => results::run(&context, args),
        Verb::Wait(args) => wait::run(&context, args),
        Verb::SetPriority(args) => set_priority::run(&context, args),
        Verb::RerunFws(args) => rerun_fws::run(&context, args),
        Verb::DefuseFws(args) => steer::stop_fireworks(&context, args, Change::Defuse),
        Verb::ReigniteFws(args) => steer::fireworks(&context, args, Change::Reignite),
        Verb::PauseFws(args) => steer::stop_fireworks(&context, args, Change::Pause),
        Verb::ResumeFws(args) => steer::fireworks(&context, args, Change::Resume),
        Verb::UpdateFws(args) => update_fws::run(&context, args),
        Verb::AppendWflow(args) => append_wflow::run(&context, args),
        Verb::DefuseWflows(args) => steer::stop_workflows(&context, args, Change::DefuseWorkflow),
        Verb::ReigniteWflows(args) => steer::workflows(&context, args, Change::ReigniteWorkflow),
        Verb::PauseWflows(args) => steer::stop_workflows(&context, args, Change::PauseWorkflow),
        Verb::ResumeWflows(args) => steer::workflows(&context, args, Change::ResumeWorkflow),
        Verb::ArchiveWflows(args) => steer::stop_workflows(&context, args, Change::ArchiveWorkflow),
        Verb::DeleteWflows(args) => delete_wflows::run(&context, args),
        Verb::GetQids(args) => get_qids::run(&context, args),
        Verb::CancelQid(args) => cancel_qid::run(&context, args),
        Verb::DetectLostruns(args) => detect_lostruns::run(&context, args),
        Verb::DetectUnreserved(args) => detect_unreserved::run(&context, args),
        Verb::Admin(args) => admin::run(&context, args),
        Verb::RecoverOffline(args) => recover_offline::run(&context, args),
        Verb::ForgetOffline(args) => forget_offline::run(&context, args),
        Verb::Copy(args) => copy::run(&context, args),
        Verb::Doctor(args) => doctor::run(&context, args),
        Verb::Version => {
            output::text(&format!("volley {}", env!("CARGO_PKG_VERSION")))?;
            Ok(Exit::Done)
        }
    };
    Ok(exit?.into())
}
