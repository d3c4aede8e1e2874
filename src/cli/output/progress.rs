//! How far something is that takes longer than a second, on a terminal's standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Something with many steps. Gone from the screen when it is dropped.
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
}

/// What is over before is not worth a bar.
const PATIENCE: Duration = Duration::from_secs(1);

impl Progress {
    /// So many steps, of which this is said: `deleting workflows`.
    pub fn new(what: &'static str, steps: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        Progress { bar, began: Instant::now() }
    }

    /// So many more steps are done.
    pub fn advance(&self, steps: usize) {
        if self.bar.is_hidden() && std::io::stderr().is_terminal() && self.began.elapsed() >= PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(steps as u64);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
