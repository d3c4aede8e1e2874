//! Queries in MongoDB's language, as far as SQLite can answer them faster: what it leaves over is
//! read and asked in full. It may leave too much, and never too little.

use bson::Bson;

use super::clause::Clause;
use crate::store::filter::{Comparison, Filter, Path, Test};

/// What is asked about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Fireworks,
    Workflows,
    Launches,
}

/// The fields of a workflow's document, as FireWorks stores it, in its order.
const WORKFLOW: [(&str, &str); 9] = [
    (
        "links",
        "json((SELECT json_group_object(fw_id, json((SELECT json_group_array(child ORDER BY child) FROM links
          WHERE parent = fw_id)) ORDER BY fw_id) FROM fireworks WHERE workflow = workflows.id))",
    ),
    (
        "parent_links",
        "json((SELECT json_group_object(fw_id, json((SELECT json_group_array(parent ORDER BY parent) FROM links
          WHERE child = fw_id)) ORDER BY fw_id) FILTER (WHERE EXISTS (SELECT 1 FROM links WHERE child = fw_id))
          FROM fireworks WHERE workflow = workflows.id))",
    ),
    ("nodes", "json((SELECT json_group_array(fw_id ORDER BY fw_id) FROM fireworks WHERE workflow = workflows.id))"),
    ("metadata", "json(metadata)"),
    ("state", "state"),
    ("name", "name"),
    ("created_on", "CASE WHEN created_on <> '' THEN json_object('$date', created_on) END"),
    ("updated_on", "CASE WHEN updated_on <> '' THEN json_object('$date', updated_on) END"),
    (
        "fw_states",
        "json((SELECT json_group_object(fw_id, state ORDER BY fw_id) FROM fireworks WHERE workflow = workflows.id))",
    ),
];

impl Table {
    pub fn name(self) -> &'static str {
        match self {
            Table::Fireworks => "fireworks",
            Table::Workflows => "workflows",
            Table::Launches => "launches",
        }
    }

    pub fn id(self) -> &'static str {
        match self {
            Table::Fireworks => "fw_id",
            Table::Workflows => "id",
            Table::Launches => "launch_id",
        }
    }

    /// What is kept of a document beside the columns.
    pub fn extra(self) -> &'static str {
        if self == Table::Launches { "NULL" } else { "extra" }
    }

    /// The document of a row, in what a filter asks for.
    pub fn document(self, filter: &Filter) -> String {
        match self {
            Table::Fireworks => firework(filter.asks_for("spec")),
            Table::Workflows => workflow(&|field| filter.asks_for(field)),
            Table::Launches => "document".to_owned(),
        }
    }

    /// Fields with a column of their own, whose values are text, or numbers.
    fn columns(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Table::Fireworks => (&["name", "state"], &["fw_id"]),
            Table::Workflows => (&["name", "state"], &[]),
            Table::Launches => (&["state"], &["launch_id", "fw_id"]),
        }
    }

    /// The column with the document that a path leads into, and the path in it.
    fn document_of<'a>(self, keys: &'a [&'a str]) -> Option<(&'static str, &'a [&'a str])> {
        match (self, keys) {
            (Table::Fireworks, ["spec", rest @ ..]) => Some(("spec", rest)),
            (Table::Workflows, ["metadata", rest @ ..]) => Some(("metadata", rest)),
            (Table::Launches, rest) => Some(("document", rest)),
            _ => None,
        }
    }
}

/// The document of a firework.
fn firework(with_spec: bool) -> String {
    let head = "json_object('fw_id', fw_id, 'created_on', nullif(created_on, ''), 'updated_on', nullif(updated_on, ''),
        'name', name, 'launches', json(launches), 'archived_launches', json(archived_launches), 'state', state)";
    // The spec is put before it as it stands: it need not be understood for that.
    if with_spec { format!("'{{\"spec\":' || spec || ',' || substr({head}, 2)") } else { head.to_owned() }
}

/// The document of a workflow, with the fields that are wanted.
pub fn workflow(wants: &dyn Fn(&str) -> bool) -> String {
    let wanted = WORKFLOW.iter().filter(|(field, _)| wants(field)).map(|(field, value)| format!("'{field}', {value}"));
    format!("json_object({})", wanted.collect::<Vec<_>>().join(", "))
}

/// Adds conditions that every row fulfils which matches.
pub fn add(clause: &mut Clause, filter: &Filter, table: Table) {
    for (path, test) in filter.conditions() {
        if !test.passes_nothing() {
            add_one(clause, path, test, table);
        }
    }
}

fn add_one(clause: &mut Clause, path: &Path, test: &Test, table: Table) {
    let keys: Vec<&str> = path.keys().collect();
    let (texts, numbers) = table.columns();
    match keys.as_slice() {
        [key] if texts.contains(key) => in_column(clause, key, test, &|value| matches!(value, Bson::String(_))),
        [key] if numbers.contains(key) => in_column(clause, key, test, &is_number),
        ["nodes"] if table == Table::Workflows => {
            if let Some(among) = among(clause, test, &is_number) {
                clause.require(format!("id IN (SELECT workflow FROM fireworks WHERE fw_id IN ({among}))"));
            }
        }
        keys => {
            if let Some((column, rest)) = table.document_of(keys) {
                in_document(clause, column, rest, test);
            }
        }
    }
}

