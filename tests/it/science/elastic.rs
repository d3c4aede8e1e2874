//! Elastic constants against pymatgen's and quacc's.

use serde_json::{Value, json};
use volley::recipes::{Context, Elastic, ElasticFit, ElasticTensorFlow, Error, Flow, Recipe, Summary};
use volley::science::elastic::{ElasticTensor, Matrix, Tensor, ieee_rotation, rotations};
use volley::science::structure;

use super::{fixture, get};

/// What depends on when and where a document was made, and by whom.
const VOLATILE: [&str; 7] = ["dir_name", "nid", "_id", "_old_ids", "version", "builder_meta", "last_updated"];

const HERE: Context<'static> = Context { dir_name: "/somewhere", interrupt: &|| false, observe: &|_| () };

/// Where two documents differ, numbers by more than a millionth.
fn differences(place: &str, found: &Value, expected: &Value) -> Vec<String> {
    let one = |same: bool| if same { Vec::new() } else { vec![format!("{place}: {found} for {expected}")] };
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => {
            let [x, y] = [a, b].map(|number| number.as_f64().expect("a number"));
            one(a.is_f64() == b.is_f64() && (x - y).abs() <= 1e-6 * y.abs() + 1e-8)
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.flat_map(|(index, (a, b))| differences(&format!("{place}[{index}]"), a, b)).collect()
        }
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let keys = keys.filter(|key| !VOLATILE.contains(&key.as_str()));
            keys.flat_map(|key| match (a.get(key), b.get(key)) {
                (Some(a), Some(b)) => differences(&format!("{place}.{key}"), a, b),
                (a, _) => vec![format!("{place}.{key} is only in {}", if a.is_some() { "ours" } else { "theirs" })],
            })
            .collect()
        }
        (Value::String(a), Value::String(b)) if place.ends_with("atoms_json") => {
            let [a, b] = [a, b].map(|text| serde_json::from_str(text).expect("JSON"));
            differences(&format!("{place}!"), &a, &b)
        }
        (a, b) => one(a == b),
    }
}

/// The flow's document of a fixture and quacc's, which keeps less of the deformed structures.
fn documents(name: &str) -> (Value, Value) {
    let record = fixture(&format!("emt/{name}.json"));
    let crystal = structure::build(&record["input"]).expect("a structure");
    let parameters = if record["parameters"].is_object() { record["parameters"].clone() } else { json!({}) };
    let flow = ElasticTensorFlow::from_value(&parameters).expect("parameters");
    (flow.run(&crystal, &HERE).expect("a document"), record["document"].clone())
}

/// As the fixtures keep a result.
fn reduced(document: &Value) -> Value {
    let atoms = structure::build(&document["atoms"]).expect("a structure");
    json!({
        "energy": document["results"]["energy"],
        "stress": document["results"]["stress"],
        "cell": atoms.cell(),
        "positions": atoms.positions(),
        "n_steps": document["trajectory"].as_array().map_or(0, |frames| frames.len() - 1),
    })
}

#[test]
fn documents_are_those_of_quacc() {
    for name in [
        "e2e_elastic_tensor_flow",
        "elastic_cu_prim",
        "elastic_ni_hcp",
        "elastic_nial",
        "elastic_tri",
        "elastic_cu_norelax",
    ] {
        let (found, expected) = documents(name);
        let wrong = [differences("elasticity_doc", &found["elasticity_doc"], &expected["elasticity_doc"])];
        compare(name, &found, &expected, wrong.concat());
    }
}

/// emmet turns derived stresses wrongly, by an amount that depends on the order of the operations.
#[test]
fn fewer_deformations_do_by_symmetry() {
    for name in ["elastic_al_sym", "elastic_fct_sym"] {
        let (found, expected) = documents(name);
        let [ours, theirs] = [&found, &expected].map(|document| &document["elasticity_doc"]);
        let wrong = ["fitting_data", "warnings", "state", "structure", "symmetry"];
        let wrong = wrong.map(|key| differences(key, &ours[key], &theirs[key]));
        compare(name, &found, &expected, wrong.concat());
        let [ours, theirs]: [Matrix; 2] = [ours, theirs].map(|document| get(&document["elastic_tensor"], "raw"));
        for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
            assert!((ours[i][j] - theirs[i][j]).abs() < 0.005 * theirs[0][0], "{name}: {ours:.2?} for {theirs:.2?}");
        }
    }
}

