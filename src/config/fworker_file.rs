//! `my_fworker.yaml`: who runs fireworks here, and which it takes.

use std::path::Path;

use serde_json::Value;

use super::ConfigError;
use super::read::SettingsFile;
use crate::workflow::fworker::Category;
use crate::workflow::{FWorker, json};

const KEYS: [&str; 4] = ["name", "category", "query", "env"];

/// Reads the file.
pub(super) fn read(path: &Path, warnings: &mut Vec<String>) -> Result<FWorker, ConfigError> {
    let file = SettingsFile::read(path)?;
    file.warn_of_unknown(&KEYS, warnings);
    let default = FWorker::default();
    let query = match file.text("query")? {
        None => default.query,
        Some(text) => match serde_json::from_str::<Value>(&text) {
            Ok(Value::Object(query)) => json::to_document(&query),
            _ => return Err(file.wrong("query", "a MongoDB query as a JSON string, like '{\"spec.size\": 3}'")),
        },
    };
    Ok(FWorker {
        name: file.text("name")?.unwrap_or(default.name),
        category: category(&file)?,
        query,
        env: file.mapping("env")?.map(json::to_document).unwrap_or_default(),
    })
}

fn category(file: &SettingsFile<'_>) -> Result<Category, ConfigError> {
    let names = match file.get("category") {
        Some(Value::Array(_)) => file.strings("category")?,
        _ => file.text("category")?.into_iter().filter(|name| !name.is_empty()).collect(),
    };
    Ok(match names.as_slice() {
        [] => Category::Any,
        [only] if only == "__none__" => Category::Without,
        _ => Category::OneOf(names),
    })
}
