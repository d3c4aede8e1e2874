//! Workflows as FireWorks defines them: the documents, the states, and what each event changes.
//!
//! Pure: nothing here reads a clock, a file or a store. Stores load what a decision needs, ask
//! this module, and apply the answer atomically.

pub mod action;
pub mod checkpoint;
pub mod decide;
pub mod draft;
pub mod duration;
pub mod exact_json;
pub mod firework;
pub mod fworker;
pub mod graph;
pub mod json;
pub mod launch;
pub mod lease;
pub mod limits;
pub mod loss;
pub mod mods;
pub mod paths;
pub mod python_json;
pub mod queue_job;
pub mod reserved;
pub mod retry;
pub mod room;
pub mod spec_change;
pub mod spelled_out;
pub mod state;
pub mod time;
pub mod tracker;
pub mod workflow_state;

pub use action::FwAction;
pub use checkpoint::Checkpoint;
pub use draft::{Draft, DraftError, DraftFirework};
pub use firework::Firework;
pub use fworker::FWorker;
pub use launch::Launch;
pub use lease::{Lease, QueueJob};
pub use loss::{Cause, Loss};
pub use retry::{Again, RetryPolicy};
pub use room::Room;
pub use spec_change::SpecChange;
pub use state::State;
pub use tracker::Tracker;

/// Id of a firework, unique in its launchpad.
pub type FwId = i64;
/// Id of a launch, unique in its launchpad.
pub type LaunchId = i64;

use bson::Bson;

/// An integer as FireWorks stores it: 32 bits where they suffice (Python's YAML output dies of
/// 64-bit ids), 64 otherwise.
pub fn int(value: i64) -> Bson {
    i32::try_from(value).map_or(Bson::Int64(value), Bson::Int32)
}

/// Reads an integer of any numeric BSON type; a double counts when it is whole.
pub fn as_int(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(i) => Some(i64::from(*i)),
        Bson::Int64(i) => Some(*i),
        Bson::Double(d) if d.fract() == 0.0 && d.abs() < 9e15 => Some(*d as i64),
        _ => None,
    }
}

/// Reads an array of integers; anything else in it is left out.
pub fn int_list(value: Option<&Bson>) -> Vec<i64> {
    match value {
        Some(Bson::Array(items)) => items.iter().filter_map(as_int).collect(),
        _ => Vec::new(),
    }
}
