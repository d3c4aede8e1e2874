//! The queue of the settings: Slurm, or this machine.

use std::error::Error;
use std::path::PathBuf;

use crate::config::qadapter::{self, QueueAdapter, QueueType};
use crate::config::{ConfigError, Settings};
use crate::queue::local::Local;
use crate::queue::slurm::Slurm;
use crate::queue::{LaunchpadId, Queue};

/// A queue, and what is known of it.
pub struct OpenQueue {
    /// The queue.
    pub queue: Box<dyn Queue>,
    /// What my_qadapter.yaml says.
    pub adapter: QueueAdapter,
    /// Which launchpad its jobs are of.
    pub launchpad: LaunchpadId,
    /// This binary.
    pub program: PathBuf,
}

/// Why there is no queue.
#[derive(Debug, thiserror::Error)]
pub enum NoQueue {
    /// The settings do not say which.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// Its jobs could not run this program.
    #[error("cannot tell where this binary is")]
    Program(#[source] std::io::Error),
}

impl NoQueue {
    /// With all its causes.
    pub fn in_full(&self) -> String {
        let causes = std::iter::successors(self.source(), |&error| error.source());
        causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"))
    }
}

/// Opens the queue; `environment` is added to what its jobs inherit.
pub fn open_queue(settings: &Settings, environment: Vec<(String, String)>) -> Result<OpenQueue, NoQueue> {
    let adapter = QueueAdapter::load(settings.queueadapter_file.as_deref())?;
    for warning in &adapter.warnings {
        tracing::warn!("{warning}");
    }
    let program = std::env::current_exe().map_err(NoQueue::Program)?;
    let state = qadapter::state_folder()?;
    let launchpad = LaunchpadId::of(&settings.location);
    let queue: Box<dyn Queue> = match adapter.queue {
        QueueType::Slurm => {
            Box::new(Slurm::new(launchpad.clone(), adapter.programs.clone(), environment, adapter.timeout))
        }
        QueueType::Local => {
            let supervisor = vec![program.clone(), "qlaunch".into(), "local-job".into()];
            Box::new(Local::new(&state, &launchpad, supervisor, environment))
        }
    };
    Ok(OpenQueue { queue, adapter, launchpad, program })
}
