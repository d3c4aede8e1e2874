//! What can go wrong in a queue, and what of it passes by itself.

use std::path::PathBuf;

/// An error of a queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// A command of the queue says no.
    #[error("`{command}` failed with {status}{}", said(.stderr, .stdout))]
    Failed {
        /// The command line.
        command: String,
        /// `exit code 1`, `signal 9`.
        status: String,
        /// What it wrote to stdout.
        stdout: String,
        /// What it wrote to stderr.
        stderr: String,
    },
    /// A command of the queue cannot be started.
    #[error("cannot run `{command}`: {source}")]
    Missing {
        /// The command line.
        command: String,
        /// Why.
        source: std::io::Error,
    },
    /// A command of the queue does not come back.
    #[error("`{command}` did not answer within {seconds} s")]
    Hangs {
        /// The command line.
        command: String,
        /// How long we waited.
        seconds: u64,
    },
    /// A command of the queue answers what we cannot read.
    #[error("cannot read what `{command}` prints: {line:?}")]
    Strange {
        /// The command line.
        command: String,
        /// The line.
        line: String,
    },
    /// The file system refuses.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A local job did not start.
    #[error("cannot start {}: {reason}", .script.display())]
    NotStarted {
        /// The job script.
        script: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Why the same call may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Busy {
    /// We have as many jobs as we may have; some have to end first.
    Limit,
    /// The controller is restarting or overloaded.
    Controller,
}

impl QueueError {
    /// Whether, and why, the same call may succeed later without anybody's doing.
    pub fn busy(&self) -> Option<Busy> {
        match self {
            QueueError::Hangs { .. } => Some(Busy::Controller),
            QueueError::Failed { stderr, .. } => busy(stderr),
            _ => None,
        }
    }
}

/// What Slurm says when it has too much to do.
const OVERLOADED: [&str; 7] = [
    "Socket timed out",
    "Unable to contact slurm controller",
    "slurm controller (connect failure)",
    "Zero Bytes were transmitted or received",
    "Transport endpoint is not connected",
    "backup controller in standby mode",
    "Unexpected message received",
];

fn busy(stderr: &str) -> Option<Busy> {
    // Reasons are words: QOSMaxSubmitJobPerUserLimit, AssocMaxSubmitJobLimit, AssocGrpSubmitJobsLimit, ...
    let mut words = stderr.split(|c: char| !c.is_ascii_alphanumeric());
    let limit = |word: &str| {
        (word.starts_with("QOS") || word.starts_with("Assoc")) && word.contains("Submit") && word.ends_with("Limit")
    };
    // What EAGAIN reads like: MaxJobCount of the whole cluster is reached.
    if words.any(limit) || stderr.contains("Resource temporarily unavailable") {
        Some(Busy::Limit)
    } else if OVERLOADED.iter().any(|sign| stderr.contains(sign)) {
        Some(Busy::Controller)
    } else {
        None
    }
}

/// The words of a failed command, stderr before stdout, nothing hidden.
fn said(stderr: &str, stdout: &str) -> String {
    let said: Vec<&str> = [stderr.trim(), stdout.trim()].into_iter().filter(|text| !text.is_empty()).collect();
    if said.is_empty() { " and said nothing".into() } else { format!(":\n{}", said.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself() {
        for (stderr, expected) in [
            (
                "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates \
                 accounting/QOS policy (job submit limit, user's size and/or time limits)",
                Some(Busy::Limit),
            ),
            ("sbatch: error: AssocMaxSubmitJobLimit\n", Some(Busy::Limit)),
            ("sbatch: error: AssocGrpSubmitJobsLimit\n", Some(Busy::Limit)),
            ("sbatch: error: Batch job submission failed: Resource temporarily unavailable", Some(Busy::Limit)),
            (
                "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
                Some(Busy::Controller),
            ),
            ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)", Some(Busy::Controller)),
            // These need somebody to change something.
            ("sbatch: error: QOSMaxCpuPerUserLimit", None),
            ("sbatch: error: QOSMaxWallDurationPerJobLimit", None),
            ("sbatch: error: Batch job submission failed: Invalid partition name specified", None),
            (
                "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (job submit limit, \
                 user's size and/or time limits)",
                None,
            ),
            ("", None),
        ] {
            assert_eq!(busy(stderr), expected, "{stderr}");
        }
    }

    #[test]
    fn shows_command_code_and_words() {
        let error = QueueError::Failed {
            command: "sbatch a".into(),
            status: "exit code 1".into(),
            stdout: String::new(),
            stderr: "sbatch: error: no\n".into(),
        };
        assert_eq!(error.to_string(), "`sbatch a` failed with exit code 1:\nsbatch: error: no");
    }
}
