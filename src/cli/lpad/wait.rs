//! `lpad wait -i IDS`: until the workflows have ended; the exit code says how.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::select::RequiredSelectArgs;
use crate::config::duration;
use crate::launchpad::error::list;
use crate::launchpad::progress::{Ending, Progress, count_words, progress, together};
use crate::launchpad::{LaunchpadError, Selection};
use crate::store::Store;
use crate::workflow::{FwId, State};

/// Arguments of `lpad wait`.
///
/// Exits with 0 when all workflows are COMPLETED, with 5 when one has ended otherwise, and with 6 when
/// the time is over.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    select: RequiredSelectArgs,

    /// Wait no longer than this: 90s, 10m, 2h, 1-00:00:00, or seconds; then exit with 6
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// The launchpad is asked often at first, then seldom: short workflows are seen to end at once,
/// long ones cost nothing.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let fw_ids = selected(&*store, &args.select.selection())?;
    let begun = Instant::now();
    // Draws nothing where standard error is no terminal.
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg} [{elapsed}]")?);
    let (mut pause, mut seen, mut away, mut is_told) = (SHORTEST, None, false, false);
    let (exit, now) = loop {
        let now = match (progress(&*store, &fw_ids), &seen) {
            (Ok(found), _) => {
                away = false;
                together(&found)
            }
            // A wait is long: it outlives a launchpad that is away for a while.
            (Err(LaunchpadError::Store(error)), Some(last)) if error.is_transient() => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!("{error}; waiting goes on");
                }
                Progress::clone(last)
            }
            (Err(LaunchpadError::UnknownFireworks(gone)), Some(_)) => {
                bail!("the workflow of firework {} was deleted meanwhile", list(&gone));
            }
            (Err(error), _) => return Err(error.into()),
        };
        tracing::debug!("found {}", count_words(&now.counts));
        show(&bar, &now);
        seen = Some(now.clone());
        match now.ended {
            Some(Ending::Completed) => break (Exit::Done, now),
            Some(Ending::Stopped) => break (Exit::SomeFailed, now),
            None if !std::mem::replace(&mut is_told, true) => idle(&*store, &now),
            None => {}
        }
        let left = args.timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
        if left.is_some_and(|left| left.is_zero()) {
            break (Exit::Timeout, now);
        }
        sleep(left.map_or(pause, |left| left.min(pause)));
        pause = (pause * 2).min(LONGEST);
    };
    bar.finish_and_clear();
    let verdict = if exit == Exit::Timeout { "Not ended yet" } else { "Ended" };
    tracing::info!("{verdict}: {}", count_words(&now.counts));
    Ok(exit)
}

/// A firework of each workflow that is waited for.
fn selected(store: &dyn Store, selection: &Selection) -> Result<Vec<FwId>> {
    // Where nothing else narrows them, an id that does not exist is an error.
    let only = Selection { ids: selection.ids.clone(), ..Selection::default() };
    if let Some(ids) = selection.ids.as_ref().filter(|_| *selection == only) {
        return Ok(ids.clone());
    }
    let found = selection.find_workflows(store)?;
    Ok(found.iter().map(|chosen| chosen.id).collect())
}

/// Says once that waiting is not enough: a worker has to be started. That the launchpad does not say
/// whether anything runs is no reason not to wait.
fn idle(store: &dyn Store, now: &Progress) {
    let is_any = |state| now.counts.get(&state).is_some_and(|count| *count > 0);
    let is_at_work = || store.open_launches().map_or(true, |open| !open.is_empty());
    if is_any(State::Ready) && !is_any(State::Running) && !is_any(State::Reserved) && !is_at_work() {
        output::note("nothing runs at the moment (`rlaunch rapidfire`, or `qlaunch`); waiting until something does");
    }
}

fn show(bar: &ProgressBar, now: &Progress) {
    bar.set_length(now.counts.values().sum::<usize>() as u64);
    bar.set_position(now.counts.get(&State::Completed).copied().unwrap_or(0) as u64);
    bar.set_message(count_words(&now.counts));
}
