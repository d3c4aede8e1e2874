//! What a document of MongoDB has that the columns do not give back: fields of a user, other types
//! and orders of the same values. It is kept beside the columns as long as these say what they said
//! when it was copied.

use bson::{Document, doc};

/// Fields that the columns know nothing of.
const MORE: &str = "more";
/// Fields that the columns give back differently: `{field: [as it was, as the columns give it]}`.
const WAS: &str = "was";
/// Fields that only the columns have, as they give them.
const WITHOUT: &str = "without";

/// What has to be kept of a document; nothing where the columns say it all.
pub fn beside(original: &Document, columns: &Document) -> Document {
    let mut more = Document::new();
    let mut was = Document::new();
    for (key, value) in original {
        match columns.get(key) {
            None => drop(more.insert(key, value.clone())),
            Some(given) if given != value => drop(was.insert(key, vec![value.clone(), given.clone()])),
            Some(_) => {}
        }
    }
    let without = columns.iter().filter(|(key, _)| !original.contains_key(key.as_str()));
    let without: Document = without.map(|(key, value)| (key.clone(), value.clone())).collect();
    let parts = [(MORE, more), (WAS, was), (WITHOUT, without)];
    parts.into_iter().filter(|(_, part)| !part.is_empty()).map(|(name, part)| (name.to_owned(), part.into())).collect()
}

/// The document as it was, in what has not changed since.
pub fn restore(columns: Document, extra: &Document) -> Document {
    let part = |name: &str| extra.get_document(name).cloned().unwrap_or_default();
    let (more, was, without) = (part(MORE), part(WAS), part(WITHOUT));
    let mut document = doc! {};
    // FireWorks' documents begin so.
    if let Some(id) = more.get("_id") {
        document.insert("_id", id.clone());
    }
    for (key, value) in columns {
        let before = was.get_array(&key).ok().and_then(|pair| <&[_; 2]>::try_from(pair.as_slice()).ok());
        match before {
            Some([before, given]) if *given == value => drop(document.insert(key, before.clone())),
            _ if without.get(&key) == Some(&value) => {}
            _ => drop(document.insert(key, value)),
        }
    }
    document.extend(more);
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_comes_back_as_it_was() {
        let original = doc! {"_id": 7, "state": "READY", "nodes": [2, 1], "mine": {"a": 1}};
        let columns = doc! {"nodes": [1, 2], "state": "READY", "updated_on": ""};
        let extra = beside(&original, &columns);
        assert_eq!(restore(columns.clone(), &extra), original);
        assert_eq!(restore(columns.clone(), &extra).keys().next().map(String::as_str), Some("_id"));
        let changed = doc! {"nodes": [1, 2, 3], "state": "RUNNING", "updated_on": "now"};
        let expected = doc! {"_id": 7, "state": "RUNNING", "nodes": [1, 2, 3], "updated_on": "now", "mine": {"a": 1}};
        assert_eq!(restore(changed, &extra), expected);
        assert_eq!(beside(&columns, &columns), doc! {});
    }
}
