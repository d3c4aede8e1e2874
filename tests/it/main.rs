//! All integration tests in one binary: one module per behaviour.

mod mongo_locks;
mod science;
mod store_story;
mod support;
