//! Checkpoints: what a run has gathered when it begins a task. A firework that is run again from
//! one has it in `spec._recovery`.

use bson::{Bson, Document, doc};

use super::decide::RecoveryMode;
use super::mods::{self, ModError};
use super::{FwAction, as_int, int};

/// Where the last entry of a launch's history keeps its checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
/// Where a checkpoint keeps how far the task that began there has come by itself.
pub const PROGRESS: &str = "_progress";
/// What is kept there by tasks that make steps: how many they have made.
pub const STEPS: &str = "steps";
/// How many they are to make.
pub const OF: &str = "of_steps";
/// How many seconds the rest takes, as it went until then.
pub const LEFT: &str = "seconds_left";
/// Where a spec says from which checkpoint to go on.
pub const RECOVERY: &str = "_recovery";

/// What the tasks before one have gathered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Checkpoint {
    /// Position of the task that begins, from 0.
    pub task: usize,
    /// The data of all tasks before it.
    pub stored_data: Document,
    /// Their changes of the specs of the children; the tasks after them see these, too.
    pub update_spec: Document,
    /// Likewise.
    pub mod_spec: Vec<Document>,
}

/// Why `spec._recovery` is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("spec._recovery: `{field}` must be {expected}")]
pub struct BadRecovery {
    field: &'static str,
    expected: &'static str,
}

impl Checkpoint {
    /// As it is stored.
    pub fn to_document(&self) -> Document {
        doc! {
            "_task_n": int(self.task as i64),
            "_all_stored_data": self.stored_data.clone(),
            "_all_update_spec": self.update_spec.clone(),
            "_all_mod_spec": self.mod_spec.clone(),
        }
    }

    fn from_document(document: &Document) -> Result<Self, BadRecovery> {
        let task = document.get("_task_n").and_then(as_int).and_then(|task| usize::try_from(task).ok());
        let map = |field| match document.get(field) {
            None | Some(Bson::Null) => Ok(Document::new()),
            Some(Bson::Document(map)) => Ok(map.clone()),
            Some(_) => Err(BadRecovery { field, expected: "a mapping" }),
        };
        let field = "_all_mod_spec";
        let wrong = BadRecovery { field, expected: "a list of mappings" };
        let mod_spec = match document.get(field) {
            None | Some(Bson::Null) => Some(Vec::new()),
            Some(Bson::Array(items)) => items.iter().map(|item| item.as_document().cloned()).collect(),
            Some(_) => None,
        };
        Ok(Checkpoint {
            task: task.ok_or(BadRecovery { field: "_task_n", expected: "the number of a task, from 0" })?,
            stored_data: map("_all_stored_data")?,
            update_spec: map("_all_update_spec")?,
            mod_spec: mod_spec.ok_or(wrong)?,
        })
    }

    /// The checkpoint from which a run of this spec starts.
    pub fn first(spec: &Document) -> Result<Self, BadRecovery> {
        Ok(Recovery::of(spec)?.map(|recovery| recovery.from).unwrap_or_default())
    }

    /// Gathers what one more task gave. What else its action says is returned.
    pub fn gather(&mut self, action: FwAction) -> FwAction {
        let (stored_data, update_spec, mod_spec) = Default::default();
        self.stored_data.extend(action.stored_data);
        self.update_spec.extend(action.update_spec);
        self.mod_spec.extend(action.mod_spec);
        FwAction { stored_data, update_spec, mod_spec, ..action }
    }

    /// FireWorks' sum of all actions: what was gathered, and everything else of the last one.
    pub fn sum(self, last: FwAction) -> FwAction {
        FwAction { stored_data: self.stored_data, update_spec: self.update_spec, mod_spec: self.mod_spec, ..last }
    }

    /// Makes of the firework's own spec what the tasks before this one have made of it.
    pub fn change(&self, spec: &mut Document) -> Result<(), ModError> {
        mods::change(spec, &self.update_spec, &self.mod_spec)
    }
}

/// A run that goes on from the checkpoint of an earlier one.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// Where it goes on.
    pub from: Checkpoint,
    /// The directory of the earlier run.
    pub prev_dir: String,
    /// What becomes of that.
    pub mode: RecoveryMode,
}

