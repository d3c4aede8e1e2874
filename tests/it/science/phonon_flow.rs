//! Documents of `phonon_flow` against those of quacc 1.8.2, and what its user is told.

use std::cell::Cell;

use serde_json::{Value, json};
use volley::recipes::{Context, Error, PhononFlow, Recipe, Summary, warnings};
use volley::science::{Atoms, structure};

use super::{fixture, get};

const CONTEXT: Context<'static> = Context { dir_name: "/somewhere", interrupt: &|| false, observe: &|_| () };

fn flow(parameters: Value) -> PhononFlow {
    PhononFlow::from_value(&parameters).expect("parameters")
}

fn built(value: Value) -> Atoms {
    structure::build(&value).expect("a structure")
}

fn computed(value: Value, parameters: Value) -> Value {
    flow(parameters).run(&built(value), &CONTEXT).expect("a document")
}

fn keys(value: &Value) -> Vec<String> {
    value.as_object().expect("an object").keys().cloned().collect()
}

/// Numbers in any depth of lists.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().expect("a number")],
    }
}

fn off(found: &[f64], expected: &[f64]) -> f64 {
    found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max)
}

#[test]
fn documents_are_those_of_quacc() {
    for (name, parameters) in [("Cu_default", json!({})), ("NiAl_min10", json!({"min_lengths": 10.0, "t_step": 100}))] {
        let record = fixture(&format!("emt/e2e_phonon_flow_{name}.json"));
        let found = computed(record["input"].clone(), parameters);
        let expected = &record["document"];
        let mut known = get::<Vec<String>>(&record, "document_keys");
        if name.starts_with("NiAl") {
            // At this lattice constant EMT has modes of 2.7i THz, of which quacc says nothing.
            known.push("warnings".into());
        }
        known.sort();
        assert_eq!(keys(&found), known, "{name}");
        for key in ["name", "parameters", "quacc_version"] {
            assert_eq!(found[key], expected[key], "{name}, {key}");
        }
        assert_eq!(
            found["structure_metadata"]["symmetry"]["number"],
            expected["structure_metadata"]["symmetry"]["number"]
        );
        let (own, theirs) = (&found["results"], &expected["results"]);
        for key in ["temperatures", "free_energy", "entropy", "heat_capacity"] {
            let of = |results: &Value| numbers(&results["thermal_properties"][key]);
            assert_eq!(of(own).len(), of(theirs).len(), "{name}");
            let off = off(&of(own), &of(theirs));
            assert!(off < 1e-8, "{name}, {key}: {off}");
        }
        let (mesh, reference) = (&own["mesh_properties"], &theirs["mesh"]);
        assert_eq!(mesh["qpoints"].as_array().map(Vec::len), Some(get::<usize>(reference, "n_qpoints")), "{name}");
        for (key, theirs, skipped) in
            [("qpoints", "qpoints", 0), ("weights", "weights", 0), ("frequencies", "frequencies_THz", 1)]
        {
            let first = |list: &Value| numbers(&list.as_array().expect("a list")[skipped..20].to_vec().into());
            let off = off(&first(&mesh[key]), &first(&reference[theirs]));
            assert!(off < 1e-6, "{name}, {key}: {off}");
        }
        for (key, tolerance) in [("frequency_points", 1e-4), ("total_dos", 1e-3)] {
            let of = |results: &Value| numbers(&results["total_dos"][key]);
            let off = off(&of(own), &of(theirs));
            assert!(off < tolerance, "{name}, {key}: {off}");
        }
        let row = own["force_constants"][0].as_array().expect("a row")[..60].to_vec();
        let off = off(&numbers(&row.into()), &numbers(&theirs["force_constants_first"]));
        assert!(off < 1e-8, "{name}: {off}");
    }
}

