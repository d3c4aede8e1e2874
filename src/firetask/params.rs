//! Parameters of tasks: typed access, with errors that name the key.

use bson::{Bson, Document};

/// A task whose parameters cannot be right.
#[derive(Debug, thiserror::Error)]
pub enum BadTask {
    /// A parameter is needed.
    #[error("{task} needs `{key}`: {expected}")]
    Missing {
        /// The kind of task.
        task: &'static str,
        /// The parameter.
        key: &'static str,
        /// What it is.
        expected: &'static str,
    },
    /// A parameter has the wrong kind.
    #[error("{task}: `{key}` must be {expected}")]
    WrongKind {
        /// The kind of task.
        task: &'static str,
        /// The parameter.
        key: String,
        /// What it must be.
        expected: &'static str,
    },
    /// Two parameters exclude each other.
    #[error("{task}: {why}")]
    Contradiction {
        /// The kind of task.
        task: &'static str,
        /// Which, and what to do.
        why: &'static str,
    },
    /// Parameters of a recipe, or a structure, that cannot be computed with.
    #[error("{task}: {source}")]
    Recipe {
        /// The kind of task.
        task: &'static str,
        /// What is wrong.
        source: crate::recipes::Error,
    },
}

/// The parameters of one task.
pub struct Params<'a> {
    /// The kind of task, for messages.
    pub task: &'static str,
    /// Where they stand.
    pub values: &'a Document,
}

impl<'a> Params<'a> {
    /// A parameter that is neither missing nor null.
    pub fn get(&self, key: &str) -> Option<&'a Bson> {
        self.values.get(key).filter(|value| !matches!(value, Bson::Null))
    }

    /// A text; an empty one counts as missing, as in Python.
    pub fn text(&self, key: &'static str) -> Result<Option<&'a str>, BadTask> {
        match self.get(key) {
            None => Ok(None),
            Some(Bson::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong(key, "a string")),
        }
    }

    /// Python's truth of a flag.
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).map(crate::workflow::firework::is_true)
    }

    /// The error for a parameter of the wrong kind.
    pub fn wrong(&self, key: &str, expected: &'static str) -> BadTask {
        BadTask::WrongKind { task: self.task, key: key.to_owned(), expected }
    }
}
