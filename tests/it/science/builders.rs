//! `bulk`, `molecule`, `surface` and `supercell` against what ASE 3.29.0 builds (`fixtures/builders/generate.py`).

use serde_json::{Value, json};
use volley::science::build::{BulkOptions, Supercell, bulk, molecule, molecule_names, supercell};
use volley::science::column::Values;
use volley::science::{Atoms, Result, structure};

use super::{difference, fixture, get};

fn compare(what: &str, built: &Atoms, expected: &Value) {
    let tags_expected: Option<Vec<i64>> = get(expected, "tags");
    assert_eq!(built.numbers(), get::<Vec<u8>>(expected, "numbers"), "{what}");
    assert_eq!(built.pbc(), get::<[bool; 3]>(expected, "pbc"), "{what}");
    assert!(difference(built.cell(), &get::<[[f64; 3]; 3]>(expected, "cell")) < 1e-12, "{what}");
    let positions: Vec<[f64; 3]> = get(expected, "positions");
    assert!(difference(built.positions(), &positions) < 1e-12, "{what}");
    let moments = built.column("initial_magmoms").map(|column| column.values.clone());
    let expected: Option<Vec<f64>> = get(expected, "magmoms");
    assert_eq!(moments, expected.map(Values::Real), "{what}");
    let tags = built.column("tags").map(|column| column.values.clone());
    assert_eq!(tags, tags_expected.map(Values::Int), "{what}");
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

/// Every case is built as ASE builds it, or refused where ASE refuses.
fn build_all(path: &str) {
    for case in fixture(path).as_array().expect("cases") {
        let what = case["spec"].to_string();
        match structure::build(&case["spec"]) {
            Ok(built) => {
                assert!(!case["atoms"].is_null(), "{what}: ASE refuses");
                compare(&what, &built, &case["atoms"]);
            }
            Err(error) => assert!(case["atoms"].is_null(), "{what}: {error}"),
        }
    }
}

#[test]
fn surfaces_are_those_of_ase() {
    build_all("builders/surfaces.json");
}

#[test]
fn supercells_are_those_of_ase() {
    build_all("builders/supercells.json");
}

#[test]
fn supercells_keep_what_atoms_carry() {
    let atoms = structure::build(
        &json!({"symbols": "CuNi", "positions": [[0, 0, 0], [1.8, 1.8, 1.8]], "cell": [3.6, 3.6, 3.6],
        "fixed": [1], "tags": [4, 5], "columns": {"label": ["a", "b"]}, "info": {"note": 1}}),
    )
    .expect("atoms");
    for how in [Supercell::Repeat([1, 1, 2]), Supercell::Matrix([[1, 0, 0], [0, 1, 0], [0, 0, 2]])] {
        let made = supercell(&atoms, how).expect("a supercell");
        assert_eq!(made.fixed().iter().copied().collect::<Vec<usize>>(), [1, 3]);
        assert_eq!(made.column("tags").map(|column| &column.values), Some(&Values::Int(vec![4, 5, 4, 5])));
        let labels = ["a", "b", "a", "b"].map(str::to_owned).to_vec();
        assert_eq!(made.column("label").map(|column| &column.values), Some(&Values::Text(labels)));
        assert_eq!(made.info()["note"], 1);
    }
}

#[test]
fn wrong_surfaces_and_supercells_are_explained() {
    let message = |spec: Value| structure::build(&spec).expect_err("wrong").to_string();
    let surface = |key: &str, value: Value| {
        let mut spec = json!({"name": "fcc111", "symbol": "Cu", "size": [1, 1, 3], "vacuum": 10.0});
        spec[key] = value;
        message(json!({"surface": spec}))
    };
    let cases = [
        (surface("nam", json!(1)), "unknown key \"nam\" in surface (did you mean \"name\"?)"),
        (
            surface("name", json!("fcc11")),
            "cannot build surface fcc11 of Cu: unknown surface \"fcc11\" (did you mean fcc111?)",
        ),
        (surface("symbol", json!("Fe")), "cannot build surface fcc111 of Fe: its crystal is not fcc: give a"),
        (surface("size", json!([1, 1])), "size has 2 entries where 3 are needed"),
        (surface("size", json!([1, 0, 3])), "size: must hold whole numbers above 0, not [1,0,3]"),
        (surface("size", json!(null)), "surface: size is missing"),
        (surface("vacuum", json!(-1)), "vacuum of surface: must be a number above 0, not -1"),
        (
            surface("orthogonal", json!(true)),
            "cannot build surface fcc111 of Cu: an orthogonal cell of fcc111 needs an even second number of size",
        ),
        (
            message(json!({"bulk": {"name": "Cu", "supercell": [[1, 0, 0], [0, 1, 0]]}})),
            "supercell has 2 entries where 3 are needed",
        ),
        (
            message(json!({"bulk": {"name": "Cu", "supercell": [[1, 0, 0], [0, 1, 0], [1, 1, 0]]}})),
            "cannot build the supercell: its vectors are zero or linearly dependent",
        ),
        (
            message(json!({"bulk": {"name": "Cu", "supercell": [1000, 1000, 1000]}})),
            "cannot build the supercell: it is too large or too skewed",
        ),
        (message(json!({"bulk": {"name": "Cu", "supercell": 2}})), "supercell: must be a list, not 2"),
        (
            message(json!({"surface": {"name": "fcc100", "symbol": "Cu", "size": [1, 1, 1], "supercell": [1, 1, 2]}})),
            "cannot build the supercell: vector c of the cell is zero: nothing repeats along it",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
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
