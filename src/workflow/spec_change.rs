//! A change that a user asks for in specs: parts that are set or taken out, each at a dotted path.

use bson::{Bson, Document};

use super::paths::{self, PathError};

/// What to change in a spec.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpecChange {
    /// What is set, by path.
    set: Document,
    /// The paths that are taken out.
    unset: Vec<String>,
}

/// A text that asks for no such change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadChange {
    /// Nothing is asked for.
    #[error("it changes nothing")]
    Empty,
    /// An operator that is not understood.
    #[error("`{0}` is not supported here; $set and $unset are")]
    Operator(String),
    /// An operator without its paths.
    #[error("`{0}` needs a dictionary of paths, such as {{\"spec.a\": 1}}")]
    Paths(String),
    /// A path outside the spec.
    #[error("`{0}` is outside the spec; paths begin with `spec.` here")]
    Outside(String),
    /// Two changes of one part.
    #[error("`{0}` and `{1}` are one, or one is in the other")]
    Conflict(String, String),
}

impl SpecChange {
    /// Sets the value at each path into the spec.
    pub fn setting(set: Document) -> Result<Self, BadChange> {
        SpecChange { set, unset: Vec::new() }.checked()
    }

    /// What an update in MongoDB's language asks of a firework: `{"$set": {"spec.a": 1}, "$unset": {"spec.b": ""}}`.
    pub fn of_update(update: &Document) -> Result<Self, BadChange> {
        let mut change = SpecChange::default();
        for (operator, paths) in update {
            if !matches!(operator.as_str(), "$set" | "$unset") {
                return Err(BadChange::Operator(operator.clone()));
            }
            let paths = paths.as_document().ok_or_else(|| BadChange::Paths(operator.clone()))?;
            for (path, value) in paths {
                let inner = path.strip_prefix("spec.").ok_or_else(|| BadChange::Outside(path.clone()))?;
                if operator == "$set" {
                    change.set.insert(inner, value.clone());
                } else {
                    change.unset.push(inner.to_owned());
                }
            }
        }
        change.checked()
    }

    /// As MongoDB does, refuses what depends on the order.
    fn checked(self) -> Result<Self, BadChange> {
        let paths: Vec<&str> = self.paths().collect();
        if paths.is_empty() {
            return Err(BadChange::Empty);
        }
        let is_in = |one: &str, other: &str| {
            one.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        for (at, one) in paths.iter().enumerate() {
            if let Some(other) = paths[at + 1..].iter().find(|other| is_in(one, other) || is_in(other, one)) {
                return Err(BadChange::Conflict((*one).to_owned(), (*other).to_owned()));
            }
        }
        Ok(self)
    }

    /// The paths that it changes.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.set.keys().map(String::as_str).chain(self.unset.iter().map(String::as_str))
    }

    /// Changes a spec. New keys come in the order in which MongoDB appends them: FireWorks compares specs
    /// with their order.
    pub fn apply(&self, spec: &mut Document) -> Result<(), PathError> {
        let mut sorted: Vec<(&String, &Bson)> = self.set.iter().collect();
        sorted.sort_by_key(|(path, _)| path.as_str());
        sorted.into_iter().try_for_each(|(path, value)| paths::set(spec, path, value.clone()))?;
        self.unset.iter().try_for_each(|path| paths::unset(spec, path))
    }

    /// As an update of a firework in MongoDB's language.
    pub fn to_update(&self) -> (Document, Document) {
        let set = self.set.iter().map(|(path, value)| (format!("spec.{path}"), value.clone())).collect();
        let unset = self.unset.iter().map(|path| (format!("spec.{path}"), Bson::from(""))).collect();
        (set, unset)
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn sets_and_takes_out() {
        let change = SpecChange::of_update(&doc! {"$set": {"spec.a.b": 7}, "$unset": {"spec.c": "", "spec.t.0": ""}});
        let mut spec = doc! {"a": {"b": 1}, "c": 2, "t": [1, 2]};
        change.expect("a change").apply(&mut spec).expect("applies");
        assert_eq!(spec, doc! {"a": {"b": 7}, "t": [Bson::Null, 2]});
    }

    #[test]
    fn refuses_what_it_does_not_do() {
        for (update, why) in [
            (doc! {}, "changes nothing"),
            (doc! {"$set": {}}, "changes nothing"),
            (doc! {"a": 1}, "`a` is not supported"),
            (doc! {"$inc": {"spec.a": 1}}, "`$inc` is not supported"),
            (doc! {"$set": 1}, "needs a dictionary"),
            (doc! {"$set": {"state": "READY"}}, "outside the spec"),
            (doc! {"$set": {"spec": {}}}, "outside the spec"),
            (doc! {"$set": {"spec.a": 1, "spec.a.b": 2}}, "one is in the other"),
            (doc! {"$set": {"spec.a": 1}, "$unset": {"spec.a": ""}}, "are one"),
        ] {
            let bad = SpecChange::of_update(&update).expect_err(why);
            assert!(bad.to_string().contains(why), "{update}: {bad}");
        }
    }
}
