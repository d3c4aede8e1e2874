//! How our jobs are told from others: by their comments, `[the user's ]volley:<launchpad id> <token>`.

use crate::queue::LaunchpadId;

const MARK: &str = "volley:";

/// The word that all jobs of a launchpad have in their comments.
pub fn mark(launchpad: &LaunchpadId) -> String {
    format!("{MARK}{launchpad}")
}

/// The comment of a job that would have the comment `own`.
pub fn comment(own: Option<&str>, mark: &str, token: &str) -> String {
    let own = own.map(str::trim).filter(|own| !own.is_empty());
    own.map_or_else(|| format!("{mark} {token}"), |own| format!("{own} {mark} {token}"))
}

/// The token of a job that is ours by its comment; jobs of earlier versions have an empty one.
pub fn ours<'a>(comment: &'a str, mark: &str) -> Option<&'a str> {
    let is_free = |c: Option<char>| c.is_none_or(char::is_whitespace);
    comment.match_indices(mark).find_map(|(at, _)| {
        let rest = &comment[at + mark.len()..];
        let is_word = is_free(comment[..at].chars().next_back()) && is_free(rest.chars().next());
        is_word.then(|| rest.trim())
    })
}

/// Whether a job is of any launchpad.
pub fn is_marked(comment: &str) -> bool {
    comment.split_whitespace().any(|word| word.starts_with(MARK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for own in [None, Some(""), Some("mine"), Some("volley:b and |~| 'quotes'\nlines")] {
            let comment = comment(own, "volley:a", "/scratch/my runs/block_1/launcher_2");
            assert_eq!(ours(&comment, "volley:a"), Some("/scratch/my runs/block_1/launcher_2"), "{comment}");
            assert_eq!(ours(&comment, "volley:"), None);
            assert!(is_marked(&comment));
        }
    }

    #[test]
    fn a_mark_is_a_word() {
        for (comment, token) in [
            ("volley:a", Some("")),
            ("mine volley:a", Some("")),
            ("volley:ab /d", None),
            ("xvolley:a /d", None),
            ("volley:ab volley:a /d", Some("/d")),
            ("(null)", None),
            ("", None),
        ] {
            assert_eq!(ours(comment, "volley:a"), token, "{comment}");
        }
        assert!(!is_marked("a volleyball: no") && is_marked("mine volley:b /d"));
    }
}
