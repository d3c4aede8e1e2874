//! Result documents against those of quacc 1.8.2, key by key.

use serde_json::{Value, json};
use volley::recipes::{Context, Error, Recipe, RelaxJob, StaticJob, Summary};
use volley::science::structure;

use super::fixture;

const CONTEXT: Context<'static> = Context { dir_name: "/somewhere", interrupt: &|| false };

/// What quacc computes from the structure with other libraries, and what depends on where it ran.
const IGNORED: [&str; 6] = ["dir_name", "nid", "_id", "_old_ids", "structure_metadata", "molecule_metadata"];

fn compare(place: &str, found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => {
            assert_eq!(a.is_f64(), b.is_f64(), "{place}");
            let (a, b) = (a.as_f64().expect("number"), b.as_f64().expect("number"));
            assert!((a - b).abs() < 1e-8, "{place}: {a} for {b}");
        }
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len(), "{place}");
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{place}[{index}]"), a, b);
            }
        }
        (Value::Object(a), Value::Object(b)) => {
            let keys = |map: &serde_json::Map<String, Value>| {
                let mut keys: Vec<String> = map.keys().filter(|k| !IGNORED.contains(&k.as_str())).cloned().collect();
                keys.sort();
                keys
            };
            assert_eq!(keys(a), keys(b), "{place}");
            for key in keys(a) {
                compare(&format!("{place}.{key}"), &a[&key], &b[&key]);
            }
        }
        (Value::String(a), Value::String(b)) if place.ends_with("atoms_json") => {
            let parse = |text: &str| serde_json::from_str(text).expect("JSON");
            compare(&format!("{place}!"), &parse(a), &parse(b));
        }
        (a, b) => assert_eq!(a, b, "{place}"),
    }
}

fn document(name: &str, recipe: &dyn Recipe) -> (Value, Value) {
    let record = fixture(&format!("emt/e2e_{name}.json"));
    let atoms = structure::build(&record["input"]).expect("a structure");
    (recipe.run(&atoms, &CONTEXT).expect("a document"), record["document"].clone())
}

#[test]
fn documents_are_those_of_quacc() {
    let recipes: [(&str, &dyn Recipe); 4] = [
        ("static_job_bulk", &StaticJob::default()),
        ("static_job_molecule", &StaticJob::default()),
        ("relax_job_bulk", &RelaxJob::default()),
        ("relax_job_molecule", &RelaxJob::default()),
    ];
    for (name, recipe) in recipes {
        let (found, expected) = document(name, recipe);
        compare(name, &found, &expected);
        let keys: Vec<&String> = found.as_object().expect("a document").keys().collect();
        assert!(keys.is_sorted(), "{name}: {keys:?}");
    }
}

#[test]
fn ids_of_structures_are_those_of_quacc() {
    for name in ["static_job_bulk", "static_job_molecule", "relax_job_bulk"] {
        let (found, expected) = document(name, &StaticJob::default());
        assert_eq!(found["atoms"], expected["atoms"], "{name}");
    }
    let (first, _) = document("static_job_bulk", &StaticJob::default());
    let again = structure::build(&first["atoms"]).expect("a structure");
    let second = StaticJob::default().run(&again, &CONTEXT).expect("a document");
    let info = &second["atoms"]["atoms_info"];
    assert_eq!(info["_old_ids"], json!([first["atoms"]["atoms_info"]["_id"]]));
}

#[test]
fn a_summary_is_derived_from_the_document() {
    let (found, _) = document("relax_job_molecule", &RelaxJob::default());
    let summary = Summary::of(&found).expect("a summary");
    assert_eq!((summary.formula.as_str(), summary.atoms, summary.steps), ("N2", 2, Some(3)));
    assert!((summary.energy - 0.26277797717471074).abs() < 1e-8);
    assert!((summary.max_force - 0.008376705507490811).abs() < 1e-8);
    assert_eq!(summary.converged, Some(true));
    assert_eq!(Summary::of(&json!({"a": 1})), None);
}

