//! Runs launches on this machine: claims fireworks, runs their tasks, reports what came of it.
//!
//! A worker claims several short fireworks at once, but never holds more than about two seconds
//! of work it has not begun. What a firework gave is on disk before the store hears of it. A
//! second thread keeps the leases and writes checkpoints, a third hears signals, a fourth looks at
//! the clock.

mod able;
mod background;
mod batch;
mod decorate;
mod desk;
mod directory;
pub mod drain;
mod error;
mod files;
mod glob;
mod hook;
pub mod identity;
mod keeper;
mod launch;
mod mender;
pub mod offline;
mod outlook;
mod over;
mod prepare;
mod rapidfire;
pub mod recover;
mod recovery;
mod report;
mod rescue;
mod signals;
mod spool;
mod trackers;
mod walltime;
mod worker;

pub use able::Lack;
pub use error::RocketError;
pub use rapidfire::{Limit, Rapidfire};
pub use rescue::Rescuer;
pub use walltime::is_too_short;
pub use worker::{Done, rapidfire, singleshot};
