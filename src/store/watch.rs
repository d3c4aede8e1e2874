//! Whether anything has changed in a launchpad, at a price that a screen can pay all day.

use std::time::Duration;

use super::Result;

/// Somebody who looks again and again.
pub trait Watch: Send {
    /// Whether anything has changed since it was asked last; at first, and whenever that cannot be told: yes. Where
    /// the store tells by itself the answer comes when something changes, else after so long at the latest; where
    /// it must be asked it comes at once. It costs one command at most, and never looks at what is stored.
    ///
    /// A change is whatever is written to fireworks, workflows, launches, or records of workers and the history. It
    /// may leave all as it was.
    fn changed(&mut self, patience: Duration) -> Result<bool>;
}

/// The part of a store that can be watched.
pub trait Watching {
    /// Begins to look.
    fn watch(&self) -> Result<Box<dyn Watch + '_>>;
}
