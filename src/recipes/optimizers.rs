//! `opt_params`: how to relax, by quacc's and ASE's names and with their defaults.

use serde_json::Value;

use super::error::{Error, Result};
use crate::science;
use crate::science::fields::{Fields, brief};
use crate::science::nearest::suggestion;
use crate::science::optimize::{
    BfgsLineSearchOptions, BfgsOptions, CellFilter, CellOptions, Fire2Options, FireOptions, LbfgsOptions, Limits,
    MdMinOptions, Method,
};

/// Another name for `BFGSLineSearch`.
const QUASI_NEWTON: &str = "QuasiNewton";

const OPTIMIZERS: [&str; 8] =
    ["BFGS", "LBFGS", "FIRE", "FIRE2", "MDMin", "BFGSLineSearch", "LBFGSLineSearch", QUASI_NEWTON];

/// The filter that quacc uses.
const FRECHET: &str = "FrechetCellFilter";

/// What quacc can do beside, in Python.
const UNSUPPORTED: [&str; 3] = ["run_kwargs", "fn_hook", "stop_condition"];

/// Arguments of ASE's optimisers that have no place in a recipe, and why.
const REFUSED: [(&str, &str); 4] = [
    ("trajectory", "the recipe has a trajectory of its own"),
    ("logfile", "the log is opt.log; write_files: false does without"),
    ("restart", "an optimiser starts afresh; rerun a relaxation that did not converge"),
    ("use_abc", "FIRE2's ABC variant is not supported yet"),
];

/// ASE's LBFGS takes no longer steps, Angstrom.
const LONGEST_LBFGS_STEP: f64 = 1.0;

/// How to relax.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OptParams {
    /// Converged when all forces are below this, eV/Angstrom.
    pub fmax: f64,
    /// The most steps to make.
    pub max_steps: usize,
    /// The optimiser, with its `optimizer_kwargs`.
    pub method: Method,
    /// What the cell may do where it is relaxed: `filter` and its `filter_kwargs`.
    pub cell: CellOptions,
    /// Whether whoever runs the relaxation keeps its log and trajectory in files.
    pub write_files: bool,
}

impl Default for OptParams {
    fn default() -> Self {
        Self { fmax: 0.01, max_steps: 1000, method: Method::default(), cell: CellOptions::default(), write_files: true }
    }
}

impl OptParams {
    pub(super) fn of(value: Option<&Value>) -> Result<Self> {
        let default = Self::default();
        let Some(value) = value else { return Ok(default) };
        if let Some(key) = UNSUPPORTED.into_iter().find(|key| value.get(key).is_some_and(|given| !given.is_null())) {
            return Err(Error::NotSupported { what: format!("{key} in opt_params") });
        }
        // `store_intermediate_results` is about files that only quacc has: nothing changes here.
        let known = ["optimizer", "fmax", "max_steps", "optimizer_kwargs", "filter", "filter_kwargs", "write_files"];
        let known = [known.as_slice(), &["store_intermediate_results"], &UNSUPPORTED].concat();
        let fields = Fields::of(value, "opt_params", &known)?;
        let name = fields.text("optimizer")?.unwrap_or(default.method.name());
        let none = Value::Object(serde_json::Map::new());
        Ok(Self {
            fmax: fields.positive("fmax")?.unwrap_or(default.fmax),
            max_steps: fields.count("max_steps")?.unwrap_or(default.max_steps),
            method: method(name, fields.get("optimizer_kwargs").unwrap_or(&none))?,
            cell: cell(fields.text("filter")?.unwrap_or(FRECHET), fields.get("filter_kwargs").unwrap_or(&none))?,
            write_files: fields.flag("write_files")?.unwrap_or(default.write_files),
        })
    }

    /// When the optimiser stops by itself.
    pub(super) fn limits(&self) -> Limits {
        Limits { fmax: self.fmax, max_steps: self.max_steps }
    }
}

