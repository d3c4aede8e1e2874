//! JSON and BSON documents into each other, as FireWorks' files and output have them.

use bson::{Bson, Document};
use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::int;

/// A JSON value as pymongo would store it: integers in 32 bits where they fit.
pub fn to_bson(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(b) => Bson::Boolean(*b),
        Value::Number(n) => match n.as_i64() {
            Some(i) => int(i),
            None => Bson::Double(n.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(s) => Bson::String(s.clone()),
        Value::Array(items) => Bson::Array(items.iter().map(to_bson).collect()),
        Value::Object(map) => Bson::Document(to_document(map)),
    }
}

/// A JSON object as a document.
pub fn to_document(map: &Map<String, Value>) -> Document {
    map.iter().map(|(key, value)| (key.clone(), to_bson(value))).collect()
}

/// A document as `lpad` prints it: dates in ISO form, what JSON cannot say (ObjectIds, binary
/// data, NaN) as null, as Python's `json.dump(default=...)` does.
pub fn from_bson(value: &Bson) -> Value {
    match value {
        Bson::Boolean(b) => Value::Bool(*b),
        Bson::Int32(i) => Value::from(*i),
        Bson::Int64(i) => Value::from(*i),
        Bson::Double(d) => Number::from_f64(*d).map_or(Value::Null, Value::Number),
        Bson::String(s) => Value::String(s.clone()),
        Bson::Array(items) => Value::Array(items.iter().map(from_bson).collect()),
        Bson::Document(document) => Value::Object(from_document(document)),
        Bson::DateTime(date) => {
            Timestamp::from_millisecond(date.timestamp_millis()).map_or(Value::Null, |at| Value::String(naive_iso(at)))
        }
        _ => Value::Null,
    }
}

/// A document as a JSON object.
pub fn from_document(document: &Document) -> Map<String, Value> {
    document.iter().map(|(key, value)| (key.clone(), from_bson(value))).collect()
}

/// Python's `isoformat()` of the naive UTC datetimes that pymongo returns: no offset, and no
/// fraction when it is zero.
fn naive_iso(at: Timestamp) -> String {
    let format = if at.subsec_nanosecond() == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S.%6f" };
    at.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_kind() {
        let value = serde_json::json!({"i": 3, "l": 3_000_000_000_i64, "f": 3.0, "n": null, "a": [1, "x"]});
        let bson = to_bson(&value);
        let document = bson.as_document().expect("a document");
        assert_eq!(document.get("i"), Some(&Bson::Int32(3)));
        assert_eq!(document.get("l"), Some(&Bson::Int64(3_000_000_000)));
        assert_eq!(document.get("f"), Some(&Bson::Double(3.0)));
        assert_eq!(from_bson(&bson), value);
    }
}
