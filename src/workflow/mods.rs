//! `mod_spec`: the verbs that change the spec of a child (`_set`, `_push`, `_inc`, ...), with
//! FireWorks' nested keys `a->b->c`.

use bson::{Bson, Document};

/// A modification that cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModError {
    /// The verb is not one of FireWorks'.
    #[error(
        "mod_spec: unknown action `{0}` (known: _set, _unset, _push, _push_all, _inc, _rename, _add_to_set, _pull, _pull_all, _pop)"
    )]
    UnknownAction(String),
    /// The settings of a verb are not a mapping.
    #[error("mod_spec: `{0}` needs a mapping of keys to values")]
    NotAMapping(String),
    /// There is nothing under the key.
    #[error("mod_spec: `{action}` of `{key}`, which the spec does not have, or which is empty")]
    Missing {
        /// The verb.
        action: &'static str,
        /// The key.
        key: String,
    },
    /// What is under the key is of the wrong kind.
    #[error("mod_spec: `{action}` needs {expected} in `{key}`")]
    WrongKind {
        /// The verb.
        action: &'static str,
        /// The key.
        key: String,
        /// What the verb works on.
        expected: &'static str,
    },
}

/// Whether applying the modification twice gives the same as applying it once.
pub fn is_idempotent(modification: &Document) -> bool {
    modification
        .keys()
        .all(|action| matches!(action.as_str(), "_set" | "_unset" | "_add_to_set" | "_pull" | "_pull_all"))
}

/// Changes a spec as an action asks: `update_spec`, then `mod_spec`.
pub fn change(spec: &mut Document, update_spec: &Document, mod_spec: &[Document]) -> Result<(), ModError> {
    spec.extend(update_spec.clone());
    mod_spec.iter().try_for_each(|modification| apply(modification, spec))
}

/// Applies one modification to a spec.
pub fn apply(modification: &Document, spec: &mut Document) -> Result<(), ModError> {
    for (action, settings) in modification {
        let settings = settings.as_document().ok_or_else(|| ModError::NotAMapping(action.clone()))?;
        for (path, value) in settings {
            apply_one(action, path, value, spec)?;
        }
    }
    Ok(())
}

fn apply_one(action: &str, path: &str, value: &Bson, spec: &mut Document) -> Result<(), ModError> {
    // `_rename` takes its key literally, as in FireWorks.
    if action == "_rename" {
        let new = value.as_str().ok_or(ModError::WrongKind {
            action: "_rename",
            key: path.into(),
            expected: "a new name",
        })?;
        if let Some(old) = spec.remove(path) {
            spec.insert(new, old);
        }
        return Ok(());
    }
    let (parent, key) = descend(path, spec)?;
    match action {
        "_set" => {
            parent.insert(key, value.clone());
        }
        "_unset" => {
            parent.remove(key).ok_or(ModError::Missing { action: "_unset", key: path.into() })?;
        }
        "_push" => list("_push", path, key, parent)?.push(value.clone()),
        "_push_all" => {
            let values = items("_push_all", path, value)?;
            list("_push_all", path, key, parent)?.extend(values.iter().cloned());
        }
        "_inc" => increment(path, key, value, parent)?,
        "_add_to_set" => match parent.get_mut(key) {
            // A missing key becomes the bare value, not a list of it: FireWorks does so.
            None => {
                parent.insert(key, value.clone());
            }
            Some(Bson::Array(present)) => {
                if !present.iter().any(|item| same(item, value)) {
                    present.push(value.clone());
                }
            }
            Some(_) => return Err(not_a_list("_add_to_set", path)),
        },
        "_pull" => {
            if parent.contains_key(key) {
                list("_pull", path, key, parent)?.retain(|item| !same(item, value));
            }
        }
        "_pull_all" => {
            let values = items("_pull_all", path, value)?;
            if parent.contains_key(key) {
                list("_pull_all", path, key, parent)?.retain(|item| !values.iter().any(|value| same(item, value)));
            }
        }
        "_pop" => {
            let end = super::as_int(value).filter(|end| matches!(end, 1 | -1));
            let missing = || ModError::Missing { action: "_pop", key: path.into() };
            match (parent.get_mut(key), end) {
                (Some(Bson::Array(present)), Some(1)) => drop(present.pop().ok_or_else(missing)?),
                (Some(Bson::Array(present)), Some(_)) if !present.is_empty() => drop(present.remove(0)),
                (Some(Bson::Array(_)) | None, None) => {}
                (Some(Bson::Array(_)) | None, Some(_)) => return Err(missing()),
                (Some(_), _) => return Err(not_a_list("_pop", path)),
            }
        }
        other => return Err(ModError::UnknownAction(other.to_owned())),
    }
    Ok(())
}

/// The mapping that holds the last key of `a->b->c`, made on the way where it is missing.
fn descend<'d, 'p>(path: &'p str, spec: &'d mut Document) -> Result<(&'d mut Document, &'p str), ModError> {
    let mut at = spec;
    let mut rest = path;
    while let Some((head, tail)) = rest.split_once("->") {
        at = at
            .entry(head)
            .or_insert_with(|| Bson::Document(Document::new()))
            .as_document_mut()
            .ok_or(ModError::WrongKind { action: "->", key: head.into(), expected: "a mapping" })?;
        rest = tail;
    }
    Ok((at, rest))
}

fn list<'d>(
    action: &'static str,
    path: &str,
    key: &str,
    parent: &'d mut Document,
) -> Result<&'d mut Vec<Bson>, ModError> {
    parent.entry(key).or_insert_with(|| Bson::Array(Vec::new())).as_array_mut().ok_or_else(|| not_a_list(action, path))
}

