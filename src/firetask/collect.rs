//! `CollectResultsTask`: one table of what all the recipes above have found.

use std::collections::BTreeMap;
use std::path::Path;

use bson::{Bson, Document, doc};

use super::emt::RESULTS;
use super::params::{BadTask, Params};
use super::{Firetask, Run, TaskFailure};
use crate::workflow::{FwAction, FwId, LaunchId, as_int, int, int_list};

/// The task.
pub struct CollectResultsTask;

const NAME: &str = "CollectResultsTask";

impl Firetask for CollectResultsTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        Params { task: NAME, values: task }.refuse_misspelt(&[])
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let mut rows = newest_rows(NAME, run)?;
        // They were pushed as the parents came to their ends; a table should not depend on that.
        rows.sort_by(|one, other| {
            let (one, other) = (key(one), key(other));
            one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)).then(one.2.cmp(&other.2))
        });
        let stored_data = doc! {"name": "Collected results", "count": int(rows.len() as i64), RESULTS: rows};
        Ok(FwAction { stored_data, ..FwAction::default() })
    }
}

/// What the recipes above have found, each firework's last run.
pub(super) fn newest_rows(task: &'static str, run: &Run<'_>) -> Result<Vec<Bson>, BadTask> {
    let mut rows: Vec<Bson> = match run.spec.get(RESULTS) {
        None | Some(Bson::Null) => Vec::new(),
        Some(Bson::Array(rows)) => rows.clone(),
        Some(_) => return Err(Params { task, values: run.spec }.wrong(RESULTS, "a list")),
    };
    retain_newest(&mut rows);
    Ok(rows)
}

/// A firework that has run again has pushed its rows again: those of its last run count.
fn retain_newest(rows: &mut Vec<Bson>) {
    let mut newest = BTreeMap::new();
    for (fw_id, launch_id) in rows.iter().filter_map(origin) {
        newest.entry(fw_id).and_modify(|known: &mut LaunchId| *known = launch_id.max(*known)).or_insert(launch_id);
    }
    rows.retain(|row| origin(row).is_none_or(|(fw_id, launch_id)| newest.get(&fw_id) == Some(&launch_id)));
}

/// The firework and the run of it that a row comes from, where it says so.
fn origin(row: &Bson) -> Option<(FwId, LaunchId)> {
    let row = row.as_document()?;
    Some((as_int(row.get("fw_id")?)?, as_int(row.get("launch_id")?)?))
}

/// What rows are sorted by: Miller index, shift, firework.
fn key(row: &Bson) -> (Vec<i64>, f64, i64) {
    let get = |key: &str| row.as_document().and_then(|row| row.get(key));
    let shift = get("shift").and_then(|shift| shift.as_f64().or_else(|| as_int(shift).map(|whole| whole as f64)));
    (int_list(get("miller_index")), shift.unwrap_or_default(), get("fw_id").and_then(as_int).unwrap_or_default())
}
