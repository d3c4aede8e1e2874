//! `bulk` and `molecule` against what ASE 3.29.0 builds (`fixtures/builders/generate.py`).

use serde_json::Value;
use volley::science::build::{BulkOptions, bulk, molecule, molecule_names};
use volley::science::column::Values;
use volley::science::{Atoms, Result};

use super::{difference, fixture, get};

fn compare(what: &str, built: &Atoms, expected: &Value) {
    assert_eq!(built.numbers(), get::<Vec<u8>>(expected, "numbers"), "{what}");
    assert_eq!(built.pbc(), get::<[bool; 3]>(expected, "pbc"), "{what}");
    assert!(difference(built.cell(), &get::<[[f64; 3]; 3]>(expected, "cell")) < 1e-12, "{what}");
    let positions: Vec<[f64; 3]> = get(expected, "positions");
    assert!(difference(built.positions(), &positions) < 1e-12, "{what}");
    let moments = built.column("initial_magmoms").map(|column| column.values.clone());
    let expected: Option<Vec<f64>> = get(expected, "magmoms");
    assert_eq!(moments, expected.map(Values::Real), "{what}");
}

fn build(case: &Value) -> Result<Atoms> {
    let name: String = get(case, "name");
    let options = &case["options"];
    let flag = |key: &str| options[key].as_bool().unwrap_or(false);
    let number = |key: &str| options[key].as_f64();
    let options = BulkOptions {
        crystalstructure: options["crystalstructure"].as_str().map(str::to_owned),
        a: number("a"),
        b: number("b"),
        c: number("c"),
        covera: number("covera"),
        alpha: number("alpha"),
        u: number("u"),
        cubic: flag("cubic"),
        orthorhombic: flag("orthorhombic"),
    };
    bulk(&name, &options)
}

#[test]
fn bulk_builds_what_ase_builds_and_refuses_what_it_refuses() {
    let cases = fixture("builders/bulk.json");
    for case in cases.as_array().expect("cases") {
        let what = format!("{} {}", case["name"], case["options"]);
        match build(case) {
            Ok(built) => {
                assert!(!case["atoms"].is_null(), "{what}: ASE refuses");
                compare(&what, &built, &case["atoms"]);
            }
            Err(error) => assert!(case["atoms"].is_null(), "{what}: {error}"),
        }
    }
}

#[test]
fn molecules_are_those_of_ase() {
    let cases = fixture("builders/molecules.json");
    let cases = cases.as_object().expect("molecules");
    assert_eq!(molecule_names().count(), cases.len());
    for (name, expected) in cases {
        compare(name, &molecule(name).expect("a molecule"), expected);
    }
}

#[test]
fn what_cannot_be_built_is_explained() {
    let message = |name: &str, options: BulkOptions| bulk(name, &options).expect_err(name).to_string();
    let named =
        |structure: &str| BulkOptions { crystalstructure: Some(structure.to_owned()), ..BulkOptions::default() };
    assert!(message("Xx", BulkOptions::default()).contains("unknown element \"Xx\""));
    assert!(message("Cu", named("diamnd")).contains("did you mean diamond?"));
    assert!(message("Cu", named("bcc")).contains("give a for bcc"));
    assert!(message("Cu", named("rocksalt")).contains("rocksalt takes 2 symbols, not 1"));
    assert!(message("H", BulkOptions::default()).contains("no reference crystal"));
    assert!(molecule("N3").expect_err("N3").to_string().contains("N2"));
}
