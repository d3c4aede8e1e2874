//! Regular expressions with the meaning that they have in MongoDB (PCRE), as far as there is a
//! counterpart; the rest is refused.

use std::iter::Peekable;
use std::str::Chars;

use regex::bytes::{Regex, RegexBuilder};

/// A regular expression, to be looked for anywhere in a text.
#[derive(Debug, Clone)]
pub struct Pattern {
    source: String,
    options: String,
    regex: Regex,
    /// `$` also stands before a line break that ends the text.
    before_last_break: bool,
    /// `^` does not stand behind it.
    not_at_end: bool,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, &self.options) == (&other.source, &other.options)
    }
}

impl Pattern {
    /// Reads one with MongoDB's options (`i`, `m`, `s`, `x`); what is wrong with it otherwise.
    pub fn new(source: &str, options: &str) -> Result<Self, String> {
        // MongoDB's strings are always UTF-8, as `u` says.
        if let Some(other) = options.chars().find(|option| !"imsxu".contains(*option)) {
            return Err(format!("there is no option `{other}`; there are i, m, s, x"));
        }
        let mut translation =
            Translation { out: String::new(), has_start: false, has_end: false, has_multiline: options.contains('m') };
        translation.pattern(&mut source.chars().peekable())?;
        let regex = RegexBuilder::new(&translation.out)
            .case_insensitive(options.contains('i'))
            .multi_line(options.contains('m'))
            .dot_matches_new_line(options.contains('s'))
            .ignore_whitespace(options.contains('x'))
            .build()
            .map_err(|error| short(&error))?;
        Ok(Pattern {
            source: source.to_owned(),
            options: options.to_owned(),
            regex,
            before_last_break: translation.has_end && !translation.has_multiline,
            not_at_end: translation.has_start && translation.has_multiline,
        })
    }

    /// Whether it is found in a text.
    pub fn is_in(&self, text: &str) -> bool {
        let is_in = |text: &str| self.regex.is_match(text.as_bytes());
        if self.not_at_end && text.ends_with('\n') {
            return self.regex.find(text.as_bytes()).is_some_and(|found| found.start() < text.len());
        }
        is_in(text) || self.before_last_break && text.strip_suffix('\n').is_some_and(is_in)
    }

    /// Whether it is the same as a stored one.
    pub fn is(&self, stored: &bson::Regex) -> bool {
        self.source == stored.pattern.as_str() && self.options == stored.options.as_str()
    }
}

/// The last line of what the parser says: the reason.
fn short(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// A pattern on its way from one dialect to the other.
struct Translation {
    out: String,
    has_start: bool,
    has_end: bool,
    has_multiline: bool,
}

/// What comes before a quantifier.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Anything,
    Quantifier,
}

impl Translation {
    fn pattern(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
        let mut before = Before::Anything;
        while let Some(next) = rest.next() {
            let is_quantifier = matches!(next, '*' | '+' | '?') || next == '{' && counts(rest);
            if is_quantifier && before == Before::Quantifier {
                return Err(format!("a quantifier followed by `{next}` is not supported"));
            }
            match next {
                '\\' => self.escape(rest)?,
                '[' => self.class(rest)?,
                '(' => self.group(rest)?,
                '{' if is_quantifier => {
                    self.out.push('{');
                    self.out.extend(rest.by_ref().take_while(|&next| next != '}'));
                    self.out.push('}');
                }
                '{' => self.out.push_str("\\{"),
                other => {
                    self.has_start |= other == '^';
                    self.has_end |= other == '$';
                    self.out.push(other);
                }
            }
            before = Before::Anything;
            if is_quantifier {
                before = Before::Quantifier;
                // Lazy, which changes nothing about whether there is a match.
                self.out.extend(rest.next_if_eq(&'?'));
            }
        }
        Ok(())
    }

    /// After a backslash, outside of a class.
    fn escape(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
        let Some(next) = rest.next() else { return Err("it ends in a backslash".to_owned()) };
        match next {
            // PCRE knows ASCII there.
            'd' | 'w' | 's' | 'b' => self.out.push_str(&format!("(?-u:\\{next})")),
            'D' => self.out.push_str("[^0-9]"),
            'W' => self.out.push_str("(?-i:[^0-9A-Za-z_])"),
            'S' => self.out.push_str("[^\\t\\n\\x0B\\f\\r ]"),
            'B' => self.out.push_str("(?-u:\\B)"),
            'v' | 'u' | 'U' => return Err(format!("`\\{next}` is not supported")),
            other => self.literal(other),
        }
        Ok(())
    }

    fn literal(&mut self, escaped: char) {
        // What PCRE takes for itself may mean something here.
        if !matches!(escaped, '<' | '>') {
            self.out.push('\\');
        }
        self.out.push(escaped);
    }

