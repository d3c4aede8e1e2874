//! Numbers as bars.

/// So many columns for each number: their shares of the width, and one at least for what is not nothing.
pub fn shares(counts: &[u64], width: usize) -> Vec<usize> {
    let total: u128 = counts.iter().map(|count| u128::from(*count)).sum();
    let share = |count: &u64| match total {
        0 => 0,
        _ => {
            let columns = usize::try_from(u128::from(*count) * width as u128 / total).unwrap_or(width);
            if *count > 0 { columns.max(1) } else { 0 }
        }
    };
    let mut shares: Vec<usize> = counts.iter().map(share).collect();
    // What is rounded off or up is given to, or taken from, the largest one.
    while total > 0 && shares.iter().sum::<usize>() != width {
        let is_short = shares.iter().sum::<usize>() < width;
        let Some(largest) = shares.iter_mut().max() else { break };
        match (is_short, *largest) {
            (true, _) => *largest += 1,
            (false, 2..) => *largest -= 1,
            (false, _) => break,
        }
    }
    shares
}

/// The sums of so many numbers each, so that the last ones are together.
pub fn merged(values: &[u64], by: usize) -> Vec<u64> {
    let mut sums: Vec<u64> = values.rchunks(by.max(1)).map(|some| some.iter().sum()).collect();
    sums.reverse();
    sums
}

/// Numbers as bars of one line; nothing is a blank.
pub fn spark(values: &[u64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let bar = |value: &u64| match value {
        0 => ' ',
        value => {
            let level = (u128::from(*value) * BARS.len() as u128).div_ceil(u128::from(most));
            BARS[usize::try_from(level).unwrap_or(1).clamp(1, BARS.len()) - 1]
        }
    };
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_has_a_share() {
        assert_eq!(shares(&[999_999, 0, 1], 10), [9, 0, 1]);
        assert_eq!(shares(&[1, 1, 1], 10).iter().sum::<usize>(), 10);
        assert_eq!(shares(&[5, 5], 10), [5, 5]);
        assert_eq!(shares(&[0, 0], 10), [0, 0]);
        assert_eq!(shares(&[1; 9], 5), [1; 9]);
        assert_eq!(shares(&[u64::MAX, u64::MAX], 4), [2, 2]);
    }

    #[test]
    fn numbers_are_bars() {
        assert_eq!(spark(&[0, 1, 4, 8]), " ▁▄█");
        assert_eq!(spark(&[0, 0]), "  ");
        assert_eq!(spark(&[1, 1_000_000]), "▁█");
        assert_eq!(merged(&[1, 2, 3, 4, 5], 2), [1, 5, 9]);
    }
}
