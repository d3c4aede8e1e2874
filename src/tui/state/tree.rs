//! Data as a tree of which only what is opened is seen. What is large is cut into parts that open one by one:
//! nothing is left out, and nothing is put into words before it is looked at.

use std::collections::BTreeSet;

use serde_json::Value;

use super::firework::Window;
use crate::launchpad::words::number;
use crate::tui::fit;

/// What is open, and where one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree {
    /// The paths that are open.
    pub opened: BTreeSet<String>,
    /// What is seen.
    pub window: Window,
}

impl Default for Tree {
    fn default() -> Self {
        let opened = ["/spec", "/spec/_tasks", "/spec/_tasks/0", "/result"];
        Tree { opened: opened.map(str::to_owned).into(), window: Window::default() }
    }
}

impl Tree {
    /// Opens what is there, or closes it.
    pub fn fold(&mut self, path: &str, open: bool) {
        if open {
            self.opened.insert(path.to_owned());
        } else {
            self.opened.remove(path);
        }
    }
}

/// A line of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// How far it is to the right.
    pub depth: usize,
    /// The name of the value, or its number in a list.
    pub key: String,
    /// The value, or what is in it.
    pub text: String,
    /// Where it is.
    pub path: String,
    /// Whether it is open; none where it cannot be.
    pub open: Option<bool>,
}

/// More parts than this are put into parts of parts.
const PARTS: usize = 100;
/// A list or a map that is no longer than this in one line is not opened.
const SHORT: usize = 40;
/// A text that is longer is opened, in lines of this length.
const LONG: usize = 100;

/// The lines that are seen.
pub fn rows(roots: &[(&'static str, Value)], opened: &BTreeSet<String>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, value) in roots {
        value_rows(&mut rows, opened, 0, String::new(), (*name).to_owned(), value);
    }
    rows
}

fn value_rows(rows: &mut Vec<Row>, opened: &BTreeSet<String>, depth: usize, above: String, key: String, value: &Value) {
    let path = format!("{above}/{key}");
    let is_open = opened.contains(&path);
    let (text, parts) = match value {
        Value::Object(map) => (number(map.len(), "entry").replace("entrys", "entries"), map.len()),
        Value::Array(list) => (number(list.len(), "item"), list.len()),
        Value::String(text) if text.len() > LONG || text.contains('\n') => (fit::cut(text, LONG), usize::MAX),
        Value::String(text) => (text.clone(), 0),
        other => (other.to_string(), 0),
    };
    let short = short(value);
    let folds = parts > 0 && short.is_none();
    rows.push(Row { depth, key, text: short.unwrap_or(text), open: folds.then_some(is_open), path: path.clone() });
    if !folds || !is_open {
        return;
    }
    match value {
        Value::Object(map) => {
            let parts: Vec<(String, &Value)> = map.iter().map(|(key, value)| (key.clone(), value)).collect();
            part_rows(rows, opened, depth + 1, &path, &parts);
        }
        Value::Array(list) => {
            let parts: Vec<(String, &Value)> =
                list.iter().enumerate().map(|(number, value)| (number.to_string(), value)).collect();
            part_rows(rows, opened, depth + 1, &path, &parts);
        }
        Value::String(text) => {
            let lines = text.lines().flat_map(|line| fit::broken(line, LONG));
            let row = |text| Row { depth: depth + 1, key: String::new(), text, path: path.clone(), open: None };
            rows.extend(lines.map(row));
        }
        _ => {}
    }
}

/// The parts of a list or a map, many of them in parts of their own.
fn part_rows(rows: &mut Vec<Row>, opened: &BTreeSet<String>, depth: usize, above: &str, parts: &[(String, &Value)]) {
    let mut size = 1;
    while parts.len().div_ceil(size) > PARTS {
        size *= PARTS;
    }
    if size == 1 {
        for (key, value) in parts {
            value_rows(rows, opened, depth, above.to_owned(), key.clone(), value);
        }
        return;
    }
    for some in parts.chunks(size) {
        let (Some((first, _)), Some((last, _))) = (some.first(), some.last()) else { continue };
        let key = format!("{first} … {last}");
        let path = format!("{above}/{key}");
        let is_open = opened.contains(&path);
        rows.push(Row { depth, key, text: String::new(), path, open: Some(is_open) });
        if is_open {
            // The parts are those of the value: opened or not, they have its path.
            part_rows(rows, opened, depth + 1, above, some);
        }
    }
}

/// A value in a short line, if it has one.
fn short(value: &Value) -> Option<String> {
    let mut left = SHORT;
    ((value.is_array() || value.is_object()) && is_short(value, &mut left)).then(|| value.to_string())
}

/// Whether a list or a map has a short line: told without writing what is long.
fn is_short(value: &Value, left: &mut usize) -> bool {
    let mut takes = |length: usize| {
        let fits = length <= *left;
        *left = left.saturating_sub(length);
        fits
    };
    match value {
        Value::Array(list) => takes(2) && list.iter().all(|one| is_short(one, left)),
        Value::Object(map) if map.is_empty() => true,
        Value::Object(_) => false,
        Value::String(text) => takes(text.len() + 3),
        other => takes(other.to_string().len() + 1),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(value: Value, opened: &[&str]) -> Vec<String> {
        let opened = opened.iter().map(|path| (*path).to_owned()).collect();
        let line = |row: Row| format!("{}{}: {}", " ".repeat(row.depth), row.key, row.text);
        rows(&[("spec", value)], &opened).into_iter().map(line).collect()
    }

    #[test]
    fn only_what_is_open_is_seen() {
        let value = json!({"a": {"b": 1}, "c": [1, 2], "d": "x"});
        assert_eq!(lines(value.clone(), &[]), ["spec: 3 entries"]);
        assert_eq!(lines(value.clone(), &["/spec"]), ["spec: 3 entries", " a: 1 entry", " c: [1,2]", " d: x"]);
        assert_eq!(lines(value, &["/spec", "/spec/a"])[2], "  b: 1");
    }

    #[test]
    fn long_lists_open_in_parts() {
        let value = Value::from((0..25_000).collect::<Vec<_>>());
        let found = lines(value, &["/spec", "/spec/10000 … 19999", "/spec/10100 … 10199"]);
        assert_eq!(found.len(), 1 + 3 + 100 + 100);
        assert_eq!([&found[2], &found[4], &found[5]], [" 10000 … 19999: ", "  10100 … 10199: ", "   10100: 10100"]);
    }

    #[test]
    fn long_texts_open_in_lines() {
        assert_eq!(lines(json!("one\ntwo"), &[]), ["spec: one two"]);
        assert_eq!(lines(json!("one\ntwo"), &["/spec"])[1..], [" : one", " : two"]);
    }
}
