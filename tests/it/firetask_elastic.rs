//! Elastic constants as a workflow: a firework for each deformation, and a fit that waits for all of them.

use serde_json::{Value, json};
use volley::science::structure;
use volley::workflow::State;
use volley::workflow::json::from_document;

use crate::support::cli::Cli;
use crate::support::site::Site;

/// A workflow: the elastic constants of copper from 12 deformations, and a table.
fn elastic(more: Value) -> Value {
    let mut task = json!({
        "_fw_name": "EmtElasticTensorTask",
        "structure": {"bulk": "Cu"},
        "deform_kwargs": {"norm_strains": [-0.005, 0.005], "shear_strains": [-0.03, 0.03]},
    });
    task.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    json!({
        "fws": [
            {"fw_id": 1, "name": "elastic", "spec": {"_tasks": [task], "_priority": 7}},
            {"fw_id": 2, "name": "table", "spec": {"_tasks": [{"_fw_name": "CollectResultsTask"}]}},
        ],
        "links": {"1": [2]},
    })
}

/// Deformations get the ids 3 to 14 and the fit 15.
const FIT: i64 = 15;

fn stored(site: &Site, fw_id: i64) -> Value {
    Value::Object(from_document(&site.stored_data(fw_id)))
}

/// What does not depend on when and by whom it was made.
fn constants(document: &Value) -> Value {
    let mut elasticity = document["elasticity_doc"].clone();
    elasticity.as_object_mut().expect("an object").retain(|key, _| key != "builder_meta" && key != "last_updated");
    elasticity
}

#[test]
fn each_deformation_is_a_firework_and_the_fit_waits_for_all() {
    for site in Site::on_every_store() {
        site.add(elastic(json!({})));
        site.run_well(&["singleshot"]);
        let names: Vec<String> = site.fireworks().into_iter().map(|firework| firework.name).collect();
        assert_eq!(names.len(), 2 + 12 + 1, "{names:?}");
        assert_eq!((names[2].as_str(), names[14].as_str()), ("relax Cu deformation 0", "fit Cu"));
        assert_eq!((site.state(2), site.state(FIT)), (State::Waiting, State::Waiting));
        assert_eq!(site.firework(FIT).spec.get("_priority"), Some(&7.into()));
        site.run_well(&["multi", "3"]);
        assert!(site.fireworks().iter().all(|firework| firework.state == State::Completed));

        let one = Site::sqlite();
        one.add(elastic(json!({"in_one_firework": true})));
        one.run_well(&["rapidfire"]);
        let (chained, whole) = (stored(&site, FIT), stored(&one, 1));
        assert_eq!(constants(&chained), constants(&whole), "the same numbers both ways");
        assert_eq!(whole["deformed_results"]["relax"].as_array().map(Vec::len), Some(12));
        let row = &chained["deformed_results"]["relax"][4];
        assert_eq!((&row["deformation"], &row["fw_id"]), (&json!(4), &json!(7)));
        assert_eq!(row["stress"], whole["deformed_results"]["relax"][4]["results"]["stress"]);
        assert_eq!(row["energy"], whole["deformed_results"]["relax"][4]["results"]["energy"]);

        for (site, document) in [(&site, &chained), (&one, &whole)] {
            let rows = stored(site, 2)["results"].clone();
            let [row] = rows.as_array().expect("a list").as_slice() else { panic!("{rows}") };
            assert_eq!(row["k_vrh"], document["elasticity_doc"]["bulk_modulus"]["vrh"]);
        }
    }
}

