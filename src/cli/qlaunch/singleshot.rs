//! `qlaunch singleshot`: one job.

use std::process::ExitCode;

use anyhow::Result;

use super::Options;
use super::context::Context;
use super::repeat::{Pass, repeat};
use crate::cli::exit::{self, Exit};
use crate::store::{self, FireworkQuery};
use crate::workflow::FwId;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// With -r: a job for this firework
    #[arg(short, long = "fw_id", value_name = "ID")]
    fw_id: Option<FwId>,
}

/// Submits it.
pub fn run(args: &Args, options: &Options) -> Result<ExitCode> {
    if args.fw_id.is_some() && !options.reserve {
        return Err(exit::failure(Exit::Usage, "--fw_id needs -r: other jobs take what is READY when they start"));
    }
    let context = Context::open(options, false)?;
    let queue = context.jobs.queue.name();
    repeat(&context, options, |launcher| {
        let job = launcher.singleshot(&options.launch_dir, args.fw_id)?;
        Ok(match (job, args.fw_id) {
            (Some(job), _) => Pass::Done(format!("submitted job {job} to the {queue} queue")),
            (None, Some(fw_id)) => Pass::Vain(not_ready(&context, fw_id)?),
            (None, None) => Pass::Done("nothing is READY for this worker: no job submitted".to_owned()),
        })
    })
}

/// Why there is no job for a firework.
fn not_ready(context: &Context, fw_id: FwId) -> store::Result<String> {
    let query = FireworkQuery { ids: Some(vec![fw_id]), ..FireworkQuery::default() };
    Ok(match context.store.find_fireworks(&query)?.first() {
        Some(firework) => format!("firework {fw_id} is {}, and not READY: no job submitted", firework.state),
        None => format!("there is no firework {fw_id}: no job submitted"),
    })
}