#[test]
fn large_arrays_take_a_shorter_form_that_is_named() {
    let found = computed(json!({"bulk": "Cu"}), json!({"min_lengths": 15}));
    let results = &found["results"];
    // 6 x 6 x 6 cells.
    assert_eq!((&results["force_constants_form"], &results["p2s_map"]), (&json!("compact"), &json!([0])));
    let rows = results["force_constants"].as_array().expect("rows");
    assert_eq!((rows.len(), rows[0].as_array().map(Vec::len)), (1, Some(216)));
    assert_eq!(results["left_out"], Value::Null);
    assert_eq!(found["phonopy_metadata"]["natoms_primitive"], 1);
    let vectors = &results["mesh_properties"]["eigenvectors"];
    assert_eq!((&vectors["@class"], &vectors["dtype"]), (&json!("array"), &json!("complex128")));
    assert_eq!(numbers(&vectors["data"]).len(), 2 * 2769 * 9);

    let slab = json!({"surface": {"name": "fcc111", "symbol": "Cu", "size": [1, 1, 6], "vacuum": 5}});
    let parameters = json!({"supercell_matrix": [[2, 0, 0], [0, 2, 0], [0, 0, 1]], "fixed_atom_indices": [0]});
    let found = computed(slab, parameters);
    let results = &found["results"];
    assert_eq!(results["left_out"], json!(["eigenvectors"]));
    assert!(!keys(&results["mesh_properties"]).contains(&"eigenvectors".to_owned()));
    assert_eq!(results["force_constants"].as_array().map(Vec::len), Some(5 * 4), "all pairs of those that move");
    assert_eq!((&results["force_constants_form"], &results["p2s_map"]), (&json!("full"), &Value::Null));
    assert_eq!(found["phonopy_metadata"]["natoms_primitive"], 5);
    let count = |key: &str| built(found[key].clone()).len();
    assert_eq!((count("atoms"), count("displaced_atoms"), count("non_displaced_atoms")), (6, 5, 1));
}

#[test]
fn what_is_not_at_rest_is_told() {
    let copper = |a: f64| computed(json!({"bulk": {"name": "Cu", "a": a}}), json!({"min_lengths": 6}));
    assert_eq!(warnings(&copper(3.59)).len(), 0);
    // Forces are zero by symmetry, but the cell is stretched.
    let told = warnings(&copper(3.9));
    assert!(told[0].contains("stress of up to") && told[0].contains("relax_cell"), "{told:?}");
    // A chain of copper in a cell that is far too long.
    let moved =
        json!({"numbers": [29, 29], "positions": [[0, 0, 0], [1.9, 1.8, 0.1]], "cell": [3.6, 3.6, 3.6], "pbc": true});
    let found = computed(moved, json!({"min_lengths": 5}));
    let told = warnings(&found);
    assert!(told.iter().any(|warning| warning.contains("on the atoms at rest")), "{told:?}");
    assert!(told.iter().any(|warning| warning.contains("modes are imaginary")), "{told:?}");
    let held =
        built(json!({"symbols": "Cu", "positions": [[0, 0, 0]], "cell": [2.5, 2.5, 2.5], "pbc": true, "fixed": [0]}));
    assert!(flow(json!({})).notices(&held)[0].contains("fixed_atom_indices"));
}

#[test]
fn a_summary_has_the_gist() {
    let found = computed(json!({"bulk": "Cu"}), json!({"min_lengths": 6}));
    let row = Summary::of(&found).expect("a summary");
    assert_eq!((row.name.as_str(), row.energy, row.steps), ("EMT Phonons", None, None));
    assert!(row.lowest_frequency.is_some_and(|lowest| lowest > 0.1 && lowest < 1.0), "{row:?}");
    assert!(row.zero_point_energy.is_some_and(|energy| (energy - 3.1).abs() < 0.3), "{row:?}");
    assert!(row.heat_capacity.is_some_and(|heat| (heat - 23.4).abs() < 0.3), "{row:?}");
    assert!(row.sentence().contains("THz"), "{}", row.sentence());
    for (range, known) in [
        (json!({"t_max": 50}), false),
        (json!({"t_step": 298.15}), false),
        (json!({"t_min": 0.4, "t_step": 100}), true),
    ] {
        let mut parameters = json!({"min_lengths": 6});
        parameters.as_object_mut().expect("an object").extend(range.as_object().expect("an object").clone());
        let found = Summary::of(&computed(json!({"bulk": "Cu"}), parameters)).expect("a summary");
        assert_eq!(found.heat_capacity.is_some(), known, "{range}: whether 300 K was asked for");
    }
}

