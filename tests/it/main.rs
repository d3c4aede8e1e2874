//! All integration tests in one binary: one module per behaviour.

mod store_story;
mod support;
