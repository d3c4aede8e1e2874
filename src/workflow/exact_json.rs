//! Documents as JSON text that loses nothing: JSON as far as it goes, MongoDB's extended JSON for the
//! rest. What is read is what was written, type for type: `5` is an integer of 32 bits, `5.0` a
//! double, and one of 64 bits that would fit into 32 is `{"$numberLong": "5"}`.

use bson::{Bson, Document};
use serde_json::{Map, Number, Value};

/// Keys of extended JSON. A document of a user that has one of them is wrapped in [`PLAIN`], so
/// that it is not taken for what it is not.
const EXTENDED: [&str; 17] = [
    "$oid",
    "$symbol",
    "$regularExpression",
    "$numberInt",
    "$numberLong",
    "$numberDouble",
    "$numberDecimal",
    "$binary",
    "$uuid",
    "$code",
    "$timestamp",
    "$date",
    "$minKey",
    "$maxKey",
    "$dbPointer",
    "$undefined",
    PLAIN,
];
const PLAIN: &str = "$document";

/// A document as text.
pub fn text(document: &Document) -> String {
    value(document).to_string()
}

/// A document as a JSON value.
pub fn value(document: &Document) -> Value {
    let map = Value::Object(document.iter().map(|(key, value)| (key.clone(), to_value(value))).collect());
    if !document.keys().any(|key| EXTENDED.contains(&key.as_str())) {
        return map;
    }
    Value::Object(Map::from_iter([(PLAIN.to_owned(), map)]))
}

fn to_value(bson: &Bson) -> Value {
    match bson {
        Bson::Document(document) => value(document),
        Bson::Array(items) => Value::Array(items.iter().map(to_value).collect()),
        Bson::Int64(wide) if i32::try_from(*wide).is_ok() => bson.clone().into_canonical_extjson(),
        Bson::Double(number) => {
            Number::from_f64(*number).map_or_else(|| bson.clone().into_canonical_extjson(), Value::Number)
        }
        other => other.clone().into_relaxed_extjson(),
    }
}

/// Reads a text that [`text`] has written.
pub fn read(text: &str) -> Result<Document, String> {
    serde_json::from_str(text).map_err(|error| error.to_string()).and_then(from_value)
}

/// Reads what [`value`] has made.
pub fn from_value(value: Value) -> Result<Document, String> {
    match to_bson(value)? {
        Bson::Document(document) => Ok(document),
        other => Err(format!("it is {other}")),
    }
}

fn to_bson(value: Value) -> Result<Bson, String> {
    match value {
        Value::Array(items) => items.into_iter().map(to_bson).collect::<Result<Vec<_>, _>>().map(Bson::Array),
        Value::Object(mut map) => match map.remove(PLAIN) {
            Some(Value::Object(plain)) if map.is_empty() => entries(plain),
            Some(_) => Err(format!("{PLAIN} stands beside something else")),
            None if map.keys().any(|key| EXTENDED.contains(&key.as_str())) => {
                Bson::try_from(Value::Object(map)).map_err(|error| error.to_string())
            }
            None => entries(map),
        },
        plain => Bson::try_from(plain).map_err(|error| error.to_string()),
    }
}

fn entries(map: Map<String, Value>) -> Result<Bson, String> {
    let entries = map.into_iter().map(|(key, value)| Ok((key, to_bson(value)?)));
    entries.collect::<Result<Document, String>>().map(Bson::Document)
}

#[cfg(test)]
mod tests {
    use bson::oid::ObjectId;
    use bson::{DateTime, doc};

    use super::*;

    #[test]
    fn types_and_the_order_of_keys_are_kept() {
        let document = doc! {
            "z": 1, "a": 1_i64, "big": 5_000_000_000_i64, "f": 1.0, "g": 0.1, "large": 1e300, "small": -0.0,
            "inf": [f64::INFINITY, f64::NEG_INFINITY], "date": DateTime::from_millis(1_234), "old": DateTime::from_millis(-1),
            "id": ObjectId::from_bytes([7; 12]), "null": Bson::Null, "text": "é", "bytes": bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![1, 2] },
            "nested": {"z": [{"b": 1, "a": 2}]},
        };
        let back = read(&text(&document)).expect("reads");
        assert_eq!(
            Bson::Document(back.clone()).into_canonical_extjson().to_string(),
            Bson::Document(document).into_canonical_extjson().to_string()
        );
        assert!(back.get_f64("small").is_ok_and(|zero| zero.is_sign_negative()));
        let not = read(&text(&doc! {"n": f64::NAN})).expect("reads");
        assert!(not.get_f64("n").is_ok_and(f64::is_nan));
    }

    #[test]
    fn documents_that_look_extended_are_not_taken_for_it() {
        let document = doc! {
            "query": {"$gt": {"$date": "2020"}}, "oid": {"$oid": "x", "b": 2}, "wrapped": {"$document": {"$document": 1}},
        };
        assert_eq!(read(&text(&document)).expect("reads"), document);
    }

    #[test]
    fn what_the_first_version_wrote_is_read() {
        let text =
            r#"{"a": 1, "b": 5000000000, "c": 1.5, "d": {"$date": "1970-01-01T00:00:01.234Z"}, "e": {"$gt": 1}}"#;
        let expected =
            doc! {"a": 1, "b": 5_000_000_000_i64, "c": 1.5, "d": DateTime::from_millis(1_234), "e": {"$gt": 1}};
        assert_eq!(read(text).expect("reads"), expected);
        assert!(read("[1]").is_err());
    }
}
