//! Runs launches on this machine: claims fireworks, runs their tasks, reports what came of it.
//!
//! A worker claims several short fireworks at once, but never holds more than about two seconds
//! of work it has not begun. What a firework gave is on disk before the store hears of it. A
//! second thread keeps the leases and writes checkpoints, a third hears signals.

mod able;
mod background;
mod batch;
mod decorate;
mod desk;
mod directory;
mod error;
mod files;
mod fw_json;
mod glob;
mod hook;
mod identity;
mod keeper;
mod launch;
mod mender;
mod outlook;
mod prepare;
mod rapidfire;
mod recovery;
mod report;
mod signals;
mod spool;
mod trackers;
mod worker;

pub use able::Lack;
pub use error::RocketError;
pub use rapidfire::{Limit, Rapidfire};
pub use worker::{Done, rapidfire, singleshot};
