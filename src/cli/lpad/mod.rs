//! `lpad`: the launchpad. One file for each verb.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::cli::common::{self, CommonArgs};
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, Color, Format};
use crate::cli::watch::{self, WatchArgs};
use crate::config::{Origin, Settings};
use crate::store::{Location, Store, Verb as Change};
use crate::verbs::Here;

mod add;
mod add_recipe;
mod add_scripts;
mod admin;
mod append_wflow;
mod cancel_qid;
mod change;
mod check_wflow;
mod completion;
mod config;
mod copy;
mod defuse_wflows;
mod delete_wflows;
mod detect_lostruns;
mod detect_unreserved;
mod doctor;
mod dump_wflow;
mod errors;
mod events;
mod explain;
mod forget_offline;
mod get_fws;
mod get_fws_in_wflows;
mod get_launchdir;
mod get_qids;
mod get_wflows;
mod graph;
mod init;
mod introspect;
mod listing;
mod lost;
mod monitor;
mod page;
mod recover_offline;
mod report;
mod rerun_fws;
mod reset;
mod results;
mod set_priority;
mod status;
mod steer;
mod tail;
mod track_fws;
mod update_fws;
mod wait;
mod webgui;

/// The heading of what every verb takes: its own options stand before, together.
const EVERYWHERE: &str = "Options of every verb";

