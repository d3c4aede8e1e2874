//! The worker a launch runs on, and which fireworks it takes: FireWorks' `FWorker`.

use bson::{Bson, Document, doc};

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
}

impl Default for FWorker {
    fn default() -> Self {
        FWorker { name: DEFAULT_NAME.to_owned(), category: Category::Any, query: Document::new(), env: Document::new() }
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
