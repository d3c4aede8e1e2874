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
    Science(crate::science::Error),
    /// Something quacc can do and this program cannot yet.
    #[error("{what} is not supported yet")]
    NotSupported {
        /// What was asked for.
        what: String,
    },
    /// The caller asked to stop.
    #[error("interrupted after {steps} steps")]
    Interrupted {
        /// The steps made.
        steps: usize,
    },
    /// Atoms moved so that nothing can be computed any more.
    #[error("molecular dynamics broke down in step {step} of {steps}: {source} (is the time step too long?)")]
    Dynamics {
        /// The step, counted from 1.
        step: usize,
        /// The steps wanted.
        steps: usize,
        /// What broke down.
        source: crate::science::Error,
    },
    /// One structure of a flow has no result.
    #[error("{label}: {source}")]
    Part {
        /// Which it is, as "slab (1 1 1), shift 0.25".
        label: String,
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

/// A key that is known at another place is told where.
impl From<crate::science::Error> for Error {
    fn from(error: crate::science::Error) -> Self {
        Self::Science(super::parameters::hinted(error))
    }
}

impl Error {
    /// The result document as far as it came, where a relaxation did not converge.
    pub fn document(&self) -> Option<&Value> {
        match self {
            Self::NotConverged { document, .. } => Some(document),
            Self::Part { source, .. } => source.document(),
            _ => None,
        }
    }
}