/// The launchpad: add workflows, look at them, steer them
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten, next_help_heading = EVERYWHERE)]
    common: CommonArgs,

    /// How results are printed [default: table on a terminal, json otherwise]
    #[arg(short, long, global = true, value_name = "FORMAT", ignore_case = true, help_heading = EVERYWHERE)]
    output: Option<Asked>,

    /// Whether states have colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = EVERYWHERE)]
    color: Color,

    #[command(subcommand)]
    verb: Option<Verb>,
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
    /// Add a chain of shell commands as a workflow
    #[command(name = "add_scripts")]
    AddScripts(add_scripts::Args),
    /// Add a workflow of a built-in recipe for each structure
    #[command(name = "add_recipe")]
    AddRecipe(add_recipe::Args),
    /// Put a workflow below fireworks that are there
    #[command(name = "append_wflow")]
    AppendWflow(append_wflow::Args),
    /// Check that a stored workflow is a sound graph, and that its tasks get what they need
    #[command(name = "check_wflow")]
    CheckWflow(check_wflow::Args),
    /// Write a workflow with its launches to a file
    #[command(name = "dump_wflow")]
    DumpWflow(dump_wflow::Args),
    /// The whole launchpad on one screen
    Status(status::Args),
    /// Watch the launchpad on a terminal, and act on it
    #[command(visible_alias = "tui")]
    Monitor(monitor::Args),
    /// Show fireworks
    #[command(name = "get_fws")]
    GetFws(get_fws::Args),
    /// Show workflows
    #[command(name = "get_wflows", visible_alias = "get_wfs")]
    GetWflows(get_wflows::Args),
    /// Show fireworks by what they and their workflows are
    #[command(name = "get_fws_in_wflows", visible_alias = "get_fws_in_wfs")]
    GetFwsInWflows(get_fws_in_wflows::Args),
    /// Failures, grouped by their cause
    Errors(errors::Args),
    /// Say why a firework does not run, or what became of it
    Explain(explain::Args),
    /// Draw a workflow
    Graph(graph::Args),
    /// Who did what, when
    Events(events::Args),
    /// Follow the output of a firework
    Tail(tail::Args),
    /// Show the ends of the files that fireworks track
    #[command(name = "track_fws")]
    TrackFws(track_fws::Args),
    /// Show what the recipes of a workflow found
    Results(results::Args),
    /// Count what became of fireworks, day by day
    Report(report::Args),
    /// Look for what FIZZLED fireworks have in common
    Introspect(introspect::Args),
    /// Print the directory a firework ran in
    #[command(name = "get_launchdir")]
    GetLaunchdir(get_launchdir::Args),
    /// Print the queue jobs that were submitted for fireworks
    #[command(name = "get_qids")]
    GetQids(get_qids::Args),
    /// Wait until a workflow has ended
    Wait(wait::Args),
    /// Let fireworks run earlier or later
    #[command(name = "set_priority")]
    SetPriority(set_priority::Args),
    /// Run fireworks again, and what depends on them
    #[command(name = "rerun_fws")]
    RerunFws(rerun_fws::Args),
    /// Change the specs of fireworks that do not run
    #[command(name = "update_fws")]
    UpdateFws(update_fws::Args),
    /// Hold fireworks that wait or are ready
    #[command(name = "pause_fws")]
    PauseFws(steer::StopArgs),
    /// Let paused fireworks go on
    #[command(name = "resume_fws")]
    ResumeFws(change::ChangeArgs),
    /// Take fireworks out; what depends on them waits until they are reignited
    #[command(name = "defuse_fws")]
    DefuseFws(steer::StopArgs),
    /// Undo a defusal of fireworks
    #[command(name = "reignite_fws")]
    ReigniteFws(change::ChangeArgs),
    /// Hold all of a workflow that waits or is ready
    #[command(name = "pause_wflows", visible_alias = "pause_wfs")]
    PauseWflows(steer::StopArgs),
    /// Let all that is paused in a workflow go on
    #[command(name = "resume_wflows", visible_alias = "resume_wfs")]
    ResumeWflows(change::ChangeArgs),
    /// Defuse all of a workflow that has not ended
    #[command(name = "defuse_wflows", visible_alias = "defuse_wfs")]
    DefuseWflows(defuse_wflows::Args),
    /// Undo the defusals in a workflow
    #[command(name = "reignite_wflows", visible_alias = "reignite_wfs")]
    ReigniteWflows(change::ChangeArgs),
    /// Put whole workflows away for good; their data stay
    #[command(name = "archive_wflows", visible_alias = "archive_wfs")]
    ArchiveWflows(steer::StopArgs),
    /// Delete whole workflows
    #[command(name = "delete_wflows", visible_alias = "delete_wfs")]
    DeleteWflows(delete_wflows::Args),
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
    /// Record what ran without the launchpad (`--offline`), or could not report to it any more
    #[command(name = "recover_offline")]
    RecoverOffline(recover_offline::Args),
    /// Ask no more about offline runs
    #[command(name = "forget_offline")]
    ForgetOffline(change::ChangeArgs),
    /// Look for what is not as it should be; changes nothing without --fix, exits with 1 when there is something
    ///
    /// Lists fireworks that belong to no workflow, locked workflows, workflows that have other states
    /// for their fireworks than these have, fireworks that are RESERVED or RUNNING for nobody, launches
    /// that no firework lists, documents that cannot be read, counters below the highest id, missing
    /// indexes; and clocks that differ, a queue of my_qadapter.yaml that does not answer, keys in it
    /// that its template has not, a folder in which nothing can be launched. Exits with 0 when all is
    /// well.
    Doctor(doctor::Args),
    /// Repair and care: maintain, refresh, unlock, tuneup
    Admin(admin::Args),
    /// Copy a whole launchpad into another store: a backup, or a move
    Copy(copy::Args),
    /// Show every setting, and where it comes from
    Config(config::Args),
    /// Print what makes a shell complete commands, options, states and ids
    Completion(completion::Args),
    /// There are no web pages; says what shows the same in a terminal
    Webgui(webgui::Args),
    /// Print the version
    Version,
}

/// What `-o` may say: formats that every verb has, and those of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Asked {
    /// For people
    Table,
    /// For programs; what FireWorks prints
    Json,
    /// For programs, one result in each line
    Jsonl,
    /// For both
    Yaml,
    /// Ids alone, as `-i` takes them
    Ids,
    /// For spreadsheets; of `lpad results`
    Csv,
    /// Structures with energies and forces, as ASE reads them; of `lpad results`
    Extxyz,
}

impl Asked {
    /// The format that every verb has.
    fn common(self) -> Option<Format> {
        match self {
            Asked::Table => Some(Format::Table),
            Asked::Json => Some(Format::Json),
            Asked::Jsonl => Some(Format::Jsonl),
            Asked::Yaml => Some(Format::Yaml),
            Asked::Ids => Some(Format::Ids),
            Asked::Csv | Asked::Extxyz => None,
        }
    }
}

