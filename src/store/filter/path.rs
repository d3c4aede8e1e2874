//! Dotted paths, and the values that MongoDB finds along one: through every element of a list on the
//! way, and into lists by position.

use bson::{Bson, Document};

/// A path, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
struct Part {
    key: String,
    /// The position in a list that it may mean as well.
    position: Option<usize>,
}

impl Part {
    fn is_at(&self, position: usize) -> bool {
        self.position == Some(position)
    }
}

/// What becomes of a list at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// Its elements are looked at, and then the list.
    Elements,
    /// Only the list.
    Whole,
}

/// Where a path may begin: a document, or a list taken for one, with its positions as keys.
#[derive(Clone, Copy)]
pub enum Root<'a> {
    /// A document.
    Document(&'a Document),
    /// A list.
    List(&'a [Bson]),
}

impl<'a> Root<'a> {
    fn get(self, part: &Part) -> Option<&'a Bson> {
        match self {
            Root::Document(document) => document.get(&part.key),
            Root::List(items) => items.get(part.position?),
        }
    }
}

/// Hears of every value along a path, and of none where there is no value; breaks off by `true`.
pub type Visit<'v> = dyn FnMut(Option<&Bson>) -> bool + 'v;

impl Path {
    /// Takes a path apart.
    pub fn new(text: &str) -> Self {
        let parts = text.split('.').map(|key| {
            let is_position = key == "0" || !key.starts_with('0') && key.bytes().all(|byte| byte.is_ascii_digit());
            Part { key: key.to_owned(), position: if is_position { key.parse().ok() } else { None } }
        });
        Path { parts: parts.collect() }
    }

    /// The keys along it, the outermost first.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.key.as_str())
    }

    /// Whether `visit` breaks off at one of the values.
    pub fn any(&self, root: Root<'_>, end: AtEnd, visit: &mut Visit<'_>) -> bool {
        from_root(root, &self.parts, end, visit)
    }
}

fn from_root(root: Root<'_>, parts: &[Part], end: AtEnd, visit: &mut Visit<'_>) -> bool {
    let Some((part, rest)) = parts.split_first() else { return false };
    match root.get(part) {
        Some(Bson::Document(below)) if !rest.is_empty() => from_root(Root::Document(below), rest, end, visit),
        Some(list @ Bson::Array(items)) if !rest.is_empty() || end == AtEnd::Elements => {
            in_list(list, items, rest, end, visit)
        }
        Some(value) if rest.is_empty() => visit(Some(value)),
        // Also where something else than a document is in the way.
        _ => visit(None),
    }
}

fn in_list(list: &Bson, items: &[Bson], parts: &[Part], end: AtEnd, visit: &mut Visit<'_>) -> bool {
    let Some((part, rest)) = parts.split_first() else {
        return items.iter().any(|item| visit(Some(item))) || visit(Some(list));
    };
    items.iter().enumerate().any(|(position, item)| {
        let is_meant = part.is_at(position);
        match item {
            Bson::Document(below) => {
                let root = Root::Document(below);
                from_root(root, parts, end, visit)
                    || is_meant && if rest.is_empty() { visit(Some(item)) } else { from_root(root, rest, end, visit) }
            }
            _ if is_meant && rest.is_empty() => visit(Some(item)),
            Bson::Array(below) if is_meant => in_list(item, below, rest, end, visit),
            _ => false,
        }
    })
}
