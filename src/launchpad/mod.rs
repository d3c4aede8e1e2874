//! What people do with workflows, as functions on a [`crate::store::Store`] that return data.

pub mod cancel;
pub mod check;
pub mod copy;
pub mod deed;
pub mod delete;
pub mod doctor;
pub mod dump;
pub mod error;
pub mod errors;
pub mod events;
pub mod explain;
pub mod fw_json;
pub mod graph;
pub mod introspect;
pub mod last_lines;
pub mod launchdir;
pub mod listing;
pub mod lost;
pub mod mend;
pub mod page;
pub mod progress;
pub mod remove_dirs;
pub mod report;
pub mod reservation;
pub mod results;
pub mod selection;
pub mod shorten;
pub mod status;
pub mod steer;
pub mod tail;
pub mod tally;
pub mod witness;
pub mod workflow_file;

pub use error::LaunchpadError;
pub use selection::Selection;
