//! Ids in one line, as `-i` takes them.

use std::fmt::Write as _;

use crate::workflow::FwId;

/// `1,2,5-9`: ids in the order in which they come; three and more that follow each other are a range.
pub fn id_line(ids: impl IntoIterator<Item = FwId>) -> String {
    let mut runs: Vec<(FwId, FwId)> = Vec::new();
    for id in ids {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == id => *last = id,
            _ => runs.push((id, id)),
        }
    }
    let mut line = String::new();
    for (first, last) in runs {
        let separator = if line.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = match last - first {
            0 => write!(line, "{separator}{first}"),
            1 => write!(line, "{separator}{first},{last}"),
            _ => write!(line, "{separator}{first}-{last}"),
        };
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::select::Ids;

    #[test]
    fn ids_are_what_the_option_takes() {
        for (ids, line) in
            [(vec![], ""), (vec![7], "7"), (vec![1, 2, 3, 7, 8, 10], "1-3,7,8,10"), (vec![9, 8, 1, 2, 3, 4], "9,8,1-4")]
        {
            assert_eq!(id_line(ids.iter().copied()), line);
            assert_eq!(line.parse::<Ids>().map(|ids| ids.0).unwrap_or_default(), ids);
        }
    }
}
