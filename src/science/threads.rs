//! How many threads a calculation may use. Work is cut into pieces that do not depend on that
//! number, and results are added up in the order of the pieces, so neither do the results.

use std::sync::OnceLock;

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

/// A number of threads, started when they are first needed.
#[derive(Debug)]
pub struct Threads {
    count: usize,
    /// `None` inside: the system would not start them, so the caller's thread does the work.
    pool: OnceLock<Option<ThreadPool>>,
}

impl Threads {
    /// `count` threads; with 1 (or 0) everything happens on the caller's.
    pub fn new(count: usize) -> Self {
        Self { count, pool: OnceLock::new() }
    }

    /// Calls `work` for each piece, with a tool that a thread makes once and uses for many pieces.
    pub fn each<T: Send, Tool>(
        &self,
        pieces: &mut [T],
        tool: impl Fn() -> Tool + Send + Sync,
        work: impl Fn(&mut Tool, &mut T) + Send + Sync,
    ) {
        match self.pool(pieces.len()) {
            Some(pool) => pool.install(|| pieces.par_iter_mut().for_each_init(tool, work)),
            None => {
                let mut tool = tool();
                pieces.iter_mut().for_each(|piece| work(&mut tool, piece));
            }
        }
    }

    fn pool(&self, pieces: usize) -> Option<&ThreadPool> {
        if self.count < 2 || pieces < 2 {
            return None;
        }
        self.pool.get_or_init(|| ThreadPoolBuilder::new().num_threads(self.count).build().ok()).as_ref()
    }
}