/// The rest of both documents, beside what is known to differ.
fn compare(name: &str, found: &Value, expected: &Value, mut wrong: Vec<String>) {
    wrong.extend(differences("undeformed_result", &found["undeformed_result"], &expected["undeformed_result"]));
    let gradients = &found["deformed_structure_set"]["deformations"];
    wrong.extend(differences("deformations", gradients, &expected["deformations"]));
    for key in ["relax", "static"] {
        let results = found["deformed_results"][key].as_array().expect("a list");
        let results: Value = results.iter().map(reduced).collect();
        wrong.extend(differences(key, &results, &expected["deformed_results"][key]));
    }
    assert!(wrong.is_empty(), "{name}: {} differences\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
}

#[test]
fn the_document_has_what_its_reader_needs() {
    let (found, _) = documents("elastic_cu_prim");
    let set = &found["deformed_structure_set"];
    assert_eq!(set["deformed_structures"].as_array().map(Vec::len), Some(24));
    let again = structure::build(&set["deformed_structures"][3]).expect("a structure");
    assert_eq!(again.len(), 1);
    let meta = &found["elasticity_doc"]["builder_meta"];
    assert_eq!((&meta["emmet_version"], &meta["pymatgen_version"]), (&Value::Null, &Value::Null));
    assert_eq!(meta["volley_version"], env!("CARGO_PKG_VERSION"));
    for key in ["elasticity_doc", "undeformed_result"] {
        assert!(found[key].as_object().expect("an object").keys().is_sorted(), "{key}");
    }
    let [row] = Summary::all_of(&found).try_into().expect("one row");
    let elastic = row.elastic.clone().expect("constants");
    assert_eq!((row.name.as_str(), elastic.c11, elastic.c12, elastic.c44), ("EMT Elastic Tensor", 173.0, 115.0, 90.0));
    assert!((elastic.young_modulus - 149.7).abs() < 0.2, "{elastic:?}");
    assert!(row.sentence().contains("bulk modulus 134.6 GPa"), "{}", row.sentence());
    assert_eq!(Summary::from_value(&row.to_value()), Some(row));
}

fn close(found: &ElasticTensor, expected: &Matrix) -> bool {
    let found = found.rows();
    found.as_flattened().iter().zip(expected.as_flattened()).all(|(a, b)| (a - b).abs() < 1e-6)
}

#[test]
fn standard_orientations_are_those_of_pymatgen() {
    let mut systems = std::collections::BTreeSet::new();
    for case in fixture("emt/elastic_ieee.json")["cases"].as_array().expect("a list") {
        let name: String = get(case, "name");
        systems.insert(get::<String>(case, "system"));
        let pbc = [true; 3];
        let spec =
            json!({"symbols": case["symbols"], "positions": case["positions"], "cell": case["cell"], "pbc": pbc});
        let atoms = structure::build(&spec).expect("a structure");
        let fitted = ElasticTensor::new(&get(case, "tensor")).symmetrised(&rotations(&atoms, 0.1));
        assert!(close(&fitted, &get(case, "fitted")), "{name}, fitted");
        let standard = fitted.turned(&ieee_rotation(&atoms));
        // Where no twofold axis is normal to the main one, the standard leaves its sense open, and with it signs.
        let half_turns = [[1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]];
        let others = half_turns.map(|signs| standard.turned(&Tensor::from_diagonal(&signs.into())));
        let either = ["tetragonal 4/m", "tetragonal -4", "trigonal -3"].contains(&name.as_str());
        let expected = get(case, "ieee");
        let same = close(&standard, &expected) || either && others.iter().any(|other| close(other, &expected));
        assert!(same, "{name}: {:.1?} for {expected:.1?}", standard.rows());
    }
    assert_eq!(systems.len(), 7);
}

#[test]
fn wrong_parameters_are_explained() {
    let wrong = |parameters: Value| ElasticTensorFlow::from_value(&parameters).expect_err("wrong").to_string();
    let kwargs = |kwargs: Value| wrong(json!({"deform_kwargs": kwargs}));
    let cases = [
        (wrong(json!({"prerelax": true})), "did you mean \"pre_relax\"?"),
        (wrong(json!({"job_params": {"relax_job": {"opt_params": {"fmx": 1}}}})), "did you mean \"fmax\"?"),
        (wrong(json!({"run_static": 1})), "run_static of the parameters of elastic_tensor_flow: must be true or false"),
        (kwargs(json!({"norm_strain": [0.01]})), "did you mean \"norm_strains\"?"),
        (
            kwargs(json!({"norm_strains": 0.01})),
            "norm_strains of deform_kwargs: must be a list of numbers, as [-0.01, 0.01], not 0.01",
        ),
        (kwargs(json!({"norm_strains": ["a"]})), "must be a list of numbers"),
        (kwargs(json!({"norm_strains": [0.11]})), "norm_strains: a strain of 0.11 is too large"),
        (kwargs(json!({"shear_strains": [1e300]})), "a strain of 1e300 is too large; strains are fractions, as 0.01"),
        (kwargs(json!({"norm_strains": [-0.0019, 0.01]})), "also from 0"),
        (kwargs(json!({"norm_strains": [0.01, 0.011]})), "strains have to differ by 0.002 or more"),
        (kwargs(json!({"shear_strains": [0.0, 0.03]})), "also from 0"),
        (kwargs(json!({"norm_strains": []})), "norm_strains: there is no strain in it"),
        (kwargs(json!({"shear_strains": [], "symmetry": true})), "shear_strains: there is no strain in it"),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected), "{message} has no {expected}");
    }
}