/// An optimiser by name.
fn method(name: &str, kwargs: &Value) -> Result<Method> {
    for (key, why) in REFUSED {
        if kwargs.get(key).is_some_and(|given| !given.is_null() && given != &Value::Bool(false)) {
            return Err(science::Error::bad(format!("{key} in optimizer_kwargs"), why).into());
        }
    }
    let fields = |known: &[&str]| Fields::of(kwargs, "optimizer_kwargs", known);
    Ok(match name {
        "BFGS" => Method::Bfgs(bfgs(&fields(&["maxstep", "alpha"])?)?),
        "LBFGS" => Method::Lbfgs(lbfgs(&fields(&["maxstep", "memory", "damping", "alpha"])?)?),
        "LBFGSLineSearch" => Method::LbfgsLineSearch(lbfgs(&fields(&["maxstep", "memory", "damping", "alpha"])?)?),
        "FIRE" => Method::Fire(fire(&fields(&[
            "maxstep",
            "dt",
            "dtmax",
            "Nmin",
            "finc",
            "fdec",
            "astart",
            "fa",
            "a",
            "downhill_check",
        ])?)?),
        "FIRE2" => Method::Fire2(fire2(&fields(&[
            "maxstep", "dt", "dtmax", "dtmin", "Nmin", "finc", "fdec", "astart", "fa",
        ])?)?),
        "MDMin" => Method::MdMin(md_min(&fields(&["maxstep", "dt"])?)?),
        "BFGSLineSearch" | QUASI_NEWTON => {
            Method::BfgsLineSearch(bfgs_line_search(&fields(&["maxstep", "c1", "c2", "alpha", "stpmax"])?)?)
        }
        _ => return Err(unknown("optimizer", name, &OPTIMIZERS)),
    })
}

fn unknown(kind: &str, name: &str, names: &[&str]) -> Error {
    let hint = suggestion(name, names.iter().copied());
    science::Error::bad(kind, format!("unknown {kind} {name:?} ({hint})")).into()
}

fn bfgs(fields: &Fields) -> Result<BfgsOptions> {
    let default = BfgsOptions::default();
    Ok(BfgsOptions {
        maxstep: fields.positive("maxstep")?.unwrap_or(default.maxstep),
        alpha: fields.positive("alpha")?.unwrap_or(default.alpha),
    })
}

fn lbfgs(fields: &Fields) -> Result<LbfgsOptions> {
    let default = LbfgsOptions::default();
    let maxstep = fields.positive("maxstep")?.unwrap_or(default.maxstep);
    if maxstep > LONGEST_LBFGS_STEP {
        let reason = format!("LBFGS takes at most {LONGEST_LBFGS_STEP} Angstrom, not {maxstep}");
        return Err(science::Error::bad("maxstep of optimizer_kwargs", reason).into());
    }
    Ok(LbfgsOptions {
        maxstep,
        memory: fields.count("memory")?.unwrap_or(default.memory),
        damping: fields.positive("damping")?.unwrap_or(default.damping),
        alpha: fields.positive("alpha")?.unwrap_or(default.alpha),
    })
}

fn fire(fields: &Fields) -> Result<FireOptions> {
    let default = FireOptions::default();
    Ok(FireOptions {
        maxstep: fields.positive("maxstep")?.unwrap_or(default.maxstep),
        dt: fields.positive("dt")?.unwrap_or(default.dt),
        dtmax: fields.positive("dtmax")?.unwrap_or(default.dtmax),
        nmin: fields.count("Nmin")?.unwrap_or(default.nmin),
        finc: fields.positive("finc")?.unwrap_or(default.finc),
        fdec: fields.positive("fdec")?.unwrap_or(default.fdec),
        astart: fields.positive("astart")?.unwrap_or(default.astart),
        fa: fields.positive("fa")?.unwrap_or(default.fa),
        a: fields.positive("a")?.unwrap_or(default.a),
        downhill_check: fields.flag("downhill_check")?.unwrap_or(default.downhill_check),
    })
}

