//! What can be wrong with settings.

use std::path::PathBuf;

use super::Origin;

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file or folder that was asked for is not there.
    #[error("{what} {}, named by {origin}, does not exist", .path.display())]
    Missing {
        /// What it should be.
        what: &'static str,
        /// Where it should be.
        path: PathBuf,
        /// Who asked for it.
        origin: Origin,
    },
    /// A file cannot be read.
    #[error("cannot read {}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is not YAML or JSON.
    #[error("{}: {reason}", .path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// What the reader says, with the line.
        reason: String,
    },
    /// A key has a value it cannot have.
    #[error("{}: `{key}` must be {expected}", .path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What it must be.
        expected: String,
    },
    /// A key that volley.yaml does not have.
    #[error("{}: unknown key `{key}`{hint}", .path.display())]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// The nearest known key, in words, or nothing.
        hint: String,
    },
    /// No home folder, no current folder.
    #[error("cannot tell the {what}: {reason}")]
    Surroundings {
        /// What is not known.
        what: &'static str,
        /// Why.
        reason: String,
    },
}