#[test]
fn strains_that_leave_constants_open_are_said_to() {
    let atoms = structure::build(&json!({"bulk": {"name": "Cu", "cubic": true}})).expect("a structure");
    let stretched = |by: f64| (Tensor::from_diagonal(&[1.0 + by, 1.0, 1.0].into()), [by; 6]);
    let deformed = [-0.01, 0.01].map(stretched).to_vec();
    let elasticity = ElasticFit { atoms, stress: [0.0; 6], deformed }.document().expect("a document");
    assert_eq!((&elasticity["state"], &elasticity["deprecated"]), (&json!("failed"), &json!(true)));
    assert!(elasticity["warnings"][0].as_str().expect("a warning").contains("of rank 6; got rank 3"), "{elasticity}");
    assert!(elasticity["elastic_tensor"].is_null() && elasticity["bulk_modulus"].is_null(), "no numbers: {elasticity}");
}

/// The constants of `bulk` in a few numbers, from these strains, all atoms well relaxed.
fn constants(bulk: Value, norm: &[f64]) -> Elastic {
    let atoms = structure::build(&bulk).expect("a structure");
    let relax = json!({"opt_params": {"fmax": 1e-4}});
    let parameters = json!({"deform_kwargs": {"norm_strains": norm}, "job_params": {"relax_job": relax}});
    let flow = ElasticTensorFlow::from_value(&parameters).expect("parameters");
    let [row] = Summary::all_of(&flow.run(&atoms, &HERE).expect("a document")).try_into().expect("one row");
    row.elastic.expect("constants")
}

#[test]
fn near_strains_are_told_apart() {
    let copper = json!({"bulk": "Cu"});
    let even: Vec<f64> = (-5..=5).filter(|k| *k != 0).map(|k| f64::from(k) * 0.002).collect();
    for norm in [vec![-0.01, -0.002, 0.002, 0.01], even] {
        let found = constants(copper.clone(), &norm);
        assert!((found.c11 - 173.0).abs() <= 1.0 && (found.c12 - 115.0).abs() <= 1.0, "{norm:?}: {found:?}");
    }
    // In a hexagonal crystal a third of a turn brings the strain of x near to that of y.
    let nickel = json!({"bulk": {"name": "Ni", "crystalstructure": "hcp", "a": 2.5, "c": 4.08}});
    let [small, usual] = [0.003, 0.005].map(|strain| constants(nickel.clone(), &[-strain, strain]));
    assert!((small.c11 - usual.c11).abs() <= 1.0 && (small.c12 - usual.c12).abs() <= 1.0, "{small:?} {usual:?}");
}

#[test]
fn the_constants_of_a_crystal_do_not_depend_on_its_cell() {
    let (a, c) = (2.5, 4.08);
    let primitive =
        constants(json!({"bulk": {"name": "Ni", "crystalstructure": "hcp", "a": a, "c": c}}), &[-0.01, 0.01]);
    let b = 3f64.sqrt() * a;
    let positions =
        [[0.0, 0.0, 0.0], [a / 2.0, b / 2.0, 0.0], [0.0, b / 3.0, c / 2.0], [a / 2.0, b * 5.0 / 6.0, c / 2.0]];
    let pbc = [true; 3];
    let orthogonal = json!({"symbols": "Ni4", "positions": positions, "cell": [a, b, c], "pbc": pbc});
    let found = constants(orthogonal.clone(), &[-0.01, 0.01]);
    assert!(
        (found.c11 - primitive.c11).abs() <= 1.0 && (found.c12 - primitive.c12).abs() <= 1.0,
        "{found:?} {primitive:?}"
    );
    let crystal = structure::build(&orthogonal).expect("a structure");
    assert_eq!(rotations(&crystal, 0.1).len(), 24);
}

#[test]
fn the_flow_can_be_interrupted() {
    let copper = structure::build(&json!({"bulk": "Cu"})).expect("a structure");
    let asked = std::cell::Cell::new(0);
    let interrupt = || asked.replace(asked.get() + 1) == 30;
    let flow = ElasticTensorFlow::from_value(&json!({})).expect("parameters");
    let ended = flow.run(&copper, &Context { interrupt: &interrupt, ..HERE });
    assert!(matches!(ended, Err(Error::Interrupted { .. })), "{ended:?}");
}

#[test]
fn a_cell_that_was_not_relaxed_is_warned_of() {
    let copper = structure::build(&json!({"bulk": "Cu"})).expect("a structure");
    let warnings = |parameters: Value| {
        let flow = ElasticTensorFlow::from_value(&parameters).expect("parameters");
        flow.parts(&copper, &HERE).expect("parts").warnings
    };
    let [warning] = warnings(json!({"pre_relax": false})).try_into().expect("one warning");
    assert!(warning.ends_with("GPa: relax its cell first"), "{warning}");
    assert!(warnings(json!({})).is_empty());
}

#[test]
fn only_crystals_are_deformed() {
    let flow = ElasticTensorFlow::from_value(&json!({})).expect("parameters");
    let check = |spec: Value| {
        let atoms = structure::build(&spec).expect("a structure");
        flow.check(&atoms).expect_err("refused").to_string()
    };
    assert!(check(json!({"molecule": "N2"})).contains("periodic in all three directions"));
    assert!(check(json!({"bulk": "Fe"})).contains("no EMT parameters for Fe"));
}
