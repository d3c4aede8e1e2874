//! "Did you mean …?": the known name closest to one that was mistyped.
//! Distance is the optimal string alignment distance without regard to case.

/// The candidate closest to `name`, if it is close enough to be what was meant.
///
/// ```
/// # use volley::science::nearest::nearest;
/// assert_eq!(nearest("relaxcell", ["relax_cell", "opt_params"]), Some("relax_cell"));
/// assert_eq!(nearest("zzz", ["relax_cell", "opt_params"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 1.max(name.chars().count().div_ceil(3));
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// What to say of an unknown `name`: the candidate that may have been meant, or else all that are known.
///
/// ```
/// # use volley::science::nearest::suggestion;
/// assert_eq!(suggestion("BFG", ["BFGS", "FIRE"]), "did you mean BFGS?");
/// assert_eq!(suggestion("SGD", ["BFGS", "FIRE"]), "known are BFGS, FIRE");
/// ```
pub fn suggestion<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(name, candidates.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("known are {}", candidates.join(", ")),
    }
}

/// Up to `count` candidates closest to `name`, best first; ones that merely start alike count too.
pub fn nearest_few<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let limit = 1.max(name.chars().count() / 3);
    let mut ranked: Vec<_> = candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= limit || candidate.starts_with(name))
        .collect();
    ranked.sort();
    ranked.into_iter().take(count).map(|(_, candidate)| candidate).collect()
}

fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=right.len()).collect();
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let change = usize::from(left[i - 1] != right[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
            let swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if swapped {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}
