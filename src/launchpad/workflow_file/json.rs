//! JSON as a tree that remembers its lines. JSON's reader does not tell where it is, but it reads
//! byte by byte: whoever hands it the bytes knows.

use std::cell::Cell;
use std::io::{self, Read};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::node::{Entry, Kind, KindVisitor, Node};

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Node, serde_json::Error> {
    let line = Cell::new(1);
    let bytes = Bytes { rest: text.as_bytes(), after_newline: false, line: &line };
    let mut json = serde_json::Deserializer::from_reader(bytes);
    let node = At(&line).deserialize(&mut json)?;
    json.end()?;
    Ok(node)
}

/// The bytes of a text, one at a time, with the line of the last one.
struct Bytes<'a> {
    rest: &'a [u8],
    after_newline: bool,
    line: &'a Cell<u64>,
}

impl Read for Bytes<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (Some((&byte, rest)), Some(place)) = (self.rest.split_first(), buffer.first_mut()) else { return Ok(0) };
        // The reader looks one byte ahead: a newline belongs to the line it ends.
        self.line.set(self.line.get() + u64::from(self.after_newline));
        self.after_newline = byte == b'\n';
        self.rest = rest;
        *place = byte;
        Ok(1)
    }
}

/// A value begins at the line the bytes are at.
#[derive(Clone, Copy)]
struct At<'a>(&'a Cell<u64>);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl At<'_> {
    /// A value that stands on one line.
    fn scalar<E: Error>(self, read: impl FnOnce(KindVisitor) -> Result<Kind, E>) -> Result<Node, E> {
        Ok(Node { line: self.0.get(), kind: read(KindVisitor)? })
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        self.scalar(KindVisitor::visit_unit)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        self.scalar(|kind| kind.visit_bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        self.scalar(|kind| kind.visit_i64(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        self.scalar(|kind| kind.visit_u64(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        self.scalar(|kind| kind.visit_f64(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        self.scalar(|kind| kind.visit_str(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let line = self.0.get();
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node { line, kind: Kind::List(items) })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let line = self.0.get();
        let mut entries: Vec<Entry> = Vec::new();
        let mut keys = std::collections::HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key.clone()) {
                return Err(A::Error::custom(format!("the key `{key}` stands here twice")));
            }
            entries.push(Entry { key, line: self.0.get(), value: map.next_value_seed(self)? });
        }
        Ok(Node { line, kind: Kind::Map(entries) })
    }
}

#[cfg(test)]
mod tests {
    use bson::bson;

    use super::*;

    #[test]
    fn every_node_knows_its_line() {
        let node = parse("{\"a\":\n  [\n    1,\n    2\n  ],\n\"b\": {\"s\": \"\\ud83d\\ude00\"\n}}\n").expect("reads");
        let a = node.entry("a").expect("is there");
        assert_eq!((a.line, a.value.line), (1, 2));
        assert_eq!(a.value.items().iter().map(|item| item.line).collect::<Vec<_>>(), [3, 4]);
        let s = node.get("b").and_then(|b| b.entry("s")).expect("is there");
        assert_eq!((s.line, s.value.to_bson()), (6, bson!("\u{1f600}")));
    }

    #[test]
    fn a_key_stands_once() {
        let error = parse("{\"a\": 1,\n\"b\": 2,\n\"a\": 3}").expect_err("is refused");
        assert!(error.to_string().contains("`a` stands here twice") && error.line() == 3, "{error}");
        assert!(parse("{} {}").is_err() && parse("").is_err());
    }
}
