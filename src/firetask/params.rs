//! Parameters of tasks: typed access, with errors that name the key.

use bson::{Bson, Document};

use crate::config::nearest;
use crate::{recipes, science};

/// Where a recipe finds its atoms.
pub const STRUCTURE: &str = "structure";

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
    /// A parameter that the task does not have, but nearly.
    #[error("{task}: unknown key `{key}`{hint}")]
    Misspelt {
        /// The kind of task.
        task: &'static str,
        /// The parameter.
        key: String,
        /// What was meant, in words.
        hint: String,
    },
    /// Two parameters exclude each other.
    #[error("{task}: {why}")]
    Contradiction {
        /// The kind of task.
        task: &'static str,
        /// Which, and what to do.
        why: &'static str,
    },
    /// Parameters of a recipe that cannot be computed with.
    #[error("{task}: {source}")]
    Recipe {
        /// The kind of task.
        task: &'static str,
        /// What is wrong.
        source: recipes::Error,
    },
    /// A structure that cannot be built, or computed with.
    #[error("{task}: {source}")]
    Structure {
        /// The kind of task.
        task: &'static str,
        /// What is wrong.
        source: recipes::Error,
    },
}

impl BadTask {
    /// The key it is about, when it is about one that is there.
    pub fn key(&self) -> Option<&str> {
        match self {
            BadTask::Missing { .. } | BadTask::Contradiction { .. } => None,
            BadTask::WrongKind { key, .. } | BadTask::Misspelt { key, .. } => Some(key),
            BadTask::Recipe { source, .. } => unknown_key(source),
            BadTask::Structure { source, .. } => unknown_key(source).or(Some(STRUCTURE)),
        }
    }
}

fn unknown_key(error: &recipes::Error) -> Option<&str> {
    match error {
        recipes::Error::Science(science::Error::UnknownKey { key, .. }) => Some(key),
        _ => None,
    }
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

    /// Refuses keys that are nearly, but not quite, among the known ones. FireWorks takes any; those
    /// that resemble nothing may be somebody's notes.
    pub fn refuse_misspelt(&self, known: &[&str]) -> Result<(), BadTask> {
        for key in self.values.keys().filter(|key| !key.starts_with('_') && !known.contains(&key.as_str())) {
            let hint = nearest::hint(key, known);
            if !hint.is_empty() {
                return Err(BadTask::Misspelt { task: self.task, key: key.clone(), hint });
            }
        }
        Ok(())
    }

    /// A text; an empty one counts as missing, as in Python.
    pub fn text(&self, key: &'static str) -> Result<Option<&'a str>, BadTask> {
        match self.get(key) {
            None => Ok(None),
            Some(Bson::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.wrong(key, "a string")),
        }
    }

    /// A text that must be there.
    pub fn needed_text(&self, key: &'static str, expected: &'static str) -> Result<&'a str, BadTask> {
        self.text(key)?.ok_or(BadTask::Missing { task: self.task, key, expected })
    }

    /// A list of texts, or none.
    pub fn texts(&self, key: &'static str, expected: &'static str) -> Result<Option<Vec<&'a str>>, BadTask> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let texts = value.as_array().and_then(|items| items.iter().map(Bson::as_str).collect());
        texts.map(Some).ok_or_else(|| self.wrong(key, expected))
    }

    /// Whether the parameters stand in the spec of the firework instead (`use_global_spec`): then a
    /// parent may still bring them.
    pub fn are_global(&self) -> bool {
        self.flag("use_global_spec").unwrap_or(false)
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
