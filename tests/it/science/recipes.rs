//! Result documents against those of quacc 1.8.2, key by key.

use serde_json::{Value, json};
use volley::recipes::{Context, Error, MdJob, Recipe, RelaxJob, StaticJob, Summary};
use volley::science::structure;

use super::fixture;

const CONTEXT: Context<'static> = Context { dir_name: "/somewhere", interrupt: &|| false, observe: &|_| () };

/// What depends on where quacc ran, and the version of the library that found the space group.
const IGNORED: [&str; 5] = ["dir_name", "nid", "_id", "_old_ids", "version"];

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
    let relax = |parameters: Value| RelaxJob::from_value(&parameters).expect("parameters");
    let fire = json!({
        "opt_params": {"optimizer": "FIRE", "fmax": 0.05, "max_steps": 200},
        "calc_params": {"asap_cutoff": true},
        "additional_fields": {"tag": "x"},
    });
    let md = MdJob::from_value(&json!({"steps": 40, "timestep_fs": 2.0})).expect("parameters");
    let recipes: [(&str, Box<dyn Recipe>); 8] = [
        ("static_job_bulk", Box::new(StaticJob::default())),
        ("static_job_molecule", Box::new(StaticJob::default())),
        ("relax_job_bulk", Box::new(RelaxJob::default())),
        ("relax_job_molecule", Box::new(RelaxJob::default())),
        ("relax_job_relax_cell", Box::new(relax(json!({"relax_cell": true})))),
        ("relax_job_relax_cell_rattled", Box::new(relax(json!({"relax_cell": true})))),
        ("relax_job_asap_cutoff_fire", Box::new(relax(fire))),
        ("md_job_nve_given_momenta", Box::new(md)),
    ];
    for (name, recipe) in recipes {
        let (found, expected) = document(name, &*recipe);
        compare(name, &found, &expected);
        let keys: Vec<&String> = found.as_object().expect("a document").keys().collect();
        assert!(keys.is_sorted(), "{name}: {keys:?}");
    }
}

#[test]
fn a_static_calculation_follows_a_relaxation() {
    let record = fixture("emt/e2e_relax_then_static.json");
    let atoms = structure::build(&record["input"]).expect("a structure");
    let relaxed = RelaxJob::default().run(&atoms, &CONTEXT).expect("a document");
    let again = structure::build(&relaxed["atoms"]).expect("a structure");
    let computed = StaticJob::default().run(&again, &CONTEXT).expect("a document");
    compare("relax", &relaxed, &record["document"]["relax"]);
    compare("static", &computed, &record["document"]["static"]);
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
    assert_eq!((summary.formula.as_str(), summary.natoms, summary.steps), ("N2", 2, Some(3)));
    assert!((summary.energy.expect("an energy") - 0.26277797717471074).abs() < 1e-8);
    assert!((summary.max_force.expect("a force") - 0.008376705507490811).abs() < 1e-8);
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
    let context = Context { interrupt: &interrupt, ..CONTEXT };
    let ended = RelaxJob::default().run(&nitrogen, &context);
    assert!(matches!(ended, Err(Error::Interrupted { steps: 1 })), "{ended:?}");
    let context = Context { interrupt: &|| true, ..CONTEXT };
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
        (
            json!({"opt_params": {"optimizer": "LBFGS", "optimizer_kwargs": {"maxstep": 1.5}}}),
            "maxstep of optimizer_kwargs: LBFGS takes at most 1 Angstrom, not 1.5",
        ),
        (
            json!({"opt_params": {"optimizer_kwargs": {"trajectory": "x.traj"}}}),
            "trajectory in optimizer_kwargs: the recipe has a trajectory of its own",
        ),
        (json!({"opt_params": {"fn_hook": "f"}}), "fn_hook in opt_params is not supported yet"),
        (json!({"opt_params": {"optimizer": "BFG"}}), "optimizer: unknown optimizer \"BFG\" (did you mean BFGS?)"),
        (
            json!({"opt_params": {"optimizer": "FIRE", "optimizer_kwargs": {"alpha": 70}}}),
            "unknown key \"alpha\" in optimizer_kwargs",
        ),
        (
            json!({"opt_params": {"filter": "UnitCelFilter"}}),
            "filter: unknown filter \"UnitCelFilter\" (did you mean UnitCellFilter?)",
        ),
        (
            json!({"opt_params": {"filter": "UnitCellFilter", "filter_kwargs": {"exp_cell_factor": 3}}}),
            "unknown key \"exp_cell_factor\" in filter_kwargs of UnitCellFilter (did you mean \"cell_factor\"?)",
        ),
        (
            json!({"opt_params": {"filter": "ExpCellFilter", "filter_kwargs": {"cell_factor": 3}}}),
            "unknown key \"cell_factor\" in filter_kwargs of ExpCellFilter",
        ),
        (
            json!({"opt_params": {"filter_kwargs": {"mask": [1, 1]}}}),
            "mask of filter_kwargs: must be six of 0 and 1 (xx, yy, zz, yz, xz, xy), or three rows of three, not [1,1]",
        ),
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
    assert_eq!(check(&cell, json!({"bulk": "Cu"})), Ok(()));
    let wire = json!({"symbols": "Cu", "positions": [[0, 0, 0]], "cell": [[2.5, 0, 0], [0, 0, 0], [0, 0, 0]], "pbc": [true, false, false]});
    assert!(check(&cell, wire).expect_err("a wire").contains("three independent vectors"));
    assert_eq!(check(&cell, json!({"molecule": "N2"})), Ok(()));
}

