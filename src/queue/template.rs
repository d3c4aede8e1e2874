//! Templates of job scripts, in the language of FireWorks' queue adapters.
//!
//! `$${key}` and `$$key` are filled in; a line with a key that has no value is left out; `$$$$`
//! is `$$`. Unlike there, a `$$` of the user (the shell's process id) survives, and a key may have
//! a hyphen in braces (`$${gpu-bind}`).

use std::collections::{BTreeMap, BTreeSet};

/// The template of a job script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

/// What is put in the place of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// As it is; it may have several lines.
    Verbatim(String),
    /// A path, which is quoted for the shell where it stands alone in a command.
    Path(String),
    /// A path that a variable of the shell has in commands, and nobody knows before.
    Variable {
        /// The variable.
        name: String,
        /// What stands for it where no shell reads.
        path: String,
    },
}

enum Piece<'a> {
    Text(&'a str),
    Key(&'a str),
}

impl Template {
    /// A template; line ends become plain.
    pub fn new(text: &str) -> Self {
        Template(text.replace("\r\n", "\n"))
    }

    /// The keys it has.
    pub fn keys(&self) -> BTreeSet<&str> {
        let pieces = self.0.lines().flat_map(pieces);
        pieces.filter_map(|piece| if let Piece::Key(key) = piece { Some(key) } else { None }).collect()
    }

    /// Whether it has a key that is an option of Slurm by itself: `#SBATCH --$${requeue}`.
    pub fn has_option(&self, key: &str) -> bool {
        let mut options = self.0.lines().filter_map(|line| line.strip_prefix("#SBATCH"));
        options.any(|option| option.trim().strip_prefix("--$${").and_then(|rest| rest.strip_suffix('}')) == Some(key))
    }

    /// Whether a signal for the shell of the script (`TERM`, `USR1`) reaches what it runs, as far as
    /// can be told: it catches it, or is no longer there.
    pub fn passes_on(&self, signal: &str) -> bool {
        let commands = || self.0.lines().map(str::trim_start).filter(|line| !line.starts_with('#'));
        commands().any(|line| {
            let first = line.split_whitespace().next();
            first == Some("trap") && line.contains(signal)
                || first == Some("exec") && line.contains("$${rocket_launch}")
        })
    }

    /// The script.
    pub fn fill(&self, values: &BTreeMap<String, Value>) -> String {
        let mut script = String::new();
        for line in self.0.lines() {
            if let Some(line) = fill_line(line, values) {
                script.push_str(&line);
                script.push('\n');
            }
        }
        script
    }
}

/// A line with its values; `None` when one is missing.
fn fill_line(line: &str, values: &BTreeMap<String, Value>) -> Option<String> {
    let pieces = pieces(line);
    let in_command = !line.trim_start().starts_with('#');
    let mut filled = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Key(key) => match values.get(*key)? {
                Value::Verbatim(text) => filled.push_str(text),
                Value::Path(path) if in_command && stands_alone(&pieces, at) => filled.push_str(&shell_word(path)),
                Value::Path(path) => filled.push_str(path),
                Value::Variable { path, .. } if !in_command => filled.push_str(path),
                Value::Variable { name, .. } => filled.push_str(&match quote(&filled) {
                    None if stands_alone(&pieces, at) => format!("\"${name}\""),
                    None | Some('"') => format!("${{{name}}}"),
                    // Outside the single quotes, where it means something.
                    Some(_) => format!("'\"${{{name}}}\"'"),
                }),
            },
        }
    }
    Some(filled)
}

/// The quote that is open at the end of a piece of a command.
fn quote(text: &str) -> Option<char> {
    let mut open = None;
    let mut is_escaped = false;
    for letter in text.chars() {
        match (open, letter) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (None, '"' | '\'') => open = Some(letter),
            (Some(quote), letter) if quote == letter => open = None,
            _ => {}
        }
    }
    open
}

/// Whether a piece is a word of its own, so that quotes around it mean what they should.
fn stands_alone(pieces: &[Piece<'_>], at: usize) -> bool {
    let free = |piece: Option<&Piece<'_>>, edge: fn(&str) -> Option<char>| match piece {
        None => true,
        Some(Piece::Text(text)) => edge(text).is_some_and(|c| c.is_whitespace() || ";&|".contains(c)),
        Some(Piece::Key(_)) => false,
    };
    free(at.checked_sub(1).and_then(|before| pieces.get(before)), |text| text.chars().next_back())
        && free(pieces.get(at + 1), |text| text.chars().next())
}

/// A word as a shell reads it back.
pub fn shell_word(text: &str) -> String {
    // Only a NUL cannot be quoted, and no path has one.
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), |quoted| quoted.into_owned())
}

