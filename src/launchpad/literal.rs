//! Documents as they are typed: JSON, or the literals of Python that FireWorks takes.
//!
//! Both may be mixed. Values that neither has are written as MongoDB's tools write them:
//! `{"$date": "2026-01-31"}`, `{"$oid": "..."}`.

use std::str::Chars;

use bson::oid::ObjectId;
use bson::{Bson, Document};

use crate::workflow::{int, time};

/// A text that is no document, with where it goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {why}")]
pub struct BadLiteral {
    /// Which character, counted from 1.
    pub at: usize,
    /// What is wrong there.
    pub why: String,
}

type Result<T> = std::result::Result<T, BadLiteral>;

/// Deeper than MongoDB stores documents.
const DEEPEST: usize = 100;

/// Reads a dictionary.
pub fn document(text: &str) -> Result<Document> {
    let mut reader = Reader { rest: text.chars(), length: text.chars().count(), depth: 0 };
    reader.skip_space();
    if reader.peek() != Some('{') {
        return Err(reader.bad("a dictionary is expected, such as {\"state\": \"RUNNING\"}"));
    }
    let value = reader.value()?;
    reader.skip_space();
    match (value, reader.peek()) {
        (Bson::Document(document), None) => Ok(document),
        (_, Some(more)) => Err(reader.bad(&format!("`{more}` comes after the end of the dictionary"))),
        (_, None) => Err(reader.bad("a dictionary is expected, and this is a single value")),
    }
}

