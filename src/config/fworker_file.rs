//! `my_fworker.yaml`: who runs fireworks here, which it takes, in which Python, and what is put before
//! their commands. FireWorks does not mind the last two: it ignores what it does not know.

use std::path::Path;

use serde_json::Value;

use super::read::SettingsFile;
use super::{ConfigError, Origin, Wrap};
use crate::workflow::fworker::Category;
use crate::workflow::{FWorker, json};

/// What the file says.
pub(super) struct WorkerFile {
    /// The worker.
    pub fworker: FWorker,
    /// The command line of its Python.
    pub python: Vec<String>,
    /// What is put before commands.
    pub wrap: Wrap,
    /// Which of them it says.
    pub origins: Vec<(&'static str, Origin)>,
}

/// The keys, and what they are called elsewhere.
const NAMES: [(&str, &str); 6] = [
    ("name", "fworker.name"),
    ("category", "fworker.category"),
    ("query", "fworker.query"),
    ("env", "fworker.env"),
    ("python", "fworker.python"),
    ("wrap", "fworker.wrap"),
];

impl Default for WorkerFile {
    fn default() -> Self {
        WorkerFile {
            fworker: FWorker::default(),
            python: vec!["python3".to_owned()],
            wrap: Wrap::default(),
            origins: Vec::new(),
        }
    }
}

/// Reads the file.
pub(super) fn read(path: &Path, warnings: &mut Vec<String>) -> Result<WorkerFile, ConfigError> {
    let file = SettingsFile::read(path)?;
    file.warn_of_unknown(&NAMES.map(|(key, _)| key), warnings);
    let default = WorkerFile::default();
    let query = match file.text("query")? {
        None => default.fworker.query,
        Some(text) => match serde_json::from_str::<Value>(&text) {
            Ok(Value::Object(query)) => json::to_document(&query),
            _ => return Err(file.wrong("query", "a MongoDB query as a JSON string, like '{\"spec.size\": 3}'")),
        },
    };
    let fworker = FWorker {
        name: file.text("name")?.unwrap_or(default.fworker.name),
        category: category(&file)?,
        query,
        env: file.mapping("env")?.map(json::to_document).unwrap_or_default(),
        cannot: default.fworker.cannot,
    };
    let wrap = match file.text("wrap")? {
        Some(line) => Wrap::parse(&line).map_err(|expected| file.wrong("wrap", expected))?,
        None => default.wrap,
    };
    Ok(WorkerFile { fworker, python: python(&file)?.unwrap_or(default.python), wrap, origins: file.origins(&NAMES) })
}

fn python(file: &SettingsFile<'_>) -> Result<Option<Vec<String>>, ConfigError> {
    let Some(line) = file.text("python")? else { return Ok(None) };
    let words = shlex::split(&line).filter(|words| !words.is_empty());
    let wrong = || file.wrong("python", "a command line, like /opt/q/bin/python or conda run -n q python");
    words.map(Some).ok_or_else(wrong)
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
