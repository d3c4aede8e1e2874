//! `lpad wait -i ID`: until the workflow has ended; the exit code says how.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use super::Context;
use crate::cli::exit::Exit;
use crate::config::duration;
use crate::launchpad::progress::{Ending, Progress, progress};
use crate::workflow::{FwId, State};

/// Arguments of `lpad wait`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Any firework of the workflow
    #[arg(short = 'i', long = "fw_id", value_name = "ID")]
    fw_id: FwId,

    /// Wait no longer than this, then exit with 6
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
}

/// The launchpad is asked often at first, then seldom: short workflows are seen to end at once,
/// long ones cost nothing.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(2);

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let begun = Instant::now();
    // Draws nothing where standard error is no terminal.
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} {msg} [{elapsed}]")?);
    let mut pause = SHORTEST;
    let (exit, now) = loop {
        let now = progress(&*store, args.fw_id)?;
        show(&bar, &now);
        match now.ended {
            Some(Ending::Completed) => break (Exit::Done, now),
            Some(Ending::Stopped) => break (Exit::SomeFailed, now),
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
    tracing::info!("{verdict}: {}", words(&now));
    Ok(exit)
}

fn show(bar: &ProgressBar, now: &Progress) {
    bar.set_length(now.counts.values().sum::<usize>() as u64);
    bar.set_position(now.counts.get(&State::Completed).copied().unwrap_or(0) as u64);
    bar.set_message(words(now));
}

/// `2 COMPLETED, 1 FIZZLED`
fn words(now: &Progress) -> String {
    let counts =
        State::ALL.into_iter().filter_map(|state| now.counts.get(&state).map(|count| format!("{count} {state}")));
    counts.collect::<Vec<_>>().join(", ")
}
