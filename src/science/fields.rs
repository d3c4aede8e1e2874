//! Reading an object of a specification: every key is known or an error that names the nearest
//! known one, every value has its kind or an error that names the key.

use serde_json::{Map, Value};

use super::error::{Error, Result};
use super::nearest::nearest;

/// An object whose keys have been checked.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    map: &'a Map<String, Value>,
    place: &'a str,
}

impl<'a> Fields<'a> {
    /// The object `value`, called `place` in messages, with no keys but `known`.
    pub fn of(value: &'a Value, place: &'a str, known: &[&str]) -> Result<Self> {
        let Some(map) = value.as_object() else {
            return Err(Error::bad(place, format!("must be an object, not {}", brief(value))));
        };
        match map.keys().find(|key| !known.contains(&key.as_str())) {
            None => Ok(Self { map, place }),
            Some(key) => Err(Error::UnknownKey {
                key: key.clone(),
                place: place.to_owned(),
                nearest: nearest(key, known.iter().copied()).map(str::to_owned),
            }),
        }
    }

    /// The value of a key; null counts as absent.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    /// Whether a key is given as null, where that is not the same as absent.
    pub fn is_null(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(Value::is_null)
    }

    /// A number.
    pub fn number(&self, key: &str) -> Result<Option<f64>> {
        self.typed(key, "a number", Value::as_f64)
    }

    /// A number above zero.
    pub fn positive(&self, key: &str) -> Result<Option<f64>> {
        self.typed(key, "a number above 0", |value| value.as_f64().filter(|number| *number > 0.0))
    }

    /// A whole number, not negative.
    pub fn count(&self, key: &str) -> Result<Option<usize>> {
        self.typed(key, "a whole number, 0 or more", |value| usize::try_from(value.as_u64()?).ok())
    }

    /// True or false.
    pub fn flag(&self, key: &str) -> Result<Option<bool>> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// A string.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>> {
        let kind = "a string (YAML reads words like NO, on, y as true or false: quote them)";
        self.typed(key, kind, Value::as_str)
    }

    /// An object.
    pub fn object(&self, key: &str) -> Result<Option<&'a Map<String, Value>>> {
        self.typed(key, "an object", Value::as_object)
    }

    fn typed<T>(&self, key: &str, kind: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let wrong = || Error::bad(format!("{key} of {}", self.place), format!("must be {kind}, not {}", brief(value)));
        read(value).map(Some).ok_or_else(wrong)
    }
}

/// A value for a message, shortened.
pub fn brief(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}
