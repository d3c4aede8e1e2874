//! What people do with workflows, as functions on a [`crate::store::Store`] that return data.

pub mod workflow_file;
