//! What happens to tasks before a workflow is stored: mistakes are found while the user is still
//! there, and files are read where they are.

use std::path::Path;

use bson::Bson;

use super::find;
use crate::workflow::Draft;

/// A task that would fail whenever it is run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("firework {fw}, task {task}: {message}")]
pub struct PrepareError {
    /// Local id of the firework.
    pub fw: i64,
    /// Position of the task, from 1.
    pub task: usize,
    /// What is wrong.
    pub message: String,
}

/// Checks and completes the tasks of a workflow; files are looked for in `base`. Tasks of unknown
/// kinds are left alone: they may be Python's.
pub fn prepare(draft: &mut Draft, base: &Path) -> Result<(), PrepareError> {
    for firework in draft.fireworks_mut() {
        let fw = firework.local_id;
        let Ok(tasks) = firework.spec.get_array_mut("_tasks") else { continue };
        for (position, task) in tasks.iter_mut().filter_map(Bson::as_document_mut).enumerate() {
            if let Some(kind) = find(task) {
                kind.prepare(task, base).map_err(|error| PrepareError {
                    fw,
                    task: position + 1,
                    message: error.to_string(),
                })?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{Document, doc};

    fn prepared(task: Document) -> Result<(), PrepareError> {
        let good = doc! {"_fw_name": "ScriptTask", "script": "true"};
        let document = doc! {"fw_id": 4, "spec": {"_tasks": [good, task]}};
        prepare(&mut Draft::from_document(&document).expect("reads"), Path::new("/"))
    }

    #[test]
    fn finds_the_task_that_cannot_work() {
        let error = prepared(doc! {"_fw_name": "ScriptTask"}).expect_err("is refused");
        assert_eq!((error.fw, error.task), (4, 2));
        assert!(error.to_string().contains("`script`"), "{error}");
        assert_eq!(prepared(doc! {"_fw_name": "ScriptTask", "use_global_spec": true}), Ok(()));
        assert_eq!(prepared(doc! {"_fw_name": "MyPythonTask"}), Ok(()));
    }
}
