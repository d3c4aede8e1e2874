//! Reads one YAML or JSON mapping from a file, whatever an editor did to it.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{ConfigError, Origin, duration, nearest};

/// The text of a file without a byte order mark and with plain line ends.
pub fn text(bytes: Vec<u8>) -> Result<String, std::string::FromUtf8Error> {
    let text = String::from_utf8(bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.replace("\r\n", "\n"))
}

/// How YAML is read everywhere: as version 1.2 has it, and as FireWorks' reader does. `no` and
/// `on` are words, a key may stand only once, and files may be as large as memory allows.
pub fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: None,
            max_events: usize::MAX,
            max_nodes: usize::MAX,
            max_total_scalar_bytes: usize::MAX,
            max_documents: usize::MAX,
        },
    }
}

/// What is wrong with a YAML text: the line and the reason, with the place in the text below it.
pub fn yaml_mistake(error: &serde_saphyr::Error) -> (Option<u64>, String) {
    let rendered = error.render_with_formatter(&serde_saphyr::UserMessageFormatter);
    let location = error.location();
    let reason = location.and_then(|at| {
        // The line is said where the file is named.
        let place = format!("error: line {} column {}: ", at.line(), at.column());
        rendered.strip_prefix(&place).map(str::to_owned)
    });
    (location.map(|at| at.line()), reason.unwrap_or(rendered).trim_end().to_owned())
}

/// A file of settings, with what is needed to complain about it.
#[derive(Debug)]
pub(super) struct SettingsFile<'a> {
    path: &'a Path,
    map: Map<String, Value>,
}

impl<'a> SettingsFile<'a> {
    /// Reads a mapping; an empty file is an empty mapping.
    pub fn read(path: &'a Path) -> Result<Self, ConfigError> {
        let bytes = std::fs::read(path).map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
        let syntax = |line, reason: String| ConfigError::Syntax { path: path.to_owned(), line, reason };
        let text = text(bytes).map_err(|error| syntax(None, error.to_string()))?;
        let json = path.extension().is_some_and(|extension| extension == "json");
        let value: Value = if json {
            serde_json::from_str(&text).map_err(|error| syntax(u64::try_from(error.line()).ok(), error.to_string()))?
        } else {
            serde_saphyr::from_str_with_options(&text, yaml_options()).map_err(|error| {
                let (line, reason) = yaml_mistake(&error);
                // Not the text around it: the next line may be a password.
                syntax(line, reason.lines().next().unwrap_or_default().to_owned())
            })?
        };
        match value {
            Value::Null => Ok(SettingsFile { path, map: Map::new() }),
            Value::Object(map) => Ok(SettingsFile { path, map }),
            _ => Err(syntax(None, "must be a mapping of keys to values".into())),
        }
    }

    /// All keys, in the order of the file.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.map.keys().map(String::as_str)
    }

    /// Keys that are none of `known`, each with the nearest known one in words.
    pub fn unknown<'s>(&'s self, known: &'s [&str]) -> impl Iterator<Item = (&'s str, String)> {
        self.map
            .keys()
            .filter(|key| !known.contains(&key.as_str()))
            .map(|key| (key.as_str(), nearest::hint(key, known)))
    }

    /// A warning for each unknown key: FireWorks' files may be meant for a newer FireWorks.
    pub fn warn_of_unknown(&self, known: &[&str], warnings: &mut Vec<String>) {
        let path = self.path.display();
        warnings.extend(self.unknown(known).map(|(key, hint)| format!("{path}: unknown key `{key}`{hint}, ignored")));
    }

    /// Where each of these keys, if it has a value, was read: here. Its name may be another one outside
    /// this file.
    pub fn origins(&self, keys: &[(&str, &'static str)]) -> Vec<(&'static str, Origin)> {
        let set = keys.iter().filter(|(key, _)| self.get(key).is_some());
        set.map(|&(_, name)| (name, Origin::File(self.path.to_owned()))).collect()
    }

    /// Everything it says.
    pub fn into_map(self) -> Map<String, Value> {
        self.map
    }

    /// The value of a key; null is as good as nothing.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// What to say of a value that cannot be.
    pub fn wrong(&self, key: &str, expected: impl Into<String>) -> ConfigError {
        ConfigError::Value { path: self.path.to_owned(), key: key.to_owned(), expected: expected.into() }
    }

    /// A string.
    pub fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            // `password: 1234` is meant as it is written.
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.wrong(key, "a string")),
        }
    }

    /// A whole number that is not negative.
    pub fn count(&self, key: &str) -> Result<Option<u64>, ConfigError> {
        self.get(key).map(|value| value.as_u64().ok_or_else(|| self.wrong(key, "a whole number"))).transpose()
    }

    /// True or false.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, ConfigError> {
        self.get(key).map(|value| value.as_bool().ok_or_else(|| self.wrong(key, "true or false"))).transpose()
    }

    /// A duration in words, or a number of seconds.
    pub fn duration(&self, key: &str) -> Result<Option<Duration>, ConfigError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        duration::parse(&text).map(Some).map_err(|error| self.wrong(key, format!("a duration: {error}")))
    }

    /// A mapping.
    pub fn mapping(&self, key: &str) -> Result<Option<&Map<String, Value>>, ConfigError> {
        self.get(key).map(|value| value.as_object().ok_or_else(|| self.wrong(key, "a mapping"))).transpose()
    }

    /// A list of strings.
    pub fn strings(&self, key: &str) -> Result<Vec<String>, ConfigError> {
        let wrong = || self.wrong(key, "a list of strings");
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }
}
