//! `my_fworker.yaml`: who runs fireworks here, which it takes, and in which Python. FireWorks does
//! not mind the last: it ignores what it does not know.

use std::path::Path;

use serde_json::Value;

use super::ConfigError;
use super::read::SettingsFile;
use crate::workflow::fworker::Category;
use crate::workflow::{FWorker, json};

const KEYS: [&str; 5] = ["name", "category", "query", "env", "python"];

/// The Python of a worker that names none.
pub(super) fn default_python() -> Vec<String> {
    vec!["python3".to_owned()]
}

/// Reads the file: the worker, and the command line of its Python.
pub(super) fn read(path: &Path, warnings: &mut Vec<String>) -> Result<(FWorker, Vec<String>), ConfigError> {
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
    let worker = FWorker {
        name: file.text("name")?.unwrap_or(default.name),
        category: category(&file)?,
        query,
        env: file.mapping("env")?.map(json::to_document).unwrap_or_default(),
        cannot: default.cannot,
    };
    Ok((worker, python(&file)?))
}

fn python(file: &SettingsFile<'_>) -> Result<Vec<String>, ConfigError> {
    let Some(line) = file.text("python")? else { return Ok(default_python()) };
    let words = shlex::split(&line).filter(|words| !words.is_empty());
    words.ok_or_else(|| file.wrong("python", "a command line, like /opt/q/bin/python or conda run -n q python"))
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
