//! Whether jobs suit the launchpad that they are for.

use std::path::Path;

use anyhow::Result;

use super::Options;
use super::jobs::Jobs;
use crate::cli::exit::{self, Exit};
use crate::config::qadapter::QueueType;
use crate::launcher::{Boarding, is_offline, is_singleshot};
use crate::queue::directives;
use crate::store::Location;

/// So many hosts are named.
const NAMED: usize = 3;

/// Refuses commands that would do something else than what is meant.
pub fn check_command(command: &str, reserve: bool) -> Result<()> {
    if reserve && !is_singleshot(command) {
        let why =
            "-r submits a job for each firework: `rocket_launch` must be a singleshot (rlaunch singleshot), and is";
        return Err(exit::failure(Exit::Usage, format!("{why} `{command}`")));
    }
    if !reserve && is_offline(command) {
        let why = "a job runs offline what was reserved for it: `--offline` in `rocket_launch` needs qlaunch -r";
        return Err(exit::failure(Exit::Usage, why));
    }
    Ok(())
}

/// Refuses jobs that are arrays by the user's own wish where each is to be one: for a firework, or for a
/// place.
pub fn check_array(jobs: &Jobs, counts: &str) -> Result<()> {
    let text = jobs.script.text(Path::new("/"), &Boarding::default());
    let own = (jobs.adapter.queue == QueueType::Slurm).then(|| directives::value(&text, "array", Some('a'))).flatten();
    own.map_or(Ok(()), |array| {
        let why =
            format!("with {counts} a job is one job, and `array: {array}` makes it several: leave out one of the two");
        Err(exit::failure(Exit::Usage, why))
    })
}

/// Refuses jobs that would open the file of a launchpad on other hosts.
pub fn check_hosts(jobs: &Jobs, options: &Options) -> Result<()> {
    let is_file = matches!(jobs.settings.location, Location::Sqlite(_));
    if !is_file || jobs.adapter.queue != QueueType::Slurm || (options.reserve && is_offline(&jobs.command(None))) {
        return Ok(());
    }
    let (_folder, job) = jobs.trial()?;
    let others = match jobs.queue.other_hosts(&job) {
        Ok(others) => others,
        Err(error) => {
            // The file itself knows its host, and takes no other.
            tracing::debug!("cannot tell where jobs would run: {error}");
            return Ok(());
        }
    };
    if others.is_empty() {
        return Ok(());
    }
    let more = if others.len() > NAMED { ", ..." } else { "" };
    let named = others.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    Err(exit::failure(
        Exit::Usage,
        format!(
            "the launchpad is an SQLite file, which one host may open, and jobs would run on others ({named}{more}). Use \
             MongoDB, or jobs that need no launchpad: qlaunch -r, with `rocket_launch: rlaunch singleshot --offline` in \
             my_qadapter.yaml, and `lpad recover_offline`"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offline_jobs_are_reserved_ones() {
        for (command, reserve, suits) in [
            ("rlaunch rapidfire", false, true),
            ("rlaunch singleshot --offline", false, false),
            ("rlaunch singleshot --offline", true, true),
            ("rlaunch singleshot", true, true),
            ("rlaunch rapidfire", true, false),
        ] {
            assert_eq!(check_command(command, reserve).is_ok(), suits, "{command} {reserve}");
        }
    }
}