#[test]
fn children_get_the_crystal_as_it_was_before_it_was_deformed() {
    for site in Site::on_every_store() {
        for in_one in [false, true] {
            let strains = json!({"norm_strains": [-0.01], "shear_strains": [0.03]});
            let elastic =
                json!({"_fw_name": "EmtElasticTensorTask", "in_one_firework": in_one, "deform_kwargs": strains});
            let relax = json!({"_fw_name": "EmtRelaxTask", "relax_cell": true});
            let md = json!({"_fw_name": "EmtMdTask", "steps": 2, "temperature_K": 100});
            let start = json!({"bulk": {"name": "Cu", "a": 3.6}});
            let fws = [
                json!({"fw_id": 1, "name": "relax", "spec": {"_tasks": [relax], "structure": start}}),
                json!({"fw_id": 2, "name": "elastic", "spec": {"_tasks": [elastic]}}),
                json!({"fw_id": 3, "name": "static", "spec": {"_tasks": [{"_fw_name": "EmtStaticTask"}]}}),
                json!({"fw_id": 4, "name": "md", "spec": {"_tasks": [md]}}),
            ];
            let first = site.fireworks().len() as i64;
            site.add(json!({"fws": fws, "links": {"1": [2], "2": [3, 4]}}));
            site.run_well(&["rapidfire"]);
            let [relaxed, after, moved] = [1, 3, 4].map(|id| stored(&site, first + id));
            let cell = |document: &Value| *structure::build(&document["atoms"]).expect("a structure").cell();
            for child in [&after, &moved] {
                let (found, expected) = (cell(child), cell(&relaxed));
                let off = found.as_flattened().iter().zip(expected.as_flattened()).map(|(a, b)| (a - b).abs());
                assert!(off.fold(0.0, f64::max) < 1e-3, "{found:?} is the relaxed cell: {expected:?}");
                assert!(child["atoms"]["atoms_info"].get("deformation_stats").is_none());
            }
            assert!(after["results"]["energy"].as_f64().is_some_and(|energy| energy < -0.006), "{after}");
        }
    }
}

#[test]
fn a_deformation_that_is_run_again_counts_once() {
    let site = Site::sqlite();
    site.add(elastic(json!({})));
    site.run_well(&["rapidfire"]);
    let before = stored(&site, FIT);
    assert!(site.volley(&["lpad", "rerun_fws", "-i", "5"]).status().expect("runs").success());
    assert_eq!((site.state(5), site.state(FIT)), (State::Ready, State::Waiting));
    site.run_well(&["rapidfire"]);
    let after = stored(&site, FIT);
    assert_eq!(constants(&before), constants(&after));
    let launch = |document: &Value, index: usize| document["deformed_results"]["relax"][index]["launch_id"].clone();
    assert_eq!(launch(&before, 1), launch(&after, 1));
    assert_ne!(launch(&before, 2), launch(&after, 2), "the last run of it counts");
}

#[test]
fn a_static_calculation_may_follow_each_relaxation() {
    let site = Site::sqlite();
    site.add(elastic(json!({"run_static": true})));
    site.run_well(&["rapidfire"]);
    assert_eq!(site.fireworks().len(), 2 + 2 * 12 + 1);
    let document = stored(&site, 27);
    assert_eq!(document["deformed_results"]["relax"], json!([]));
    assert_eq!(document["deformed_results"]["static"].as_array().map(Vec::len), Some(12));
    assert_eq!(document["elasticity_doc"]["fitting_data"]["num_total_strain_stress_states"], 12);
}

#[test]
fn the_cell_of_what_is_deformed_stays() {
    let site = Site::sqlite();
    site.add(elastic(json!({"job_params": {"relax_job": {"relax_cell": true}}})));
    site.run_well(&["rapidfire"]);
    let document = stored(&site, 3);
    let cells = ["atoms", "input_atoms"].map(|key| {
        let atoms = if key == "atoms" { &document["atoms"] } else { &document["input_atoms"]["atoms"] };
        *volley::science::structure::build(atoms).expect("a structure").cell()
    });
    assert_eq!(cells[0], cells[1]);
    assert_eq!(document["atoms"]["atoms_info"]["deformation_stats"]["index"], 0);
}

