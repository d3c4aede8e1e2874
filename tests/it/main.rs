//! All integration tests in one binary: one module per behaviour.

mod firetask_script;
mod mongo_locks;
mod python_peer;
mod qlaunch_local;
mod qlaunch_slurm;
mod qlaunch_support;
mod qlaunch_trouble;
mod queue_local;
mod queue_slurm;
mod rocket_away;
mod rocket_fleet;
mod rocket_run;
mod rocket_signals;
mod science;
mod store_story;
mod support;
