//! `ForeachTask`: a firework for each item of a list, or for each of some pieces of it.
//!
//! They are detours: the children of this firework wait for all of them.

use std::path::Path;

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::super::params::{BadTask, Params};
use super::super::{Firetask, Run, TaskFailure, find, name_of};
use crate::workflow::{FwAction, as_int, int, time};

/// Does `task` to the pieces of the list `split`.
pub struct ForeachTask;

const NAME: &str = "ForeachTask";
const CHUNKS: &str = "number of chunks";

impl Firetask for ForeachTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, spec: &mut Document, base: &Path) -> Result<(), BadTask> {
        let params = Params { task: NAME, values: task };
        params.refuse_misspelt(&["task", "split", CHUNKS])?;
        Settings::read(&params)?;
        match task.get_document_mut("task") {
            Ok(inner) => find(inner).map_or(Ok(()), |kind| kind.prepare(inner, spec, base)),
            Err(_) => Ok(()),
        }
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let Settings { task, split, chunks } = Settings::read(&Params { task: NAME, values: run.task })?;
        let items = run.spec.get_array(split).ok().filter(|items| !items.is_empty());
        let items = items.ok_or_else(|| TaskFailure::SpecLacks {
            expected: "list with something in it",
            key: split.to_owned(),
            named_by: "split",
        })?;
        let pieces: Vec<&[Bson]> = items.chunks(items.len().div_ceil(chunks.unwrap_or(items.len()))).collect();
        let now = time::to_iso(Timestamp::now());
        let firework = |(index, piece): (usize, &&[Bson])| {
            let mut spec = run.spec.clone();
            // With it, the new fireworks would go on where this one had stopped. FireWorks hands it on.
            spec.remove("_recovery");
            spec.insert(split, piece.to_vec());
            let mut task = task.clone();
            task.insert("_fw_name", name_of(&task).to_owned());
            task.insert("chunk_number", int(index as i64));
            spec.insert("_tasks", vec![task]);
            // Negative until the launchpad gives them others; the first piece gets the lowest.
            let fw_id = int(index as i64 - pieces.len() as i64);
            doc! {"spec": spec, "fw_id": fw_id, "created_on": &now, "updated_on": &now, "name": format!("{NAME} {index}")}
        };
        Ok(FwAction { detours: pieces.iter().enumerate().map(firework).collect(), ..FwAction::default() })
    }
}

struct Settings<'a> {
    task: &'a Document,
    split: &'a str,
    /// How many pieces are wanted; without, every item is one.
    chunks: Option<usize>,
}

impl<'a> Settings<'a> {
    fn read(params: &Params<'a>) -> Result<Self, BadTask> {
        let split = params.needed_text("split", "the key of a list in the spec")?;
        let (key, expected) = ("task", "a task: a mapping with `_fw_name`");
        let task = match params.get(key) {
            None => return Err(BadTask::Missing { task: NAME, key, expected }),
            Some(Bson::Document(task)) if task.get_str("_fw_name").is_ok() => task,
            Some(_) => return Err(params.wrong(key, expected)),
        };
        let has_it = match task.get("inputs") {
            Some(Bson::String(input)) => input == split,
            Some(Bson::Array(inputs)) => inputs.iter().any(|input| input.as_str() == Some(split)),
            _ => false,
        };
        if !has_it {
            let why = "the `inputs` of its `task` must have what `split` names: nothing else is split";
            return Err(BadTask::Contradiction { task: NAME, why });
        }
        let chunks = match params.get(CHUNKS).map(as_int) {
            None | Some(Some(0)) => None,
            Some(number) => {
                let number = number.and_then(|number| usize::try_from(number).ok());
                Some(number.ok_or_else(|| params.wrong(CHUNKS, "a whole number"))?)
            }
        };
        Ok(Settings { task, split, chunks })
    }
}
