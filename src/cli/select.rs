//! Selections as they are typed: `-i 1,2,5-9`, `-s FIZZLED`, `-n re:^relax`, `--since 2h`.

use bson::Document;
use jiff::Timestamp;

use crate::launchpad::Selection;
use crate::launchpad::typed::{BadIds, once, pattern};
use crate::store::{Author, NamePattern};
use crate::workflow::State;

pub use crate::launchpad::typed::{Ids, moment, name_pattern, query};

/// Ids as they are typed, or none: what `$(lpad get_fws -s FIZZLED -o ids)` stands for may be empty.
fn ids_or_none(text: &str) -> Result<Ids, BadIds> {
    if text.trim().is_empty() { Ok(Ids(Vec::new())) } else { text.parse() }
}

/// Which fireworks or workflows are meant: those for which all that is said holds.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SelectArgs {
    /// Ids of fireworks: 7 or 1,2,5-9; of a workflow any firework in it
    #[arg(short = 'i', long = "fw_id", value_name = "IDS", num_args = 0..=1, default_missing_value = "", value_parser = ids_or_none)]
    ids: Vec<Ids>,

    /// Of exactly this name, or re:REGEX for names in which that is found
    #[arg(short = 'n', long, value_parser = name_pattern)]
    name: Option<NamePattern>,

    /// In this state, or in one of several: READY,RUNNING
    #[arg(short = 's', long, value_delimiter = ',', value_name = "STATE")]
    state: Vec<State>,

    /// That match in MongoDB's language, as JSON or as Python: '{"spec.formula": "Si2"}'
    #[arg(short = 'q', long, value_name = "QUERY", value_parser = query)]
    query: Option<Document>,

    /// Ask -q of the launches: fireworks with such a launch [FireWorks: -lm]
    #[arg(long = "launches_mode", requires = "query")]
    launches_mode: bool,

    /// That this queue job was submitted for, or ran; the id of an array stands for all its elements
    #[arg(long, value_name = "JOB")]
    qid: Option<String>,

    /// That have changed since: 2h (ago), or a date such as 2026-01-31
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Timestamp>,

    /// FIZZLED fireworks in whose last error (trace, message, or why the run was lost) this is found
    #[arg(long = "failed-with", value_name = "REGEX", value_parser = pattern)]
    failed_with: Option<String>,

    /// In workflows that I have added
    #[arg(long)]
    mine: bool,

    /// All that is said is about workflows, and all their fireworks are meant [FireWorks: -wf]
    #[arg(long)]
    wf: bool,

    /// At most so many, the first ones; 0 for all
    #[arg(short, long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    max: usize,
}

impl SelectArgs {
    /// What is meant.
    pub fn selection(&self) -> Selection {
        let ids = self.ids.iter().flat_map(|ids| &ids.0).copied().collect();
        let (query, launch_query) = match self.launches_mode {
            true => (None, self.query.clone()),
            false => (self.query.clone(), None),
        };
        let selection = Selection {
            ids: (!self.ids.is_empty()).then(|| once(ids)),
            states: self.state.clone(),
            name: self.name.clone(),
            query,
            launch_query,
            job: self.qid.clone(),
            since: self.since,
            failed_with: self.failed_with.clone(),
            owner: self.mine.then(|| Author::here().user.clone()),
            workflows: None,
            limit: self.max,
        };
        match self.wf {
            true => Selection { limit: self.max, workflows: Some(Box::new(selection)), ..Selection::default() },
            false => selection,
        }
    }
}

/// What is said of selections below the options of a change.
const RULES: &str = "\
All conditions must hold. Where nothing fits, and where an id does not exist, nothing is changed, and the exit code is 4. \
Verbs on workflows: -n, -s, -q and --since are about the workflow (-s is its state, not that of its fireworks); -i, -lm, \
--qid and --failed-with mean the workflows with such a firework.";

/// Which fireworks or workflows to change: something must be said.
#[derive(Debug, Clone, clap::Args)]
#[command(group = clap::ArgGroup::new("selector").required(true).multiple(true)
    .args(["ids", "name", "state", "query", "qid", "since", "failed_with", "mine"]), after_help = RULES)]
pub struct RequiredSelectArgs {
    #[command(flatten)]
    args: SelectArgs,
}

impl RequiredSelectArgs {
    /// What is meant.
    pub fn selection(&self) -> Selection {
        self.args.selection()
    }
}
