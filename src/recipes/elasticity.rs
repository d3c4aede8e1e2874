//! `elasticity_doc`: elastic constants and what follows from them, with the keys, units and roundings of emmet's
//! ElasticityDoc and its warnings.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::document::object;
use super::error::Result;
use super::metadata::metadata;
use super::stressed::noticeable;
use crate::science::elastic::{
    Bounds, ElasticTensor, Fit, Matrix, Moduli, SolidProperties, Tensor, fit_crystal, from_voigt, ieee_rotation, rank,
    rows,
};
use crate::science::io::pymatgen::to_pymatgen;
use crate::science::io::python::repr;
use crate::science::units::GPA;
use crate::science::{Atoms, Error};

/// emmet wants so many strains, computed and by symmetry.
const STATES: usize = 24;

/// Moduli below and above are worth a warning, GPa.
const MODULI: (f64, f64) = (2.0, 1000.0);

/// Young's modulus above is worth a warning, Pa.
const YOUNG: f64 = 1e12;

/// A constant above is worth a warning, GPa.
const CONSTANT: f64 = 1e6;

/// A crystal that was deformed, and what is known of each deformation.
#[derive(Clone, Debug)]
pub struct ElasticFit {
    /// The crystal before.
    pub atoms: Atoms,
    /// Its stress in Voigt's order, eV/Angstrom^3.
    pub stress: [f64; 6],
    /// The deformation gradients, and the stress of the crystal deformed so, likewise.
    pub deformed: Vec<(Tensor, [f64; 6])>,
}

impl ElasticFit {
    /// Fits the elastic constants, and writes `elasticity_doc`.
    pub fn document(&self) -> Result<Value> {
        let gradients: Vec<Tensor> = self.deformed.iter().map(|(gradient, _)| *gradient).collect();
        let stresses: Vec<Tensor> = self.deformed.iter().map(|(_, stress)| gigapascals(*stress)).collect();
        let equilibrium = gigapascals(self.stress);
        let fit = fit_crystal(&self.atoms, &gradients, &stresses, &equilibrium)?;
        let mut findings = Findings::of(&self.atoms, &fit);
        if fit.strains.len() != STATES {
            let count = fit.strains.len();
            findings.fail(format!(
                "Critical: Expect {STATES} total (primary plus derived) strain--stress states to fit the data; got {count}."
            ));
        }
        let list = |tensors: &[Tensor]| tensors.iter().map(rows).collect::<Vec<_>>();
        let fitting_data = json!({
            "cauchy_stresses": list(&stresses),
            "deformation_dir_names": null,
            "deformation_tasks": null,
            "deformations": list(&gradients),
            "equilibrium_cauchy_stress": rows(&equilibrium),
            "num_total_strain_stress_states": fit.strains.len(),
            "optimization_dir_name": null,
            "optimization_task": null,
            "second_pk_stresses": list(&fit.stresses),
            "strains": list(&fit.strains[..gradients.len()]),
        });
        let mut document = findings.members;
        document.extend(object([
            ("deprecated", findings.failed.into()),
            ("fitting_data", fitting_data),
            ("state", if findings.failed { "failed" } else { "successful" }.into()),
            ("warnings", findings.warnings.into()),
        ]));
        document.extend(about(&self.atoms));
        document.sort_keys();
        Ok(document.into())
    }
}

/// Of eV/Angstrom^3.
fn gigapascals(stress: [f64; 6]) -> Tensor {
    from_voigt(stress.map(|component| component / GPA))
}

/// What is true of any such document. Who made it is this program: the versions of emmet and pymatgen stay empty.
fn about(atoms: &Atoms) -> Map<String, Value> {
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
    let builder_meta = json!({
        "batch_id": null,
        "build_date": now,
        "database_version": null,
        "emmet_version": null,
        "license": null,
        "pymatgen_version": null,
        "run_id": null,
        "volley_version": env!("CARGO_PKG_VERSION"),
    });
    let mut about = object([
        ("builder_meta", builder_meta),
        ("deprecation_reasons", Value::Null),
        ("fitting_method", "finite_difference".into()),
        ("last_updated", now.into()),
        ("material_id", Value::Null),
        ("order", 2.into()),
        ("origins", Value::Null),
        ("property_name", "elasticity".into()),
        ("structure", to_pymatgen(atoms)),
        // quacc's documents have it so: emmet looks for the value under another name.
        ("young_modulus", Value::Null),
    ]);
    if let Value::Object(metadata) = metadata(atoms).1 {
        about.extend(metadata);
    }
    about
}

/// What is derived from a fit, null where that fails.
struct Findings {
    members: Map<String, Value>,
    warnings: Vec<String>,
    failed: bool,
}

