//! `bulk_to_defects_flow`: energies of vacancies against ASE, documents, and what is refused.

use serde_json::{Value, json};
use volley::recipes::{BulkToDefectsFlow, Context, Error, Flow, Recipe, Summary};
use volley::science::{Atoms, structure};

use super::fixture;

/// A supercell of 31 atoms, for an fcc bulk of one.
fn small() -> Value {
    json!({"min_atoms": 8, "max_atoms": 40, "min_length": 5})
}

fn bulk(symbol: &str) -> Atoms {
    structure::build(&json!({"bulk": symbol})).expect("a structure")
}

fn run(bulk: &Atoms, parameters: Value) -> Value {
    let flow = BulkToDefectsFlow::from_value(&parameters).expect("parameters");
    flow.run(bulk, &Context::new("/somewhere")).expect("a document")
}

#[test]
fn vacancies_cost_what_they_cost_in_ase() {
    for record in fixture("emt/vacancy_energies.json")["records"].as_array().expect("records") {
        let element = record["element"].as_str().expect("a symbol");
        let conventional = structure::build(&json!({"bulk": {"name": element, "cubic": true}})).expect("a structure");
        for (fmax, key) in [(1e-5, "relaxed"), (0.01, "fmax_0.01")] {
            let relax = json!({"relax_job": {"opt_params": {"fmax": fmax}}});
            let found = run(&conventional, json!({"distortions": false, "run_static": false, "job_params": relax}));
            let energy = found["lowest"][0]["formation_energy"].as_f64().expect("a number");
            let expected = record[key].as_f64().expect("a number");
            assert!((energy - expected).abs() < 1e-6, "{element}, {key}: {energy} for {expected}");
            assert_eq!(found["relax"][0]["formation_energy"], energy, "{element}");
        }
    }
}

#[test]
fn every_geometry_has_a_document_with_quaccs_notes() {
    let found = run(&bulk("Cu"), json!({"make_defects_kwargs": small()}));
    let (relaxed, after) = (found["relax"].as_array().expect("a list"), found["static"].as_array().expect("a list"));
    assert_eq!((relaxed.len(), after.len()), (2, 2));
    for (document, name) in after.iter().zip(["Rattled", "Dimer"]) {
        let stats = &document["atoms"]["atoms_info"]["defect_stats"];
        let about = [&stats["defect_symbol"], &stats["defect_charge"], &stats["distortions"]];
        assert_eq!(about, [&json!("v_Cu"), &json!(0), &json!(name)]);
        assert_eq!(stats["bulk"]["numbers"], relaxed[0]["atoms"]["atoms_info"]["defect_stats"]["bulk"]["numbers"]);
        assert_eq!(stats["defect"]["multiplicity"], 1);
        let cost = document["formation_energy"].as_f64().expect("a number");
        assert!((1.2..1.3).contains(&cost), "{name}: {cost}");
        let row = Summary::of(document).expect("a row");
        assert_eq!((row.defect.as_deref(), row.distortion.as_deref()), (Some("v_Cu"), Some(name)));
        assert_eq!((row.site, row.formation_energy), (Some(0), Some(cost)));
        assert!(row.sentence().contains(&format!("v_Cu {name}: ")), "{}", row.sentence());
    }
    assert_eq!(Summary::all_of(&found).len(), 2);
    let energies = [&after[0], &after[1]].map(|document| document["results"]["energy"].as_f64().expect("a number"));
    assert_eq!(found["lowest"][0]["energy"], energies[0].min(energies[1]));
}

#[test]
fn a_compound_has_no_formation_energy() {
    let alloy =
        json!({"symbols": "NiAl", "positions": [[0, 0, 0], [1.45, 1.45, 1.45]], "cell": [2.9, 2.9, 2.9], "pbc": true});
    let alloy = structure::build(&alloy).expect("a structure");
    let parameters = json!({
        "make_defects_kwargs": {"min_atoms": 8, "max_atoms": 16, "min_length": 5, "rm_species": "Al"},
        "run_static": false,
        "distortions": false,
        "defect_gen": "pymatgen.analysis.defects.generators.VacancyGenerator",
    });
    let found = run(&alloy, parameters);
    assert_eq!(found["relax"].as_array().map(Vec::len), Some(1));
    assert!(found["relax"][0].get("formation_energy").is_none());
    assert_eq!((&found["lowest"][0]["defect"], &found["lowest"][0]["site"]), (&json!("v_Al"), &json!(1)));
}

#[test]
fn compounds_that_quacc_distorts_otherwise_are_warned_of() {
    let oxide = structure::build(&json!({"bulk": {"name": "NiO", "crystalstructure": "rocksalt", "a": 4.2}}));
    let oxide = oxide.expect("a structure");
    let of = |atoms: &Atoms, distortions: bool| {
        let parameters = json!({"make_defects_kwargs": small(), "distortions": distortions});
        let flow = BulkToDefectsFlow::from_value(&parameters).expect("parameters");
        flow.parts(atoms, &Context::new("/somewhere")).expect("parts").warnings
    };
    let relaxed = structure::build(&json!({"bulk": {"name": "Cu", "a": 3.59}})).expect("a structure");
    let [warning, stressed] = of(&oxide, true).try_into().expect("two warnings");
    assert!(warning.contains("NiO: geometries are those of an alloy"), "{warning}");
    assert_eq!(of(&oxide, false).as_slice(), [stressed.as_str()]);
    assert!(of(&relaxed, true).is_empty());
    let [left] = of(&bulk("Cu"), true).try_into().expect("one warning");
    assert_eq!(left, "Cu is under a stress of 2.2 GPa: relax its cell first");
    let huge = json!({"opt_params": {"fmax": 1e9}});
    let parameters = json!({"make_defects_kwargs": small(), "run_static": false, "job_params": {"relax_job": huge}});
    assert_eq!(run(&oxide, parameters)["warnings"], json!([warning, stressed]));
}

