//! Launches without large results: of their text the rest is passed over.

use std::fmt;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::{SqlError, SqliteStore, find};
use crate::store::Result;
use crate::store::brief::{Brief, Briefs, LARGE};
use crate::workflow::{Launch, LaunchId, exact_json};

impl Briefs for SqliteStore {
    fn brief_launches(&self, ids: &[LaunchId]) -> Result<Vec<Brief>> {
        self.read(|sql| ids.iter().filter_map(|id| brief(sql, *id).transpose()).collect())
    }
}

fn brief(sql: &Connection, id: LaunchId) -> Result<Option<Brief>, SqlError> {
    let mut size = sql.prepare_cached("SELECT octet_length(document) FROM launches WHERE launch_id = ?1")?;
    let size: Option<i64> = size.query_row(params![id], |row| row.get(0)).optional()?;
    let Some(size) = size.map(i64::unsigned_abs).filter(|size| *size > LARGE) else {
        return Ok(find::launches(sql, &[id])?.pop().map(Brief::from));
    };
    let mut statement = sql.prepare_cached("SELECT document FROM launches WHERE launch_id = ?1")?;
    let launch = statement.query_row(params![id], |row| Ok(read(row.get_ref(0)?.as_str()?))).optional()?;
    let broken = || SqlError::Broken(format!("launch {id} cannot be read"));
    launch.map(|launch| Ok(Brief { launch: launch.ok_or_else(broken)?, large: Some(size) })).transpose()
}

fn read(text: &str) -> Option<Launch> {
    let value = Part::Launch.deserialize(&mut serde_json::Deserializer::from_str(text)).ok()??;
    Launch::from_document(&exact_json::from_value(value).ok()?)
}

/// Which part of a launch's document is read.
#[derive(Clone, Copy)]
enum Part {
    Launch,
    Action,
    Stored,
    Exception,
    Task,
    History,
    Entry,
    Whole,
    Nothing,
}

impl Part {
    fn below(self, key: &str) -> Self {
        match (self, key) {
            (Part::Launch, "action") => Part::Action,
            (Part::Launch, "state_history") => Part::History,
            (Part::Action, "stored_data") => Part::Stored,
            (Part::Stored, "_exception") => Part::Exception,
            (Part::Stored, "_task") => Part::Task,
            (Part::Entry, "checkpoint") => Part::Nothing,
            (Part::Launch | Part::Entry, _)
            | (Part::Stored, "_message")
            | (Part::Exception, "_stacktrace")
            | (Part::Task, "_fw_name") => Part::Whole,
            _ => Part::Nothing,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Part {
    type Value = Option<Value>;

    fn deserialize<D: Deserializer<'de>>(self, text: D) -> Result<Self::Value, D::Error> {
        match self {
            Part::Whole => Value::deserialize(text).map(Some),
            Part::Nothing => IgnoredAny::deserialize(text).map(|_| None),
            _ => text.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Part {
    type Value = Option<Value>;

    fn expecting(&self, words: &mut fmt::Formatter<'_>) -> fmt::Result {
        words.write_str("a part of a launch")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Some(Value::Null))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if let Some(value) = entries.next_value_seed(self.below(&key))? {
                map.insert(key, value);
            }
        }
        Ok(Some(Value::Object(map)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Part::Entry)? {
            list.extend(item);
        }
        Ok(Some(Value::Array(list)))
    }
}
