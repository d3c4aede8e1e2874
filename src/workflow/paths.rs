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
    let next = match slot {
        Bson::Document(document) => document.entry(key.to_owned()).or_insert(Bson::Null),
        Bson::Array(items) => {
            let position: usize = key.parse().map_err(|_| PathError::Position { path: path.to_owned(), at: at() })?;
            if position >= items.len() {
                items.resize(position + 1, Bson::Null);
            }
            &mut items[position]
        }
        _ => return Err(PathError::Through { path: path.to_owned(), at: at() }),
    };
    match below {
        None => *next = value,
        Some(below) => {
            // MongoDB makes what is missing, and refuses to go through null; so do we but for what
            // has just been made.
            if matches!(next, Bson::Null) {
                *next = Bson::Document(Document::new());
            }
            set_in(next, path, depth + 1 + key.len(), below, value)?;
        }
    }
    Ok(())
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
    fn refuses_what_has_no_keys() {
        assert!(matches!(after(doc! {"a": 1}, "a.b"), Err(PathError::Through { .. })));
        assert!(matches!(after(doc! {"a": [1]}, "a.b"), Err(PathError::Position { .. })));
        for path in ["", "a.", ".a", "a.$b", "$set"] {
            assert_eq!(after(doc! {}, path), Err(PathError::Key(path.to_owned())), "{path}");
        }
    }
}
