//! `FWAction`: what a finished launch reports and asks for.

use bson::{Bson, Document, doc};

use super::firework::is_true;
use super::mods::{self, ModError};
use super::{Cause, FwId, int_list};

/// The outcome of a launch, with FireWorks' ten fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FwAction {
    /// Recorded in the launch, and nothing else.
    pub stored_data: Document,
    /// Skip the remaining tasks of this firework.
    pub exit: bool,
    /// Keys to set in the specs of the children.
    pub update_spec: Document,
    /// Modifications (`_push`, `_inc`, ...) of the specs of the children.
    pub mod_spec: Vec<Document>,
    /// Workflows to add as further children.
    pub additions: Vec<Document>,
    /// Workflows that the present children must wait for.
    pub detours: Vec<Document>,
    /// Workflows to append to given parents.
    pub append_wfs: Vec<Document>,
    /// Defuse the children.
    pub defuse_children: bool,
    /// Defuse the rest of the workflow.
    pub defuse_workflow: bool,
    /// Apply `update_spec` and `mod_spec` to all descendants.
    pub propagate: bool,
}

/// An action that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("FWAction: `{field}` must be {expected}")]
pub struct BadAction {
    field: &'static str,
    expected: &'static str,
}

impl FwAction {
    /// Reads an action; what is missing or null has FireWorks' default, and where a list is
    /// expected a single item will do, as in Python's constructor.
    pub fn from_document(document: &Document) -> Result<Self, BadAction> {
        let map = |field: &'static str| match document.get(field) {
            None | Some(Bson::Null) => Ok(Document::new()),
            Some(Bson::Document(map)) => Ok(map.clone()),
            Some(_) => Err(BadAction { field, expected: "a mapping" }),
        };
        let list = |field: &'static str| match document.get(field) {
            None | Some(Bson::Null) => Ok(Vec::new()),
            Some(Bson::Document(one)) => Ok(vec![one.clone()]),
            Some(Bson::Array(items)) => items
                .iter()
                .map(|item| item.as_document().cloned().ok_or(BadAction { field, expected: "a list of mappings" }))
                .collect(),
            Some(_) => Err(BadAction { field, expected: "a list of mappings" }),
        };
        let flag = |field| document.get(field).is_some_and(is_true);
        Ok(FwAction {
            stored_data: map("stored_data")?,
            exit: flag("exit"),
            update_spec: map("update_spec")?,
            mod_spec: list("mod_spec")?,
            additions: list("additions")?,
            detours: list("detours")?,
            append_wfs: list("append_wfs")?,
            defuse_children: flag("defuse_children"),
            defuse_workflow: flag("defuse_workflow"),
            propagate: flag("propagate"),
        })
    }

    /// The document FireWorks writes: always all ten fields.
    pub fn to_document(&self) -> Document {
        let list = |items: &[Document]| Bson::Array(items.iter().cloned().map(Bson::Document).collect());
        doc! {
            "stored_data": self.stored_data.clone(),
            "exit": self.exit,
            "update_spec": self.update_spec.clone(),
            "mod_spec": list(&self.mod_spec),
            "additions": list(&self.additions),
            "detours": list(&self.detours),
            "append_wfs": list(&self.append_wfs),
            "defuse_children": self.defuse_children,
            "defuse_workflow": self.defuse_workflow,
            "propagate": self.propagate,
        }
    }

    /// Whether the specs of children change.
    pub fn changes_specs(&self) -> bool {
        !self.update_spec.is_empty() || !self.mod_spec.is_empty()
    }

    /// Changes a spec: `update_spec`, then `mod_spec`.
    pub fn change(&self, spec: &mut Document) -> Result<(), ModError> {
        mods::change(spec, &self.update_spec, &self.mod_spec)
    }

    /// Whether it puts new fireworks into the workflow.
    pub fn spawns(&self) -> bool {
        !(self.additions.is_empty() && self.detours.is_empty() && self.append_wfs.is_empty())
    }

    /// The fireworks that `append_wfs` names as parents.
    pub fn further_parents(&self) -> Vec<FwId> {
        self.append_wfs.iter().flat_map(|document| int_list(document.get("parents"))).collect()
    }

    /// Whether it ends the list of tasks: FireWorks skips the rest after any of these.
    pub fn ends_firework(&self) -> bool {
        self.exit || self.spawns() || self.defuse_children || self.defuse_workflow
    }

    /// The action of a task that failed, as FireWorks records it: `message` in place of Python's
    /// traceback.
    pub fn fizzled(task: Option<&Document>, stacktrace: &str, details: Bson) -> Self {
        FwAction {
            stored_data: doc! {
                "_message": "runtime error during task",
                "_task": task.map_or(Bson::Null, |task| Bson::Document(task.clone())),
                "_exception": { "_stacktrace": stacktrace, "_details": details },
            },
            exit: true,
            ..FwAction::default()
        }
    }

    /// Whether it says that the tasks took longer than they may.
    pub fn timed_out(&self) -> bool {
        let exception = self.stored_data.get_document("_exception").ok();
        let details = exception.and_then(|exception| exception.get_document("_details").ok());
        details.and_then(|details| details.get_str("cause").ok()) == Some(Cause::Timeout.as_str())
    }
}
