//! What a table shows of a result document, and what a finished recipe tells its children.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::elastic_flow::{self, STATS};
use super::elasticity;
use super::surface::surface_energy_of;
use crate::science::Atoms;
use crate::science::elastic::young;
use crate::science::io::mson::from_mson;

/// The gist of a result document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The recipe, as "EMT Relax".
    pub name: String,
    /// In Hill order, as "Al4Ni4".
    pub formula: String,
    /// The number of atoms.
    pub natoms: usize,
    /// eV; `None` where it is about more than one geometry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy: Option<f64>,
    /// The largest force on an atom that is free to move, eV/Angstrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_force: Option<f64>,
    /// Steps of an optimisation or of molecular dynamics; `None` where there were none to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// Whether the optimisation converged; `None` where nothing was optimised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converged: Option<bool>,
    /// K, the mean of the second half of molecular dynamics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The plane, if this is a slab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miller_index: Option<[i32; 3]>,
    /// The termination, if this is a slab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<f64>,
    /// Energy of the surface in eV/Angstrom^2, if this is a slab with the composition of its bulk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface_energy: Option<f64>,
    /// The defect, if this is one, as "v_Cu".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defect: Option<String>,
    /// The atom of the bulk where it is, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<usize>,
    /// The geometry it began with, as "Rattled".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distortion: Option<String>,
    /// Energy it costs in eV, if this is a vacancy in an element.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formation_energy: Option<f64>,
    /// Which deformation of a crystal this is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deformation: Option<usize>,
    /// The stress of a deformed crystal in Voigt's order, eV/Angstrom^3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stress: Option<[f64; 6]>,
    /// The lowest phonon frequency, THz, below zero if imaginary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowest_frequency: Option<f64>,
    /// Of phonons, kJ/mol of primitive cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_point_energy: Option<f64>,
    /// Of phonons at 300 K, kJ/mol of primitive cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_energy: Option<f64>,
    /// Of phonons at 300 K, J/(K mol).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entropy: Option<f64>,
    /// Of phonons at 300 K and constant volume, J/(K mol).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat_capacity: Option<f64>,
    /// Elastic constants, if they were fitted.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub elastic: Option<Elastic>,
}

/// Elastic constants in a few numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Elastic {
    /// In the standard's orientation, GPa.
    pub c11: f64,
    /// In the standard's orientation, GPa.
    pub c12: f64,
    /// In the standard's orientation, GPa.
    pub c44: f64,
    /// Hill's mean of the bulk modulus, GPa.
    pub k_vrh: f64,
    /// Hill's mean of the shear modulus, GPa.
    pub g_vrh: f64,
    /// Young's modulus by both, GPa.
    pub young_modulus: f64,
    /// Poisson's ratio by both.
    pub poisson_ratio: f64,
    /// 0 for an isotropic crystal.
    pub universal_anisotropy: f64,
    /// K; `None` for an unstable crystal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debye_temperature: Option<f64>,
}

/// The temperature of a table, K.
const ROOM: f64 = 300.0;

/// So near, K, is as good.
const NEAR: f64 = 0.5;

impl Summary {
    /// The gist of `document`; `None` if it is not the document of a recipe about one structure.
    pub fn of(document: &Value) -> Option<Self> {
        Self::about(&from_mson(document.get("atoms")?).ok()?, document)
    }

    /// The same for who has read the document's atoms already.
    pub fn about(atoms: &Atoms, document: &Value) -> Option<Self> {
        let phonons = &document["results"]["thermal_properties"];
        if phonons.is_object() {
            return Some(Self::of_phonons(atoms, document, phonons));
        }
        let forces = Vec::<[f64; 3]>::deserialize(&document["results"]["forces"]).ok()?;
        let lengths = forces.iter().enumerate().filter(|(index, _)| !atoms.fixed().contains(index));
        let longest = lengths.map(|(_, force)| force.iter().map(|x| x * x).sum::<f64>()).fold(0.0, f64::max);
        let stats = atoms.info().get("slab_stats").unwrap_or(&Value::Null);
        let defect = atoms.info().get("defect_stats").unwrap_or(&Value::Null);
        let deformation = atoms.info().get(STATS).and_then(|stats| usize::try_from(stats["index"].as_u64()?).ok());
        Some(Self {
            energy: Some(document["results"]["energy"].as_f64()?),
            max_force: Some(longest.sqrt()),
            steps: steps(document),
            converged: document["converged"].as_bool(),
            temperature: temperature(document),
            miller_index: Deserialize::deserialize(&stats["miller_index"]).ok(),
            shift: stats["shift"].as_f64(),
            surface_energy: surface_energy_of(document),
            defect: Deserialize::deserialize(&defect["defect_symbol"]).ok(),
            site: Deserialize::deserialize(&defect["defect"]["site"]).ok(),
            distortion: Deserialize::deserialize(&defect["distortions"]).ok(),
            formation_energy: document["formation_energy"].as_f64(),
            deformation,
            stress: deformation.and_then(|_| elasticity::stress(&document["results"]).ok()),
            ..Self::named(atoms, document)
        })
    }

