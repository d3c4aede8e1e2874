//! MongoDB's names and numbers of types.

use bson::Bson;

use super::order;

const NAMES: [(i64, &str); 20] = [
    (1, "double"),
    (2, "string"),
    (3, "object"),
    (4, "array"),
    (5, "binData"),
    (6, "undefined"),
    (7, "objectId"),
    (8, "bool"),
    (9, "date"),
    (10, "null"),
    (11, "regex"),
    (12, "dbPointer"),
    (13, "javascript"),
    (14, "symbol"),
    (15, "javascriptWithScope"),
    (16, "int"),
    (17, "timestamp"),
    (18, "long"),
    (19, "decimal"),
    (127, "maxKey"),
];

/// The number of the type that stands below all others, and its number in documents.
const MIN_KEY: (i64, i64) = (-1, 0xFF);

/// Some types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kinds(Vec<i64>);

impl Kinds {
    /// Reads what `$type` is given: a name, a number, or a list of them.
    pub fn read(given: &Bson) -> Option<Self> {
        let kinds = match given {
            Bson::Array(list) if !list.is_empty() => list.iter().map(one).collect::<Option<Vec<_>>>()?.concat(),
            Bson::Array(_) => return None,
            one_kind => one(one_kind)?,
        };
        Some(Kinds(kinds))
    }

    /// Whether the type of a value is among them.
    pub fn have(&self, value: &Bson) -> bool {
        self.0.contains(&i64::from(value.element_type() as u8))
    }
}

fn one(given: &Bson) -> Option<Vec<i64>> {
    if let Bson::String(name) = given {
        return match name.as_str() {
            "number" => Some(vec![1, 16, 18, 19]),
            "minKey" => Some(vec![MIN_KEY.1]),
            name => NAMES.iter().find(|(_, known)| *known == name).map(|&(number, _)| vec![number]),
        };
    }
    if order::compare(given, &Bson::Int64(MIN_KEY.0)).is_eq() {
        return Some(vec![MIN_KEY.1]);
    }
    let known = NAMES.iter().find(|&&(number, _)| order::compare(given, &Bson::Int64(number)).is_eq());
    known.map(|&(number, _)| vec![number])
}
