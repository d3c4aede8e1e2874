//! The words of a CIF 1.1 file, each with its line: block headers, `loop_`, tags and values in
//! quotes, in text fields between semicolons, or plain.
//! <https://www.iucr.org/resources/cif/spec/version1.1/cifsyntax>

use crate::science::error::{Error, Result};

/// One word of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// Where it begins, counted from 1.
    pub line: usize,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// `data_NAME`.
    Data(String),
    /// `loop_`.
    Loop,
    /// `_tag`, in lower case. The dictionaries of CIF 2 write a dot where older ones have `_`.
    Tag(String),
    /// A value in quotes or a text field.
    Quoted(String),
    /// A value without quotes; `?` and `.` stand for none.
    Plain(String),
}

/// All words of `text`.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let Some(first) = line.strip_prefix(';') else {
            split(line, number, &mut tokens)?;
            continue;
        };
        let mut field = first.to_owned();
        loop {
            let Some((line, end)) = lines.next() else {
                return Err(Error::at(number, "the text field that begins here does not end"));
            };
            if let Some(rest) = line.strip_prefix(';') {
                tokens.push(Token { line: number, kind: Kind::Quoted(field) });
                split(rest, end, &mut tokens)?;
                break;
            }
            field.push('\n');
            field.push_str(line);
        }
    }
    Ok(tokens)
}

/// The words of a line that is not part of a text field.
fn split(line: &str, number: usize, tokens: &mut Vec<Token>) -> Result<()> {
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (kind, after) = match rest.chars().next() {
            Some(quote @ ('\'' | '"')) => {
                let (value, after) = quoted(&rest[1..], quote)
                    .ok_or_else(|| Error::at(number, format!("{quote} is missing at the end")))?;
                (Kind::Quoted(value.to_owned()), after)
            }
            _ => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                (bare(&rest[..end]).map_err(|reason| Error::at(number, reason))?, &rest[end..])
            }
        };
        tokens.push(Token { line: number, kind });
        rest = after.trim_start();
    }
    Ok(())
}

/// What stands before the closing quote and what after it; a quote closes only before a blank.
fn quoted(text: &str, quote: char) -> Option<(&str, &str)> {
    let closes = |(place, _): &(usize, &str)| text[place + 1..].chars().next().is_none_or(char::is_whitespace);
    let (end, _) = text.match_indices(quote).find(closes)?;
    Some((&text[..end], &text[end + 1..]))
}

fn bare(word: &str) -> std::result::Result<Kind, String> {
    let lower = word.to_lowercase();
    if lower.starts_with('_') {
        Ok(Kind::Tag(lower.replace('.', "_")))
    } else if let Some(name) = lower.strip_prefix("data_") {
        Ok(Kind::Data(name.to_owned()))
    } else if lower == "loop_" {
        Ok(Kind::Loop)
    } else if lower.starts_with("save_") || lower == "global_" || lower == "stop_" {
        Err(format!("{word} belongs to files that are not structures"))
    } else {
        Ok(Kind::Plain(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let text = "# note\nDATA_x loop_\n_A.b 'it's' \"q\"#\" \n; first\nsecond\n; ? 1.0(2) # end\n";
        let found: Vec<(usize, Kind)> = tokens(text).expect("words").into_iter().map(|t| (t.line, t.kind)).collect();
        let expected = vec![
            (2, Kind::Data("x".into())),
            (2, Kind::Loop),
            (3, Kind::Tag("_a_b".into())),
            (3, Kind::Quoted("it's".into())),
            (3, Kind::Quoted("q\"#".into())),
            (4, Kind::Quoted(" first\nsecond".into())),
            (6, Kind::Plain("?".into())),
            (6, Kind::Plain("1.0(2)".into())),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_does_not_end_is_named() {
        let wrong = |text: &str| tokens(text).expect_err(text).to_string();
        assert_eq!(wrong("data_x\n_a 'b"), "line 2: ' is missing at the end");
        assert_eq!(wrong("data_x\n_a\n; b\n"), "line 3: the text field that begins here does not end");
        assert_eq!(wrong("save_x"), "line 1: save_x belongs to files that are not structures");
    }
}
