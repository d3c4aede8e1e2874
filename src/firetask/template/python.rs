//! What makes minijinja write as Jinja2 does: numbers as Python prints them, and the methods of
//! Python's strings that line up columns.

use bson::{Bson, Document};
use minijinja::value::{Rest, ValueKind, from_args};
use minijinja::{Environment, Error, State, Value, escape_formatter, filters};
use minijinja_contrib::pycompat::unknown_method_callback;

use crate::science::io::python::repr;
use crate::workflow::json;

/// The values of a template.
pub fn context(document: &Document) -> Value {
    Value::from_pairs(document.iter().map(|(key, value)| (key.as_str(), from_bson(value))))
}

fn from_bson(value: &Bson) -> Value {
    match value {
        Bson::Null => Value::from(()),
        Bson::Boolean(flag) => Value::from(*flag),
        Bson::Int32(number) => Value::from(*number),
        Bson::Int64(number) => Value::from(*number),
        Bson::Double(number) => Value::from(*number),
        Bson::String(text) => Value::from(text.as_str()),
        Bson::Array(items) => items.iter().map(from_bson).collect(),
        Bson::Document(document) => context(document),
        // Dates, as they are printed everywhere else.
        other => json::from_bson(other).as_str().map_or(Value::from(()), Value::from),
    }
}

/// Teaches an environment Python's ways.
///
/// What stays minijinja's: the exponents of numbers in a list or mapping that is printed whole, and
/// `"..." % value`, for which `"..."|format(value)` is there.
pub fn imitate(environment: &mut Environment<'_>) {
    environment.set_formatter(|out, state, value| match float(value) {
        Some(number) => out.write_str(&repr(number)).map_err(Error::from),
        None => escape_formatter(out, state, value),
    });
    environment.add_filter("string", |value: Value| printed(value).to_string());
    let join = Value::from_function(filters::join);
    environment.add_filter("join", move |state: &mut State<'_, '_>, list: Value, more: Rest<Value>| {
        let items: Vec<Value> = list.try_iter()?.map(printed).collect();
        join.call(state, &[&[Value::from(items)], more.as_slice()].concat())
    });
    environment.add_filter("center", |text: &str, width: Option<usize>| pad("center", text, width.unwrap_or(80), ' '));
    environment.set_unknown_method_callback(|state, value, method, arguments| match value.as_str() {
        Some(text) if ["ljust", "rjust", "center", "zfill"].contains(&method) => {
            let (width, fill): (usize, Option<char>) = from_args(arguments)?;
            Ok(Value::from(pad(method, text, width, fill.unwrap_or(' '))))
        }
        _ => unknown_method_callback(state, value, method, arguments),
    });
}

fn float(value: &Value) -> Option<f64> {
    if value.kind() != ValueKind::Number || value.is_integer() {
        return None;
    }
    f64::try_from(value.clone()).ok()
}

/// A number as the text that Python prints; anything else as it is.
fn printed(value: Value) -> Value {
    float(&value).map_or(value, |number| Value::from(repr(number)))
}

/// Python's `ljust`, `rjust`, `center` and `zfill`.
fn pad(method: &str, text: &str, width: usize, fill: char) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let (sign, text) = match text.split_at_checked(1) {
        Some((sign @ ("+" | "-"), digits)) if method == "zfill" => (sign, digits),
        _ => ("", text),
    };
    let (before, fill) = match method {
        "ljust" => (0, fill),
        "rjust" => (missing, fill),
        "zfill" => (missing, '0'),
        _ => (missing / 2 + (missing & width & 1), fill),
    };
    let fill = |count: usize| std::iter::repeat_n(fill, count).collect::<String>();
    format!("{sign}{}{text}{}", fill(before), fill(missing - before))
}

/// What is wrong with a template, and where.
pub fn explain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text += &format!(": {error}");
        source = error.source();
    }
    if error.detail().is_some_and(|detail| detail.contains("% operator") && detail.contains("types string and")) {
        text += "; write \"...\"|format(value)";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn prints_as_python_does() {
        let mut environment = Environment::new();
        imitate(&mut environment);
        let values = doc! {"tiny": 1e-6, "big": 1e20, "half": 0.5, "one": 1.0, "n": 7, "yes": true, "cell": [1e-7, 2.0], "name": "Cu"};
        for (template, expected) in [
            (
                "{{ tiny }} {{ big }} {{ half }} {{ one }} {{ n }} {{ yes }} {{ none }}",
                "1e-06 1e+20 0.5 1.0 7 True None",
            ),
            ("{{ cell|join(' ') }} {{ tiny|string }} {{ n|string }}", "1e-07 2.0 1e-06 7"),
            ("{{ cell|join }}", "1e-072.0"),
            ("{{ '%8.3f|%-4s|%03d'|format(half, name, n) }}", "   0.500|Cu  |007"),
            ("{{ '{:>6.2f} {}'.format(half, name) }}", "  0.50 Cu"),
            (
                "{{ name.ljust(4) }}|{{ name.rjust(4, '.') }}|{{ name.center(5) }}|{{ name|center(4) }}",
                "Cu  |..Cu|  Cu | Cu ",
            ),
            ("{{ '-7'.zfill(4) }} {{ '7'.zfill(3) }}", "-007 007"),
            ("{% for key, value in {'a': 1}.items() %}{{ key }}={{ value }}{% endfor %}", "a=1"),
        ] {
            let rendered = environment.render_str(template, context(&values));
            assert_eq!(rendered.unwrap_or_else(|error| panic!("{template}: {error}")), expected, "{template}");
        }
        let error = environment.render_str("a\n{{ '%s' % n }}", context(&values)).expect_err("fails");
        let text = explain(&error);
        assert!(text.contains(":2)") && text.ends_with("|format(value)"), "{text}");
    }
}
