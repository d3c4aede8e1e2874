//! What people do with workflows, as functions on a [`crate::store::Store`] that return data.

pub mod cancel;
pub mod copy;
pub mod delete;
pub mod doctor;
pub mod error;
pub mod explain;
pub mod fw_json;
pub mod launchdir;
pub mod listing;
pub mod lost;
pub mod mend;
pub mod progress;
pub mod reservation;
pub mod results;
pub mod selection;
pub mod steer;
pub mod witness;
pub mod workflow_file;

pub use error::LaunchpadError;
pub use selection::Selection;
