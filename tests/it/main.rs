//! All integration tests in one binary: one module per behaviour.

mod cli_add;
mod cli_delete_wflows;
mod cli_faces;
mod cli_get_fws;
mod cli_get_launchdir;
mod cli_get_wflows;
mod cli_init;
mod cli_rerun_fws;
mod cli_reset;
mod cli_results;
mod cli_set_priority;
mod cli_wait;
mod config;
mod layering;
mod science;
mod store_story;
mod support;
mod workflow_files;
