//! Exit codes: scripts rely on them, so they have one place.

use std::fmt;
use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for is done; an empty listing is this, too.
    Done = 0,
    /// It failed, and nothing was changed unless the message says so.
    Error = 1,
    /// The command line could not be understood.
    Usage = 2,
    /// The queue refused or does not answer.
    Queue = 3,
    /// A modifying verb selected nothing.
    NothingSelected = 4,
    /// Some of several failed; of `lpad wait`: FIZZLED or DEFUSED.
    SomeFailed = 5,
    /// `lpad wait` has waited long enough.
    Timeout = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// An error that ends the program with a code of its own.
#[derive(Debug)]
struct Coded {
    exit: Exit,
    message: String,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Coded {}

/// An error that ends the program with `exit`.
pub fn failure(exit: Exit, message: impl fmt::Display) -> anyhow::Error {
    anyhow::Error::new(Coded { exit, message: message.to_string() })
}

/// The code of an error: its own, or that of any error.
pub fn of(error: &anyhow::Error) -> Exit {
    error.chain().find_map(|cause| cause.downcast_ref::<Coded>()).map_or(Exit::Error, |coded| coded.exit)
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn an_error_keeps_its_code_under_context() {
        let plain: anyhow::Error = anyhow::anyhow!("no");
        assert_eq!(of(&plain), Exit::Error);
        let coded: anyhow::Result<()> = Err(failure(Exit::Queue, "sbatch said no"));
        let error = coded.context("submitting").expect_err("is an error");
        assert_eq!(of(&error), Exit::Queue);
    }
}
