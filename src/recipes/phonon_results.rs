//! `results` of phonons, as quacc has them of phonopy. What would make a document of tens of megabytes is left out,
//! or is in a shorter form, and a key says so.

use serde_json::{Map, Value, json};

use super::document::object;
use crate::science::Result;
use crate::science::phonons::{Crystal, ForceConstants, Mesh, Thermal};

/// Where there is a choice, no more numbers of one kind are written: both kinds together then stay below MongoDB's
/// 16 MB for a document. The compact force constants of a large cell without symmetry may be more, and need GridFS.
const MOST: usize = 400_000;

/// What has been computed.
pub(super) struct Found<'a> {
    pub crystal: &'a Crystal,
    pub constants: &'a ForceConstants,
    pub mesh: &'a Mesh,
}

/// Whether eigenvectors of so many branches at so many points go into the document.
pub(super) fn keeps_eigenvectors(points: usize, branches: usize) -> bool {
    2 * points * branches * branches <= MOST
}

/// The results with thermal properties at `temperatures` (K), unless `stop` says so.
pub(super) fn results(found: &Found, temperatures: &[f64], stop: &dyn Fn() -> bool) -> Result<Value> {
    let Found { mesh, .. } = found;
    let sampling = mesh.sampling();
    let zero_point = mesh.thermal(&[0.0], stop)?.free_energy;
    let mut results = object([
        ("lowest_frequency", json!(mesh.lowest().map(|(frequency, _)| frequency))),
        ("mesh_properties", mesh_properties(mesh)),
        ("thermal_properties", thermal_properties(&mesh.thermal(temperatures, stop)?)),
        ("total_dos", json!({"frequency_points": sampling, "total_dos": mesh.total_dos(&sampling, stop)?})),
        ("zero_point_energy", json!(zero_point.first())),
    ]);
    results.extend(force_constants(found));
    if mesh.eigenvectors.is_empty() {
        results.insert("left_out".into(), json!(["eigenvectors"]));
    }
    Ok(results.into())
}

fn mesh_properties(mesh: &Mesh) -> Value {
    let eigenvectors = if mesh.eigenvectors.is_empty() { Value::Null } else { eigenvectors(mesh) };
    object([
        ("qpoints", json!(mesh.grid.points)),
        ("weights", json!(mesh.grid.weights)),
        ("frequencies", json!(mesh.frequencies)),
        ("eigenvectors", eigenvectors),
    ])
    .into()
}

/// For each point a matrix whose columns are the modes, as an array of complex numbers that monty reads: all real
/// parts, then all imaginary ones.
fn eigenvectors(mesh: &Mesh) -> Value {
    let part = |of: fn(&nalgebra::Complex<f64>) -> f64| -> Vec<Vec<Vec<f64>>> {
        let matrix = |modes: &Vec<Vec<nalgebra::Complex<f64>>>| {
            (0..modes.len()).map(|row| modes.iter().map(|mode| of(&mode[row])).collect()).collect()
        };
        mesh.eigenvectors.iter().map(matrix).collect()
    };
    json!({"@module": "numpy", "@class": "array", "dtype": "complex128", "data": [part(|x| x.re), part(|x| x.im)]})
}

fn thermal_properties(thermal: &Thermal) -> Value {
    json!({
        "temperatures": thermal.temperatures,
        "free_energy": thermal.free_energy,
        "entropy": thermal.entropy,
        "heat_capacity": thermal.heat_capacity,
    })
}

/// Those of all pairs of the supercell, or of the atoms `p2s_map` of the primitive cell with all others: phonopy
/// takes either.
fn force_constants(found: &Found) -> Map<String, Value> {
    let atoms = found.crystal.sites.len();
    if 9 * atoms * atoms <= MOST {
        return object([
            ("force_constants", json!(found.constants.full(found.crystal))),
            ("force_constants_form", "full".into()),
        ]);
    }
    object([
        ("force_constants", json!(found.constants.compact())),
        ("force_constants_form", "compact".into()),
        ("p2s_map", json!(found.crystal.firsts)),
    ])
}