/// A deformation can be made to fail: it is told to converge to nothing in no time.
fn with_one_failure(site: &Site, lenient: bool) {
    site.add(elastic(json!({})));
    site.run_well(&["singleshot"]);
    let update = |fw_id: &str, change: &str| {
        let done = site.volley(&["lpad", "update_fws", "-i", fw_id, "-u", change]).status().expect("runs");
        assert!(done.success());
    };
    update("5", r#"{"_tasks.0.calc_params": {"asap_cutof": true}}"#);
    if lenient {
        update(&FIT.to_string(), r#"{"_allow_fizzled_parents": true}"#);
    }
    site.run_well(&["rapidfire"]);
    assert_eq!(site.state(5), State::Fizzled);
}

#[test]
fn a_failure_holds_the_fit_back() {
    let site = Site::sqlite();
    with_one_failure(&site, false);
    assert_eq!(site.state(FIT), State::Waiting);
}

#[test]
fn the_fit_may_go_on_without_one_and_says_so() {
    let site = Site::sqlite();
    with_one_failure(&site, true);
    assert_eq!(site.state(FIT), State::Completed);
    let document = stored(&site, FIT);
    assert_eq!(document["warnings"], json!(["the fit is without deformation 2"]));
    assert_eq!(document["deformed_results"]["relax"].as_array().map(Vec::len), Some(11));
    let bulk = document["elasticity_doc"]["bulk_modulus"]["vrh"].as_f64().expect("a number");
    assert!((bulk - 134.6).abs() < 0.5, "symmetry makes up for it: {bulk}");
}

#[test]
fn a_fit_without_its_rows_is_explained() {
    let site = Site::sqlite();
    site.add(elastic(json!({})));
    site.run_well(&["rapidfire"]);
    assert!(site.volley(&["lpad", "rerun_fws", "-i", "15"]).status().expect("runs").success());
    let update = r#"{"results": []}"#;
    assert!(site.volley(&["lpad", "update_fws", "-i", "15", "-u", update]).status().expect("runs").success());
    site.run_well(&["rapidfire"]);
    let message = site.stacktrace(FIT);
    assert!(message.contains("there is no stress of deformation 0, 1, 2"), "{message}");
}

#[test]
fn the_recipe_is_there_in_all_its_forms() {
    let cli = Cli::sqlite();
    let few = ["--set", "deform_kwargs.norm_strains=[-0.005,0.005]", "--set", "deform_kwargs.symmetry=true"];
    cli.lpad(&[&["add_recipe", "emt.elastic", "bulk:Ni"], few.as_slice()].concat()).done();
    cli.rapidfire();
    let rows = cli.lpad(&["results", "-o", "json"]).json();
    let fit = rows.as_array().expect("a list").iter().find(|row| row["k_vrh"].is_number()).expect("a fit").clone();
    assert_eq!((&fit["formula"], &fit["state"]), (&json!("Ni"), &json!("COMPLETED")));
    let table = cli.volley(&["emt", "elastic", "bulk:Ni", "-o", "table"]).done().stdout;
    for column in ["C11 (GPa)", "C44 (GPa)", "BULK (GPa)", "POISSON", "DEBYE (K)"] {
        assert!(table.contains(column), "{column}: {table}");
    }
    cli.volley(&["emt", "elastic", "molecule:N2"]).failed(1, "periodic in all three directions");
    cli.volley(&["emt", "elastic", "bulk:Ni", "--set", "deform_kwargs.norm_strain=1"]).failed(1, "norm_strains");
    cli.lpad(&["add_recipe", "emt.elastic", "bulk:Ni", "--set", "deform_kwargs.shear_strains=[0]"]).failed(1, "0.002");
    let ran = cli.volley(&["emt", "elastic", "bulk:Al", "--set", "deform_kwargs.symmetry=true"]);
    assert!(ran.stderr.contains("Critical: Expect 24"), "{ran:?}");
}