fn items<'v>(action: &'static str, path: &str, value: &'v Bson) -> Result<&'v Vec<Bson>, ModError> {
    value.as_array().ok_or_else(|| not_a_list(action, path))
}

fn not_a_list(action: &'static str, path: &str) -> ModError {
    ModError::WrongKind { action, key: path.to_owned(), expected: "a list" }
}

/// Equality as Python has it: numbers and flags are equal when their values are.
fn same(one: &Bson, other: &Bson) -> bool {
    let number = |value: &Bson| match value {
        Bson::Boolean(flag) => Some(f64::from(u8::from(*flag))),
        Bson::Double(d) => Some(*d),
        other => super::as_int(other).map(|i| i as f64),
    };
    match (one, other) {
        (Bson::Int64(a), Bson::Int64(b)) => a == b,
        (Bson::Array(a), Bson::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Bson::Document(a), Bson::Document(b)) => {
            a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        _ => one == other || number(one).zip(number(other)).is_some_and(|(a, b)| a == b),
    }
}

/// Adds as Python does: whole numbers stay whole, a missing key counts as zero.
fn increment(path: &str, key: &str, by: &Bson, parent: &mut Document) -> Result<(), ModError> {
    let number = |value: &Bson| match value {
        Bson::Int32(i) => Some((i64::from(*i), None)),
        Bson::Int64(i) => Some((*i, None)),
        Bson::Double(d) => Some((0, Some(*d))),
        _ => None,
    };
    let wrong = || ModError::WrongKind { action: "_inc", key: path.to_owned(), expected: "a number" };
    let by_number = number(by).ok_or_else(wrong)?;
    let sum = match parent.get(key) {
        None => by.clone(),
        Some(present) => match (number(present).ok_or_else(wrong)?, by_number) {
            ((a, None), (b, None)) => super::int(a.checked_add(b).ok_or_else(wrong)?),
            ((a, x), (b, y)) => Bson::Double(x.unwrap_or(a as f64) + y.unwrap_or(b as f64)),
        },
    };
    parent.insert(key, sum);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn each_verb_does_what_fireworks_does() {
        let cases = [
            (doc! {}, doc! {"_set": {"a->b": 1}}, doc! {"a": {"b": 1}}),
            (doc! {"a": 1, "b": 2}, doc! {"_unset": {"a": 1}}, doc! {"b": 2}),
            (doc! {"a": [1]}, doc! {"_push": {"a": 2}}, doc! {"a": [1, 2]}),
            (doc! {}, doc! {"_push": {"a": 2}}, doc! {"a": [2]}),
            (doc! {"a": [1]}, doc! {"_push_all": {"a": [2, 3]}}, doc! {"a": [1, 2, 3]}),
            (doc! {"a": 1}, doc! {"_inc": {"a": 2}}, doc! {"a": 3}),
            (doc! {"a": 1}, doc! {"_inc": {"a": 0.5}}, doc! {"a": 1.5}),
            (doc! {}, doc! {"_inc": {"a": 2}}, doc! {"a": 2}),
            (doc! {"a": 1}, doc! {"_rename": {"a": "b"}}, doc! {"b": 1}),
            (doc! {"a": 1}, doc! {"_rename": {"x": "b"}}, doc! {"a": 1}),
            (doc! {"a": [1]}, doc! {"_add_to_set": {"a": 1}}, doc! {"a": [1]}),
            (doc! {"a": [1, {"b": true}]}, doc! {"_add_to_set": {"a": 1.0}}, doc! {"a": [1, {"b": true}]}),
            (doc! {"a": [1, {"b": true}]}, doc! {"_pull": {"a": {"b": 1}}}, doc! {"a": [1]}),
            (doc! {"a": [1]}, doc! {"_add_to_set": {"a": 2}}, doc! {"a": [1, 2]}),
            (doc! {}, doc! {"_add_to_set": {"a": 2}}, doc! {"a": 2}),
            (doc! {"a": [1, 2, 1]}, doc! {"_pull": {"a": 1}}, doc! {"a": [2]}),
            (doc! {"a": [1, 2, 3]}, doc! {"_pull_all": {"a": [1, 3]}}, doc! {"a": [2]}),
            (doc! {"a": [1, 2, 3]}, doc! {"_pop": {"a": 1}}, doc! {"a": [1, 2]}),
            (doc! {"a": [1, 2, 3]}, doc! {"_pop": {"a": -1}}, doc! {"a": [2, 3]}),
            (doc! {}, doc! {"_pop": {"a": 2}}, doc! {}),
        ];
        for (mut spec, modification, expected) in cases {
            apply(&modification, &mut spec).expect("applies");
            assert_eq!(spec, expected, "{modification}");
        }
    }

    #[test]
    fn what_cannot_be_applied_says_so() {
        let mut spec = doc! {"a": 1};
        assert!(matches!(apply(&doc! {"_unset": {"x": 1}}, &mut spec), Err(ModError::Missing { .. })));
        assert!(matches!(apply(&doc! {"_pop": {"x": 1}}, &mut spec), Err(ModError::Missing { .. })));
        assert!(matches!(apply(&doc! {"_pop": {"l": -1}}, &mut doc! {"l": []}), Err(ModError::Missing { .. })));
        assert!(matches!(apply(&doc! {"_push": {"a": 1}}, &mut spec), Err(ModError::WrongKind { .. })));
        assert!(matches!(apply(&doc! {"_grow": {"a": 1}}, &mut spec), Err(ModError::UnknownAction(_))));
    }
}
