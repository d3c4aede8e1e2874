//! Recipes: a structure and parameters in, a result document out, with the names, defaults, keys
//! and units of quacc's `emt.core` recipes. [`Recipe::check`] says without computing whether a
//! structure can be computed at all, for use when a workflow is added.

mod document;
mod error;
mod md5;
mod relax_job;
mod schema;
mod static_job;
mod summary;

pub use error::{Error, Result};
pub use relax_job::RelaxJob;
pub use schema::{CalcParams, OptParams};
pub use static_job::StaticJob;
pub use summary::Summary;

use serde_json::Value;

use crate::science::{Atoms, emt};

/// Where a recipe runs and when it has to stop.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The directory of the run, for the key `dir_name`.
    pub dir_name: &'a str,
    /// Asked before every evaluation; true ends the recipe with [`Error::Interrupted`].
    pub interrupt: &'a dyn Fn() -> bool,
}

/// A calculation with its parameters.
pub trait Recipe {
    /// Whether `atoms` can be computed, as far as that can be told without computing.
    fn check(&self, atoms: &Atoms) -> Result<()>;

    /// Computes, and returns the result document. `atoms` is not changed.
    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value>;
}

/// What every EMT recipe needs of a structure.
fn check_emt(atoms: &Atoms) -> Result<()> {
    if atoms.is_empty() {
        return Err(crate::science::Error::NoAtoms.into());
    }
    Ok(emt::check(atoms.numbers())?)
}
