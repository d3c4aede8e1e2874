//! What can go wrong in a queue, and what of it passes by itself.

use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;

use super::command::describe;
use super::refusal;

/// An error of a queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// A command of the queue says no.
    #[error("`{command}` failed with {}{}", describe(*.status), said(.stderr, .stdout))]
    Failed {
        /// The command line.
        command: String,
        /// How it ended.
        status: ExitStatus,
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

/// What has to happen before the same call can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// We have as many jobs as we may have: some have to end.
    Full,
    /// The queue is away, restarting or overloaded: it has to recover.
    Sick,
    /// Somebody has to change something.
    Wrong,
}

impl QueueError {
    /// What has to happen before the same call can succeed.
    pub fn kind(&self) -> Kind {
        match self {
            QueueError::Hangs { .. } => Kind::Sick,
            QueueError::Failed { stderr, .. } => refusal::kind(stderr),
            _ => Kind::Wrong,
        }
    }

    /// Whether a job that was to be submitted may be there all the same: the queue has not said no,
    /// or nobody has heard it.
    pub fn may_have_submitted(&self) -> bool {
        match self {
            QueueError::Hangs { .. } | QueueError::Strange { .. } => true,
            QueueError::Failed { status, stdout, stderr, .. } => {
                was_killed(*status) || refusal::is_unheard(stdout, stderr)
            }
            QueueError::Missing { .. } | QueueError::Io { .. } | QueueError::NotStarted { .. } => false,
        }
    }
}

/// By a signal, as far as a shell in between tells.
fn was_killed(status: ExitStatus) -> bool {
    status.signal().is_some() || status.code().is_some_and(|code| code > 128)
}

/// The words of a failed command, stderr before stdout, nothing hidden.
fn said(stderr: &str, stdout: &str) -> String {
    let said: Vec<&str> = [stderr.trim(), stdout.trim()].into_iter().filter(|text| !text.is_empty()).collect();
    if said.is_empty() { " and said nothing".into() } else { format!(":\n{}", said.join("\n")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(status: i32, stdout: &str, stderr: &str) -> QueueError {
        QueueError::Failed {
            command: "sbatch a".into(),
            status: ExitStatus::from_raw(status),
            stdout: stdout.into(),
            stderr: stderr.into(),
        }
    }

    #[test]
    fn what_nobody_has_heard_may_be_there() {
        let exit = |code: i32| code << 8;
        for (error, expected) in [
            (failed(exit(1), "", "sbatch: error: Batch job submission failed: Invalid qos specification"), false),
            (failed(exit(1), "", "sbatch: error: QOSMaxSubmitJobPerUserLimit"), false),
            (failed(exit(7), "", "no more disk quota"), false),
            (failed(9, "", ""), true),
            (failed(exit(128 + 15), "", "Terminated"), true),
            (failed(exit(1), "71\n", "wrapper: no log"), true),
            (QueueError::Hangs { command: "sbatch".into(), seconds: 300 }, true),
            (QueueError::Strange { command: "sbatch".into(), line: String::new() }, true),
            (QueueError::Missing { command: "sbatch".into(), source: std::io::ErrorKind::NotFound.into() }, false),
            (QueueError::NotStarted { script: "a".into(), reason: "b".into() }, false),
        ] {
            assert_eq!(error.may_have_submitted(), expected, "{error}");
        }
    }

    #[test]
    fn shows_command_code_and_words() {
        let error = failed(1 << 8, "", "sbatch: error: no\n");
        assert_eq!(error.to_string(), "`sbatch a` failed with exit code 1:\nsbatch: error: no");
    }
}