fn fire2(fields: &Fields) -> Result<Fire2Options> {
    let default = Fire2Options::default();
    Ok(Fire2Options {
        maxstep: fields.positive("maxstep")?.unwrap_or(default.maxstep),
        dt: fields.positive("dt")?.unwrap_or(default.dt),
        dtmax: fields.positive("dtmax")?.unwrap_or(default.dtmax),
        dtmin: fields.positive("dtmin")?.unwrap_or(default.dtmin),
        nmin: fields.count("Nmin")?.unwrap_or(default.nmin),
        finc: fields.positive("finc")?.unwrap_or(default.finc),
        fdec: fields.positive("fdec")?.unwrap_or(default.fdec),
        astart: fields.positive("astart")?.unwrap_or(default.astart),
        fa: fields.positive("fa")?.unwrap_or(default.fa),
    })
}

fn md_min(fields: &Fields) -> Result<MdMinOptions> {
    let default = MdMinOptions::default();
    Ok(MdMinOptions {
        maxstep: fields.positive("maxstep")?.unwrap_or(default.maxstep),
        dt: fields.positive("dt")?.unwrap_or(default.dt),
    })
}

fn bfgs_line_search(fields: &Fields) -> Result<BfgsLineSearchOptions> {
    let default = BfgsLineSearchOptions::default();
    Ok(BfgsLineSearchOptions {
        maxstep: fields.positive("maxstep")?.unwrap_or(default.maxstep),
        c1: fields.positive("c1")?.unwrap_or(default.c1),
        c2: fields.positive("c2")?.unwrap_or(default.c2),
        alpha: fields.positive("alpha")?.unwrap_or(default.alpha),
        stpmax: fields.positive("stpmax")?.unwrap_or(default.stpmax),
    })
}

/// A cell filter of ASE by name, with its `filter_kwargs`.
fn cell(name: &str, kwargs: &Value) -> Result<CellOptions> {
    let (filter, factor) = match name {
        FRECHET => (CellFilter::Frechet, Some("exp_cell_factor")),
        "UnitCellFilter" => (CellFilter::UnitCell, Some("cell_factor")),
        "ExpCellFilter" => (CellFilter::Exp, None),
        _ => return Err(unknown("filter", name, &[FRECHET, "UnitCellFilter", "ExpCellFilter"])),
    };
    let known = ["mask", "hydrostatic_strain", "constant_volume", "scalar_pressure"];
    let known: Vec<&str> = known.into_iter().chain(factor).collect();
    let place = format!("filter_kwargs of {name}");
    let fields = Fields::of(kwargs, &place, &known)?;
    let default = CellOptions::default();
    Ok(CellOptions {
        filter,
        mask: fields.get("mask").map(mask).transpose()?.unwrap_or(default.mask),
        factor: factor.map(|key| fields.positive(key)).transpose()?.flatten(),
        hydrostatic_strain: fields.flag("hydrostatic_strain")?.unwrap_or(default.hydrostatic_strain),
        constant_volume: fields.flag("constant_volume")?.unwrap_or(default.constant_volume),
        scalar_pressure: fields.number("scalar_pressure")?.unwrap_or(default.scalar_pressure),
    })
}

/// Six components xx, yy, zz, yz, xz, xy, or all nine; each true, false or a number.
fn mask(given: &Value) -> Result<[[f64; 3]; 3]> {
    let wrong = || {
        let reason =
            format!("must be six of 0 and 1 (xx, yy, zz, yz, xz, xy), or three rows of three, not {}", brief(given));
        Error::from(science::Error::bad("mask of filter_kwargs", reason))
    };
    let row = |value: &Value| -> Option<Vec<f64>> {
        value
            .as_array()?
            .iter()
            .map(|item| item.as_bool().map(|yes| f64::from(u8::from(yes))).or(item.as_f64()))
            .collect()
    };
    if let Some([xx, yy, zz, yz, xz, xy]) = row(given).as_deref() {
        return Ok([[*xx, *xy, *xz], [*xy, *yy, *yz], [*xz, *yz, *zz]]);
    }
    let rows: Option<Vec<[f64; 3]>> =
        given.as_array().into_iter().flatten().map(|line| row(line)?.try_into().ok()).collect();
    rows.and_then(|rows| rows.try_into().ok()).ok_or_else(wrong)
}
