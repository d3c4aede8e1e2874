//! `JoinDictTask` and `JoinListTask`: several values of the spec become one, to which what stands
//! under its key already is kept.

use std::path::Path;

use bson::{Bson, Document, doc};

use super::super::params::{BadTask, Params};
use super::super::{Firetask, Run, TaskFailure};
use super::{keys, of_spec};
use crate::workflow::FwAction;

/// Makes a mapping of `inputs`.
pub struct JoinDictTask;

/// Makes a list of `inputs`.
pub struct JoinListTask;

const DICT: &str = "JoinDictTask";
const LIST: &str = "JoinListTask";

impl Firetask for JoinDictTask {
    fn name(&self) -> &'static str {
        DICT
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: DICT, values: task };
        params.refuse_misspelt(&["inputs", "output", "rename"])?;
        names(&params)?;
        rename(&params).map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let params = Params { task: DICT, values: run.task };
        let (inputs, output) = names(&params)?;
        let rename = rename(&params)?;
        let mut joined = match run.spec.get(output) {
            None => Document::new(),
            Some(Bson::Document(present)) => present.clone(),
            Some(_) => return Err(wrong_output("mapping", output)),
        };
        for input in inputs {
            let name = rename.and_then(|rename| rename.get_str(input).ok()).unwrap_or(input);
            joined.insert(name, of_spec(run.spec, input, "inputs")?.clone());
        }
        Ok(FwAction { update_spec: doc! {output: joined}, ..FwAction::default() })
    }
}

impl Firetask for JoinListTask {
    fn name(&self) -> &'static str {
        LIST
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: LIST, values: task };
        params.refuse_misspelt(&["inputs", "output"])?;
        names(&params).map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let (inputs, output) = names(&Params { task: LIST, values: run.task })?;
        let mut joined = match run.spec.get(output) {
            None => Vec::new(),
            Some(Bson::Array(present)) => present.clone(),
            Some(_) => return Err(wrong_output("list", output)),
        };
        for input in inputs {
            joined.push(of_spec(run.spec, input, "inputs")?.clone());
        }
        Ok(FwAction { update_spec: doc! {output: joined}, ..FwAction::default() })
    }
}

fn names<'a>(params: &Params<'a>) -> Result<(Vec<&'a str>, &'a str), BadTask> {
    Ok((keys(params, "inputs")?, params.needed_text("output", "a key of the spec")?))
}

/// The new names of inputs.
fn rename<'a>(params: &Params<'a>) -> Result<Option<&'a Document>, BadTask> {
    match params.get("rename") {
        None => Ok(None),
        Some(Bson::Document(rename)) if rename.values().all(|name| name.as_str().is_some()) => Ok(Some(rename)),
        Some(_) => Err(params.wrong("rename", "a mapping of inputs to their new names")),
    }
}

/// Something else stands where the result belongs.
fn wrong_output(expected: &'static str, output: &str) -> TaskFailure {
    TaskFailure::SpecLacks { expected, key: output.to_owned(), named_by: "output" }
}
