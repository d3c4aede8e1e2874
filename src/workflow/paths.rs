//! Dotted paths into documents (`a.b`, `_tasks.1.script`), with the meaning of MongoDB's `$set`.

use bson::{Bson, Document};

/// A path along which nothing can be set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// An empty key, or one of MongoDB's own.
    #[error("`{0}` is no path into a spec: its keys must not be empty, nor begin with `$`")]
    Key(String),
    /// It leads through something that has no keys.
    #[error("`{path}` leads through `{at}`, which is neither a mapping nor a list")]
    Through {
        /// The whole path.
        path: String,
        /// The part of it that ends there.
        at: String,
    },
    /// It leads into a list, and not by a position.
    #[error("`{path}` leads into the list `{at}`, which needs a position (0, 1, ...)")]
    Position {
        /// The whole path.
        path: String,
        /// The list.
        at: String,
    },
    /// It leads far beyond the end of a list.
    #[error("`{path}` leads too far beyond the end of the list `{at}`")]
    Far {
        /// The whole path.
        path: String,
        /// The list.
        at: String,
    },
}

/// By so much a list grows at most, as in MongoDB.
const GROWTH: usize = 1_500_000;

/// A position in a list, as MongoDB writes them.
fn position(key: &str) -> Option<usize> {
    let position: usize = key.parse().ok()?;
    (position.to_string() == key).then_some(position)
}

/// Sets the value at a path. Mappings on the way are made; a list grows up to the position.
pub fn set(document: &mut Document, path: &str, value: Bson) -> Result<(), PathError> {
    if path.split('.').any(|key| key.is_empty() || key.starts_with('$')) {
        return Err(PathError::Key(path.to_owned()));
    }
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match rest {
        None => drop(document.insert(first, value)),
        Some(rest) => {
            let slot = document.entry(first.to_owned()).or_insert_with(|| Bson::Document(Document::new()));
            set_in(slot, path, first.len(), rest, value)?;
        }
    }
    Ok(())
}

/// Sets below `slot`, to which the first `depth` bytes of the path lead.
fn set_in(slot: &mut Bson, path: &str, depth: usize, rest: &str, value: Bson) -> Result<(), PathError> {
    let at = || path[..depth].to_owned();
    let (key, below) = rest.split_once('.').map_or((rest, None), |(key, below)| (key, Some(below)));
    let (next, is_new) = match slot {
        Bson::Document(document) => {
            let is_new = !document.contains_key(key);
            (document.entry(key.to_owned()).or_insert(Bson::Null), is_new)
        }
        Bson::Array(items) => {
            let position = position(key).ok_or_else(|| PathError::Position { path: path.to_owned(), at: at() })?;
            let is_new = position >= items.len();
            if is_new {
                if position - items.len() > GROWTH {
                    return Err(PathError::Far { path: path.to_owned(), at: at() });
                }
                items.resize(position + 1, Bson::Null);
            }
            (&mut items[position], is_new)
        }
        _ => return Err(PathError::Through { path: path.to_owned(), at: at() }),
    };
    match below {
        None => *next = value,
        Some(below) => {
            // What is missing is made; null that is there is not gone through.
            if is_new {
                *next = Bson::Document(Document::new());
            }
            set_in(next, path, depth + 1 + key.len(), below, value)?;
        }
    }
    Ok(())
}

/// Takes out what is at a path, if anything is; in a list null takes its place, as in MongoDB.
pub fn unset(document: &mut Document, path: &str) -> Result<(), PathError> {
    let keys: Vec<&str> = path.split('.').collect();
    if keys.iter().any(|key| key.is_empty() || key.starts_with('$')) {
        return Err(PathError::Key(path.to_owned()));
    }
    let [first, rest @ ..] = keys.as_slice() else { return Ok(()) };
    if rest.is_empty() {
        document.remove(first);
    } else if let Some(slot) = document.get_mut(*first) {
        unset_in(slot, rest);
    }
    Ok(())
}

fn unset_in(slot: &mut Bson, keys: &[&str]) {
    let [key, rest @ ..] = keys else { return };
    let next = match slot {
        Bson::Document(document) if rest.is_empty() => {
            document.remove(key);
            return;
        }
        Bson::Document(document) => document.get_mut(*key),
        Bson::Array(items) => position(key).and_then(|position| items.get_mut(position)),
        _ => None,
    };
    match next {
        Some(next) if rest.is_empty() => *next = Bson::Null,
        Some(next) => unset_in(next, rest),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    fn after(mut document: Document, path: &str) -> Result<Document, PathError> {
        set(&mut document, path, Bson::Int32(7)).map(|()| document)
    }

    #[test]
    fn sets_and_makes() {
        assert_eq!(after(doc! {}, "a"), Ok(doc! {"a": 7}));
        assert_eq!(after(doc! {"a": 1}, "b.c"), Ok(doc! {"a": 1, "b": {"c": 7}}));
        assert_eq!(after(doc! {"a": {"b": 1, "c": 2}}, "a.b"), Ok(doc! {"a": {"b": 7, "c": 2}}));
        assert_eq!(after(doc! {"t": [{"x": 1}, {"x": 2}]}, "t.1.x"), Ok(doc! {"t": [{"x": 1}, {"x": 7}]}));
        assert_eq!(after(doc! {"t": [1]}, "t.2"), Ok(doc! {"t": [1, Bson::Null, 7]}));
    }

    #[test]
    fn takes_out() {
        let without = |path: &str| {
            let mut document = doc! {"a": {"b": 1, "c": 2}, "t": [{"x": 1, "y": 2}, 3]};
            unset(&mut document, path).map(|()| document)
        };
        assert_eq!(without("a"), Ok(doc! {"t": [{"x": 1, "y": 2}, 3]}));
        assert_eq!(without("a.b"), Ok(doc! {"a": {"c": 2}, "t": [{"x": 1, "y": 2}, 3]}));
        assert_eq!(without("t.0.x"), Ok(doc! {"a": {"b": 1, "c": 2}, "t": [{"y": 2}, 3]}));
        assert_eq!(without("t.1"), Ok(doc! {"a": {"b": 1, "c": 2}, "t": [{"x": 1, "y": 2}, Bson::Null]}));
        for nothing in ["z", "a.z", "a.b.c", "t.7", "t.x", "t.7.x"] {
            assert_eq!(without(nothing).expect("a path").len(), 2, "{nothing}");
        }
        assert_eq!(without("a..b"), Err(PathError::Key("a..b".to_owned())));
    }

    #[test]
    fn refuses_what_has_no_keys() {
        assert!(matches!(after(doc! {"a": 1}, "a.b"), Err(PathError::Through { .. })));
        assert!(matches!(after(doc! {"a": {"b": Bson::Null}}, "a.b.c"), Err(PathError::Through { .. })));
        assert!(matches!(after(doc! {"a": [Bson::Null]}, "a.0.c"), Err(PathError::Through { .. })));
        assert_eq!(after(doc! {"a": [1]}, "a.1.c.d"), Ok(doc! {"a": [1, {"c": {"d": 7}}]}));
        for path in ["a.b", "a.+1", "a.01"] {
            assert!(matches!(after(doc! {"a": [1]}, path), Err(PathError::Position { .. })), "{path}");
        }
        assert!(matches!(after(doc! {"a": [1]}, "a.4000000000"), Err(PathError::Far { .. })));
        for path in ["", "a.", ".a", "a.$b", "$set"] {
            assert_eq!(after(doc! {}, path), Err(PathError::Key(path.to_owned())), "{path}");
        }
    }
}
