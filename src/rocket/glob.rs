//! Python's `glob`: the files below a directory that match a pattern of `*`, `?`, `[abc]`, `[!a-c]`.
//! A star stops at a slash, and hidden files are found only by what begins with a dot. The directory
//! itself is no pattern, whatever its name.

use std::fs;
use std::path::Path;

/// Paths that match, in no order. A name that is not UTF-8 matches nothing.
pub fn glob(directory: &Path, pattern: &str) -> Vec<String> {
    let base = if pattern.starts_with('/') { String::new() } else { directory.to_string_lossy().into_owned() };
    let mut found = vec![base];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = found.iter().flat_map(|path| below(path, part)).collect();
    }
    found.retain(|path| fs::symlink_metadata(path).is_ok());
    found
}

/// What one part of a pattern leads to.
fn below(path: &str, part: &str) -> Vec<String> {
    if !part.contains(['*', '?', '[']) {
        return vec![format!("{path}/{part}")];
    }
    // What cannot be read holds nothing, as in Python.
    let entries = fs::read_dir(format!("{path}/")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let visible = names.filter(|name| part.starts_with('.') || !name.starts_with('.'));
    let pattern: Vec<char> = part.chars().collect();
    let matching = visible.filter(|name| matches(&pattern, &name.chars().collect::<Vec<_>>()));
    matching.map(|name| format!("{path}/{name}")).collect()
}

/// Whether a whole name matches a whole pattern.
fn matches(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', rest @ ..] => (0..=name.len()).any(|skipped| matches(rest, &name[skipped..])),
        ['[', inner @ ..] if let Some((set, rest)) = set(inner) => {
            name.split_first().is_some_and(|(first, others)| is_in(set, *first) && matches(rest, others))
        }
        [one, rest @ ..] => {
            name.split_first().is_some_and(|(first, others)| (*one == '?' || one == first) && matches(rest, others))
        }
    }
}

/// A set of characters and what follows its closing bracket; a bracket right at the beginning
/// belongs to the set. Without a closing one the opening one stands for itself.
fn set(inner: &[char]) -> Option<(&[char], &[char])> {
    let first = usize::from(inner.first() == Some(&'!')) + 1;
    let end = first + inner.get(first..)?.iter().position(|&one| one == ']')?;
    Some((&inner[..end], &inner[end + 1..]))
}

fn is_in(set: &[char], one: char) -> bool {
    if let ['!', set @ ..] = set {
        return !is_listed(set, one);
    }
    is_listed(set, one)
}

fn is_listed(set: &[char], one: char) -> bool {
    match set {
        [] => false,
        [low, '-', high, rest @ ..] => (*low..=*high).contains(&one) || is_listed(rest, one),
        [first, rest @ ..] => *first == one || is_listed(rest, one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_as_in_python() {
        for (pattern, name, expected) in [
            ("out.*", "out.", true),
            ("a*b*c", "aXbYbZc", true),
            ("a**c", "abc", true),
            ("a*b", "abc", false),
            ("?", "é", true),
            ("[!a]", "a", false),
            ("[a-c]x", "bx", true),
            ("[a-c]", "d", false),
            ("[-a]", "-", true),
            ("[]]", "]", true),
            ("[!]]", "]", false),
            ("[a!]", "!", true),
            ("x[y", "x[y", true),
            ("[", "[", true),
        ] {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            assert_eq!(matches(&chars(pattern), &chars(name)), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn files_are_found_as_in_python() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = folder.path().join("a[1]");
        fs::create_dir_all(directory.join("deep")).expect("makes it");
        for file in ["out.1", "out.2", ".hidden", "deep/out.9"] {
            fs::write(directory.join(file), "").expect("writes");
        }
        let base = directory.display();
        let cases: [(&str, &[&str]); 8] = [
            ("out.*", &["out.1", "out.2"]),
            ("**/out.*", &["deep/out.9"]),
            ("*/out.9", &["deep/out.9"]),
            (".h*", &[".hidden"]),
            ("*hidden", &[]),
            ("./out.1", &["./out.1"]),
            ("deep/../out.?", &["deep/../out.1", "deep/../out.2"]),
            ("none", &[]),
        ];
        for (pattern, expected) in cases {
            let mut found = glob(&directory, pattern);
            found.sort();
            assert_eq!(found, expected.iter().map(|name| format!("{base}/{name}")).collect::<Vec<_>>(), "{pattern}");
        }
        let absolute = format!("{}/a[[]1]/*.1", folder.path().display());
        assert_eq!(glob(Path::new("/elsewhere"), &absolute), [format!("{base}/out.1")]);
    }
}
