//! MongoDB's query language, for a store that has no MongoDB: a query is read once, and then asked of
//! documents. It means what it means to MongoDB 6; what is not known here is an error and never left
//! out of account. A test asks both the same.

use bson::{Bson, Document};

mod kinds;
pub(super) mod order;
mod parse;
mod path;
mod pattern;

use kinds::Kinds;
pub use path::Path;
use path::{AtEnd, Root};
pub use pattern::Pattern;

/// A query that cannot be asked here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// An operator that is not known here.
    #[error("a query on SQLite cannot have the operator `{operator}`{}; it can have {}", at(.path), parse::KNOWN)]
    Unsupported {
        /// The operator.
        operator: String,
        /// The path that it is for; empty where it is for the whole document.
        path: String,
    },
    /// An operator that is given something it cannot use.
    #[error("`{operator}` in the query{} needs {needs}", at(.path))]
    Argument {
        /// The operator.
        operator: String,
        /// The path that it is for; empty where it is for the whole document.
        path: String,
        /// What it can use.
        needs: &'static str,
    },
    /// A regular expression that is not understood.
    #[error("the regular expression `{pattern}` in the query{} cannot be used: {reason}", at(.path))]
    Pattern {
        /// The expression.
        pattern: String,
        /// The path that it is for.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

fn at(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" (at `{path}`)") }
}

/// A query that has been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    node: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    None(Vec<Node>),
    At(Path, Test),
}

/// What is asked of the values at a path; one that passes is enough.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// How a value compares with this one.
    Compare(Comparison, Bson),
    /// That a value is one of these, which are sorted, or fits one of the expressions.
    OneOf(Vec<Bson>, Vec<Pattern>),
    /// That there is a value.
    Exists,
    /// That a text fits.
    Like(Pattern),
    /// That a value is of one of these types.
    Type(Kinds),
    /// That a list has so many elements.
    Size(usize),
    /// That a list has an element that is a document for which this holds.
    Document(Box<Filter>),
    /// That a list has an element for which this holds.
    Element(Box<Filter>),
    /// Nothing passes.
    Never,
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `$eq`
    Equal,
    /// `$lt`
    Less,
    /// `$lte`
    AtMost,
    /// `$gt`
    Greater,
    /// `$gte`
    AtLeast,
}

impl Filter {
    /// Reads a query.
    pub fn parse(query: &Document) -> Result<Self, FilterError> {
        Ok(Filter { node: parse::document(query)? })
    }

    /// Whether a document matches.
    pub fn matches(&self, document: &Document) -> bool {
        self.node.holds(Root::Document(document))
    }

    /// Conditions that every document fulfils that matches; there may be more.
    pub fn conditions(&self) -> Vec<(&Path, &Test)> {
        let mut conditions = Vec::new();
        self.node.add_conditions(&mut conditions);
        conditions
    }

    /// Whether the field has a part in it.
    pub fn asks_for(&self, field: &str) -> bool {
        self.node.asks_for(field)
    }
}

impl Node {
    fn holds(&self, root: Root<'_>) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.holds(root)),
            Node::Any(nodes) => nodes.iter().any(|node| node.holds(root)),
            Node::None(nodes) => !nodes.iter().any(|node| node.holds(root)),
            Node::At(path, test) => path.any(root, test.at_end(), &mut |value| test.passes(value)),
        }
    }

    /// Whether it holds for an element of a list, wherever the paths would lead.
    fn holds_for(&self, element: &Bson) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.holds_for(element)),
            Node::Any(nodes) => nodes.iter().any(|node| node.holds_for(element)),
            Node::None(nodes) => !nodes.iter().any(|node| node.holds_for(element)),
            Node::At(_, test) => test.passes(Some(element)),
        }
    }

    fn add_conditions<'a>(&'a self, conditions: &mut Vec<(&'a Path, &'a Test)>) {
        match self {
            Node::All(nodes) => nodes.iter().for_each(|node| node.add_conditions(conditions)),
            Node::At(path, test) => conditions.push((path, test)),
            Node::Any(_) | Node::None(_) => {}
        }
    }

    fn asks_for(&self, field: &str) -> bool {
        match self {
            Node::All(nodes) | Node::Any(nodes) | Node::None(nodes) => nodes.iter().any(|node| node.asks_for(field)),
            Node::At(path, _) => path.keys().next() == Some(field),
        }
    }
}

impl Test {
    /// Whether it may pass where there is no value.
    pub fn passes_nothing(&self) -> bool {
        self.passes(None)
    }

    fn at_end(&self) -> AtEnd {
        match self {
            Test::Size(_) | Test::Document(_) | Test::Element(_) => AtEnd::Whole,
            _ => AtEnd::Elements,
        }
    }

    fn passes(&self, value: Option<&Bson>) -> bool {
        match (self, value) {
            (Test::Compare(comparison, with), value) => comparison.holds(value, with),
            (Test::OneOf(values, patterns), value) => {
                let known = value.unwrap_or(&Bson::Null);
                values.binary_search_by(|one| order::compare(one, known)).is_ok()
                    || value.is_some_and(|value| patterns.iter().any(|pattern| is_like(value, pattern)))
            }
            (Test::Exists, value) => value.is_some(),
            (Test::Like(pattern), Some(value)) => is_like(value, pattern),
            (Test::Type(kinds), Some(value)) => kinds.have(value),
            (Test::Size(size), Some(Bson::Array(items))) => items.len() == *size,
            (Test::Document(filter), Some(Bson::Array(items))) => items.iter().any(|item| match item {
                Bson::Document(document) => filter.node.holds(Root::Document(document)),
                Bson::Array(items) => filter.node.holds(Root::List(items)),
                _ => false,
            }),
            (Test::Element(filter), Some(Bson::Array(items))) => items.iter().any(|item| filter.node.holds_for(item)),
            _ => false,
        }
    }
}

fn is_like(value: &Bson, pattern: &Pattern) -> bool {
    match value {
        Bson::String(text) | Bson::Symbol(text) => pattern.is_in(text),
        Bson::RegularExpression(regex) => pattern.is(regex),
        _ => false,
    }
}

impl Comparison {
    fn holds(self, value: Option<&Bson>, with: &Bson) -> bool {
        use Comparison::{AtLeast, AtMost, Equal, Greater, Less};
        let (left, right) = (order::rank(value), order::rank(Some(with)));
        let Some(value) = value.filter(|_| left == right) else {
            return match with {
                // What is missing is null here.
                Bson::Null => left == 0 && matches!(self, Equal | AtMost | AtLeast),
                Bson::MaxKey => matches!(self, Less | AtMost),
                Bson::MinKey => matches!(self, Greater | AtLeast),
                _ => false,
            };
        };
        if order::is_nan(value) || order::is_nan(with) {
            return order::is_nan(value) && order::is_nan(with) && !matches!(self, Less | Greater);
        }
        let ordering = order::compare(value, with);
        match self {
            Equal => ordering.is_eq(),
            Less => ordering.is_lt(),
            AtMost => ordering.is_le(),
            Greater => ordering.is_gt(),
            AtLeast => ordering.is_ge(),
        }
    }
}
