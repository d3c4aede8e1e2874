//! The queue job of a launch, and what its fate means for the launch.

use std::path::PathBuf;

use crate::launchpad::reservation::{is_same_folder, job_of};
use crate::queue::{Fate, JobId, KnownJob};
use crate::workflow::{Cause, Launch, Loss, State};

/// Where FireWorks keeps what a run gives that cannot reach its launchpad.
const OFFLINE: &str = "FW_offline.json";

/// The job of a launch.
pub struct Asked {
    /// Its name in the queue.
    pub job: JobId,
    how: How,
}

/// How it is known.
enum How {
    /// The worker has said that it runs in it, after so many restarts.
    Worker { restarts: u32 },
    /// It was submitted for the launch: whoever is to run, or runs, that has no lease.
    Reservation { state: State, dir: PathBuf, from_here: bool },
}

/// What a queue says of a launch.
pub enum Word {
    /// It is lost.
    Lost(Loss),
    /// Its job is about to be over.
    Ending,
    /// Nothing certain.
    Nothing,
}

impl Asked {
    /// The job of a launch, if it is known and may tell something; `host` is this one.
    pub fn of(launch: &Launch, host: &str) -> Option<Self> {
        if let Some(lease) = launch.lease() {
            // A number without its cluster is not one.
            let job = lease.job.filter(|job| job.cluster.is_some())?;
            let how = How::Worker { restarts: job.restarts };
            let job = JobId { id: job.id, cluster: job.cluster };
            // Each user of a machine counts its local jobs anew, and whoever could ask sees the process.
            return (!job.is_local()).then_some(Asked { job, how });
        }
        let job = job_of(launch)?;
        let dir = PathBuf::from(&launch.launch_dir);
        // What runs offline is heard of when its folder is read, which has to be seen from here.
        let is_number = !job.id.is_empty() && job.id.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || !dir.is_dir() || dir.join(OFFLINE).exists() {
            return None;
        }
        let how = How::Reservation { state: launch.state, dir, from_here: launch.host == host };
        Some(Asked { job, how })
    }

    /// What it means for the launch that this is known of the job.
    pub fn judge(&self, queue: &str, known: &KnownJob) -> Word {
        let id = &self.job.id;
        let lost = |cause, text: &str| Word::Lost(Loss::new(cause, format!("{queue} job {id}: {text}")));
        if let How::Reservation { dir, from_here, .. } = &self.how {
            // The same number may be that of another job in another cluster.
            let same = known.dir.as_ref().is_some_and(|known| is_same_folder(known, dir));
            if !(same || *from_here && known.fate == Fate::Gone) {
                return Word::Nothing;
            }
        }
        match (&known.fate, &self.how) {
            (Fate::Over(loss), _) => lost(loss.cause, &loss.text),
            (Fate::Gone, _) => Word::Lost(Loss::new(Cause::Unexplained, format!("{queue} job {id} is gone"))),
            (Fate::Ending, _) => Word::Ending,
            (Fate::Waiting, How::Worker { .. } | How::Reservation { state: State::Running, .. }) => {
                lost(Cause::Requeued, "requeued")
            }
            (Fate::Running { restarts }, How::Worker { restarts: known }) if restarts > known => {
                lost(Cause::Requeued, "requeued")
            }
            (Fate::Waiting | Fate::Running { .. } | Fate::Unknown, _) => Word::Nothing,
        }
    }
}
