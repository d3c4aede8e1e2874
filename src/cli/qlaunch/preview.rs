//! `qlaunch preview`: what would be submitted.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};

use super::jobs::Jobs;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::launcher::{Boarding, own_key};
use crate::queue::{Job, QueueError};

/// What the queue has against the script, if it says so.
fn refusal(jobs: &Jobs) -> Result<Option<QueueError>> {
    let (_folder, job) = jobs.trial()?;
    Ok(jobs.queue.check(&job).err())
}

/// Prints the script of a job that is submitted from `dir`, and on standard error the command.
pub fn run(jobs: &Jobs, dir: &Path) -> Result<ExitCode> {
    let dir = std::path::absolute(dir).context("no current folder")?;
    if !jobs.script.passes_signals_on() {
        output::note(
            "warning: the template runs $${rocket_launch} in the foreground and passes no signals on: a worker does \
             not hear of the end of its job when Slurm tells the script (--signal=B:..., scancel -b). `exec \
             $${rocket_launch}`, or the `trap` of the template that comes with Volley, would see to that",
        );
    }
    if !jobs.script.can_board() {
        output::note(
            "warning: the template is not for a shell like sh, so that its jobs cannot say that they have begun: one \
             whose submission nobody has heard of, and that is soon over, may be submitted again; and there are no arrays",
        );
    }
    let job = Job::new(dir, jobs.script.name());
    // A queue that does not answer has a script all the same.
    let ledger = jobs.queue.cluster().map_or_else(|_| String::new(), |cluster| own_key(cluster).id());
    let text = jobs.script.text(&job.dir, &Boarding { token: job.token.clone(), ledger, elements: false });
    if let Some(command) = jobs.queue.command(&job, &text) {
        output::note(&format!("in {}: {command}", job.dir.display()));
    }
    if let Some(trouble) = refusal(jobs)? {
        output::note(&format!("jobs would not be taken: {trouble}"));
    }
    output::text(text.trim_end())?;
    Ok(Exit::Done.into())
}
