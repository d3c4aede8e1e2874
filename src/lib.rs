//! Volley: a FireWorks launchpad in one binary.
//!
//! The rooms, and who may look into whom (an arrow may be skipped, never turned round; a test
//! reads the imports):
//!
//! ```text
//! workflow, science <- recipes, config, store, queue <- launchpad <- firetask
//!                   <- rocket, launcher <- verbs <- tui, cli <- main
//! ```

pub mod cli;
pub mod config;
pub mod firetask;
pub mod launcher;
pub mod launchpad;
pub mod queue;
pub mod recipes;
pub mod rocket;
pub mod science;
pub mod store;
pub mod tui;
pub mod verbs;
pub mod workflow;