fn is_number(value: &Bson) -> bool {
    matches!(value, Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_))
}

/// The values that a test wants, when all of them are such as the column has.
fn among(clause: &mut Clause, test: &Test, fits: &dyn Fn(&Bson) -> bool) -> Option<String> {
    let values = match test {
        Test::Compare(Comparison::Equal, value) => std::slice::from_ref(value),
        Test::OneOf(values, patterns) if patterns.is_empty() => values.as_slice(),
        _ => return None,
    };
    if !values.iter().all(fits) {
        return None;
    }
    // Many values come as one, and SQLite has a limit on how many it takes.
    let list: serde_json::Value = values.iter().map(crate::workflow::json::from_bson).collect();
    let list = clause.bind(list.to_string());
    Some(format!("SELECT value FROM json_each({list})"))
}

fn in_column(clause: &mut Clause, column: &str, test: &Test, fits: &dyn Fn(&Bson) -> bool) {
    if let Some(among) = among(clause, test, fits) {
        clause.require(format!("{column} IN ({among})"));
    }
}

/// A condition on what a document has at a path: its keys are in the text; and where it leads to one
/// value, not through lists nor to a list or mapping, that value compares as it should.
fn in_document(clause: &mut Clause, column: &str, keys: &[&str], test: &Test) {
    // A key of digits may be a position, and one with signs in it is written differently.
    let is_plain = |key: &&str| {
        let mut letters = key.chars();
        letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
            && letters.all(|letter| letter.is_ascii_alphanumeric() || " _-@:/".contains(letter))
    };
    for key in keys.iter().filter(|key| is_plain(key)) {
        let key = clause.bind(format!("\"{key}\""));
        clause.require(format!("instr({column}, {key})"));
    }
    if keys.is_empty() || !keys.iter().all(is_plain) {
        return;
    }
    let Test::Compare(comparison, value) = test else { return };
    if let (Comparison::Equal, Some(letters)) = (comparison, letters(value)) {
        let letters = clause.bind(letters);
        // 100 may be 1E+2 there.
        clause.require(format!("(instr({column}, {letters}) OR instr({column}, '$numberDecimal'))"));
    }
    let at = |depth: usize| format!("'$.\"{}\"'", keys[..depth].join("\".\""));
    let here = at(keys.len());
    let Some(compares) = compares(clause, &format!("json_extract({column}, {here})"), *comparison, value) else {
        return;
    };
    let mut ways = vec![compares, format!("json_type({column}, {here}) IN ('array', 'object')")];
    ways.extend((1..keys.len()).map(|depth| format!("json_type({column}, {}) = 'array'", at(depth))));
    // A mapping with keys like those of extended JSON is stored one level deeper.
    ways.push(format!("instr({column}, '\"$document\"')"));
    clause.require(format!("({})", ways.join(" OR ")));
}

/// What stands in every document that has this value, or a number of the same size: to search for it is
/// faster than to understand them all.
fn letters(value: &Bson) -> Option<String> {
    // Beyond, a double is written with an exponent.
    const LARGE: f64 = 1e15;
    match value {
        Bson::String(text) if text.chars().all(|letter| letter >= ' ' && letter != '"' && letter != '\\') => {
            Some(format!("\"{text}\""))
        }
        Bson::Int32(number) => Some(number.to_string()),
        Bson::Int64(number) if (number.unsigned_abs() as f64) < LARGE => Some(number.to_string()),
        Bson::Double(number) if number.fract() == 0.0 && number.abs() < LARGE && *number != 0.0 => {
            Some((*number as i64).to_string())
        }
        _ => None,
    }
}

/// How SQLite says that a value compares with this one.
fn compares(clause: &mut Clause, left: &str, comparison: Comparison, right: &Bson) -> Option<String> {
    let number = match right {
        Bson::Int32(number) => f64::from(*number),
        Bson::Int64(number) => *number as f64,
        Bson::Double(number) if number.is_finite() => *number,
        Bson::Boolean(truth) => f64::from(*truth),
        Bson::String(text) => {
            let operator = match comparison {
                Comparison::Equal => "=",
                Comparison::Less => "<",
                Comparison::AtMost => "<=",
                Comparison::Greater => ">",
                Comparison::AtLeast => ">=",
            };
            return Some(format!("{left} {operator} {}", clause.bind(text.clone())));
        }
        _ => return None,
    };
    // SQLite reads the last digits of a number not as exactly as we do.
    let blur = number.abs() * 1e-12;
    let at_least = |clause: &mut Clause| format!("{left} >= {}", clause.bind(number - blur));
    Some(match comparison {
        Comparison::Greater | Comparison::AtLeast => at_least(clause),
        Comparison::Less | Comparison::AtMost => format!("{left} <= {}", clause.bind(number + blur)),
        Comparison::Equal => format!("{} AND {left} <= {}", at_least(clause), clause.bind(number + blur)),
    })
}
