//! `bulk`, `molecule`, `surface`, `add_adsorbate` and `supercell` against what ASE 3.29.0 builds (`fixtures/builders/generate.py`).

use std::collections::BTreeMap;

use serde_json::{Value, json};
use volley::science::build::{
    AdsorbateOptions, BulkOptions, Place, Supercell, add_adsorbate, bulk, molecule, molecule_names, supercell,
};
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

/// What is noted of the sites of a surface, where ASE's note is in the fixture.
fn compare_sites(what: &str, built: &Atoms, expected: &Value) {
    let (Some(found), Some(expected)) = (built.info().get("adsorbate_info"), expected.get("adsorbate_info")) else {
        return;
    };
    let top = "top layer atom index";
    assert_eq!(found[top], expected[top], "{what}");
    let cell = |note: &Value| get::<[[f64; 2]; 2]>(note, "cell");
    assert!(difference(&cell(found), &cell(expected)) < 1e-12, "{what}");
    let sites = |note: &Value| get::<BTreeMap<String, [f64; 2]>>(note, "sites");
    assert_eq!(sites(found), sites(expected), "{what}");
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
                compare_sites(&what, &built, &case["atoms"]);
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
fn adsorbates_are_where_ase_puts_them() {
    build_all("builders/adsorbates.json");
}

#[test]
fn supercells_are_those_of_ase() {
    build_all("builders/supercells.json");
}

/// What a slab with adsorbates is stored as is what it was, and something else can be put on it.
#[test]
fn sites_are_known_after_a_slab_was_stored_and_repeated() {
    let spec = json!({"surface": {"name": "fcc100", "symbol": "Pt", "size": [1, 1, 2], "vacuum": 6.0,
        "adsorbate": {"molecule": "O2", "height": 2.0, "position": "hollow"}, "supercell": [2, 1, 1]}});
    let slab = structure::build(&spec).expect("a slab");
    let stored = structure::build(&structure::plain(&slab)).expect("the same");
    assert_eq!((slab.formula(), &stored), ("O4Pt4".to_owned(), &slab));
    let options =
        AdsorbateOptions { height: 1.0, position: Place::Site("bridge".into()), offset: [1.0, 0.0], mol_index: 0 };
    let covered = add_adsorbate(&stored, &molecule("CO").expect("CO"), &options).expect("covered");
    let top = slab.positions()[1];
    let step = 3.92 / 2f64.sqrt();
    let expected = [1.5 * step, 0.0, top[2] + 1.0];
    assert!(difference(&[covered.positions()[8]], &[expected]) < 1e-12);
    let moments = covered.column("initial_magmoms").map(|column| column.values.clone());
    let pair = [0.0, 0.0, 1.0, 1.0];
    assert_eq!(moments, Some(Values::Real([pair, pair, [0.0; 4]].concat()[..10].to_vec())));
    assert_eq!(covered.info()["adsorbate_info"]["top layer atom index"], 1);
}

#[test]
fn a_slab_without_sites_takes_places_and_offsets_in_its_cell() {
    let slab = structure::build(&json!({"symbols": "Cu2", "positions": [[0, 0, 1], [1, 1, 3]], "cell": [4, 5, 9],
        "fixed": [0], "columns": {"label": ["a", "b"]}, "info": {"note": 1}}))
    .expect("atoms");
    let atom = Atoms::new(vec![8], vec![[7.0, 8.0, 9.0]]).expect("an atom");
    let at = |position: Place| AdsorbateOptions { height: 0.5, position, offset: [0.5, -1.0], mol_index: 0 };
    let covered = add_adsorbate(&slab, &atom, &at(Place::Point([0.25, 0.5]))).expect("covered");
    assert_eq!(covered.positions()[2], [2.25, -4.5, 3.5]);
    assert_eq!(covered.fixed().iter().copied().collect::<Vec<usize>>(), [0]);
    let labels = ["a", "b", ""].map(str::to_owned).to_vec();
    assert_eq!(covered.column("label").map(|column| &column.values), Some(&Values::Text(labels)));
    assert_eq!(
        (&covered.info()["note"], &covered.info()["adsorbate_info"]),
        (&json!(1), &json!({"top layer atom index": 1}))
    );
    let error = add_adsorbate(&slab, &atom, &at(Place::Site("ontop".into()))).expect_err("no sites").to_string();
    assert!(
        error.ends_with(
            "position \"ontop\": sites have names only on a surface that was built by name: give x and y (Angstrom)"
        ),
        "{error}"
    );
}

/// ASE's JSON has the cell of a surface as an array of numpy.
#[test]
fn sites_that_ase_noted_are_known() {
    let built = structure::build(&json!({"surface": {"name": "fcc111", "symbol": "Cu", "size": [2, 1, 2]}}));
    let mut slab = built.expect("a slab");
    let options =
        AdsorbateOptions { height: 1.0, position: Place::Site("fcc".into()), offset: [1.0, 0.0], mol_index: 0 };
    let atom = Atoms::new(vec![1], vec![[0.0; 3]]).expect("an atom");
    let covered = add_adsorbate(&slab, &atom, &options).expect("covered");
    let flat = slab.info()["adsorbate_info"]["cell"].as_array().expect("rows").iter().flat_map(|row| row.as_array());
    let flat: Vec<Value> = flat.flatten().cloned().collect();
    slab.info_mut()["adsorbate_info"]["cell"] = json!({"__ndarray__": [[2, 2], "float64", flat]});
    let again = add_adsorbate(&slab, &atom, &options).expect("covered");
    assert_eq!(again.positions(), covered.positions());
    slab.info_mut()["adsorbate_info"]["cell"] = json!([1.0, 2.0]);
    let error = add_adsorbate(&slab, &atom, &options).expect_err("no cell").to_string();
    assert_eq!(error, "cell of adsorbate_info has 2 entries where 4 are needed");
}

#[test]
fn wrong_adsorbates_are_explained() {
    let message = |name: &str, symbol: &str, adsorbate: Value| {
        let spec = json!({"name": name, "symbol": symbol, "size": [1, 2, 2], "adsorbate": adsorbate});
        structure::build(&json!({"surface": spec})).expect_err("wrong").to_string()
    };
    let on = |adsorbate: Value| message("fcc111", "Cu", adsorbate);
    let cases = [
        (on(json!({"symbol": "O"})), "adsorbate: height is missing"),
        (on(json!({"height": 1})), "adsorbate: needs a molecule or the symbol of an atom"),
        (
            on(json!({"symbol": "O", "molecule": "CO", "height": 1})),
            "adsorbate: needs a molecule or the symbol of an atom",
        ),
        (on(json!({"symbol": "Qq", "height": 1})), "unknown element \"Qq\""),
        (on(json!("O")), "adsorbate: must be an object, not \"O\""),
        (on(json!({"symbol": "O", "hight": 1})), "unknown key \"hight\" in adsorbate (did you mean \"height\"?)"),
        (on(json!({"symbol": "O", "height": "1"})), "height of adsorbate: must be a number, not \"1\""),
        (
            on(json!({"symbol": "O", "height": 1, "position": "hollow"})),
            "cannot build the adsorbate: there is no site \"hollow\" here (known are bridge, fcc, hcp, ontop)",
        ),
        (
            on(json!([{"symbol": "O", "height": 1}, {"symbol": "O", "height": 1, "position": "on-top"}])),
            "cannot build the adsorbate: there is no site \"on-top\" here (did you mean ontop?)",
        ),
        (
            on(json!({"symbol": "O", "height": 1, "position": 1})),
            "position of adsorbate: must be the name of a site, or x and y (Angstrom), not 1",
        ),
        (
            on(json!({"symbol": "O", "height": 1, "position": [1]})),
            "position of adsorbate has 1 entries where 2 are needed",
        ),
        (on(json!({"symbol": "O", "height": 1, "offset": 1})), "offset of adsorbate: must be a list, not 1"),
        (
            on(json!({"molecule": "CO", "height": 1, "mol_index": 2})),
            "mol_index names atom 2, but there are only 2 atoms (counted from 0)",
        ),
        (message("bcc110", "Ni", json!([])), "cannot build surface bcc110 of Ni: its crystal is not bcc: give a"),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
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
        (surface("c", json!(4.1)), "cannot build surface fcc111 of Cu: c is for hcp surfaces, its crystal is fcc"),
        (
            surface("name", json!("diamond111")),
            "cannot build surface diamond111 of Cu: its crystal is not diamond: give a",
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
