//! Why a task failed, and how FireWorks records it: a message with everything around it that one
//! would otherwise have to look for, where Python has its traceback.

use std::fmt::Write as _;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use bson::{Bson, Document, doc};

use super::name_of;
use super::params::BadTask;
use crate::recipes;
use crate::workflow::mods::ModError;
use crate::workflow::{FwAction, FwId, int, json};

/// Why a task has no outcome of its own.
#[derive(Debug, thiserror::Error)]
pub enum TaskFailure {
    /// It was asked to stop. Not recorded: the firework runs again.
    #[error("interrupted")]
    Interrupted,
    /// Python cannot be started any more, or not be understood.
    #[error("{0}")]
    NoPython(String),
    /// A task raised an exception; the last line of its traceback says which.
    #[error("{}", .traceback.lines().last().unwrap_or_default())]
    Python {
        /// All of it.
        traceback: String,
        /// The exception's own dictionary, where it has one.
        details: Box<Bson>,
    },
    /// Python did not survive the task.
    #[error("Python ended with {status} while it ran the task{}", oom_hint(.status))]
    PythonEnded {
        /// How.
        status: ExitStatus,
        /// The last lines that were printed.
        output: String,
    },
    /// Its parameters are wrong.
    #[error(transparent)]
    Parameters(#[from] BadTask),
    /// A command ended badly.
    #[error("{task} fizzled! Return code: {returncodes:?}")]
    ReturnCode {
        /// The kind of task.
        task: &'static str,
        /// The command that did.
        command: String,
        /// Return codes of all commands so far; negative for a signal.
        returncodes: Vec<i64>,
        /// The last lines it wrote to its standard error.
        stderr: String,
    },
    /// A command could not be started.
    #[error("cannot run `{command}`: {source}")]
    Start {
        /// The command.
        command: String,
        /// Why not.
        source: io::Error,
    },
    /// A file could not be read or written.
    #[error("cannot {verb} {}: {source}", .path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The spec lacks what the task reads from it.
    #[error("the spec has no {expected} `{key}`, which `{named_by}` names")]
    SpecLacks {
        /// What is looked for.
        expected: &'static str,
        /// Its key.
        key: String,
        /// The parameter that says so.
        named_by: &'static str,
    },
    /// A file or folder could not be brought to its place.
    #[error("cannot {mode} {} to {}: {source}", .src.display(), .dest.display())]
    Transfer {
        /// How.
        mode: &'static str,
        /// What.
        src: PathBuf,
        /// Where to.
        dest: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {reason}", .path.display())]
    Contents {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is nothing to compute.
    #[error("{task} has no `structure`, and neither has the spec: give one, or link it below a relaxation")]
    NoStructure {
        /// The kind of task.
        task: &'static str,
    },
    /// A calculation broke down or did not come to its end.
    #[error(transparent)]
    Recipe(recipes::Error),
    /// The file a task left its action in is no action.
    #[error("{}: {reason}", .path.display())]
    ActionFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The action asks for what cannot be done.
    #[error("{0}")]
    Action(String),
    /// The action changes the spec in a way that does not apply.
    #[error(transparent)]
    Mod(#[from] ModError),
    /// The task itself is broken.
    #[error("the task panicked: {0}")]
    Panicked(String),
}

/// Which task of which firework was tried.
pub struct Attempt<'a> {
    /// The firework.
    pub fw_id: FwId,
    /// Its name.
    pub fw_name: &'a str,
    /// Position of the task, from 1, and how many there are.
    pub number: (usize, usize),
    /// The task.
    pub task: &'a Document,
    /// Where.
    pub directory: &'a Path,
}

impl Attempt<'_> {
    /// The action that records the failure.
    pub fn fizzled(&self, failure: &TaskFailure) -> FwAction {
        FwAction::fizzled(Some(self.task), &self.report(failure), details(failure))
    }

    /// Everything around the failure, the message last as in Python. A traceback says it all.
    fn report(&self, failure: &TaskFailure) -> String {
        if let TaskFailure::Python { traceback, .. } = failure {
            return traceback.clone();
        }
        let (number, count) = self.number;
        let mut text = format!(
            "firework {} ({}), task {number} of {count}: {}\n  in directory {}\n",
            self.fw_id,
            self.fw_name,
            name_of(self.task),
            self.directory.display()
        );
        // Writing to a String cannot fail.
        if let TaskFailure::ReturnCode { command, .. } = failure {
            let _ = writeln!(text, "  command: {command}");
        }
        if let TaskFailure::ReturnCode { stderr: said, .. } | TaskFailure::PythonEnded { output: said, .. } = failure
            && !said.is_empty()
        {
            let stream = if matches!(failure, TaskFailure::ReturnCode { .. }) { "stderr" } else { "output" };
            let _ = writeln!(text, "  last lines of {stream}:");
            for line in said.lines() {
                let _ = writeln!(text, "    {line}");
            }
        }
        text + &failure.to_string()
    }
}

/// The kernel says nothing when it kills who has taken too much memory.
fn oom_hint(status: &ExitStatus) -> &'static str {
    if status.signal() == Some(9) { " (killed; perhaps it took more memory than there is)" } else { "" }
}

fn details(failure: &TaskFailure) -> Bson {
    match failure {
        TaskFailure::ReturnCode { command, returncodes, stderr, .. } => Bson::Document(doc! {
            "command": command,
            "returncode": returncodes.last().map_or(Bson::Null, |&code| int(code)),
            "all_returncodes": returncodes.iter().map(|&code| int(code)).collect::<Vec<_>>(),
            "stderr": stderr,
        }),
        TaskFailure::Python { details, .. } => Bson::clone(details),
        TaskFailure::Recipe(error) => error.document().map_or(Bson::Null, json::to_bson),
        _ => Bson::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_where_and_what() {
        let task = doc! {"_fw_name": "Script Task", "script": "ls /nowhere"};
        let attempt = Attempt {
            fw_id: 3,
            fw_name: "list",
            number: (2, 4),
            task: &task,
            directory: Path::new("/scratch/launcher_1"),
        };
        let failure = TaskFailure::ReturnCode {
            task: "ScriptTask",
            command: "ls /nowhere".into(),
            returncodes: vec![0, 2],
            stderr: "ls: cannot access '/nowhere'\n".into(),
        };
        let action = attempt.fizzled(&failure);
        let exception = action.stored_data.get_document("_exception").expect("is recorded");
        assert_eq!(
            exception.get_str("_stacktrace").ok(),
            Some(
                "firework 3 (list), task 2 of 4: ScriptTask\n  in directory /scratch/launcher_1\n  command: ls /nowhere\n  last lines of stderr:\n    ls: cannot access '/nowhere'\nScriptTask fizzled! Return code: [0, 2]"
            )
        );
        let details = exception.get_document("_details").expect("is recorded");
        assert_eq!(details.get("returncode"), Some(&Bson::Int32(2)));
    }
}