    fn of_phonons(atoms: &Atoms, document: &Value, thermal: &Value) -> Self {
        let results = &document["results"];
        let off = |t: &Value| t.as_f64().map_or(f64::INFINITY, |kelvin| (kelvin - ROOM).abs());
        let all = thermal["temperatures"].as_array().into_iter().flatten().enumerate();
        let nearest = all.min_by(|(_, a), (_, b)| off(a).total_cmp(&off(b)));
        let room = nearest.filter(|(_, t)| off(t) <= NEAR).map(|(index, _)| index);
        let at_room = |key: &str| thermal[key].get(room?)?.as_f64();
        Self {
            lowest_frequency: results["lowest_frequency"].as_f64(),
            zero_point_energy: results["zero_point_energy"].as_f64(),
            free_energy: at_room("free_energy"),
            entropy: at_room("entropy"),
            heat_capacity: at_room("heat_capacity"),
            ..Self::named(atoms, document)
        }
    }

    /// What is true of any document about `atoms`.
    fn named(atoms: &Atoms, document: &Value) -> Self {
        Self {
            name: document["name"].as_str().unwrap_or_default().to_owned(),
            formula: atoms.formula(),
            natoms: atoms.len(),
            ..Self::default()
        }
    }

    /// The gist of every structure in `document`: of the slabs of a flow, or of the only one. Slabs that
    /// were computed once more after their relaxation show that result, with the relaxation's steps.
    pub fn all_of(document: &Value) -> Vec<Self> {
        if document["undeformed_result"].is_object() {
            return Self::deformed(document).into_iter().collect();
        }
        let relaxed = list(document, "relax").iter().map(Self::of);
        let rows = single(document).into_iter().filter_map(Self::of);
        // Beyond the end of the relaxations, if there are none, nothing came before.
        rows.zip(relaxed.chain(std::iter::repeat(None)))
            .map(|(row, before)| match before {
                Some(before) => row.after(&before),
                None => row,
            })
            .collect()
    }

    /// The gist of a document about the deformations of a crystal.
    fn deformed(document: &Value) -> Option<Self> {
        let undeformed = &document["undeformed_result"];
        let atoms = from_mson(&undeformed["atoms"]).ok()?;
        let energy = undeformed["results"]["energy"].as_f64();
        let known = Self::about(&atoms, undeformed).unwrap_or(Self { energy, ..Self::named(&atoms, undeformed) });
        let elastic = Elastic::of(&document["elasticity_doc"]);
        Some(Self { name: elastic_flow::NAME.to_owned(), elastic, ..known })
    }

    /// The same, with the steps of the relaxation that came before, if that was of the same structure.
    pub fn after(self, relaxation: &Self) -> Self {
        if self.steps.is_some() || self.formula != relaxation.formula {
            return self;
        }
        Self { steps: relaxation.steps, converged: relaxation.converged, ..self }
    }

    /// eV for each atom.
    pub fn energy_per_atom(&self) -> Option<f64> {
        Some(self.energy? / self.natoms as f64)
    }

