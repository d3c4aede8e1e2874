//! Metadata of structures against what quacc 1.8.2 says about them (`fixtures/metadata/generate.py`),
//! and where nothing can be said.

use serde_json::{Map, Value, json};
use volley::recipes::metadata;
use volley::science::{Atoms, structure, symmetry};

use super::fixture;

/// The metadata as a document has them: without nulls.
fn found(atoms: &Atoms) -> Value {
    fn tidy(value: Value) -> Value {
        let Value::Object(map) = value else { return value };
        map.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key, tidy(value))).collect()
    }
    tidy(metadata(atoms).1)
}

fn differences(place: &str, found: &Value, expected: &Value) -> Vec<String> {
    let tell = || vec![format!("{place}: {found} for {expected}")];
    match (found, expected) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = |map: &Map<String, Value>| map.keys().cloned().collect::<std::collections::BTreeSet<_>>();
            if keys(a) != keys(b) {
                return tell();
            }
            let members = a.iter().filter(|(key, _)| *key != "version");
            members.flat_map(|(key, value)| differences(&format!("{place}.{key}"), value, &b[key])).collect()
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().expect("number"), b.as_f64().expect("number"));
            if (a - b).abs() <= 1e-10 * b.abs() { Vec::new() } else { tell() }
        }
        (a, b) if a == b => Vec::new(),
        _ => tell(),
    }
}

fn compare(path: &str) {
    let cases = fixture(path);
    let wrong: Vec<String> = cases
        .as_array()
        .expect("cases")
        .iter()
        .enumerate()
        .flat_map(|(k, case)| {
            let atoms = structure::build(&case["structure"]).expect("a structure");
            let place = format!("{path}[{k}] {}", case["metadata"]["formula_pretty"]);
            differences(&place, &found(&atoms), &case["metadata"])
        })
        .collect();
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn molecules_are_described_as_by_quacc() {
    compare("metadata/molecules.json");
}

#[test]
fn what_cannot_be_computed_is_left_out() {
    let build = |spec: Value| structure::build(&spec).expect("a structure");
    let wire = build(json!({"symbols": ["Cu"], "positions": [[0.0, 0.0, 0.0]],
        "cell": [[2.5, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], "pbc": [true, false, false]}));
    let described = found(&wire);
    assert_eq!((&described["nsites"], &described["formula_pretty"]), (&json!(1), &json!("Cu")));
    for key in ["volume", "density", "density_atomic", "symmetry"] {
        assert_eq!(described.get(key), None, "{key}");
    }
    let many = symmetry::MOST_ATOMS + 1;
    let chain: Vec<[f64; 3]> = (0..many).map(|k| [2.5 * k as f64, 0.0, 0.0]).collect();
    let long = 2.5 * many as f64;
    let crystal = build(json!({"symbols": vec!["Cu"; many], "positions": chain, "cell": [long, 9.0, 9.0]}));
    assert_eq!(found(&crystal)["nsites"], many);
    assert_eq!(found(&crystal).get("symmetry"), None);
    let cluster = build(json!({"symbols": vec!["Cu"; many], "positions": chain}));
    assert_eq!(found(&cluster)["natoms"], many);
    assert_eq!(found(&cluster).get("symmetry"), None);
}

#[test]
fn the_version_is_the_one_built_in() {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.lock")).expect("the lock file");
    let version = symmetry::VERSION.replace("moyo ", "name = \"moyo\"\nversion = \"");
    assert!(lock.contains(&version), "{version}");
}

#[test]
fn crystals_and_slabs_are_described_as_by_quacc() {
    compare("metadata/crystals.json");
}