impl Verb {
    /// Whether what it prints can be ids alone.
    fn has_ids(&self) -> bool {
        matches!(
            self,
            Verb::GetFws(_)
                | Verb::GetWflows(_)
                | Verb::GetFwsInWflows(_)
                | Verb::Add(_)
                | Verb::AddRecipe(_)
                | Verb::AddScripts(_)
                | Verb::AppendWflow(_)
                | Verb::Admin(_)
                | Verb::Errors(_)
                | Verb::Results(_)
                | Verb::Graph(_)
        )
    }
}

/// What a verb works with.
struct Context {
    settings: Settings,
    format: Format,
    /// What was said with `-o`.
    asked: Option<Asked>,
    silent: bool,
}

impl Context {
    /// The format of a verb for which FireWorks has no JSON: its text, unless another one is asked for.
    fn text_or(&self) -> Option<Format> {
        self.asked.and_then(Asked::common).filter(|format| *format != Format::Table)
    }

    /// What the verbs need, beside what they are about.
    fn here<'a>(&'a self, store: &'a dyn Store) -> Here<'a> {
        Here { settings: &self.settings, store }
    }

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
    let Some(verb) = &args.verb else {
        output::text(super::command::<Args>("lpad").render_help().to_string().trim_end())?;
        return Ok(Exit::Done.into());
    };
    if args.output == Some(Asked::Ids) && !verb.has_ids() {
        return Err(failure(Exit::Usage, "`-o ids` is for verbs that list or add fireworks or workflows"));
    }
    if args.output.is_some_and(|asked| asked.common().is_none()) && !matches!(verb, Verb::Results(_)) {
        return Err(failure(Exit::Usage, "`-o csv` and `-o extxyz` are for `lpad results`"));
    }
    let context = Context {
        settings: args.common.settings()?,
        format: Format::resolve(args.output.and_then(Asked::common)),
        asked: args.output,
        silent: args.common.is_silent(),
    };
    output::choose(args.color);
    let act = || match verb {
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
        Verb::DefuseWflows(args) => defuse_wflows::run(&context, args),
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
        Verb::AddScripts(args) => add_scripts::run(&context, args),
        Verb::DumpWflow(args) => dump_wflow::run(&context, args),
        Verb::CheckWflow(args) => check_wflow::run(&context, args),
        Verb::GetFwsInWflows(args) => get_fws_in_wflows::run(&context, args),
        Verb::TrackFws(args) => track_fws::run(&context, args),
        Verb::Report(args) => report::run(&context, args),
        Verb::Introspect(args) => introspect::run(&context, args),
        Verb::Status(args) => status::run(&context, args),
        Verb::Monitor(args) => monitor::run(&context, args),
        Verb::Errors(args) => errors::run(&context, args),
        Verb::Graph(args) => graph::run(&context, args),
        Verb::Tail(args) => tail::run(&context, args),
        Verb::Events(args) => events::run(&context, args),
        Verb::Config(args) => config::run(&context, args),
        Verb::Completion(args) => completion::run(&context, args),
        Verb::Webgui(args) => webgui::run(&context, args),
        Verb::Version => {
            output::text(&format!("lpad {}", env!("CARGO_PKG_VERSION")))?;
            Ok(Exit::Done)
        }
    };
    let every = verb.watch().and_then(WatchArgs::every);
    let exit = match every {
        Some(_) if output::is_terminal() && context.format != Format::Table => {
            Err(failure(Exit::Usage, "--watch shows what people read: leave out -o, or say -o table"))
        }
        Some(every) => watch::run(every, act),
        None => act(),
    };
    Ok(exit?.into())
}

impl Verb {
    /// Whether it is to be shown again and again, where it may be.
    fn watch(&self) -> Option<&WatchArgs> {
        Some(match self {
            Verb::GetFws(args) => &args.list.watch,
            Verb::GetWflows(args) => &args.list.watch,
            Verb::GetFwsInWflows(args) => &args.list.watch,
            Verb::Explain(args) => &args.watch,
            Verb::Results(args) => &args.watch,
            Verb::Status(args) => &args.watch,
            Verb::Errors(args) => &args.watch,
            Verb::Graph(args) => &args.watch,
            Verb::Events(args) => &args.watch,
            _ => return None,
        })
    }
}
