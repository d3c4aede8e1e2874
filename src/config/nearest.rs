//! What to say of a mistyped key.

use crate::science::nearest::nearest;

/// ` (did you mean X?)`, or nothing.
pub fn hint(word: &str, known: &[&str]) -> String {
    nearest(word, known.iter().copied()).map_or_else(String::new, |known| format!(" (did you mean `{known}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_was_meant() {
        let known = ["host", "port", "name", "username"];
        for (word, meant) in [("hsot", "host"), ("user_name", "username"), ("Port", "port")] {
            assert_eq!(hint(word, &known), format!(" (did you mean `{meant}`?)"));
        }
        assert_eq!(hint("walltime", &known), "");
    }
}
