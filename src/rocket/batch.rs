//! How many fireworks to claim at once: as many as take about a second, and as there are.

use std::time::Duration;

/// Work claimed at once should take so long.
const AIM: Duration = Duration::from_secs(1);
/// Never more than this.
const MOST: usize = 32;
/// How many rounds to be content, at most, where more were asked for in vain.
const LONGEST_REST: u32 = 16;

/// The size of the next claim.
#[derive(Debug)]
pub struct Batch {
    size: usize,
    /// Rounds to go before more is asked for. Asking for several costs the store more than asking
    /// for one, and in a chain there is never more than one.
    rest: u32,
    next_rest: u32,
}

impl Batch {
    /// One at first: nothing is known yet.
    pub fn new() -> Self {
        Batch { size: 1, rest: 0, next_rest: 1 }
    }

    /// How many to claim.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Learns from the `count` fireworks that the claim brought, and that took `elapsed` together.
    pub fn learn(&mut self, count: usize, elapsed: Duration) {
        if count == 0 {
            return;
        }
        let each = elapsed.as_secs_f64() / count as f64;
        // A cast of a huge or infinite quotient saturates.
        let fits = ((AIM.as_secs_f64() / each) as usize).clamp(1, MOST);
        if count < self.size {
            self.rest = self.next_rest;
            self.next_rest = (self.next_rest * 2).min(LONGEST_REST);
            self.size = fits.min(count);
        } else if self.rest > 0 {
            self.rest -= 1;
            self.size = fits.min(self.size);
        } else {
            if self.size > 1 {
                self.next_rest = 1;
            }
            self.size = fits.min(self.size * 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes asked for when the queue holds so many, and each takes a millisecond.
    fn sizes(ready: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut batch = Batch::new();
        let ask = |ready: usize| {
            let size = batch.size();
            let got = ready.min(size);
            batch.learn(got, Duration::from_millis(1) * got as u32);
            size
        };
        ready.into_iter().map(ask).collect()
    }

    #[test]
    fn grows_while_fireworks_are_short_and_many() {
        assert_eq!(sizes([99; 7]), [1, 2, 4, 8, 16, 32, 32]);
        assert_eq!(sizes([99, 99, 99, 3, 99, 99, 99]), [1, 2, 4, 8, 3, 3, 6]);
    }

    #[test]
    fn asks_for_one_where_there_is_one() {
        let asked = sizes([1; 200]);
        let in_vain = asked.iter().filter(|&&size| size > 1).count();
        assert!(in_vain <= 16, "{in_vain} of 200: {asked:?}");
    }

    #[test]
    fn shrinks_to_about_a_second() {
        let mut batch = Batch::new();
        for _ in 0..6 {
            batch.learn(batch.size(), Duration::from_millis(1));
        }
        batch.learn(32, Duration::from_secs(8));
        assert_eq!(batch.size(), 4, "a quarter of a second each");
        batch.learn(4, Duration::from_secs(60));
        assert_eq!(batch.size(), 1);
        batch.learn(1, Duration::ZERO);
        assert_eq!(batch.size(), 2);
    }
}
