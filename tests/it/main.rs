//! All integration tests in one binary: one module per behaviour.

mod firetask_script;
mod mongo_locks;
mod rocket_away;
mod rocket_fleet;
mod rocket_run;
mod rocket_signals;
mod rocket_site;
mod science;
mod store_story;
mod support;
