//! Documents between the worker and Python: JSON that keeps every type.
//!
//! What JSON does not have is an object with one key that begins with `$`; objects of users with
//! such keys become a list of pairs, so that nothing can be mistaken. The other half of this file
//! is `decode` and `encode` in bridge.py.

use bson::{Bson, Document};
use serde_json::{Map, Value, json};

use crate::workflow::int;

/// A value for Python.
pub fn encode(value: &Bson) -> Value {
    match value {
        Bson::Null | Bson::Undefined => Value::Null,
        Bson::Boolean(flag) => Value::Bool(*flag),
        Bson::Int32(number) => Value::from(*number),
        // pymongo tells these apart, and stores them as they were.
        Bson::Int64(number) => json!({ "$int64": number }),
        Bson::Double(number) if number.is_finite() => Value::from(*number),
        Bson::Double(number) => json!({ "$float": number.to_string() }),
        Bson::String(text) => Value::from(text.as_str()),
        Bson::Array(items) => items.iter().map(encode).collect(),
        Bson::Document(document) => encode_document(document),
        Bson::DateTime(date) => json!({ "$date": date.timestamp_millis() }),
        Bson::ObjectId(id) => json!({ "$oid": id.to_hex() }),
        other => json!({ "$bson": other.clone().into_canonical_extjson().to_string() }),
    }
}

/// A document for Python.
pub fn encode_document(document: &Document) -> Value {
    if document.keys().any(|key| key.starts_with('$')) {
        let pairs: Vec<Value> = document.iter().map(|(key, value)| json!([key, encode(value)])).collect();
        return json!({ "$map": pairs });
    }
    Value::Object(document.iter().map(|(key, value)| (key.clone(), encode(value))).collect())
}

/// A value from Python, which sends plain ones only.
pub fn decode(value: &Value) -> Bson {
    match value {
        Value::Null => Bson::Null,
        Value::Bool(flag) => Bson::Boolean(*flag),
        Value::Number(number) => number.as_i64().map_or_else(|| Bson::Double(number.as_f64().unwrap_or(f64::NAN)), int),
        Value::String(text) => Bson::String(text.clone()),
        Value::Array(items) => Bson::Array(items.iter().map(decode).collect()),
        Value::Object(map) => tagged(map).unwrap_or_else(|| Bson::Document(decode_map(map))),
    }
}

fn decode_map(map: &Map<String, Value>) -> Document {
    map.iter().map(|(key, value)| (key.clone(), decode(value))).collect()
}

fn tagged(map: &Map<String, Value>) -> Option<Bson> {
    let (key, value) = map.iter().next().filter(|_| map.len() == 1)?;
    match (key.as_str(), value) {
        ("$int64", Value::Number(number)) => number.as_i64().map(Bson::Int64),
        ("$float", Value::String(text)) => text.parse().ok().map(Bson::Double),
        ("$map", Value::Array(pairs)) => {
            let pair = |pair: &Value| Some((pair.get(0)?.as_str()?.to_owned(), decode(pair.get(1)?)));
            pairs.iter().map(pair).collect::<Option<Document>>().map(Bson::Document)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn numbers_and_strange_keys_come_back_as_they_went() {
        let document = doc! {
            "i": 3, "small": 3_i64, "large": 3_000_000_000_i64, "f": 3.0, "inf": f64::NEG_INFINITY,
            "": {"$date": 5, "x": {"$gt": [1.5]}}, "n": Bson::Null, "b": true, "dotted.key": "x",
        };
        let Bson::Document(back) = decode(&encode_document(&document)) else { panic!("a document") };
        assert_eq!(back, document);
        let Bson::Double(nan) = decode(&encode(&Bson::Double(f64::NAN))) else { panic!("a number") };
        assert!(nan.is_nan());
    }

    #[test]
    fn what_only_mongodb_has_is_tagged() {
        let id = bson::oid::ObjectId::new();
        assert_eq!(encode(&Bson::ObjectId(id)), json!({"$oid": id.to_hex()}));
        let date = bson::DateTime::from_millis(-5);
        assert_eq!(encode(&Bson::DateTime(date)), json!({"$date": -5}));
        let bytes = bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![1, 2] };
        assert_eq!(encode(&Bson::Binary(bytes)), json!({"$bson": r#"{"$binary":{"base64":"AQI=","subType":"00"}}"#}));
    }
}
