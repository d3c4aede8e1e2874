//! Texts that are too long for where they stand.

/// So many characters at most, in one line; that something is missing is shown.
pub fn shortened(text: &str, most: usize) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
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
