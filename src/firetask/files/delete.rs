//! `FileDeleteTask`: deletes files.

use std::fs;
use std::path::Path;

use bson::Document;
use tracing::warn;

use super::super::params::{BadTask, Params};
use super::super::{Firetask, Run, TaskFailure};
use crate::workflow::FwAction;

/// Deletes `files_to_delete` in the launch directory, or in `dest`.
pub struct FileDeleteTask;

const NAME: &str = "FileDeleteTask";

impl Firetask for FileDeleteTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: NAME, values: task };
        params.refuse_misspelt(&["files_to_delete", "dest", "ignore_errors"])?;
        params.text("dest")?;
        files(&params).map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let params = Params { task: NAME, values: run.task };
        let folder = run.directory.join(params.text("dest")?.unwrap_or_default());
        let ignores_errors = params.flag("ignore_errors").unwrap_or(true);
        for name in files(&params)? {
            let path = folder.join(name);
            if let Err(source) = fs::remove_file(&path) {
                let failure = TaskFailure::File { verb: "delete", path, source };
                if !ignores_errors {
                    return Err(failure);
                }
                warn!("{NAME}: {failure} (ignored)");
            }
        }
        Ok(FwAction::default())
    }
}

fn files<'a>(params: &Params<'a>) -> Result<Vec<&'a str>, BadTask> {
    let (key, expected) = ("files_to_delete", "a list of names of files");
    params.texts(key, expected)?.ok_or(BadTask::Missing { task: NAME, key, expected })
}
