//! How many fireworks to claim at once: as many as take about a second.

use std::time::Duration;

/// Work claimed at once should take so long.
const AIM: Duration = Duration::from_secs(1);
/// Never more than this.
const MOST: usize = 32;

/// The size of the next claim.
#[derive(Debug)]
pub struct Batch {
    size: usize,
}

impl Batch {
    /// One at first: nothing is known yet.
    pub fn new() -> Self {
        Batch { size: 1 }
    }

    /// How many to claim.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Learns from the `count` fireworks that took `elapsed` together.
    pub fn learn(&mut self, count: usize, elapsed: Duration) {
        if count == 0 {
            return;
        }
        let each = elapsed.as_secs_f64() / count as f64;
        // A cast of a huge or infinite quotient saturates.
        let fits = (AIM.as_secs_f64() / each) as usize;
        self.size = fits.min(self.size * 2).clamp(1, MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_while_fireworks_are_short() {
        let mut batch = Batch::new();
        let mut sizes = Vec::new();
        for _ in 0..7 {
            sizes.push(batch.size());
            batch.learn(batch.size(), Duration::from_millis(1) * batch.size() as u32);
        }
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 32]);
        batch.learn(32, Duration::from_secs(8));
        assert_eq!(batch.size(), 4, "a quarter of a second each");
        batch.learn(1, Duration::from_secs(60));
        assert_eq!(batch.size(), 1);
        batch.learn(1, Duration::ZERO);
        assert_eq!(batch.size(), 2);
    }
}
