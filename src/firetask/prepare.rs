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
    /// The key it is about, where there is one.
    pub key: Option<String>,
    /// What is wrong.
    pub message: String,
}

/// Checks and completes the tasks of a workflow; files are looked for in `base`. Tasks of unknown
/// kinds are left alone: they may be Python's.
pub fn prepare(draft: &mut Draft, base: &Path) -> Result<(), PrepareError> {
    for firework in draft.fireworks_mut() {
        let fw = firework.local_id;
        let spec = &mut firework.spec;
        // Taken out while they are looked at: a task may look at the spec around it.
        let mut tasks = spec.get_array_mut("_tasks").map(std::mem::take).unwrap_or_default();
        for (position, task) in tasks.iter_mut().filter_map(Bson::as_document_mut).enumerate() {
            if let Some(kind) = find(task) {
                kind.prepare(task, spec, base).map_err(|error| PrepareError {
                    fw,
                    task: position + 1,
                    key: error.key().map(str::to_owned),
                    message: error.to_string(),
                })?;
            }
        }
        if let Ok(place) = spec.get_array_mut("_tasks") {
            *place = tasks;
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

    #[test]
    fn structures_and_parameters_of_recipes_are_checked() {
        let relax = |more: Document| {
            let mut task = doc! {"_fw_name": "EmtRelaxTask", "structure": {"bulk": "Cu"}};
            task.extend(more);
            prepared(task).map_err(|error| error.message)
        };
        assert_eq!(relax(doc! {}), Ok(()));
        assert_eq!(relax(doc! {"structure": Bson::Null}), Ok(()), "a parent gives it");
        for (more, part) in [
            (doc! {"structure": {"bulk": "Xx"}}, "Xx"),
            (doc! {"structure": {"bulk": "Fe"}}, "Fe"),
            (doc! {"structure": {"symbols": ["Cu"], "positions": [[f64::NAN, 0, 0]]}}, "finite"),
            (
                doc! {"structure": {"symbols": ["Cu"], "positions": [[0, 0, 0]], "cell": [[1, 0, 0], [2, 0, 0], [0, 0, 1]]}},
                "cell",
            ),
            (doc! {"structure": {"file": "nowhere.xyz"}}, "nowhere.xyz"),
            (doc! {"opt_params": {"optimizer": "BFSG"}}, "BFSG"),
            (doc! {"opt_parms": {}}, "opt_params"),
        ] {
            let message = relax(more.clone()).expect_err("is refused");
            assert!(message.contains(part), "{more}: {message}");
        }
    }

    #[test]
    fn files_are_read_once_and_for_all() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.xyz"), "1\n\nCu 0 0 1\n").expect("writes");
        let relax = doc! {"_fw_name": "EmtRelaxTask"};
        let mut with_file = relax.clone();
        with_file.insert("structure", doc! {"file": "a.xyz"});
        for spec in [doc! {"_tasks": [with_file]}, doc! {"structure": {"file": "a.xyz"}, "_tasks": [relax]}] {
            let keys: Vec<String> = spec.keys().cloned().collect();
            let mut draft = Draft::from_document(&doc! {"spec": spec}).expect("reads");
            prepare(&mut draft, folder.path()).expect("is good");
            let spec = &draft.fireworks()[0].spec;
            assert_eq!(spec.keys().cloned().collect::<Vec<_>>(), keys);
            let text = spec.to_string();
            assert!(text.contains("symbols") && !text.contains("a.xyz"), "{text}");
        }
    }
}
