//! Reads queries.

use bson::{Bson, Document};

use super::kinds::Kinds;
use super::{Comparison, Filter, FilterError, Node, Path, Pattern, Test, order};

/// What there is, for those who have asked for something else.
pub const KNOWN: &str = "$and, $or, $nor, $not, $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $regex, $options, \
                         $size, $all, $elemMatch, $type";

type Result<T> = std::result::Result<T, FilterError>;

/// An operator at a path, for what there is to say of it.
struct Place<'a> {
    operator: &'a str,
    path: &'a str,
}

impl Place<'_> {
    fn needs<T>(&self, needs: &'static str) -> Result<T> {
        Err(FilterError::Argument { operator: self.operator.to_owned(), path: self.path.to_owned(), needs })
    }

    fn list<'b>(&self, value: &'b Bson) -> Result<&'b [Bson]> {
        value.as_array().map_or_else(|| self.needs("a list"), |list| Ok(list.as_slice()))
    }

    fn unsupported<T>(&self) -> Result<T> {
        Err(FilterError::Unsupported { operator: self.operator.to_owned(), path: self.path.to_owned() })
    }
}

/// Reads a whole query.
pub fn document(query: &Document) -> Result<Node> {
    let mut nodes = Vec::with_capacity(query.len());
    for (key, value) in query {
        let place = Place { operator: key, path: "" };
        nodes.push(match key.as_str() {
            "$and" => Node::All(several(&place, value)?),
            "$or" => Node::Any(several(&place, value)?),
            "$nor" => Node::None(several(&place, value)?),
            other if other.starts_with('$') => return place.unsupported(),
            path => field(path, value)?,
        });
    }
    Ok(Node::All(nodes))
}

fn several(place: &Place<'_>, value: &Bson) -> Result<Vec<Node>> {
    let queries: Option<Vec<&Document>> = place.list(value)?.iter().map(Bson::as_document).collect();
    match queries {
        Some(queries) if !queries.is_empty() => queries.into_iter().map(document).collect(),
        _ => place.needs("a list of queries, one at least"),
    }
}

/// What is asked of one path.
fn field(path: &str, value: &Bson) -> Result<Node> {
    match value {
        Bson::Document(operators) if is_operators(operators) => expression(path, operators),
        Bson::RegularExpression(regex) => Ok(at(path, Test::Like(stored(path, regex)?))),
        value => Ok(at(path, equal("$eq", path, value)?)),
    }
}

fn is_operators(document: &Document) -> bool {
    document.keys().next().is_some_and(|key| key.starts_with('$'))
}

fn at(path: &str, test: Test) -> Node {
    Node::At(Path::new(path), test)
}

fn not(node: Node) -> Node {
    Node::None(vec![node])
}

/// Operators at a path, all of which must hold.
fn expression(path: &str, operators: &Document) -> Result<Node> {
    let mut nodes = Vec::with_capacity(operators.len());
    for (operator, value) in operators {
        let place = Place { operator, path };
        nodes.push(match operator.as_str() {
            "$eq" => at(path, equal(operator, path, value)?),
            "$ne" if matches!(value, Bson::RegularExpression(_)) => {
                return place.needs("a value that is no regular expression; `$not` takes one");
            }
            "$ne" => not(at(path, equal(operator, path, value)?)),
            "$lt" => comparison(&place, Comparison::Less, value)?,
            "$lte" => comparison(&place, Comparison::AtMost, value)?,
            "$gt" => comparison(&place, Comparison::Greater, value)?,
            "$gte" => comparison(&place, Comparison::AtLeast, value)?,
            "$in" => one_of(&place, value)?,
            "$nin" => not(one_of(&place, value)?),
            "$exists" if is_true(value) => at(path, Test::Exists),
            "$exists" => not(at(path, Test::Exists)),
            "$not" => not(negated(&place, value)?),
            "$regex" => at(path, Test::Like(pattern(&place, value, operators.get("$options"))?)),
            "$options" if operators.contains_key("$regex") => continue,
            "$options" => return place.needs("a `$regex` beside it"),
            "$size" => at(path, Test::Size(size(&place, value)?)),
            "$type" => match Kinds::read(value) {
                Some(kinds) => at(path, Test::Type(kinds)),
                None => return place.needs("the name or number of a type, or a list of them"),
            },
            "$all" => all(&place, value)?,
            "$elemMatch" => element(&place, value)?,
            _ => return place.unsupported(),
        });
    }
    Ok(Node::All(nodes))
}

fn equal(operator: &str, path: &str, value: &Bson) -> Result<Test> {
    if matches!(value, Bson::Undefined) {
        return Place { operator, path }.needs("a value that is defined");
    }
    Ok(Test::Compare(Comparison::Equal, value.clone()))
}

fn comparison(place: &Place<'_>, comparison: Comparison, value: &Bson) -> Result<Node> {
    match value {
        Bson::RegularExpression(_) => place.needs("a value that is no regular expression"),
        Bson::Undefined => place.needs("a value that is defined"),
        value => Ok(at(place.path, Test::Compare(comparison, value.clone()))),
    }
}

