//! What can go wrong in `science`. Messages are lower-case fragments that fit behind
//! "failed to …:" and name the atom, key, line or number at fault.

use std::path::PathBuf;

/// The result of everything fallible in `science`.
pub type Result<T> = std::result::Result<T, Error>;

/// Every failure of `science`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A chemical symbol that no element has.
    #[error("unknown element {symbol:?}{}", hint(.nearest))]
    UnknownElement {
        /// The symbol as given.
        symbol: String,
        /// A symbol that may have been meant.
        nearest: Option<String>,
    },
    /// An atomic number outside 1..=118.
    #[error("no element has the atomic number {number}")]
    UnknownNumber {
        /// The number as given.
        number: i64,
    },
    /// An element that EMT is not parametrised for.
    #[error("no EMT parameters for {symbol} (EMT knows {known})")]
    NoEmtParameters {
        /// The element asked for.
        symbol: &'static str,
        /// The elements EMT knows, comma separated.
        known: String,
    },
    /// NaN or infinity where a number is needed.
    #[error("{what} is not a finite number")]
    NotFinite {
        /// What is not finite, as "position of atom 3".
        what: String,
    },
    /// An array of the wrong length.
    #[error("{what} has {found} entries where {expected} are needed")]
    Shape {
        /// The array.
        what: String,
        /// Its length.
        found: usize,
        /// The length needed.
        expected: usize,
    },
    /// Periodic directions whose vectors span nothing.
    #[error("singular cell: the periodic vectors {vectors} are zero or linearly dependent")]
    SingularCell {
        /// The vectors concerned, as "a, b, c".
        vectors: String,
    },
    /// An index beyond the last atom.
    #[error("{what} names atom {index}, but there are only {count} atoms (counted from 0)")]
    NoSuchAtom {
        /// Where the index stands.
        what: String,
        /// The index as given.
        index: i64,
        /// The number of atoms.
        count: usize,
    },
    /// Two atoms on one spot.
    #[error("atoms {first} and {second} are {distance:e} Angstrom apart (one may be a periodic image)")]
    TooClose {
        /// One atom, counted from 0.
        first: usize,
        /// The other.
        second: usize,
        /// Their distance in Angstrom.
        distance: f64,
    },
    /// More periodic images within the cutoff than can be handled.
    #[error("the cell is too small for a cutoff of {cutoff} Angstrom: {images:e} periodic images")]
    TooManyImages {
        /// The cutoff in Angstrom.
        cutoff: f64,
        /// The number of images estimated.
        images: f64,
    },
    /// Nothing to compute on.
    #[error("the structure has no atoms")]
    NoAtoms,
    /// A crystal or molecule that cannot be built as asked.
    #[error("cannot build {name}: {reason}")]
    Build {
        /// What was to be built.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A key that a specification does not have.
    #[error("unknown key {key:?} in {place}{}", hint(.nearest))]
    UnknownKey {
        /// The key as given.
        key: String,
        /// The object it stands in.
        place: String,
        /// A key that may have been meant.
        nearest: Option<String>,
    },
    /// A value of the wrong kind, or one that is missing.
    #[error("{key}: {reason}")]
    BadValue {
        /// The key, or what it describes.
        key: String,
        /// What is wrong with the value.
        reason: String,
    },
    /// A line of a structure file that cannot be understood.
    #[error("line {line}: {reason}")]
    Parse {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A structure file that cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// A structure file that cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    WriteFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The caller asked to stop.
    #[error("stopped")]
    Stopped,
    /// A matrix without the decomposition an optimiser needs.
    #[error("the optimiser broke down at step {step}: {reason}")]
    Optimizer {
        /// The step, counted from 0.
        step: usize,
        /// What broke down.
        reason: String,
    },
}

impl Error {
    /// A [`Error::BadValue`] for `key`.
    pub fn bad(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::BadValue { key: key.into(), reason: reason.into() }
    }

    /// A [`Error::Parse`] at `line`, counted from 1.
    pub fn at(line: usize, reason: impl Into<String>) -> Self {
        Self::Parse { line, reason: reason.into() }
    }

    /// The error as one at `line`, unless it names a line already.
    pub fn on_line(self, line: usize) -> Self {
        match self {
            Self::Parse { .. } => self,
            other => Self::at(line, other.to_string()),
        }
    }
}

fn hint(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}