#[test]
fn many_atoms_ask_for_another_optimiser() {
    let atoms = |count: usize| {
        let positions: Vec<[f64; 3]> = (0..count).map(|i| [3.0 * i as f64, 0.0, 0.0]).collect();
        structure::build(&json!({"symbols": format!("Cu{count}"), "positions": positions})).expect("a structure")
    };
    let job = |optimizer: &str| RelaxJob::from_value(&json!({"opt_params": {"optimizer": optimizer}})).expect("a job");
    assert_eq!(job("BFGS").notices(&atoms(500)), Vec::<String>::new());
    assert_eq!(job("BFGS").notices(&atoms(501)), ["BFGS for 501 atoms: above about 500 LBFGS is the better choice"]);
    assert_eq!(job("LBFGS").notices(&atoms(501)), Vec::<String>::new());
}

#[test]
fn the_log_has_the_lines_of_ase() {
    let log = |parameters: Value| {
        let nitrogen = structure::build(&json!({"molecule": "N2"})).expect("a structure");
        let log = std::cell::RefCell::new(String::new());
        let observe = |progress: &volley::recipes::Progress| {
            let step = progress.relaxation().expect("a relaxation");
            log.borrow_mut().push_str(&step.log_line("12:34:56"));
        };
        let job = RelaxJob::from_value(&parameters).expect("parameters");
        job.run(&nitrogen, &Context { observe: &observe, ..CONTEXT }).expect("a document");
        log.into_inner()
    };
    // Written by ASE 3.29.0, but for the time of day.
    let bfgs = "
      Step     Time          Energy          fmax
BFGS:    0 12:34:56        0.548765        3.964835
BFGS:    1 12:34:56        0.269415        0.702390
BFGS:    2 12:34:56        0.263420        0.225843
BFGS:    3 12:34:56        0.262778        0.008377
";
    let line_search = "
                Step[ FC]     Time          Energy          fmax
BFGSLineSearch:    0[  0] 12:34:56        0.548765       3.9648
BFGSLineSearch:    1[  2] 12:34:56        0.267286       0.5814
BFGSLineSearch:    2[  3] 12:34:56        0.263208       0.1846
BFGSLineSearch:    3[  4] 12:34:56        0.262777       0.0056
";
    assert_eq!(log(json!({})), bfgs[1..]);
    assert_eq!(log(json!({"opt_params": {"optimizer": "QuasiNewton"}})), line_search[1..]);
}

#[test]
fn a_line_search_that_fails_is_explained() {
    let nitrogen = structure::build(&json!({"molecule": "N2"})).expect("a structure");
    let opt_params = json!({"optimizer": "BFGSLineSearch", "optimizer_kwargs": {"stpmax": 0.5}});
    let job = RelaxJob::from_value(&json!({"opt_params": opt_params})).expect("parameters");
    let error = job.run(&nitrogen, &CONTEXT).expect_err("a failure").to_string();
    assert_eq!(error, "the optimiser broke down at step 0: the line search failed: stpmax is below 1");
}

#[test]
fn optimisers_take_the_arguments_of_ase() {
    let relaxed = |opt_params: Value| {
        let nitrogen = structure::build(&json!({"molecule": "N2"})).expect("a structure");
        let job = RelaxJob::from_value(&json!({"opt_params": opt_params})).expect("parameters");
        job.run(&nitrogen, &CONTEXT).expect("a document")["parameters_opt"].clone()
    };
    let cases = [
        ("BFGS", json!({"maxstep": 0.1, "alpha": 50}), "BFGS", Some(50.0)),
        ("LBFGS", json!({"maxstep": 0.1, "memory": 3, "damping": 0.9, "alpha": 60}), "LBFGS", None),
        ("LBFGSLineSearch", json!({"maxstep": 0.1, "memory": 3, "alpha": 60}), "LBFGSLineSearch", None),
        ("FIRE", json!({"maxstep": 0.1, "dt": 0.2, "Nmin": 3, "a": 0.2, "downhill_check": true}), "FIRE", None),
        ("FIRE2", json!({"maxstep": 0.1, "dtmin": 0.01, "Nmin": 3}), "FIRE2", None),
        ("MDMin", json!({"maxstep": 0.1, "dt": 0.1}), "MDMin", None),
        // ASE's QuasiNewton is another name of BFGSLineSearch, and quacc notes the class.
        ("QuasiNewton", json!({"maxstep": 0.1, "c1": 0.1, "c2": 0.5, "stpmax": 40}), "BFGSLineSearch", Some(10.0)),
    ];
    for (name, kwargs, class, alpha) in cases {
        let mut expected =
            json!({"fmax": 0.01, "max_steps": 1000, "maxstep": 0.1, "optimizer": class, "type": "optimization"});
        if let Some(alpha) = alpha {
            expected["alpha"] = json!(alpha);
        }
        assert_eq!(relaxed(json!({"optimizer": name, "optimizer_kwargs": kwargs})), expected, "{name}");
    }
    let idle = json!({"fn_hook": null, "write_files": false, "store_intermediate_results": true});
    assert_eq!(relaxed(idle)["optimizer"], "BFGS");
}

#[test]
fn a_mask_has_six_components_or_nine() {
    let mask = |mask: Value| {
        let parameters = json!({"opt_params": {"filter_kwargs": {"mask": mask}}});
        RelaxJob::from_value(&parameters).expect("parameters").opt.cell.mask
    };
    let expected = [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 1.0]];
    assert_eq!(mask(json!([1, 0, 1, 0, 1, 0])), expected);
    assert_eq!(mask(json!([[1, 0, 1], [false, false, false], [1, 0, true]])), expected);
}