    /// In words, as "N2: 0.262778 eV, 0.131389 eV per atom, max force 0.008377 eV/Å, 3 steps, converged".
    pub fn sentence(&self) -> String {
        let slab = self.miller_index.map_or_else(String::new, |[h, k, l]| format!(" ({h} {k} {l})"));
        let defect = [&self.defect, &self.distortion]
            .map(|word| word.as_ref().map_or_else(String::new, |word| format!(" {word}")));
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let words = [
            self.energy.map(|energy| format!("{energy:.6} eV")),
            self.energy_per_atom().map(|energy| format!("{energy:.6} eV per atom")),
            self.formation_energy.map(|energy| format!("formation energy {energy:.6} eV")),
            self.lowest_frequency.map(|lowest| format!("lowest frequency {lowest:.3} THz")),
            self.zero_point_energy.map(|energy| format!("zero-point energy {energy:.4} kJ/mol")),
            self.max_force.map(|force| format!("max force {force:.6} eV/Å")),
            self.steps.map(|steps| format!("{steps} step{}", plural(steps))),
            self.temperature.map(|kelvin| format!("{kelvin:.1} K")),
            self.converged.map(|yes| if yes { "converged" } else { "not converged" }.to_owned()),
        ];
        let elastic = self.elastic.iter().flat_map(Elastic::words);
        let words: Vec<String> = words.into_iter().flatten().chain(elastic).collect();
        let deformation = self.deformation.map_or_else(String::new, |index| format!(" deformation {index}"));
        format!("{}{slab}{}{deformation}: {}", self.formula, defect.concat(), words.join(", "))
    }

    /// As JSON, without what is not there.
    pub fn to_value(&self) -> Value {
        json!(self)
    }

    /// From JSON; further keys may stand beside.
    pub fn from_value(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }
}

impl Elastic {
    fn of(document: &Value) -> Option<Self> {
        let constant = |i: usize, j: usize| document["elastic_tensor"]["ieee_format"][i][j].as_f64();
        let (k, g) = (document["bulk_modulus"]["vrh"].as_f64()?, document["shear_modulus"]["vrh"].as_f64()?);
        Some(Self {
            c11: constant(0, 0)?,
            c12: constant(0, 1)?,
            c44: constant(3, 3)?,
            k_vrh: k,
            g_vrh: g,
            young_modulus: young(k, g),
            poisson_ratio: document["homogeneous_poisson"].as_f64()?,
            universal_anisotropy: document["universal_anisotropy"].as_f64()?,
            debye_temperature: document["debye_temperature"].as_f64(),
        })
    }

    fn words(&self) -> [String; 2] {
        [format!("bulk modulus {:.1} GPa", self.k_vrh), format!("shear modulus {:.1} GPa", self.g_vrh)]
    }
}

/// The documents of single structures in a document, each structure's last one: those of the slabs of a
/// flow, that of the crystal where it was deformed, or the document itself.
pub fn single(document: &Value) -> Vec<&Value> {
    if document["undeformed_result"].is_object() {
        return vec![&document["undeformed_result"]];
    }
    match (list(document, "static"), list(document, "relax")) {
        // A flow, but no slab was kept.
        ([], []) if document["relax"].is_array() => Vec::new(),
        ([], []) => vec![document],
        ([], relaxed) => relaxed.iter().collect(),
        (after, _) => after.iter().collect(),
    }
}

/// What a document warns of, a sentence each; also that it has not got to the end, or is not to be relied on.
pub fn warnings(document: &Value) -> Vec<String> {
    let fit = &document["elasticity_doc"];
    let written = list(document, "warnings").iter().chain(list(fit, "warnings")).filter_map(Value::as_str);
    let partial = (document["state"] == "partial").then(|| {
        let [made, wanted] = ["completed_steps", "requested_steps"].map(|key| &document[key]);
        let reason = document["stop_reason"].as_str().map_or_else(String::new, |reason| format!(" ({reason})"));
        format!("the state is partial: it ended after {made} of {wanted} steps{reason}")
    });
    let failed = (fit["state"] == "failed").then(|| "the state of the elasticity document is failed".to_owned());
    partial.into_iter().chain(failed).chain(written.map(str::to_owned)).collect()
}

fn steps(document: &Value) -> Option<usize> {
    let made = document["completed_steps"].as_u64().and_then(|steps| usize::try_from(steps).ok());
    made.or_else(|| document["trajectory"].as_array().map(|frames| frames.len().saturating_sub(1)))
}

fn temperature(document: &Value) -> Option<f64> {
    let log = list(document, "trajectory_log");
    let half = &log[log.len() / 2..];
    let sum = half.iter().map(|frame| frame["temperature"].as_f64()).sum::<Option<f64>>()?;
    (!half.is_empty()).then(|| sum / half.len() as f64)
}

fn list<'a>(document: &'a Value, key: &str) -> &'a [Value] {
    document[key].as_array().map(Vec::as_slice).unwrap_or_default()
}
