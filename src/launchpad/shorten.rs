//! Texts that have too many lines, or are too long, for where they stand.

/// A text in one line, without what a terminal would take for a command.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// So many characters at most, in one line; that something is missing is shown.
pub fn shortened(text: &str, most: usize) -> String {
    let plain = plain(text);
    if plain.chars().count() <= most {
        return plain;
    }
    plain.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut() {
        assert_eq!(shortened("é\nb", 3), "é b");
        assert_eq!(shortened("éabc", 3), "éa…");
    }
}