#[test]
fn parts_have_names() {
    let flow = BulkToDefectsFlow::from_value(&json!({"make_defects_kwargs": small()})).expect("parameters");
    let parts = flow.parts(&bulk("Cu"), &Context::new("/somewhere")).expect("parts");
    let names: Vec<(&str, &str)> = parts.parts.iter().map(|part| (part.name.as_str(), part.label.as_str())).collect();
    assert_eq!(
        names,
        [("Cu31 v_Cu 0 Rattled", "v_Cu at site 0, Rattled"), ("Cu31 v_Cu 0 Dimer", "v_Cu at site 0, Dimer")]
    );
    let row = json!({
        "formula": "Cu31", "natoms": 31, "defect_symbol": "v_Cu", "defect_charge": 0, "distortions": "Rattled",
        "site": 0, "multiplicity": 1,
    });
    assert_eq!(parts.document["defects"][0], row);
}

#[test]
fn wrong_parameters_are_explained() {
    let wrong = |parameters: Value| BulkToDefectsFlow::from_value(&parameters).expect_err("wrong").to_string();
    for (parameters, part) in [
        (json!({"make_defects_kwargs": {"min_atom": 1}}), "did you mean \"min_atoms\"?"),
        (
            json!({"make_defects_kwargs": {"min_atoms": 300}}),
            "min_atoms of make_defects_kwargs: 300 is more than max_atoms, 240",
        ),
        (json!({"make_defects_kwargs": {"max_atoms": 1_000_000}}), "must be 100000 or fewer"),
        (json!({"make_defects_kwargs": {"min_length": 0}}), "must be a number above 0, not 0"),
        (json!({"make_defects_kwargs": {"min_length": 1e300}}), "at most 10000 Angstrom"),
        (
            json!({"make_defects_kwargs": {"sc_mat": [1, 2, 3]}}),
            "must be three rows of three whole numbers, not [1,2,3]",
        ),
        (json!({"make_defects_kwargs": {"sc_mat": [[1, 0, 0], [2, 0, 0], [0, 0, 1]]}}), "zero or linearly dependent"),
        (
            json!({"make_defects_kwargs": {"sc_mat": [[9999, 0, 0], [0, 1, 0], [0, 0, 1]]}}),
            "no entry may be larger than 1000",
        ),
        (json!({"make_defects_kwargs": {"rm_species": ["Xx"]}}), "unknown element \"Xx\""),
        (json!({"make_defects_kwargs": {"rm_species": [1]}}), "rm_species: must hold chemical symbols, not 1"),
        (json!({"make_defects_kwargs": {"defect_charge": 1}}), "defect_charge: stands beside make_defects_kwargs"),
        (json!({"defect_gen": "InterstitialGenerator"}), "defect_gen: InterstitialGenerator is not supported yet"),
        (json!({"defect_gen": "VacancyGen"}), "there is no generator \"VacancyGen\""),
        (json!({"defect_charge": 0.5}), "defect_charge: must be a whole number from -118 to 118, not 0.5"),
        (json!({"distortions": "no"}), "must be true or false"),
        (json!({"job_params": {"relaxjob": {}}}), "did you mean \"relax_job\"?"),
        (json!({"run_statik": true}), "did you mean \"run_static\"?"),
    ] {
        let message = wrong(parameters);
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn wrong_bulks_are_refused_before_anything_is_computed() {
    let check = |bulk: &Atoms, parameters: Value| {
        let flow = BulkToDefectsFlow::from_value(&parameters).expect("parameters");
        let (checked, made) = (flow.check(bulk), flow.parts(bulk, &Context::new("/somewhere")));
        let messages = [checked.expect_err("wrong"), made.expect_err("wrong")].map(|error| error.to_string());
        assert_eq!(messages[0], messages[1]);
        messages[0].clone()
    };
    let molecule = structure::build(&json!({"molecule": "N2"})).expect("a structure");
    assert!(check(&molecule, json!({})).contains("periodic in all three directions"));
    assert!(check(&bulk("Fe"), json!({})).contains("no EMT parameters for Fe"));
    let other = json!({"make_defects_kwargs": {"rm_species": "Al"}});
    assert!(check(&bulk("Cu"), other).contains("there is no Al in Cu"));
    for (matrix, count) in [([[1, 0, 0], [0, 1, 0], [0, 0, 1]], 1), ([[90, 0, 0], [0, 90, 0], [0, 0, 90]], 729_000)] {
        let message = check(&bulk("Cu"), json!({"make_defects_kwargs": {"sc_mat": matrix}}));
        assert!(message.contains(&format!("a supercell of {count} atoms, where 2 to 100000")), "{message}");
    }
    let tight = json!({"make_defects_kwargs": {"min_atoms": 20, "max_atoms": 30, "min_length": 12}});
    let message = check(&bulk("Cu"), tight);
    assert!(message.contains("no supercell has 20 to 30 atoms and vectors of at least 12 Angstrom"), "{message}");
}

#[test]
fn a_stop_is_heard() {
    let flow = BulkToDefectsFlow::from_value(&json!({})).expect("parameters");
    let context = Context { interrupt: &|| true, ..Context::new("/somewhere") };
    let error = flow.run(&bulk("Cu"), &context).expect_err("is stopped");
    assert!(matches!(error, Error::Interrupted { .. }), "{error}");
}
