//! `bulk_to_defects_flow`: the vacancies of a bulk crystal, each geometry relaxed and then, unless told
//! otherwise, computed once more as it came out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::defect_options::defect_options;
use super::document::object;
use super::elasticity::stress_left;
use super::error::{Error, Result};
use super::jobs::{Flow, Jobs, Part, Parts};
use super::slabs_flow::check_bulk;
use super::summary::{Summary, single};
use super::{Context, Recipe, check_emt};
use crate::science::defects::{Defect, DefectOptions, make_defects_from_bulk};
use crate::science::emt::Emt;
use crate::science::fields::Fields;
use crate::science::{Atoms, Calculator};

/// Hydrogen, carbon, nitrogen and oxygen.
const OXIDISING: [u8; 4] = [1, 6, 7, 8];

/// The parameters of the flow.
///
/// ```
/// use serde_json::json;
/// use volley::recipes::{BulkToDefectsFlow, Context, Recipe};
/// let copper = volley::science::structure::build(&json!({"bulk": "Cu"}))?;
/// let kwargs = json!({"min_atoms": 8, "max_atoms": 27, "min_length": 5});
/// let flow = json!({"make_defects_kwargs": kwargs, "distortions": false, "run_static": false});
/// let document = BulkToDefectsFlow::from_value(&flow)?.run(&copper, &Context::new("/tmp"))?;
/// let energy = document["lowest"][0]["formation_energy"].as_f64().unwrap();
/// assert!(energy > 1.0 && energy < 1.3);
/// # Ok::<(), volley::recipes::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BulkToDefectsFlow {
    /// Which defects.
    pub options: DefectOptions,
    jobs: Jobs,
}

impl BulkToDefectsFlow {
    /// The keys its parameters may have.
    pub const KEYS: [&'static str; 6] =
        ["make_defects_kwargs", "defect_gen", "defect_charge", "distortions", "run_static", "job_params"];

    /// From an object of parameters.
    pub fn from_value(parameters: &Value) -> Result<Self> {
        let fields = Fields::of(parameters, "the parameters of bulk_to_defects_flow", &Self::KEYS)?;
        Ok(Self { options: defect_options(&fields)?, jobs: Jobs::of(&fields, true)? })
    }
}

impl Flow for BulkToDefectsFlow {
    fn parts(&self, atoms: &Atoms, context: &Context) -> Result<Parts> {
        check_bulk(atoms)?;
        check_emt(atoms)?;
        let defects = make_defects_from_bulk(atoms, &self.options, context.interrupt).map_err(|error| match error {
            crate::science::Error::Stopped => Error::Interrupted { steps: 0 },
            error => error.into(),
        })?;
        let rows: Vec<Value> = defects.iter().map(|defect| self.row(defect)).collect();
        let document = object([("name", "EMT Bulk to Defects".into()), ("defects", rows.into())]);
        let warnings = self.warnings(atoms)?;
        Ok(Parts { document, warnings, parts: defects.into_iter().map(part).collect(), last: None })
    }

    fn jobs(&self) -> &Jobs {
        &self.jobs
    }
}

impl BulkToDefectsFlow {
    /// quacc's geometries depend on oxidation states, which are guessed; of what EMT knows, compounds of these
    /// elements have any. And a vacancy in a cell under stress costs something else.
    fn warnings(&self, atoms: &Atoms) -> Result<Vec<String>> {
        let numbers = atoms.numbers();
        let is_oxidised =
            numbers.iter().any(|number| OXIDISING.contains(number)) && numbers.iter().any(|n| *n != numbers[0]);
        let warning = || {
            format!(
                "{}: geometries are those of an alloy; quacc, which guesses oxidation states, makes others of a \
                 compound with H, C, N or O (defect_charge chooses how many neighbours move)",
                atoms.formula()
            )
        };
        let oxidised = (self.options.distortions && is_oxidised).then(warning);
        let calculated = Emt::new(self.jobs.relax_job()?.calc.asap_cutoff).calculate(atoms)?;
        let stressed = calculated.stress.and_then(|stress| stress_left(atoms, stress));
        Ok(oxidised.into_iter().chain(stressed).collect())
    }

    /// What is said of a defect before anything of it is computed.
    fn row(&self, defect: &Defect) -> Value {
        json!({
            "formula": defect.atoms.formula(),
            "natoms": defect.atoms.len(),
            "defect_symbol": defect.symbol,
            "defect_charge": self.options.charge,
            "distortions": defect.distortion,
            "site": defect.site,
            "multiplicity": defect.multiplicity,
        })
    }
}

impl Recipe for BulkToDefectsFlow {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        check_bulk(atoms)?;
        check_emt(atoms)?;
        self.options.supercell_of(atoms, &|| false)?;
        Ok(())
    }

    /// quacc's document: `{relax: [...], static: [...]}` in the order of the defects; also `lowest`, for
    /// each site the geometry that has come to the lowest energy.
    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value> {
        let Parts { parts, warnings, .. } = self.parts(atoms, context)?;
        let computed = self.jobs.run(&parts, context)?;
        let mut document: Value = object([("relax", computed.relax.into()), ("static", computed.after.into())]).into();
        document["lowest"] = lowest(&document).into();
        if !warnings.is_empty() {
            document["warnings"] = json!(warnings);
        }
        Ok(document)
    }
}

fn lowest(document: &Value) -> Vec<Value> {
    let mut best = BTreeMap::<Option<usize>, Summary>::new();
    for row in single(document).into_iter().filter_map(Summary::of) {
        match best.get(&row.site) {
            Some(known) if known.energy <= row.energy => {}
            _ => {
                best.insert(row.site, row);
            }
        }
    }
    best.into_values().map(|row| row.to_value()).collect()
}

fn part(defect: Defect) -> Part {
    let Defect { symbol, site, distortion, .. } = &defect;
    Part {
        label: format!("{symbol} at site {site}, {distortion}"),
        name: format!("{} {symbol} {site} {distortion}", defect.atoms.formula()),
        atoms: defect.atoms,
    }
}
