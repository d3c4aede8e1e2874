//! The monitor: the launchpad on a terminal, and all that can be done to it.
//!
//! ```text
//! keys, answers, time -> update -> state -> view -> terminal
//!                          |
//!                          +-> asks -> lanes (threads) -> the store, the queue, the disk -> answers
//! ```
//!
//! What is shown is a function of the state, and the state changes by events alone; whoever asks anything that
//! takes time does so in a lane, so that a key is answered whatever the store does.

pub mod ask;
mod desk;
mod event;
mod event_loop;
pub mod fit;
mod heart;
mod key;
mod lanes;
mod once;
pub mod state;
pub mod terminal;
pub mod threads;
pub mod update;
pub mod view;

pub use desk::Desk;
pub use event::{Effect, Event};
pub use event_loop::{Options, run};
pub use key::{Key, Motion};
pub use once::Once;
