//! `lpad explain -i IDS`: why fireworks do not run, or what became of them.

use anyhow::Result;

use super::Context;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::{self, Format};
use crate::cli::select::SelectArgs;
use crate::cli::watch::WatchArgs;
use crate::launchpad::Selection;
use crate::launchpad::explain::{Facts, brief_subjects, facts, shown};

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
        let all = facts(&*store, &brief_subjects(&*store, some)?, &context.here(&*store))?;
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
