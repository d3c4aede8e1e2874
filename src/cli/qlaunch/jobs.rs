//! Which queue jobs go to, and what they run there.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::Options;
use super::rocket::rocket_options;
use super::suits::{check_array, check_command};
use crate::cli::exit::{self, Exit};
use crate::config::Settings;
use crate::config::qadapter::{QueueAdapter, QueueType};
use crate::launcher::rocket_launch::{RocketOptions, rocket_launch, slots};
use crate::launcher::{Boarding, LauncherError, Script};
use crate::queue::{Job, LaunchpadId, Queue};
use crate::rocket::slots::Slots;
use crate::verbs::queue::{OpenQueue, open_queue};
use crate::workflow::Room;

/// A queue, and the script of its jobs.
pub struct Jobs {
    /// All that is set.
    pub settings: Settings,
    /// The queue.
    pub queue: Box<dyn Queue>,
    /// What my_qadapter.yaml says.
    pub adapter: QueueAdapter,
    /// Which launchpad the jobs are of.
    pub launchpad: LaunchpadId,
    /// What a job runs.
    pub script: Script,
    program: PathBuf,
    rocket: RocketOptions,
    given: Option<String>,
}

impl Jobs {
    /// Reads the settings and opens the queue.
    pub fn open(options: &Options) -> Result<Self> {
        let settings = options.common.settings_with_queue(options.queueadapter_file.as_deref())?;
        let (rocket, environment) = rocket_options(&options.common, &settings)?;
        let OpenQueue { queue, adapter, launchpad, program } = open_queue(&settings, environment)?;
        tracing::info!("queue: {}", queue.describe());
        let given = adapter.rocket_launch.clone().or(options.reserve.then(|| "rlaunch singleshot".to_owned()));
        let command = rocket_launch(given.as_deref(), &program, &rocket);
        check_command(&command, options.reserve)?;
        let name = &settings.fw_config.submit_script_name;
        let script = Script::new(name, adapter.template.clone(), &adapter.keys, command);
        let jobs = Jobs { settings, queue, adapter, launchpad, script, program, rocket, given };
        if options.reserve {
            check_array(&jobs, "-r")?;
        }
        Ok(jobs)
    }

    /// A job to be looked at and not to be submitted, in a folder that goes when it is dropped.
    pub fn trial(&self) -> Result<(TempDir, Job)> {
        let folder = tempfile::tempdir().context("no folder for a script to be looked at")?;
        self.script.write(folder.path(), &Boarding::default())?;
        let job = Job::new(folder.path().to_owned(), self.script.name());
        Ok((folder, job))
    }

    /// What a job runs, where a firework has a `rocket_launch` of its own or not.
    pub fn command(&self, own: Option<&str>) -> String {
        rocket_launch(own.or(self.given.as_deref()), &self.program, &self.rocket)
    }

    /// What a job has to give to what it takes by itself. What asks for more than that, none of them
    /// would run.
    pub fn room(&self) -> Room {
        let nodes = match self.adapter.queue {
            QueueType::Slurm => self.adapter.keys.get("nodes").and_then(|nodes| nodes.parse().ok()),
            // Those of the job that this is, perhaps.
            QueueType::Local => Some(Slots::of_this_job(1, "").room().nodes),
        };
        Room { slots: slots(self.given.as_deref()).unwrap_or(usize::MAX), nodes: nodes.unwrap_or(usize::MAX) }
    }

    /// What the queue says has an exit code of its own. Who has an `sbatch` need not have a Slurm.
    pub fn coded(&self, error: LauncherError) -> anyhow::Error {
        match error {
            LauncherError::Queue { .. } if self.adapter.is_guess && self.adapter.queue == QueueType::Slurm => {
                let advice = "Slurm was chosen because there is an sbatch; with `_fw_q_type: LOCAL` in \
                              my_qadapter.yaml this machine runs the jobs";
                exit::failure(Exit::Queue, format!("{error}\n{advice}"))
            }
            LauncherError::Queue { .. } | LauncherError::Firework { .. } => exit::failure(Exit::Queue, error),
            error => error.into(),
        }
    }
}
