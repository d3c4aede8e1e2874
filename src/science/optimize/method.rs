//! The optimisers by name, each with what it can be told.

use super::{
    Bfgs, BfgsLineSearch, BfgsLineSearchOptions, BfgsOptions, Fire, Fire2, Fire2Options, FireOptions, Lbfgs,
    LbfgsOptions, MdMin, MdMinOptions, Optimizer,
};

/// Which optimiser, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// ASE's `BFGS`.
    Bfgs(BfgsOptions),
    /// ASE's `LBFGS`.
    Lbfgs(LbfgsOptions),
    /// ASE's `FIRE`.
    Fire(FireOptions),
    /// ASE's `FIRE2`.
    Fire2(Fire2Options),
    /// ASE's `MDMin`.
    MdMin(MdMinOptions),
    /// ASE's `BFGSLineSearch`, also called `QuasiNewton`.
    BfgsLineSearch(BfgsLineSearchOptions),
    /// ASE's `LBFGSLineSearch`.
    LbfgsLineSearch(LbfgsOptions),
}

impl Default for Method {
    fn default() -> Self {
        Self::Bfgs(BfgsOptions::default())
    }
}

impl Method {
    /// Its name in ASE.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bfgs(_) => "BFGS",
            Self::Lbfgs(_) => "LBFGS",
            Self::Fire(_) => "FIRE",
            Self::Fire2(_) => "FIRE2",
            Self::MdMin(_) => "MDMin",
            Self::BfgsLineSearch(_) => "BFGSLineSearch",
            Self::LbfgsLineSearch(_) => "LBFGSLineSearch",
        }
    }

    /// The farthest a step goes, Angstrom.
    pub fn maxstep(&self) -> f64 {
        match self {
            Self::Bfgs(options) => options.maxstep,
            Self::Lbfgs(options) | Self::LbfgsLineSearch(options) => options.maxstep,
            Self::Fire(options) => options.maxstep,
            Self::Fire2(options) => options.maxstep,
            Self::MdMin(options) => options.maxstep,
            Self::BfgsLineSearch(options) => options.maxstep,
        }
    }

    /// An optimiser that has seen nothing yet.
    pub fn optimizer(&self) -> Box<dyn Optimizer> {
        match *self {
            Self::Bfgs(options) => Box::new(Bfgs::new(options)),
            Self::Lbfgs(options) => Box::new(Lbfgs::new(options)),
            Self::Fire(options) => Box::new(Fire::new(options)),
            Self::Fire2(options) => Box::new(Fire2::new(options)),
            Self::MdMin(options) => Box::new(MdMin::new(options)),
            Self::BfgsLineSearch(options) => Box::new(BfgsLineSearch::new(options)),
            Self::LbfgsLineSearch(options) => Box::new(Lbfgs::with_line_search(options)),
        }
    }
}
