//! The tasks that move data between specs, commands and files: FireWorks' dataflow tasks, with its
//! parameters and results.

use bson::{Bson, Document};

use super::TaskFailure;
use super::params::{BadTask, Params};

mod argument;
mod command_line;
mod foreach;
mod import;
mod join;

pub use command_line::CommandLineTask;
pub use foreach::ForeachTask;
pub use import::ImportDataTask;
pub use join::{JoinDictTask, JoinListTask};

/// A value of the spec that the parameter `named_by` names.
fn of_spec<'a>(spec: &'a Document, key: &str, named_by: &'static str) -> Result<&'a Bson, TaskFailure> {
    spec.get(key).ok_or_else(|| TaskFailure::SpecLacks { expected: "value", key: key.to_owned(), named_by })
}

/// A parameter that is a list of keys of the spec.
fn keys<'a>(params: &Params<'a>, key: &'static str) -> Result<Vec<&'a str>, BadTask> {
    let expected = "a list of keys of the spec";
    params.texts(key, expected)?.ok_or(BadTask::Missing { task: params.task, key, expected })
}
