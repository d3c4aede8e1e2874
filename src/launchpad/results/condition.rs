//! `--where 'energy_per_atom<0.1 and converged=true'`: which rows of results are wanted.

use std::cmp::Ordering;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::FIELDS;
use crate::science::nearest::nearest;

/// Comparisons, all of which must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition(Vec<Comparison>);

#[derive(Debug, Clone, PartialEq)]
struct Comparison {
    field: &'static str,
    holds: Operator,
    value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Unequal,
}

/// As they are typed; the longer ones first, so that `<=` is not taken for `<`.
const OPERATORS: [(&str, Operator); 7] = [
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("!=", Operator::Unequal),
    ("==", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

/// A text that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCondition {
    /// Something is missing in it.
    #[error("`{0}` compares nothing; write FIELD<VALUE, with one of < <= > >= = !=, and `and` between several")]
    Shape(String),
    /// The field never has such a value.
    #[error("`{field}` is {}, and `{value}` is not", if *.field == "converged" { "true or false" } else { "a number" })]
    Value {
        /// The field.
        field: &'static str,
        /// What it was compared with.
        value: String,
    },
    /// There is no such field.
    #[error("there is no field `{field}`{hint}; the fields are {}", FIELDS.join(", "))]
    Field {
        /// What was typed.
        field: String,
        /// What was meant, perhaps.
        hint: String,
    },
}

impl FromStr for Condition {
    type Err = BadCondition;

    fn from_str(text: &str) -> Result<Self, BadCondition> {
        parts(text).into_iter().map(comparison).collect::<Result<_, _>>().map(Condition)
    }
}

/// What stands between the `and`s, in whatever case; one between quotes is part of a value.
fn parts(text: &str) -> Vec<&str> {
    let lower = text.to_ascii_lowercase();
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, and) in lower.match_indices(" and ") {
        let before = &text[start..at];
        if ['"', '\''].iter().all(|quote| before.matches(*quote).count() % 2 == 0) {
            parts.push(before);
            start = at + and.len();
        }
    }
    parts.push(&text[start..]);
    parts
}

fn comparison(text: &str) -> Result<Comparison, BadCondition> {
    let shape = || BadCondition::Shape(text.trim().to_owned());
    let at = text.find(['<', '>', '=', '!']).ok_or_else(shape)?;
    let (field, rest) = (text[..at].trim(), &text[at..]);
    let (sign, holds) = OPERATORS.into_iter().find(|(sign, _)| rest.starts_with(sign)).ok_or_else(shape)?;
    let value = rest[sign.len()..].trim();
    if field.is_empty() || value.is_empty() {
        return Err(shape());
    }
    let known = FIELDS.into_iter().find(|known| known.eq_ignore_ascii_case(field));
    let field = known.ok_or_else(|| BadCondition::Field {
        field: field.to_owned(),
        hint: nearest(field, FIELDS).map_or_else(String::new, |meant| format!(" (did you mean `{meant}`?)")),
    })?;
    let read = read(value);
    let fits = match field {
        "name" | "state" | "formula" | "miller_index" | "directory" => true,
        "converged" => read.is_boolean(),
        _ => read.is_number(),
    };
    if fits {
        Ok(Comparison { field, holds, value: read })
    } else {
        Err(BadCondition::Value { field, value: value.to_owned() })
    }
}

/// A number, yes or no, or a word; quotes keep a number a word.
fn read(text: &str) -> Value {
    let quoted = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    if let Some(word) = quoted {
        return Value::from(word);
    }
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" => true.into(),
        "false" | "no" => false.into(),
        _ => text.parse::<f64>().ok().filter(|number| number.is_finite()).map_or_else(|| text.into(), Value::from),
    }
}

impl Condition {
    /// Whether a row is wanted. What is unknown fits no comparison.
    pub fn fits(&self, row: &Map<String, Value>) -> bool {
        self.0.iter().all(|comparison| row.get(comparison.field).is_some_and(|value| comparison.holds_for(value)))
    }
}

impl Comparison {
    fn holds_for(&self, value: &Value) -> bool {
        let order = match (value, &self.value) {
            (Value::Null, _) => return false,
            (Value::Number(one), Value::Number(other)) => {
                one.as_f64().zip(other.as_f64()).and_then(|(one, other)| one.partial_cmp(&other))
            }
            (Value::String(one), other) => Some(one.as_str().cmp(&word(other))),
            (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
            // `miller_index=1 1 1`
            (Value::Array(several), other) => {
                let several: Vec<String> = several.iter().map(Value::to_string).collect();
                Some(several.join(" ").cmp(&word(other)))
            }
            _ => None,
        };
        match order {
            None => self.holds == Operator::Unequal,
            Some(order) => match self.holds {
                Operator::Less => order == Ordering::Less,
                Operator::LessOrEqual => order != Ordering::Greater,
                Operator::Greater => order == Ordering::Greater,
                Operator::GreaterOrEqual => order != Ordering::Less,
                Operator::Equal => order == Ordering::Equal,
                Operator::Unequal => order != Ordering::Equal,
            },
        }
    }
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fits(text: &str) -> bool {
        let row = json!({"fw_id": 7, "name": "relax and run", "energy": -1.5, "converged": true, "shift": null, "miller_index": [1, 1, 0]});
        text.parse::<Condition>().expect("is good").fits(row.as_object().expect("an object"))
    }

    #[test]
    fn comparisons_are_of_the_kind_of_their_field() {
        for yes in [
            "energy<0",
            "energy <= -1.5",
            "energy=-1.5 AND fw_id>=7",
            "converged=yes",
            "converged != false",
            "name='relax and run' and energy<0",
            "name!=x",
            "miller_index='1 1 0'",
            "Energy > -2",
        ] {
            assert!(fits(yes), "{yes}");
        }
        for no in ["energy>0", "shift<1", "shift!=1", "converged=false", "energy<0 and fw_id=8", "name=relax"] {
            assert!(!fits(no), "{no}");
        }
    }

    #[test]
    fn mistakes_say_what_is_meant() {
        let error = |text: &str| text.parse::<Condition>().expect_err("is refused").to_string();
        assert!(error("energi<0").contains("no field `energi` (did you mean `energy`?); the fields are fw_id, "));
        assert!(error("energy<low").contains("`energy` is a number, and `low` is not"));
        assert!(error("converged=1").contains("true or false"));
        for wrong in ["energy", "<0", "energy<", "energy!0", "", "energy<0 and "] {
            assert!(error(wrong).contains("compares nothing"), "{wrong}");
        }
    }
}
