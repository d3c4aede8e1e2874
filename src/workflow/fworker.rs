//! The worker a launch runs on, and which fireworks it takes: FireWorks' `FWorker`.

use std::collections::BTreeSet;

use bson::{Bson, Document, doc};

use super::{FwId, Room};

/// Name FireWorks gives a worker that has no `my_fworker.yaml`.
pub const DEFAULT_NAME: &str = "Automatically generated Worker";

/// Which `spec._category` a worker takes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Category {
    /// Whatever it is.
    #[default]
    Any,
    /// One of these.
    OneOf(Vec<String>),
    /// Only fireworks without a category (`__none__`).
    Without,
}

/// What a worker has found that it cannot run, and does not take any more.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cannot {
    /// Kinds of tasks, by their `_fw_name`.
    pub tasks: BTreeSet<String>,
    /// Packages of Python whose functions tasks call; see [`package_of`].
    pub packages: BTreeSet<String>,
    /// Values of `spec._walltime` for which its time is too short.
    pub walltimes: Vec<Bson>,
    /// Except of what asks for a walltime of its own in `spec._queueadapter`, which its job will have.
    pub unless_own_walltime: bool,
    /// Single fireworks.
    pub fw_ids: BTreeSet<FwId>,
    /// What asks for more than this (see [`super::room`]).
    pub beyond: Option<Room>,
    /// What has another `spec._queueadapter`; null is to have none.
    pub other_than: Option<Bson>,
}

/// FireWorks' task that calls a plain function.
pub const PY_TASK: &str = "PyTask";

/// The package of Python that a task takes its function from: PyTask's `func`, or the function of
/// the job that Jobflow puts into its task.
pub fn package_of(task: &Document) -> Option<&str> {
    let function = match task.get_str("_fw_name") {
        Ok(PY_TASK) => task.get_str("func").ok().filter(|function| function.contains('.')),
        _ => task.get_document("job").and_then(|job| job.get_document("function")?.get_str("@module")).ok(),
    };
    function?.split('.').next().filter(|package| !package.is_empty())
}

/// A worker.
#[derive(Debug, Clone, PartialEq)]
pub struct FWorker {
    /// Its name; a firework with `_fworker` runs only on the worker of that name.
    pub name: String,
    /// The categories it takes.
    pub category: Category,
    /// A further condition on fireworks, in MongoDB's language; empty for none.
    pub query: Document,
    /// Settings of the place, which tasks see as `_fw_env`.
    pub env: Document,
    /// What it leaves to others. Known to this process alone.
    pub cannot: Cannot,
}

impl Default for FWorker {
    fn default() -> Self {
        FWorker {
            name: DEFAULT_NAME.to_owned(),
            category: Category::Any,
            query: Document::new(),
            env: Document::new(),
            cannot: Cannot::default(),
        }
    }
}

impl FWorker {
    /// As it is kept in a launch: the query is a JSON string there.
    pub fn to_document(&self) -> Document {
        let category = match &self.category {
            Category::Any => Bson::String(String::new()),
            Category::Without => Bson::String("__none__".into()),
            Category::OneOf(names) => match names.as_slice() {
                [one] => Bson::String(one.clone()),
                many => Bson::Array(many.iter().cloned().map(Bson::String).collect()),
            },
        };
        let query = serde_json::Value::Object(super::json::from_document(&self.query)).to_string();
        doc! { "name": &self.name, "category": category, "query": query, "env": self.env.clone() }
    }
}