#[test]
fn phonons_can_be_interrupted() {
    let low = json!({"numbers": [29, 79, 28], "positions": [[0, 0, 0], [2.2, 2.0, 0.4], [0.7, 2.0, 2.2]],
        "cell": [[4.1, 0, 0], [0.3, 4.2, 0], [0.2, -0.2, 4.0]], "pbc": true});
    // Displacements, the mesh, the thermal properties, the density of states.
    let all = Cell::new(0);
    let counting = || {
        all.set(all.get() + 1);
        false
    };
    let context = Context { interrupt: &counting, ..CONTEXT };
    flow(json!({"min_lengths": 4})).run(&built(low.clone()), &context).expect("a document");
    let (points, temperatures) = ((all.get() - 18 - 1 - 101) / 2, 101);
    for stops_after in [2, 25, 18 + points + temperatures / 2, 18 + points + temperatures + 10] {
        let asked = Cell::new(0);
        let interrupt = || asked.replace(asked.get() + 1) == stops_after;
        let context = Context { interrupt: &interrupt, ..CONTEXT };
        let ended = flow(json!({"min_lengths": 4})).run(&built(low.clone()), &context);
        // Eighteen displacements, then the mesh.
        let expected = stops_after.min(18);
        assert!(matches!(ended, Err(Error::Interrupted { steps }) if steps == expected), "{ended:?}");
    }
}

#[test]
fn wrong_parameters_are_explained() {
    for (parameters, words) in [
        (json!({"min_length": 10}), "did you mean \"min_lengths\"?"),
        (json!({"min_lengths": -1}), "min_lengths: must be a length above 0, or three, not -1"),
        (json!({"min_lengths": [10, 10]}), "min_lengths: must be a length above 0, or three, not [10,10]"),
        (json!({"supercell_matrix": [2, 2, 2]}), "supercell_matrix: must be three rows of three whole numbers"),
        (json!({"supercell_matrix": [[1001, 0, 0], [0, 1, 0], [0, 0, 1]]}), "whole numbers from -1000 to 1000"),
        (json!({"displacement": 0}), "displacement: must be from 1e-5 to 0.5 Angstrom, not 0.0"),
        (json!({"displacement": 1}), "displacement: must be from 1e-5 to 0.5 Angstrom, not 1.0"),
        (json!({"symprec": 1e-300}), "symprec: must be from 1e-8 to 0.5 Angstrom, not 1e-300"),
        (json!({"symprec": 3}), "symprec: must be from 1e-8 to 0.5 Angstrom, not 3.0"),
        (json!({"fixed_atom_indices": [-1]}), "fixed_atom_indices: must be a list of atoms, counted from 0, not [-1]"),
        (json!({"t_step": 0}), "t_step"),
        (json!({"t_min": 500, "t_max": 100}), "temperatures from 500.0 to 100.0 K"),
        (json!({"t_step": 0.09}), "10001 of them at most"),
        (json!({"t_max": 1e300}), "to 1e300 K"),
        (json!({"job_params": {"relax_job": {}}}), "unknown key \"relax_job\" in job_params"),
        (json!({"job_params": {"all": {"calc_params": {"asap": true}}}}), "unknown key \"asap\" in calc_params"),
    ] {
        let wrong = PhononFlow::from_value(&parameters).expect_err("wrong").to_string();
        assert!(wrong.contains(words), "{parameters}: {wrong}");
    }
    let copper = json!({"bulk": "Cu"});
    for (structure, parameters, words) in [
        (json!({"molecule": "N2"}), json!({}), "phonons need a cell of three independent vectors"),
        (json!({"bulk": "Fe"}), json!({}), "no EMT parameters for Fe"),
        (copper.clone(), json!({"fixed_atom_indices": [1]}), "fixed_atom_indices names atom 1"),
        (copper.clone(), json!({"fixed_atom_indices": [0]}), "leaves no atom to displace"),
        (copper.clone(), json!({"supercell_matrix": [[1, 0, 0], [0, 1, 0], [1, 1, 0]]}), "determinant above 0"),
        (copper.clone(), json!({"min_lengths": 1000}), "more than 100000 atoms"),
        (copper.clone(), json!({"min_lengths": 1e7}), "10000000.0 Angstrom are more than 1000 times a, 2.553 Angstrom"),
        (copper.clone(), json!({"min_lengths": [5, 5, 1e300]}), "1e300 Angstrom are more than 1000 times c, 2.553"),
        (
            copper.clone(),
            json!({"supercell_matrix": [[1000, 1000, 1000], [1000, 1000, 999], [999, 1000, 1000]]}),
            "too skewed",
        ),
        (copper, json!({"symprec": 0.3}), "a tenth of the shortest distance between atoms, 2.5527 Angstrom"),
        (
            json!({"numbers": [29, 29], "positions": [[0, 0, 0], [0, 0, 3.6]], "cell": [3.6, 3.6, 3.6], "pbc": true}),
            json!({}),
            "apart",
        ),
    ] {
        let wrong = flow(parameters).check(&built(structure)).expect_err("wrong").to_string();
        assert!(wrong.contains(words), "{wrong}");
    }
}