impl Recovery {
    /// What `spec._recovery` asks for; an empty one asks for nothing, as in FireWorks.
    pub fn of(spec: &Document) -> Result<Option<Self>, BadRecovery> {
        let document = match spec.get(RECOVERY) {
            None | Some(Bson::Null) => return Ok(None),
            Some(Bson::Document(document)) if document.is_empty() => return Ok(None),
            Some(Bson::Document(document)) => document,
            Some(_) => return Err(BadRecovery { field: RECOVERY, expected: "a mapping" }),
        };
        let mode = RecoveryMode::from_bson(document.get("_mode"));
        let mode = mode.ok_or(BadRecovery { field: "_mode", expected: "null, `cp` or `prev_dir`" })?;
        let prev_dir = document.get_str("_prev_dir").unwrap_or_default().to_owned();
        if prev_dir.is_empty() && mode == RecoveryMode::Copy {
            return Err(BadRecovery { field: "_prev_dir", expected: "the directory to copy" });
        }
        Ok(Some(Recovery { from: Checkpoint::from_document(document)?, prev_dir, mode }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recovery(more: Document) -> Result<Option<Recovery>, BadRecovery> {
        let mut recovery = doc! {
            "_task_n": 1, "_all_stored_data": {"a": 1}, "_all_update_spec": {"b": 2},
            "_all_mod_spec": [{"_push": {"c": 3}}], "_prev_dir": "/d", "_launch_id": 1, "_mode": null,
        };
        recovery.extend(more);
        Recovery::of(&doc! {RECOVERY: recovery})
    }

    #[test]
    fn recoveries_are_read() {
        for (mode, expected) in [
            (Bson::Null, RecoveryMode::Fresh),
            ("cp".into(), RecoveryMode::Copy),
            ("prev_dir".into(), RecoveryMode::PreviousDirectory),
        ] {
            let recovery = recovery(doc! {"_mode": mode}).expect("is good").expect("is one");
            assert_eq!((recovery.mode, recovery.prev_dir.as_str(), recovery.from.task), (expected, "/d", 1));
            let mut spec = doc! {"b": 0, "x": 1};
            recovery.from.change(&mut spec).expect("applies");
            assert_eq!(spec, doc! {"b": 2, "x": 1, "c": [3]});
        }
        for nothing in [doc! {}, doc! {RECOVERY: null}, doc! {RECOVERY: {}}] {
            assert_eq!(Recovery::of(&nothing), Ok(None));
            assert_eq!(Checkpoint::first(&nothing), Ok(Checkpoint::default()));
        }
    }

    #[test]
    fn nonsense_is_named() {
        for (wrong, part) in [
            (doc! {"_task_n": -1}, "`_task_n` must be the number of a task"),
            (doc! {"_task_n": null}, "`_task_n`"),
            (doc! {"_all_stored_data": 3}, "`_all_stored_data` must be a mapping"),
            (doc! {"_all_mod_spec": [3]}, "`_all_mod_spec`"),
            (doc! {"_mode": "mv"}, "`_mode`"),
            (doc! {"_mode": "cp", "_prev_dir": null}, "`_prev_dir`"),
        ] {
            let message = recovery(wrong.clone()).expect_err("is refused").to_string();
            assert!(message.contains(part), "{wrong}: {message}");
        }
        assert!(Recovery::of(&doc! {RECOVERY: 3}).is_err());
    }

    #[test]
    fn actions_add_up() {
        let mut so_far = Checkpoint::default();
        let one = FwAction { stored_data: doc! {"a": 1, "b": 1}, update_spec: doc! {"c": 1}, ..FwAction::default() };
        let mods = vec![doc! {"_inc": {"d": 1}}];
        let two = FwAction { stored_data: doc! {"b": 2}, mod_spec: mods.clone(), exit: true, ..FwAction::default() };
        so_far.gather(one);
        let last = so_far.gather(two);
        let sum = so_far.sum(last);
        assert_eq!((sum.stored_data, sum.update_spec), (doc! {"a": 1, "b": 2}, doc! {"c": 1}));
        assert_eq!((sum.mod_spec, sum.exit), (mods, true));
    }
}
