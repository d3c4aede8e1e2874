//! Runs launches on this machine: claims fireworks, runs their tasks, reports what came of it.
//!
//! A worker claims several short fireworks at once, but never holds more than about two seconds
//! of work it has not begun. What a firework gave is on disk before the store hears of it. A
//! second thread keeps the leases, a third hears signals.

mod batch;
mod desk;
mod directory;
mod error;
mod hook;
mod identity;
mod keeper;
mod launch;
mod outlook;
mod rapidfire;
mod report;
mod signals;
mod spool;
mod worker;

pub use error::RocketError;
pub use rapidfire::{Limit, Rapidfire};
pub use worker::{Done, rapidfire, singleshot};
