//! All integration tests in one binary: one module per behaviour.
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

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
mod firetask_script;
mod fireworks_documents;
mod layering;
mod mongo_interruptions;
mod mongo_locks;
mod mongo_round_trips;
mod python_oracle;
mod python_peer;
mod qlaunch_local;
mod qlaunch_slurm;
mod qlaunch_trouble;
mod queue_local;
mod queue_slurm;
mod rocket_away;
mod rocket_fleet;
mod rocket_run;
mod rocket_signals;
mod science;
mod state_machine;
mod store_story;
mod support;
mod workflow_files;
