//! Why a recipe has no result.

use serde_json::Value;

/// The result of everything fallible in `recipes`.
pub type Result<T> = std::result::Result<T, Error>;

/// Every failure of a recipe.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Wrong parameters, a wrong structure, or a calculation that broke down.
    #[error(transparent)]
    Science(#[from] crate::science::Error),
    /// Something quacc can do and this program cannot yet.
    #[error("{what} is not supported yet")]
    NotSupported {
        /// What was asked for.
        what: String,
    },
    /// The caller asked to stop.
    #[error("interrupted after {steps} steps")]
    Interrupted {
        /// The optimisation steps made.
        steps: usize,
    },
    /// One slab of a flow has no result.
    #[error("slab ({} {} {}), shift {shift}: {source}", .miller_index[0], .miller_index[1], .miller_index[2])]
    Slab {
        /// Its plane.
        miller_index: [i32; 3],
        /// Its termination.
        shift: f64,
        /// What went wrong.
        source: Box<Error>,
    },
    /// The forces did not become small in the steps allowed.
    #[error(
        "the optimisation did not converge: largest force {fmax:.6} eV/Angstrom after {steps} steps, wanted below {wanted}"
    )]
    NotConverged {
        /// The steps made.
        steps: usize,
        /// The largest force at the end, eV/Angstrom.
        fmax: f64,
        /// The largest force wanted, eV/Angstrom.
        wanted: f64,
        /// The whole result document as far as it came, with `converged: false`.
        document: Box<Value>,
    },
}

impl Error {
    /// The result document as far as it came, where a relaxation did not converge.
    pub fn document(&self) -> Option<&Value> {
        match self {
            Self::NotConverged { document, .. } => Some(document),
            Self::Slab { source, .. } => source.document(),
            _ => None,
        }
    }
}
