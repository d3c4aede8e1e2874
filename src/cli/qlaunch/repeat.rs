//! Does what a verb does, once or again and again.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use super::Options;
use super::context::Context;
use crate::cli::exit::{self, Exit};
use crate::cli::output;
use crate::launcher::{Launcher, LauncherError};
use crate::queue::Kind;

/// What came of it, in words.
pub enum Pass {
    /// It did what it does.
    Done(String),
    /// Somebody stopped it.
    Stopped(String),
    /// What was asked for cannot be done.
    Vain(String),
    /// It did what it could, and why that is not all.
    Partly(String, String),
}

/// Does it as often as the options say.
pub fn repeat(
    context: &Context,
    options: &Options,
    pass: impl Fn(&Launcher<'_>) -> Result<Pass, LauncherError>,
) -> Result<ExitCode> {
    let every = Some(options.daemon).filter(|every| !every.is_zero());
    context.launch(|launcher| {
        let mut has_worked = false;
        loop {
            match (pass(launcher), every) {
                (Ok(Pass::Stopped(words)), _) => {
                    output::text(&words)?;
                    return Ok(context.stopped());
                }
                (Ok(Pass::Vain(words)), None) => return Err(anyhow!(words)),
                (Ok(Pass::Partly(words, why)), None) => {
                    output::text(&words)?;
                    return Err(exit::failure(Exit::Queue, why));
                }
                (Ok(Pass::Done(words) | Pass::Vain(words) | Pass::Partly(words, _)), _) => {
                    output::text(&words)?;
                    has_worked = true;
                }
                (Err(error), Some(every)) if has_worked && passes(&error) => {
                    tracing::warn!("{error}; trying again in {} s", every.as_secs());
                }
                (Err(error), _) => return Err(context.jobs.coded(error)),
            }
            let Some(every) = every else { return Ok(Exit::Done.into()) };
            if !wait(every, launcher.stop) {
                return Ok(context.stopped());
            }
        }
    })
}

/// Whether an error may pass by itself.
fn passes(error: &LauncherError) -> bool {
    match error {
        LauncherError::Store(source) => source.is_transient(),
        error => matches!(error.kind(), Some(Kind::Full | Kind::Sick)),
    }
}

/// Waits, with an ear open; `false` when somebody wants it to end.
fn wait(time: Duration, stop: &dyn Fn() -> bool) -> bool {
    let begun = Instant::now();
    while !stop() {
        let left = time.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
    false
}