#[test]
fn a_relaxation_that_does_not_converge_keeps_its_document() {
    let job = RelaxJob::from_value(&json!({"opt_params": {"max_steps": 2}})).expect("parameters");
    let nitrogen = structure::build(&json!({"molecule": "N2"})).expect("a structure");
    match job.run(&nitrogen, &CONTEXT) {
        Err(Error::NotConverged { steps, fmax, wanted, document }) => {
            assert_eq!((steps, wanted, &document["converged"]), (2, 0.01, &json!(false)));
            assert!((fmax - 0.22584332062941392).abs() < 1e-8);
            assert_eq!(document["trajectory"].as_array().map(Vec::len), Some(3));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn recipes_can_be_interrupted() {
    let nitrogen = structure::build(&json!({"molecule": "N2"})).expect("a structure");
    let asked = std::cell::Cell::new(0);
    let interrupt = || asked.replace(asked.get() + 1) == 2;
    let context = Context { dir_name: "/somewhere", interrupt: &interrupt };
    let ended = RelaxJob::default().run(&nitrogen, &context);
    assert!(matches!(ended, Err(Error::Interrupted { steps: 1 })), "{ended:?}");
    let context = Context { dir_name: "/somewhere", interrupt: &|| true };
    let ended = StaticJob::default().run(&nitrogen, &context);
    assert!(matches!(ended, Err(Error::Interrupted { steps: 0 })), "{ended:?}");
}

#[test]
fn wrong_parameters_are_explained() {
    let wrong = |parameters: Value| RelaxJob::from_value(&parameters).expect_err("wrong").to_string();
    let cases = [
        (
            json!({"relaxcell": true}),
            "unknown key \"relaxcell\" in the parameters of relax_job (did you mean \"relax_cell\"?)",
        ),
        (json!({"opt_params": {"fmx": 0.1}}), "unknown key \"fmx\" in opt_params (did you mean \"fmax\"?)"),
        (json!({"opt_params": {"fmax": -0.1}}), "fmax of opt_params: must be a number above 0, not -0.1"),
        (
            json!({"opt_params": {"max_steps": 1.5}}),
            "max_steps of opt_params: must be a whole number, 0 or more, not 1.5",
        ),
        (json!({"opt_params": {"optimizer": "FIRE"}}), "optimizer FIRE is not supported yet"),
        (json!({"opt_params": {"optimizer": "BFG"}}), "optimizer: unknown optimizer \"BFG\" (did you mean BFGS?)"),
        (
            json!({"calc_params": {"asap_cutof": true}}),
            "unknown key \"asap_cutof\" in calc_params (did you mean \"asap_cutoff\"?)",
        ),
        (json!({"calc_params": {"asap_cutoff": 1}}), "asap_cutoff of calc_params: must be true or false, not 1"),
        (json!([]), "the parameters of relax_job: must be an object, not []"),
    ];
    for (parameters, message) in cases {
        assert_eq!(wrong(parameters), message);
    }
}

#[test]
fn a_structure_that_cannot_be_computed_is_refused_beforehand() {
    let check = |job: &RelaxJob, spec: Value| {
        let atoms = structure::build(&spec).expect("a structure");
        job.check(&atoms).map_err(|error| error.to_string())
    };
    let plain = RelaxJob::default();
    let cell = RelaxJob { relax_cell: true, ..RelaxJob::default() };
    assert_eq!(check(&plain, json!({"bulk": "Cu"})), Ok(()));
    assert!(check(&plain, json!({"bulk": "Fe"})).expect_err("iron").starts_with("no EMT parameters for Fe"));
    assert_eq!(
        check(&cell, json!({"bulk": "Cu"})),
        Err("relax_cell: true for a periodic structure is not supported yet".into())
    );
    assert_eq!(check(&cell, json!({"molecule": "N2"})), Ok(()));
}
