//! What people do with workflows, as functions on a [`crate::store::Store`] that return data.

pub mod copy;
pub mod delete;
pub mod error;
pub mod launchdir;
pub mod listing;
pub mod progress;
pub mod results;
pub mod selection;
pub mod steer;
pub mod workflow_file;

pub use error::LaunchpadError;
pub use selection::Selection;