struct Reader<'t> {
    rest: Chars<'t>,
    length: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn bad(&self, why: &str) -> BadLiteral {
        BadLiteral { at: self.length - self.rest.clone().count() + 1, why: why.to_owned() }
    }

    fn skip(&mut self, count: usize) {
        if let Some(last) = count.checked_sub(1) {
            self.rest.nth(last);
        }
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.rest.next();
        }
    }

    /// Whether this comes next, after spaces; then it is read.
    fn takes(&mut self, wanted: char) -> bool {
        self.skip_space();
        let is_next = self.peek() == Some(wanted);
        if is_next {
            self.rest.next();
        }
        is_next
    }

    fn unexpected(&self, wanted: &str) -> BadLiteral {
        match self.peek() {
            None => self.bad(&format!("the text ends where {wanted} is expected")),
            Some(other) => self.bad(&format!("{wanted} is expected, not `{other}`")),
        }
    }

    fn value(&mut self) -> Result<Bson> {
        self.skip_space();
        match self.peek() {
            Some('{') => self.nested(Self::dictionary),
            Some('[') => self.nested(|reader| reader.items(']')),
            Some('(') => self.nested(|reader| reader.items(')')),
            Some('"' | '\'') => self.text().map(Bson::String),
            Some('-' | '+' | '.' | '0'..='9') => self.number(),
            Some(letter) if letter.is_alphabetic() => self.word(),
            _ => Err(self.unexpected("a value")),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<Bson>) -> Result<Bson> {
        if self.depth == DEEPEST {
            return Err(self.bad(&format!("more than {DEEPEST} levels, one in the other")));
        }
        self.depth += 1;
        self.rest.next();
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn dictionary(&mut self) -> Result<Bson> {
        let mut document = Document::new();
        while !self.takes('}') {
            let at = self.bad("");
            if !matches!(self.peek(), Some('"' | '\'')) {
                return Err(self.unexpected("a key in quotes, or `}`"));
            }
            let key = self.text()?;
            if !self.takes(':') {
                return Err(self.unexpected("`:` after the key"));
            }
            let value = self.value()?;
            if document.insert(&key, value).is_some() {
                // One of them would be forgotten silently.
                return Err(BadLiteral { why: format!("the key `{key}` comes twice; use $and"), ..at });
            }
            if !self.takes(',') && self.peek() != Some('}') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
        self.special(document)
    }

    /// What MongoDB's tools write as a dictionary of one key, and is none.
    fn special(&self, document: Document) -> Result<Bson> {
        let Some((key, value)) = document.iter().next().filter(|_| document.len() == 1) else {
            return Ok(document.into());
        };
        let whole = |value: &Bson| match value {
            Bson::String(digits) => digits.parse().ok(),
            Bson::Document(_) | Bson::Double(_) => None,
            value => value.as_i64().or(value.as_i32().map(i64::from)),
        };
        let (read, wanted) = match key.as_str() {
            "$date" => {
                let text = value.as_str().and_then(time::from_text).map(time::to_bson_date);
                let milliseconds = || whole(value).map(|ms| bson::DateTime::from_millis(ms).into());
                (text.or_else(milliseconds), "a date such as \"2026-01-31T12:00:00Z\"")
            }
            "$oid" => {
                let id = value.as_str().and_then(|id| ObjectId::parse_str(id).ok());
                (id.map(Bson::from), "24 hexadecimal digits in quotes")
            }
            "$numberLong" | "$numberInt" => (whole(value).map(int), "a whole number in quotes"),
            "$numberDouble" => {
                (value.as_str().and_then(|text| text.parse().ok()).map(Bson::Double), "a number in quotes")
            }
            _ => return Ok(document.into()),
        };
        read.ok_or_else(|| self.bad(&format!("the value of `{key}` before this is {wanted}")))
    }

    fn items(&mut self, end: char) -> Result<Bson> {
        let mut items = Vec::new();
        while !self.takes(end) {
            items.push(self.value()?);
            if !self.takes(',') && self.peek() != Some(end) {
                return Err(self.unexpected(&format!("`,` or `{end}`")));
            }
        }
        Ok(items.into())
    }

    fn text(&mut self) -> Result<String> {
        let begin = self.bad("the text that begins here has no end");
        let quote = self.rest.next();
        let mut text = String::new();
        loop {
            match self.rest.next() {
                None => return Err(begin),
                end if end == quote => return Ok(text),
                Some('\\') => self.escaped(&mut text)?,
                Some(letter) => text.push(letter),
            }
        }
    }

    /// Reads what follows a backslash.
    fn escaped(&mut self, text: &mut String) -> Result<()> {
        let bad = self.bad("this is no escape of JSON or Python; write `\\\\` for a backslash");
        let letter = match self.rest.next() {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('0') => '\0',
            Some('\n') => return Ok(()),
            Some(same @ ('\\' | '/' | '"' | '\'')) => same,
            Some('x') => self.coded(2).and_then(char::from_u32).ok_or(bad)?,
            Some('U') => self.coded(8).and_then(char::from_u32).ok_or(bad)?,
            Some('u') => self.unit().ok_or(bad)?,
            // As in Python, so that `\d` of a regular expression is what it seems to be.
            Some(other) => {
                text.push('\\');
                other
            }
            None => return Err(bad),
        };
        text.push(letter);
        Ok(())
    }

    /// A character of UTF-16; beyond its first plane two units make one.
    fn unit(&mut self) -> Option<char> {
        let first = self.coded(4)?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if self.rest.next() != Some('\\') || self.rest.next() != Some('u') {
            return None;
        }
        let second = self.coded(4).filter(|second| (0xdc00..0xe000).contains(second))?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    }

    fn coded(&mut self, digits: usize) -> Option<u32> {
        let mut code = 0_u32;
        for _ in 0..digits {
            code = code.checked_mul(16)?.checked_add(self.rest.next()?.to_digit(16)?)?;
        }
        Some(code)
    }

    fn number(&mut self) -> Result<Bson> {
        let bad = self.bad("this is no number");
        let text: String = self.rest.clone().take_while(|c| c.is_ascii_alphanumeric() || "+-._".contains(*c)).collect();
        self.skip(text.len());
        if let Ok(whole) = text.parse::<i64>() {
            return Ok(int(whole));
        }
        let is_decimal = text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        text.parse::<f64>().ok().filter(|_| is_decimal).map(Bson::Double).ok_or(bad)
    }

    fn word(&mut self) -> Result<Bson> {
        let begin = self.bad("");
        let word: String = self.rest.clone().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        self.skip(word.chars().count());
        match word.as_str() {
            "true" | "True" => Ok(true.into()),
            "false" | "False" => Ok(false.into()),
            "null" | "None" => Ok(Bson::Null),
            _ => Err(BadLiteral { why: format!("`{word}` is no value; a text is written in quotes"), ..begin }),
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    #[test]
    fn json_and_python_mean_the_same() {
        let expected = doc! {"spec.formula": "Si2", "n": {"$gt": 1}, "ok": true, "no": null, "of": [1, -2.5, "x'y"]};
        for text in [
            r#"{"spec.formula": "Si2", "n": {"$gt": 1}, "ok": true, "no": null, "of": [1, -2.5, "x'y"]}"#,
            "{'spec.formula': 'Si2', 'n': {'$gt': 1,}, 'ok': True, 'no': None, 'of': (1, -2.5, 'x\\'y')}",
        ] {
            assert_eq!(document(text), Ok(expected.clone()), "{text}");
        }
        assert_eq!(document(" {} "), Ok(doc! {}));
        assert_eq!(document(r#"{"a": "\u00e9\ud83d\ude00\x41\d"}"#), Ok(doc! {"a": "é😀A\\d"}));
        assert_eq!(document("{'n': 3000000000, 'e': 1e3}"), Ok(doc! {"n": 3_000_000_000_i64, "e": 1000.0}));
    }

    #[test]
    fn dates_and_ids_are_written_as_mongodb_has_them() {
        let at = time::to_bson_date("2026-01-31T00:00:00Z".parse().expect("a date"));
        for text in [r#"{"at": {"$date": "2026-01-31"}}"#, r#"{"at": {"$date": 1769817600000}}"#] {
            assert_eq!(document(text), Ok(doc! {"at": at.clone()}), "{text}");
        }
        let id = ObjectId::parse_str("0123456789abcdef01234567").expect("an id");
        assert_eq!(document("{'_id': {'$oid': '0123456789abcdef01234567'}}"), Ok(doc! {"_id": id}));
        assert_eq!(document("{'n': {'$numberLong': '7'}}"), Ok(doc! {"n": 7}));
        let regex = doc! {"name": {"$regex": "^a", "$options": "i"}};
        assert_eq!(document("{'name': {'$regex': '^a', '$options': 'i'}}"), Ok(regex));
    }

    #[test]
    fn an_error_says_where() {
        for (text, at, why) in [
            ("", 1, "a dictionary is expected"),
            ("[1]", 1, "a dictionary is expected"),
            ("state", 1, "a dictionary is expected"),
            ("{'a':", 6, "the text ends where a value is expected"),
            ("{'a' 1}", 6, "`:` after the key is expected, not `1`"),
            ("{'a': 1", 8, "the text ends where `,` or `}` is expected"),
            ("{'a': 1 'b': 2}", 9, "`,` or `}` is expected, not `'`"),
            ("{a: 1}", 2, "a key in quotes, or `}` is expected, not `a`"),
            ("{'a': yes}", 7, "`yes` is no value; a text is written in quotes"),
            ("{'a': 'b}", 7, "the text that begins here has no end"),
            ("{'a': 1.2.3}", 7, "this is no number"),
            ("{'a': 0x10}", 7, "this is no number"),
            ("{'a': 1} {'b': 2}", 10, "`{` comes after the end"),
            ("{'a': 1, 'a': 2}", 10, "the key `a` comes twice"),
            ("{'at': {'$date': 'soon'}}", 25, "the value of `$date` before this is a date"),
        ] {
            let bad = document(text).expect_err(text);
            assert!(bad.at == at && bad.why.contains(why), "{text}: {bad}");
        }
        assert!(document(&format!("{{'a': {}", "[".repeat(5000))).is_err_and(|bad| bad.why.contains("levels")));
    }
}
