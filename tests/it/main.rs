//! All integration tests in one binary: one module per behaviour.

mod mongo_locks;
mod qlaunch_local;
mod qlaunch_slurm;
mod qlaunch_support;
mod qlaunch_trouble;
mod queue_local;
mod queue_slurm;
mod science;
mod store_story;
mod support;