fn pieces(line: &str) -> Vec<Piece<'_>> {
    const MARK: &str = "$$";
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(MARK) {
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        let after = &rest[at + MARK.len()..];
        rest = if let Some(after) = after.strip_prefix(MARK) {
            pieces.push(Piece::Text(MARK));
            after
        } else if let Some((key, after)) = key(after) {
            pieces.push(Piece::Key(key));
            after
        } else {
            pieces.push(Piece::Text(MARK));
            after
        };
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// The key that follows a mark, and what follows the key.
fn key(text: &str) -> Option<(&str, &str)> {
    let name = |text: &str, more: &str| {
        let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || more.contains(c))).unwrap_or(text.len());
        starts.then_some(end)
    };
    match text.strip_prefix('{') {
        Some(braced) => {
            let end = name(braced, "_-")?;
            let after = braced[end..].strip_prefix('}')?;
            Some((&braced[..end], after))
        }
        None => name(text, "_").map(|end| text.split_at(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(template: &str, values: &[(&str, Value)]) -> String {
        let values = values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        Template::new(template).fill(&values)
    }

    #[test]
    fn fills_as_fireworks_does() {
        let text = |text: &str| Value::Verbatim(text.into());
        for (template, values, expected) in [
            ("#SBATCH --nodes=$${nodes}\n", vec![("nodes", text("2"))], "#SBATCH --nodes=2\n"),
            ("-N $$nodes x", vec![("nodes", text("2"))], "-N 2 x\n"),
            ("a\n#SBATCH --qos=$${qos}\nb", vec![], "a\nb\n"),
            ("$${a}-$${b}\n", vec![("a", text("1"))], ""),
            ("$${pre}\nrun\n", vec![("pre", text("one\ntwo"))], "one\ntwo\nrun\n"),
            ("out=$${name}-%j.out", vec![("name", text("relax"))], "out=relax-%j.out\n"),
            ("a $$$$ b", vec![], "a $$ b\n"),
            ("a\r\n$${b}\r\n", vec![("b", text("c"))], "a\nc\n"),
            ("$HOME ${USER} $${a}", vec![("a", text("x"))], "$HOME ${USER} x\n"),
        ] {
            assert_eq!(fill(template, &values), expected, "{template}");
        }
    }

    #[test]
    fn keeps_what_fireworks_loses() {
        let pre = Value::Verbatim("echo $$ > pid; echo $$pid".into());
        assert_eq!(fill("$${pre_rocket}", &[("pre_rocket", pre)]), "echo $$ > pid; echo $$pid\n");
        assert_eq!(fill("echo $$ $$. $${1}", &[]), "echo $$ $$. $${1}\n");
        assert_eq!(
            fill("--gpu-bind=$${gpu-bind}", &[("gpu-bind", Value::Verbatim("map_gpu:0".into()))]),
            "--gpu-bind=map_gpu:0\n"
        );
        // Without braces a key ends at the hyphen, as in Python.
        assert_eq!(fill("$$gpu-bind", &[("gpu", Value::Verbatim("x".into()))]), "x-bind\n");
    }

    #[test]
    fn quotes_a_path_where_the_shell_needs_it() {
        let dir = [("d", Value::Path("/a b/it's".into()))];
        assert_eq!(fill("cd $${d}", &dir), "cd \"/a b/it's\"\n");
        assert_eq!(fill("cd $${d}; ls", &dir), "cd \"/a b/it's\"; ls\n");
        assert_eq!(fill("cd \"$${d}\"", &dir), "cd \"/a b/it's\"\n");
        assert_eq!(fill("#SBATCH --chdir=$${d}", &dir), "#SBATCH --chdir=/a b/it's\n");
        assert_eq!(fill("cd $${d}", &[("d", Value::Path("/plain".into()))]), "cd /plain\n");
    }

    #[test]
    fn a_variable_is_one_in_every_quote() {
        let dir = [("d", Value::Variable { name: "DIR".into(), path: "/a b".into() })];
        for (template, expected) in [
            ("cd $${d}", "cd \"$DIR\""),
            ("cd $${d}/sub", "cd ${DIR}/sub"),
            ("cd \"$${d}/my sub\"", "cd \"${DIR}/my sub\""),
            ("cd '$${d}/my sub'", "cd ''\"${DIR}\"'/my sub'"),
            ("echo \"it's\" $${d}", "echo \"it's\" \"$DIR\""),
            ("echo \\\" $${d}", "echo \\\" \"$DIR\""),
            ("#SBATCH --chdir=$${d}", "#SBATCH --chdir=/a b"),
        ] {
            assert_eq!(fill(template, &dir), format!("{expected}\n"), "{template}");
        }
    }

    #[test]
    fn sees_whether_signals_are_passed_on() {
        for (text, expected) in [
            ("cd $${launch_dir}\n$${rocket_launch}\n", false),
            ("# trap it\nsrun $${rocket_launch}\nexec true\n", false),
            ("trap 'kill $pid' TERM\n$${rocket_launch} &\n", true),
            ("  exec $${rocket_launch}\n", true),
        ] {
            assert_eq!(Template::new(text).passes_on("TERM"), expected, "{text}");
        }
        assert!(!Template::new("trap 'kill $pid' TERM\n$${rocket_launch} &\n").passes_on("USR1"));
    }

    #[test]
    fn knows_its_keys() {
        let template = Template::new("$${a} $$b $$$$c $$\n#$${gpu-bind}");
        assert_eq!(template.keys().into_iter().collect::<Vec<_>>(), ["a", "b", "gpu-bind"]);
    }
}
