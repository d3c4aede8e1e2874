//! `bulk_to_slabs_flow` against quacc's, slab by slab. Atoms may stand in another order.

use serde_json::{Value, json};
use volley::recipes::{BulkToSlabsFlow, Context, Recipe};
use volley::science::structure;

use super::fixture;

fn compare(name: &str, parameters: Value) {
    let record = fixture(&format!("emt/e2e_bulk_to_slabs_flow_{name}.json"));
    let bulk = structure::build(&record["input"]).expect("a structure");
    let flow = BulkToSlabsFlow::from_value(&parameters).expect("parameters");
    let found = flow.run(&bulk, &Context::new("/somewhere")).expect("a document");
    for part in ["relax", "static"] {
        let lists = [&found, &record["document"]].map(|document| document[part].as_array().expect("a list"));
        assert_eq!(lists[0].len(), lists[1].len(), "{name}: {part}");
        for (place, (found, expected)) in lists[0].iter().zip(lists[1]).enumerate() {
            compare_slab(&format!("{name}: {part} {place}"), found, expected);
        }
    }
}

fn compare_slab(place: &str, found: &Value, expected: &Value) {
    for key in ["name", "converged", "parameters", "parameters_opt", "quacc_version"] {
        assert_eq!(found[key], expected[key], "{place}: {key}");
    }
    let stats = [found, expected].map(|document| &document["atoms"]["atoms_info"]["slab_stats"]);
    assert_eq!(stats[0]["miller_index"], stats[1]["miller_index"], "{place}");
    near(place, &stats[0]["shift"], &stats[1]["shift"]);
    near(place, &found["results"]["energy"], &expected["results"]["energy"]);
    let steps = [found, expected].map(|document| document["trajectory"].as_array().map(Vec::len));
    assert_eq!(steps[0], steps[1], "{place}");
    let energies = [found, expected].map(|document| {
        let mut energies: Vec<f64> =
            serde_json::from_value(document["results"]["energies"].clone()).expect("a list of numbers");
        energies.sort_by(f64::total_cmp);
        energies
    });
    assert_eq!(energies[0].len(), energies[1].len(), "{place}");
    let off = energies[0].iter().zip(&energies[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(off < 1e-7, "{place}: {off}");
    for key in ["structure_metadata", "input_atoms"] {
        let of = |document: &Value| document[key].get("structure_metadata").unwrap_or(&document[key]).clone();
        let (found, expected) = (of(found), of(expected));
        for key in ["nsites", "formula_pretty", "chemsys", "composition"] {
            assert_eq!(found[key], expected[key], "{place}");
        }
        assert_eq!(found["symmetry"]["number"], expected["symmetry"]["number"], "{place}");
        near(place, &found["density"], &expected["density"]);
    }
}

fn near(place: &str, found: &Value, expected: &Value) {
    let numbers = [found, expected].map(|value| value.as_f64().unwrap_or_else(|| panic!("{place}: {value}")));
    assert!((numbers[0] - numbers[1]).abs() < 1e-7, "{place}: {found} for {expected}");
}

#[test]
fn the_flow_of_the_primitive_cell() {
    compare("static", json!({}));
}

#[test]
fn the_flow_without_static_calculations() {
    compare("nostatic", json!({"run_static": false}));
}

#[test]
fn the_flow_of_the_conventional_cell() {
    compare("conventional_static", json!({}));
}

#[test]
fn a_flow_with_settings_of_its_own() {
    let kwargs = json!({
        "max_index": 1, "min_slab_size": 6.0, "min_vacuum_size": 8.0, "min_length_width": 4.0, "z_fix": null,
    });
    let relax = json!({"opt_params": {"fmax": 0.05}});
    compare("custom", json!({"make_slabs_kwargs": kwargs, "job_params": {"relax_job": relax}, "compat": "quacc"}));
}

#[test]
fn wrong_parameters_are_explained() {
    let wrong = |parameters: Value| BulkToSlabsFlow::from_value(&parameters).expect_err("wrong").to_string();
    for (parameters, part) in [
        (json!({"make_slabs_kwargs": {"max_idx": 1}}), "did you mean \"max_index\"?"),
        (json!({"make_slabs_kwargs": {"max_index": 0}}), "max_index: must be a whole number from 1 to 20, not 0"),
        (json!({"make_slabs_kwargs": {"min_slab_size": -1}}), "min_slab_size: must be a number above 0, not -1"),
        (json!({"make_slabs_kwargs": {"repair": true}}), "repair in make_slabs_kwargs is not supported yet"),
        (json!({"make_slabs_kwargs": {"allowed_surface_symbols": ["Xx"]}}), "unknown element \"Xx\""),
        (json!({"job_params": {"relaxjob": {}}}), "did you mean \"relax_job\"?"),
        (json!({"job_params": {"static_job": {"opt_params": {}}}}), "unknown key \"opt_params\""),
        (json!({"compat": "pymatgen"}), "there is only compat: quacc"),
        (json!({"run_statik": true}), "did you mean \"run_static\"?"),
    ] {
        let message = wrong(parameters);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn null_is_as_good_as_absent() {
    let of = |parameters: Value| BulkToSlabsFlow::from_value(&parameters).expect("is right");
    let nothing = json!({"job_params": {"all": null, "relax_job": null, "static_job": null}});
    assert_eq!(of(nothing), of(json!({})));
}