    /// After an opening parenthesis: options of PCRE that mean something else here are refused.
    fn group(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
        self.out.push('(');
        if rest.peek() != Some(&'?') {
            return Ok(());
        }
        self.out.extend(rest.next());
        if let Some(kind) = rest.next_if(|next| matches!(next, ':' | 'P' | '<')) {
            self.out.push(kind);
            return Ok(());
        }
        let mut switched_on = true;
        while let Some(flag) = rest.next_if(|next| !matches!(next, ':' | ')')) {
            match flag {
                '-' => switched_on = false,
                'i' | 's' | 'x' | 'U' => {}
                'm' => self.has_multiline |= switched_on,
                other => return Err(format!("`(?{other}` is not supported")),
            }
            self.out.push(flag);
        }
        Ok(())
    }

    /// After an opening bracket: what has a meaning in classes only here is escaped.
    fn class(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
        self.out.push('[');
        self.out.extend(rest.next_if_eq(&'^'));
        if rest.next_if_eq(&']').is_some() {
            self.out.push_str("\\]");
        }
        let mut last = ' ';
        while let Some(next) = rest.next() {
            match next {
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '\\' => self.class_escape(rest)?,
                '[' if rest.peek() == Some(&':') => {
                    self.out.push('[');
                    self.out.extend(rest.by_ref().take_while(|&next| next != ']'));
                    self.out.push(']');
                }
                '-' if last == '-' => self.out.push_str("\\-"),
                '[' | '&' | '~' | '#' => self.literal(next),
                space if space.is_ascii_whitespace() => self.literal(space),
                other => self.out.push(other),
            }
            last = next;
        }
        Err("a class `[` has no end".to_owned())
    }

    fn class_escape(&mut self, rest: &mut Peekable<Chars<'_>>) -> Result<(), String> {
        let Some(next) = rest.next() else { return Err("it ends in a backslash".to_owned()) };
        match next {
            'd' => self.out.push_str("0-9"),
            'w' => self.out.push_str("0-9A-Za-z_"),
            's' => self.out.push_str("\\t\\n\\x0B\\f\\r\\ "),
            'D' => self.out.push_str("[^0-9]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            'S' => self.out.push_str("[^\\t\\n\\x0B\\f\\r\\ ]"),
            'b' => self.out.push_str("\\x08"),
            'v' | 'u' | 'U' | 'B' => return Err(format!("`\\{next}` in a class is not supported")),
            other => self.literal(other),
        }
        Ok(())
    }
}

/// Whether what follows a brace makes it a quantifier: `3}`, `3,}` or `3,5}`.
fn counts(rest: &Peekable<Chars<'_>>) -> bool {
    let inside: String = rest.clone().take_while(|&next| next != '}').collect();
    let closed = rest.clone().nth(inside.chars().count()) == Some('}');
    let (least, most) = inside.split_once(',').unwrap_or((&inside, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    closed && !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, options: &str, text: &str) -> bool {
        Pattern::new(pattern, options).expect("is understood").is_in(text)
    }

    #[test]
    fn patterns_mean_what_they_mean_in_pcre() {
        assert!(found("^ab$", "", "ab\n") && !found("^ab$", "", "ab\nc") && found("^ab$", "m", "ab\nc"));
        assert!(!found("^$", "m", "ab\n") && found("^$", "m", "ab\n\n") && found("^$", "m", ""));
        assert!(found(r"\d", "", "a1") && !found(r"\d", "", "٣"), "ASCII alone");
        assert!(found(r"^\W$", "", "é") && found(r"^.$", "", "é"), "but whole characters");
        assert!(found("[[]", "", "[") && found("[a&&b]", "", "&") && found("[]x]", "", "]"));
        assert!(found("a{x}", "", "a{x}") && found("a{,2}", "", "a{,2}") && found("^a{2}$", "", "aa"));
        assert!(
            found(r"\<b\>", "", "<b>") && found("K", "i", "k") && found("a b", "x", "ab") && found("[ ]", "x", " ")
        );
        assert!(found("relax_(?:Cu|Ag)", "", "a relax_Ag"));
    }

    #[test]
    fn what_has_no_counterpart_is_refused() {
        for pattern in ["(?=a)", r"(a)\1", "a++", "a**", "(?R)", r"\v", "(", "[a", "a(?<!b)", r"\Z", "(?>a)", r"a\"] {
            assert!(Pattern::new(pattern, "").is_err(), "{pattern}");
        }
        let refused = Pattern::new("a", "q").expect_err("no such option");
        assert!(refused.contains("`q`"), "{refused}");
    }
}
