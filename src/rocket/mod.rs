//! Runs launches on this machine: claims fireworks, runs their tasks, reports what came of it.
//!
//! A worker claims several short fireworks at once, but never holds more than about two seconds
//! of work it has not begun. What a firework gave is on disk before the store hears of it. One thread
//! claims and reports, one for each slot runs fireworks, one keeps the leases and writes checkpoints,
//! one hears signals, and one looks at the clock.

mod able;
pub mod allocation;
mod background;
mod batch;
mod decorate;
mod desk;
mod directory;
pub mod drain;
mod error;
mod files;
mod flight;
mod glob;
mod hook;
mod hostlist;
pub mod identity;
mod keeper;
mod launch;
mod mender;
pub mod offline;
mod outlook;
mod over;
mod place;
mod prepare;
mod rapidfire;
pub mod recover;
mod recovery;
mod report;
mod rescue;
mod signals;
pub mod slots;
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
