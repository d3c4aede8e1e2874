//! The states of Slurm 17.11 to 25.05 (`man squeue`, JOB STATE CODES), long and short, and what
//! those mean that end a job.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::queue::JobState;
use crate::workflow::Cause;

/// States that have been told as strange.
static STRANGE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// What a job in this state does. One that nobody knows is told, once, and is not over.
pub fn job_state(state: &str) -> JobState {
    let found = known(state);
    if found == JobState::Unknown {
        let mut told = STRANGE.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(state.to_owned()) {
            tracing::warn!(
                "Slurm speaks of a state `{state}` that is not known here: such a job counts as one that is there"
            );
        }
    }
    found
}

fn known(state: &str) -> JobState {
    match plain(state) {
        "PENDING" | "PD" | "CONFIGURING" | "CF" | "REQUEUED" | "RQ" | "REQUEUE_FED" | "RF" | "REQUEUE_HOLD" | "RH"
        | "SPECIAL_EXIT" | "SE" | "RESV_DEL_HOLD" | "RD" | "POWER_UP_NODE" | "EXPEDITING" => JobState::Waiting,
        "RUNNING" | "R" | "SUSPENDED" | "S" | "STOPPED" | "ST" | "RESIZING" | "RS" | "SIGNALING" | "SI"
        | "UPDATE_DB" => JobState::Running,
        "COMPLETING" | "CG" | "STAGE_OUT" | "SO" => JobState::Ending,
        "COMPLETED" | "CD" | "CANCELLED" | "CA" | "FAILED" | "F" | "TIMEOUT" | "TO" | "NODE_FAIL" | "NF"
        | "PREEMPTED" | "PR" | "BOOT_FAIL" | "BF" | "DEADLINE" | "DL" | "OUT_OF_MEMORY" | "OOM" | "REVOKED" | "RV"
        | "LAUNCH_FAILED" | "LF" | "RECONFIG_FAIL" => JobState::Finished,
        _ => JobState::Unknown,
    }
}

/// Why what ran in a job that is over has ended. None of states that do not end a job, nor of
/// REVOKED: that job goes on in another cluster of its federation.
pub fn cause(state: &str) -> Option<Cause> {
    Some(match plain(state) {
        // The job is over, and has said nothing of what it ran.
        "COMPLETED" | "CD" | "FAILED" | "F" => Cause::Unexplained,
        "OUT_OF_MEMORY" | "OOM" => Cause::OutOfMemory,
        "TIMEOUT" | "TO" | "DEADLINE" | "DL" => Cause::Timeout,
        "NODE_FAIL" | "NF" | "BOOT_FAIL" | "BF" | "LAUNCH_FAILED" | "LF" | "RECONFIG_FAIL" => Cause::NodeFail,
        "PREEMPTED" | "PR" => Cause::Preempted,
        "CANCELLED" | "CA" => Cause::Cancelled,
        _ => return None,
    })
}

/// A state without what may follow it: `CANCELLED by 1000`, `CANCELLED+` where a column is too narrow.
fn plain(state: &str) -> &str {
    state.split([' ', '+', ',']).next().unwrap_or(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_all_states() {
        use JobState::{Ending, Finished, Running, Waiting};
        for (long, short, expected, why) in [
            ("PENDING", "PD", Waiting, None),
            ("CONFIGURING", "CF", Waiting, None),
            ("REQUEUED", "RQ", Waiting, None),
            ("REQUEUE_FED", "RF", Waiting, None),
            ("REQUEUE_HOLD", "RH", Waiting, None),
            ("SPECIAL_EXIT", "SE", Waiting, None),
            ("RESV_DEL_HOLD", "RD", Waiting, None),
            ("RUNNING", "R", Running, None),
            ("SUSPENDED", "S", Running, None),
            ("STOPPED", "ST", Running, None),
            ("RESIZING", "RS", Running, None),
            ("SIGNALING", "SI", Running, None),
            ("COMPLETING", "CG", Ending, None),
            ("STAGE_OUT", "SO", Ending, None),
            ("COMPLETED", "CD", Finished, Some(Cause::Unexplained)),
            ("FAILED", "F", Finished, Some(Cause::Unexplained)),
            ("CANCELLED", "CA", Finished, Some(Cause::Cancelled)),
            ("CANCELLED by 1000", "CANCELLED+", Finished, Some(Cause::Cancelled)),
            ("TIMEOUT", "TO", Finished, Some(Cause::Timeout)),
            ("DEADLINE", "DL", Finished, Some(Cause::Timeout)),
            ("NODE_FAIL", "NF", Finished, Some(Cause::NodeFail)),
            ("BOOT_FAIL", "BF", Finished, Some(Cause::NodeFail)),
            ("LAUNCH_FAILED", "LF", Finished, Some(Cause::NodeFail)),
            ("PREEMPTED", "PR", Finished, Some(Cause::Preempted)),
            ("OUT_OF_MEMORY", "OOM", Finished, Some(Cause::OutOfMemory)),
            ("OUT_OF_ME+", "OUT_OF_ME+", JobState::Unknown, None),
            ("REVOKED", "RV", Finished, None),
            ("TELEPORTING", "TP", JobState::Unknown, None),
            ("", "?", JobState::Unknown, None),
        ] {
            for state in [long, short] {
                assert_eq!((job_state(state), cause(state)), (expected, why), "{state}");
            }
        }
    }

    /// As Slurm 22.05 prints jobs of a private one: `squeue -t all -o '%T %t'`.
    #[test]
    fn reads_what_slurm_prints() {
        use JobState::{Ending, Finished, Running, Waiting};
        for (printed, expected) in [
            ("PENDING PD", Waiting),
            ("SPECIAL_EXIT SE", Waiting),
            ("RUNNING R", Running),
            ("SUSPENDED S", Running),
            ("COMPLETING CG", Ending),
            ("COMPLETED CD", Finished),
            ("FAILED F", Finished),
            ("CANCELLED CA", Finished),
            ("TIMEOUT TO", Finished),
        ] {
            assert!(printed.split(' ').all(|state| job_state(state) == expected), "{printed}");
        }
    }
}
