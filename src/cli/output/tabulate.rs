//! Tables as Python's `tabulate` lays them out in its simple form: FireWorks' introspection.

use super::plain;

/// What stands in a column.
#[derive(Debug, Clone)]
pub enum Column {
    /// Words; numbers among them are lined up when there is nothing else.
    Words(Vec<String>),
    /// Whole numbers.
    Whole(Vec<u64>),
    /// Numbers, six digits of each.
    Numbers(Vec<f64>),
}

/// Rows below a head.
pub fn tabulate(columns: &[(&str, Column)]) -> String {
    let laid: Vec<Vec<String>> = columns.iter().map(|(head, column)| column.lay_out(head)).collect();
    let lines = laid.iter().map(Vec::len).max().unwrap_or_default();
    let line = |line: usize| {
        let cells: Vec<&str> = laid.iter().filter_map(|column| column.get(line)).map(String::as_str).collect();
        cells.join("  ").trim_end().to_owned()
    };
    (0..lines).map(line).collect::<Vec<_>>().join("\n")
}

impl Column {
    /// The head, a line below it and the cells, all of one width.
    fn lay_out(&self, head: &str) -> Vec<String> {
        let (cells, to_the_right) = match self {
            Column::Words(words) => match numbers(words) {
                Some(numbers) => (numbers, true),
                None => (words.iter().map(|word| plain(word.trim())).collect(), false),
            },
            Column::Whole(numbers) => (numbers.iter().map(u64::to_string).collect(), true),
            Column::Numbers(numbers) => (at_their_points(numbers.iter().map(|n| format_g(*n)).collect()), true),
        };
        let width = |text: &String| text.chars().count();
        // A column is two wider than its head, or as wide as its widest cell.
        let widest = cells.iter().map(width).max().unwrap_or_default().max(head.chars().count() + 2);
        // Nobody knows what stands in a column without cells.
        let to_the_right = to_the_right && !cells.is_empty();
        let pad = |text: &str| if to_the_right { format!("{text:>widest$}") } else { format!("{text:<widest$}") };
        [pad(head), "-".repeat(widest)].into_iter().chain(cells.iter().map(|cell| pad(cell))).collect()
    }
}

/// Words that are all numbers, lined up.
fn numbers(words: &[String]) -> Option<Vec<String>> {
    if !words.is_empty() && words.iter().all(|word| word.parse::<i64>().is_ok()) {
        return Some(words.to_vec());
    }
    let numbers: Vec<f64> = words.iter().map(|word| word.parse().ok()).collect::<Option<_>>()?;
    (!numbers.is_empty()).then(|| at_their_points(numbers.into_iter().map(format_g).collect()))
}

/// Numbers, padded behind so that their points stand below each other.
fn at_their_points(mut numbers: Vec<String>) -> Vec<String> {
    let behind = |text: &String| text.find(['.', 'e']).map_or(0, |at| text.len() - at);
    let most = numbers.iter().map(behind).max().unwrap_or_default();
    for number in &mut numbers {
        let missing = most - behind(number);
        number.extend(std::iter::repeat_n(' ', missing));
    }
    numbers
}

/// Python's `format(number, "g")`: six digits, and an exponent where there would be many zeros.
fn format_g(number: f64) -> String {
    let scientific = format!("{number:.5e}");
    let Some((digits, exponent)) = scientific.split_once('e') else { return scientific };
    let short = |digits: &str| match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    match exponent.parse::<i32>() {
        Ok(exponent @ -4..6) => short(&format!("{number:.*}", usize::try_from(5 - exponent).unwrap_or_default())),
        Ok(exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", short(digits), exponent.abs())
        }
        Err(_) => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_lined_up() {
        let words = |words: &[&str]| Column::Words(words.iter().map(|word| (*word).to_owned()).collect());
        let table = tabulate(&[
            ("key", words(&["_fw_name", "a.b"])),
            ("value", words(&["ScriptTask", "1"])),
            ("#C", Column::Whole(vec![10, 2])),
            ("%C - %F", Column::Numbers(vec![100.0, -33.333333])),
        ]);
        let expected = "\
key       value         #C    %C - %F
--------  ----------  ----  ---------
_fw_name  ScriptTask    10   100
a.b       1              2   -33.3333";
        assert_eq!(table, expected);
        assert_eq!(tabulate(&[("key", words(&[])), ("#C", Column::Whole(vec![]))]), "key    #C\n-----  ----");
    }

    #[test]
    fn numbers_have_six_digits() {
        let written = [0.0, -100.0, 12.5, 1.0 / 3.0, 1234567.0, 0.00001234, 999999.9].map(format_g).join(" ");
        assert_eq!(written, "0 -100 12.5 0.333333 1.23457e+06 1.234e-05 1e+06");
    }
}
