//! The states of Slurm 20.11 to 25.05 (`man squeue`, JOB STATE CODES), and what those mean that
//! end a job.

use crate::queue::JobState;
use crate::workflow::Cause;

/// What a job in this state does.
pub fn job_state(state: &str) -> JobState {
    match state {
        "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_FED" | "REQUEUE_HOLD" | "SPECIAL_EXIT" | "RESV_DEL_HOLD"
        | "POWER_UP_NODE" => JobState::Waiting,
        "RUNNING" | "SUSPENDED" | "STOPPED" | "RESIZING" | "SIGNALING" | "UPDATE_DB" => JobState::Running,
        "COMPLETING" | "STAGE_OUT" => JobState::Ending,
        "COMPLETED" | "CANCELLED" | "FAILED" | "TIMEOUT" | "NODE_FAIL" | "PREEMPTED" | "BOOT_FAIL" | "DEADLINE"
        | "OUT_OF_MEMORY" | "REVOKED" | "LAUNCH_FAILED" | "RECONFIG_FAIL" => JobState::Finished,
        _ => JobState::Unknown,
    }
}

/// Why what ran in a job that is over has ended. None of states that do not end a job, nor of
/// REVOKED: that job goes on in another cluster of its federation.
pub fn cause(state: &str) -> Option<Cause> {
    Some(match state {
        // The job is over, and has said nothing of what it ran.
        "COMPLETED" | "FAILED" => Cause::Unexplained,
        "OUT_OF_MEMORY" => Cause::OutOfMemory,
        "TIMEOUT" | "DEADLINE" => Cause::Timeout,
        "NODE_FAIL" | "BOOT_FAIL" | "LAUNCH_FAILED" | "RECONFIG_FAIL" => Cause::NodeFail,
        "PREEMPTED" => Cause::Preempted,
        "CANCELLED" => Cause::Cancelled,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_state_is_not_over() {
        assert_eq!((job_state("TELEPORTING"), cause("TELEPORTING")), (JobState::Unknown, None));
    }

    #[test]
    fn what_is_over_has_a_cause() {
        for state in ["COMPLETED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "CANCELLED"] {
            assert_eq!(job_state(state), JobState::Finished, "{state}");
            assert!(cause(state).is_some(), "{state}");
        }
        for state in ["PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING", "STAGE_OUT", "REVOKED"] {
            assert_eq!(cause(state), None, "{state}");
        }
    }
}