fn one_of(place: &Place<'_>, value: &Bson) -> Result<Node> {
    let (mut values, mut patterns) = (Vec::new(), Vec::new());
    for value in place.list(value)? {
        match value {
            Bson::RegularExpression(regex) => patterns.push(stored(place.path, regex)?),
            Bson::Document(document) if is_operators(document) => return place.needs("values without operators"),
            Bson::Undefined => return place.needs("values that are defined"),
            value => values.push(value.clone()),
        }
    }
    values.sort_by(order::compare);
    Ok(at(place.path, Test::OneOf(values, patterns)))
}

fn negated(place: &Place<'_>, value: &Bson) -> Result<Node> {
    match value {
        Bson::RegularExpression(regex) => Ok(at(place.path, Test::Like(stored(place.path, regex)?))),
        Bson::Document(operators) if is_operators(operators) => expression(place.path, operators),
        _ => place.needs("operators or a regular expression"),
    }
}

fn stored(path: &str, regex: &bson::Regex) -> Result<Pattern> {
    read_pattern(path, regex.pattern.as_str(), regex.options.as_str())
}

fn read_pattern(path: &str, pattern: &str, options: &str) -> Result<Pattern> {
    Pattern::new(pattern, options).map_err(|reason| FilterError::Pattern {
        pattern: pattern.to_owned(),
        path: path.to_owned(),
        reason,
    })
}

fn pattern(place: &Place<'_>, value: &Bson, options: Option<&Bson>) -> Result<Pattern> {
    let options = match options {
        None => None,
        Some(Bson::String(options)) => Some(options.as_str()),
        Some(_) => return Place { operator: "$options", path: place.path }.needs("a text"),
    };
    match value {
        Bson::String(pattern) => read_pattern(place.path, pattern, options.unwrap_or_default()),
        Bson::RegularExpression(regex) if options.is_some() && !regex.options.as_str().is_empty() => {
            place.needs("its options in one place")
        }
        Bson::RegularExpression(regex) => {
            read_pattern(place.path, regex.pattern.as_str(), options.unwrap_or(regex.options.as_str()))
        }
        _ => place.needs("a regular expression"),
    }
}

fn size(place: &Place<'_>, value: &Bson) -> Result<usize> {
    let number = match value {
        Bson::Int32(number) => f64::from(*number),
        Bson::Int64(number) => *number as f64,
        Bson::Double(number) => *number,
        Bson::Decimal128(number) => number.to_string().parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    };
    // A list cannot have more.
    let size = i32::try_from(number as i64).ok().filter(|&size| order::compare(value, &Bson::Int32(size)).is_eq());
    let size = size.and_then(|size| usize::try_from(size).ok());
    size.map_or_else(|| place.needs("a whole number that is not negative"), Ok)
}

fn all(place: &Place<'_>, value: &Bson) -> Result<Node> {
    let values = place.list(value)?;
    let element_of =
        |value: &Bson| value.as_document().and_then(|one| one.get("$elemMatch").filter(|_| one.len() == 1)).cloned();
    if values.first().is_some_and(|first| element_of(first).is_some()) {
        let one = |value: &Bson| match element_of(value) {
            Some(given) => element(&Place { operator: "$elemMatch", path: place.path }, &given),
            None => place.needs("values, or nothing but `$elemMatch`"),
        };
        return Ok(Node::All(values.iter().map(one).collect::<Result<_>>()?));
    }
    let one = |value: &Bson| match value {
        Bson::Document(document) if is_operators(document) => place.needs("values, or nothing but `$elemMatch`"),
        Bson::RegularExpression(regex) => Ok(at(place.path, Test::Like(stored(place.path, regex)?))),
        value => Ok(at(place.path, equal(place.operator, place.path, value)?)),
    };
    let nodes: Vec<Node> = values.iter().map(one).collect::<Result<_>>()?;
    Ok(if nodes.is_empty() { at(place.path, Test::Never) } else { Node::All(nodes) })
}

fn element(place: &Place<'_>, value: &Bson) -> Result<Node> {
    let Some(given) = value.as_document() else { return place.needs("a query or operators") };
    let is_query = given.keys().next().is_none_or(|key| ["$and", "$or", "$nor"].contains(&key.as_str()));
    let test = if is_query || !is_operators(given) {
        Test::Document(Box::new(Filter { node: document(given)? }))
    } else {
        Test::Element(Box::new(Filter { node: expression(place.path, given)? }))
    };
    Ok(at(place.path, test))
}

/// MongoDB's truth: everything but false, null and zero.
fn is_true(value: &Bson) -> bool {
    match value {
        Bson::Boolean(truth) => *truth,
        Bson::Null | Bson::Undefined => false,
        number if order::rank(Some(number)) == order::rank(Some(&Bson::Int32(0))) => {
            order::compare(number, &Bson::Int32(0)).is_ne()
        }
        _ => true,
    }
}
