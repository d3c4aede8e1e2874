//! YAML and JSON as a tree that remembers its lines, so that a mistake can be shown where it is.

use std::fmt;

use bson::{Bson, Document};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::config::read::yaml_options;
use crate::workflow::int;

/// A value and the line on which it begins, from 1.
#[derive(Debug)]
pub(super) struct Node {
    pub line: u64,
    pub kind: Kind,
}

/// What a node holds.
#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Bson),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Entry {
    pub key: String,
    /// Line of the key.
    pub line: u64,
    pub value: Node,
}

/// Reads all documents of a text.
pub(super) fn parse(text: &str) -> Result<Vec<Node>, serde_saphyr::Error> {
    serde_saphyr::from_multiple_with_options(text, yaml_options())
}

impl Node {
    /// The entry of a key, when this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// What a mapping holds.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// What a list holds.
    pub fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// Whether nothing is there, as between two `---`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Scalar(Bson::Null))
    }

    /// The value as it would be stored.
    pub fn to_bson(&self) -> Bson {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Bson::Array(items.iter().map(Node::to_bson).collect()),
            Kind::Map(_) => Bson::Document(self.to_document()),
        }
    }

    /// A mapping as it would be stored; anything else is empty.
    pub fn to_document(&self) -> Document {
        self.entries().iter().map(|entry| (entry.key.clone(), entry.value.to_bson())).collect()
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, referenced, .. } = Spanned::<Kind>::deserialize(deserializer)?;
        Ok(Node { line: referenced.line(), kind: value })
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

/// Makes what a node holds of what a reader finds.
pub(super) struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Kind, E> {
        Ok(Kind::Scalar(Bson::Null))
    }

    fn visit_none<E: Error>(self) -> Result<Kind, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Kind, D::Error> {
        Kind::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Scalar(Bson::Boolean(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Scalar(int(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Kind, E> {
        let value = i64::try_from(value).map_err(|_| E::custom(format!("{value} is too large for a whole number")))?;
        self.visit_i64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Scalar(Bson::Double(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Scalar(Bson::String(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Kind::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let line = key.referenced.line();
            entries.push(Entry { key: key.value, line, value: map.next_value()? });
        }
        Ok(Kind::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use bson::bson;

    use super::*;

    #[test]
    fn values_are_those_of_yaml_1_2() {
        let text = "no: no\non: yes\nt: true\n1: [2, 3.0, 1e-3, ~]\nd: 2026-11-22\ns: '1'\nh: 0x10\nz: 010\n";
        let [node] = parse(text).expect("reads").try_into().expect("one document");
        let Bson::Document(document) = node.to_bson() else { panic!("a mapping") };
        assert_eq!(document.get("no"), Some(&bson!("no")), "a word, as in FireWorks");
        assert_eq!(document.get("on"), Some(&bson!("yes")));
        assert_eq!(document.get("t"), Some(&bson!(true)));
        assert_eq!(document.get("d"), Some(&bson!("2026-11-22")));
        assert_eq!(document.get("s"), Some(&bson!("1")));
        assert_eq!(document.get("h"), Some(&bson!(16)));
        let list = document.get_array("1").expect("keys are strings");
        assert_eq!(list[..3], [bson!(2), bson!(3.0), bson!(0.001)]);
        assert_eq!(list[3], Bson::Null);
    }

    #[test]
    fn what_json_cannot_say_is_refused() {
        for text in ["x: .nan", "x: .inf", "x: 1e999", "x: 1\nx: 2"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_node_knows_its_line() {
        let nodes = parse("a:\n  - x: 1\n    y: 2\n---\nb: 1\n").expect("reads");
        let item = &nodes[0].get("a").expect("is there").items()[0];
        assert_eq!(item.line, 2);
        assert_eq!(item.entry("y").expect("is there").line, 3);
        assert_eq!(nodes[1].entry("b").expect("is there").line, 5);
    }
}
