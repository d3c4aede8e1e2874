//! `lpad explain -i IDS`: why fireworks do not run, or what became of them.

use std::collections::BTreeMap;

use anyhow::Result;

use super::healing::Late;
use super::{Context, unable};
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, Format};
use crate::cli::queue::open_queue;
use crate::cli::select::SelectArgs;
use crate::cli::watch::WatchArgs;
use crate::launchpad::explain::{Facts, Others, Subject, facts, shown, subjects};
use crate::launchpad::{LaunchpadError, Selection};
use crate::queue::{JobId, Standing};
use crate::store::{Store, Witness};
use crate::workflow::{Firework, FwId, Launch, Loss};

/// Arguments of `lpad explain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    select: SelectArgs,

    #[command(flatten)]
    pub watch: WatchArgs,
}

/// So many are looked at together.
const SOME: usize = 500;

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let selection = args.select.selection();
    if selection == Selection::default() {
        return Err(failure(Exit::Usage, "which fireworks? say -i ID, -s STATE, -n NAME or -q QUERY"));
    }
    // Where nothing else narrows them, an id that does not exist is an error.
    let only = Selection { ids: selection.ids.clone(), ..Selection::default() };
    let ids = match &selection.ids {
        Some(ids) if selection == only => ids.clone(),
        _ => store.firework_ids(&selection.fireworks(&*store, None)?)?,
    };
    if ids.is_empty() && context.format == Format::Table {
        output::text("no fireworks")?;
    }
    let mut values = Vec::new();
    for (number, some) in ids.chunks(SOME).enumerate() {
        let all = facts_of(context, &*store, &subjects(&*store, some)?)?;
        match context.format {
            Format::Table => show(&all, number > 0)?,
            _ => values.extend(all.iter().map(shown::value)),
        }
    }
    if context.format != Format::Table {
        output::list(context.format, values)?;
    }
    Ok(Exit::Done)
}

/// All that is known of fireworks, with what this host and its queue know.
pub fn facts_of(context: &Context, store: &dyn Store, subjects: &[Subject]) -> Result<Vec<Facts>> {
    Ok(facts(store, subjects, &Here { context, store })?)
}

/// What is known here.
struct Here<'a> {
    context: &'a Context,
    store: &'a dyn Store,
}

impl Others for Here<'_> {
    fn unable(&self, fireworks: &[Firework]) -> Result<Vec<(FwId, String)>, LaunchpadError> {
        let reasons = unable::reasons(self.store, fireworks)?.into_iter();
        Ok(reasons.map(|(firework, why)| (firework.fw_id, why)).collect())
    }

    fn standings(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Standing>, String> {
        let open = open_queue(&self.context.settings, Vec::new()).map_err(|error| format!("{error:#}"))?;
        open.queue.standings(jobs).map_err(|error| error.to_string())
    }

    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        Late::new(self.context, self.store).losses(launches)
    }
}

fn show(all: &[Facts], more: bool) -> Result<()> {
    for (number, facts) in all.iter().enumerate() {
        if number > 0 || more {
            output::text("")?;
        }
        let look = |at| output::is_terminal().then(|| output::ago(at, facts.at));
        shown::lines(facts, look).iter().try_for_each(|line| output::text(&output::plain(line)))?;
    }
    Ok(())
}
