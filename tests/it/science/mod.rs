//! The science room: against ASE and quacc, and against itself.

mod barostats;
mod builders;
mod defect_flows;
mod defects;
mod dynamics;
mod elastic;
mod formats;
mod formats_ase;
mod formats_cif;
mod md_pressure;
mod metadata;
mod phonon_flow;
mod phonons;
mod physics;
mod recipes;
mod relaxations;
mod single_points;
mod slab_flows;
mod slabs;
mod thermostats;

use serde_json::Value;
use volley::science::Atoms;

/// A JSON file below `tests/fixtures`.
pub fn fixture(path: &str) -> Value {
    let path = format!("{}/tests/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Deserialises one member of a fixture.
pub fn get<T: serde::de::DeserializeOwned>(value: &Value, key: &str) -> T {
    serde_json::from_value(value[key].clone()).unwrap_or_else(|error| panic!("{key}: {error}"))
}

/// A structure as the fixtures spell them: numbers, positions, cell, pbc, perhaps fixed.
pub fn atoms(value: &Value) -> Atoms {
    let fixed: Option<Vec<usize>> = get(value, "fixed");
    Atoms::new(get(value, "numbers"), get(value, "positions"))
        .and_then(|atoms| atoms.with_cell(get(value, "cell"), get(value, "pbc")))
        .and_then(|atoms| atoms.with_fixed(fixed.unwrap_or_default()))
        .expect("a valid structure")
}

/// The largest difference between two arrays of vectors.
pub fn difference<const N: usize>(left: &[[f64; N]], right: &[[f64; N]]) -> f64 {
    assert_eq!(left.len(), right.len());
    let pairs = left.as_flattened().iter().zip(right.as_flattened());
    pairs.fold(0.0, |most, (a, b)| if (a - b).abs() > most { (a - b).abs() } else { most })
}
