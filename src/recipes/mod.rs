//! Recipes: a structure and parameters in, a result document out, with the names, defaults, keys
//! and units of quacc's `emt.core` recipes. [`Recipe::check`] says without computing whether a
//! structure can be computed at all, for use when a workflow is added.

mod barostats;
mod defect;
mod defect_options;
mod defects_flow;
mod document;
mod elastic_flow;
mod elastic_parts;
mod elasticity;
mod ensembles;
mod error;
mod jobs;
mod logged;
mod md5;
mod md_frames;
mod md_given;
mod md_job;
mod md_params;
mod md_progress;
mod metadata;
mod optimizers;
pub mod parameters;
mod phonon_flow;
mod phonon_options;
mod phonon_results;
mod progress;
mod relax_job;
mod schema;
mod slab_options;
mod slabs_flow;
mod static_job;
mod stressed;
mod summary;
mod surface;

pub use defects_flow::BulkToDefectsFlow;
pub use document::structure_id;
pub use elastic_flow::{ElasticTensorFlow, undeformed_atoms};
pub use elastic_parts::ElasticParts;
pub use elasticity::ElasticFit;
pub use error::{Error, Result};
pub use jobs::{Flow, Jobs, Part, Parts};
pub use logged::{LoggedStep, Measure};
pub use md_frames::MdFrame;
pub use md_job::{MdJob, Reached};
pub use md_progress::{MdStep, time_left};
pub use metadata::metadata;
pub use optimizers::OptParams;
pub use phonon_flow::PhononFlow;
pub use progress::{Progress, RelaxStep};
pub use relax_job::RelaxJob;
pub use schema::CalcParams;
pub use slabs_flow::BulkToSlabsFlow;
pub use static_job::StaticJob;
pub use summary::{Elastic, Summary, single, warnings};
pub use surface::JOULE_PER_SQUARE_METRE;

use serde_json::Value;

use crate::science::{Atoms, emt};

/// Where a recipe runs and when it has to stop.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The directory of the run, for the key `dir_name`.
    pub dir_name: &'a str,
    /// Asked at the start and after every step; true ends the recipe with [`Error::Interrupted`].
    pub interrupt: &'a dyn Fn() -> bool,
    /// Told how far it is.
    pub observe: &'a dyn Fn(&Progress),
}

impl<'a> Context<'a> {
    /// In this directory, to the end, and unobserved.
    pub fn new(dir_name: &'a str) -> Self {
        Self { dir_name, interrupt: &|| false, observe: &|_| () }
    }
}

/// A calculation with its parameters.
pub trait Recipe {
    /// Whether `atoms` can be computed, as far as that can be told without computing.
    fn check(&self, atoms: &Atoms) -> Result<()>;

    /// What is worth knowing before `atoms` are computed so, a sentence each.
    fn notices(&self, _atoms: &Atoms) -> Vec<String> {
        Vec::new()
    }

    /// Whether whoever runs it should keep what it observes in files.
    fn keeps_files(&self) -> bool {
        false
    }

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