impl Findings {
    fn of(atoms: &Atoms, fit: &Fit) -> Self {
        let members = object([
            ("bulk_modulus", Value::Null),
            ("compliance_tensor", Value::Null),
            ("debye_temperature", Value::Null),
            ("elastic_tensor", Value::Null),
            ("homogeneous_poisson", Value::Null),
            ("shear_modulus", Value::Null),
            ("sound_velocity", Value::Null),
            ("thermal_conductivity", Value::Null),
            ("universal_anisotropy", Value::Null),
        ]);
        let mut found = Self { members, warnings: Vec::new(), failed: false };
        let rank = rank(&fit.strains);
        if rank != 6 {
            // emmet says so, too, but beside the numbers, which are without meaning.
            found.fail(format!(
                "Critical: insufficient number of valid strains. Expect the matrix of all strains to be of rank 6; got rank {rank}."
            ));
            return found;
        }
        let Some(tensor) = &fit.tensor else {
            found.fail("Critical: cannot fit elastic tensor. Error: Singular matrix.".into());
            return found;
        };
        let ieee = tensor.symmetrised(&fit.rotations).turned(&ieee_rotation(atoms));
        found.set("elastic_tensor", json!({"ieee_format": rounded(ieee.rows()), "raw": tensor.rows()}));
        let all = (tensor.compliance(), ieee.compliance(), Moduli::of(tensor));
        let (Some(raw), Some(compliance), Some(moduli)) = all else {
            found.fail(
                "Critical: cannot invert elastic tensor to get compliance tensor. Error: Singular matrix.".into(),
            );
            return found;
        };
        // TPa^-1
        let format = rounded_compliance(compliance.map(|row| row.map(|x| x * 1000.0)));
        found.set("compliance_tensor", json!({"ieee_format": format, "raw": raw.map(|row| row.map(|x| x * 1000.0))}));
        found.set_moduli(&moduli);
        if let Some(solid) = SolidProperties::of(atoms, &moduli) {
            found.set_solid(&solid);
        }
        found.judge(tensor, &ieee, &moduli);
        found
    }

    fn set(&mut self, key: &str, value: Value) {
        self.members.insert(key.to_owned(), value);
    }

    fn set_moduli(&mut self, moduli: &Moduli) {
        let bounds = |bounds: &Bounds| {
            let [voigt, reuss, vrh] = thousandths(bounds);
            json!({"reuss": reuss, "voigt": voigt, "vrh": vrh})
        };
        self.set("bulk_modulus", bounds(&moduli.bulk));
        self.set("shear_modulus", bounds(&moduli.shear));
        self.set("homogeneous_poisson", json!(thousandth(moduli.poisson())));
        self.set("universal_anisotropy", json!(thousandth(moduli.anisotropy())));
    }

    fn set_solid(&mut self, solid: &SolidProperties) {
        let sound = json!({
            "longitudinal": solid.longitudinal,
            "snyder_acoustic": solid.snyder_acoustic,
            "snyder_optical": solid.snyder_optical,
            "snyder_total": solid.snyder_acoustic + solid.snyder_optical,
            "transverse": solid.transverse,
        });
        self.set("sound_velocity", sound);
        self.set("thermal_conductivity", json!({"cahill": solid.cahill, "clarke": solid.clarke}));
        self.set("debye_temperature", json!(solid.debye_temperature));
    }

    /// emmet's checks, in its words: they are looked for in documents.
    fn judge(&mut self, raw: &ElasticTensor, ieee: &ElasticTensor, moduli: &Moduli) {
        if raw.is_unstable() {
            let unstable =
                "Elastic tensor has negative eigenvalue(s), indicating that the structure is mechanically unstable.";
            self.warnings.push(unstable.to_owned());
        }
        if rounded(ieee.rows()).as_flattened().iter().any(|constant| *constant > CONSTANT) {
            self.warnings.push(format!("Elastic tensor has component larger than {}.", repr(CONSTANT)));
        }
        for (modulus, bounds) in [("bulk modulus", &moduli.bulk), ("shear modulus", &moduli.shear)] {
            for (name, value) in ["voigt", "reuss", "vrh"].into_iter().zip(thousandths(bounds)) {
                self.judge_modulus(&format!("{name} {modulus}"), value);
            }
        }
        let young = (moduli.young() * 1e9).round_ties_even();
        if young > YOUNG {
            self.warnings.push(format!("Large Young's modulus {}; larger than {}.", repr(young), repr(YOUNG)));
        }
    }

    fn judge_modulus(&mut self, name: &str, value: f64) {
        let (low, high) = MODULI;
        let number = repr(value);
        if value < 0.0 {
            self.fail(format!(
                "Negative modulus: {name} is {number}, indicating that the structure is mechanically unstable."
            ));
        } else if value < low {
            self.warnings.push(format!("Small modulus. {name} is {number}; smaller than {}.", repr(low)));
        } else if value > high {
            self.warnings.push(format!("Large modulus. {name} is {number}; larger than {}.", repr(high)));
        }
    }

    fn fail(&mut self, why: String) {
        self.warnings.push(why);
        self.failed = true;
    }
}

fn thousandths(bounds: &Bounds) -> [f64; 3] {
    [bounds.voigt, bounds.reuss, bounds.hill].map(thousandth)
}

fn thousandth(value: f64) -> f64 {
    (value * 1000.0).round_ties_even() / 1000.0
}

fn rounded(matrix: Matrix) -> Matrix {
    matrix.map(|row| row.map(f64::round_ties_even))
}

/// pymatgen rounds the components of the tensor, of which those of shear are counted twice in each index.
fn rounded_compliance(matrix: Matrix) -> Matrix {
    let count = |index: usize| if index < 3 { 1.0 } else { 2.0 };
    std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            let times = count(i) * count(j);
            (matrix[i][j] / times).round_ties_even() * times
        })
    })
}

/// A sentence about a crystal whose cell is so far from relaxed that it shows, of its stress in eV/Angstrom^3.
pub(super) fn stress_left(atoms: &Atoms, stress: [f64; 6]) -> Option<String> {
    let largest = noticeable(stress)?;
    Some(format!("{} is under a stress of {largest:.1} GPa: relax its cell first", atoms.formula()))
}

/// A stress in a document, eV/Angstrom^3.
pub(super) fn stress(results: &Value) -> Result<[f64; 6]> {
    let wrong = || Error::bad("stress", "six numbers are needed: xx, yy, zz, yz, xz, xy");
    Ok(serde_json::from_value(results["stress"].clone()).map_err(|_| wrong())?)
}
