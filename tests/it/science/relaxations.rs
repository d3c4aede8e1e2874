//! Relaxations step by step as ASE 3.29.0 makes them: all optimisers, fixed atoms, moving cells.

use std::cell::RefCell;
use std::ops::Range;
use std::process::Command;

use serde_json::{Value, json};
use volley::recipes::{Context, Error, Progress, Recipe, RelaxJob};
use volley::science::emt::Emt;
use volley::science::io::mson::from_mson;
use volley::science::optimize::{AtomsTarget, Ending, Limits, Method, Verdict, minimise};

use super::{atoms, difference, fixture, get};
use crate::support::{seeds, service};

/// Where ASE itself, started 1e-10 Angstrom off, ends up elsewhere by more than this (eV), steps are not compared.
const SENSITIVE: f64 = 1e-7;

#[test]
fn every_optimiser_makes_the_steps_of_ase() {
    let records = fixture("emt/relaxations.json");
    let compared = records["records"].as_array().expect("records").iter().map(compare).count();
    assert_eq!(compared, 48);
}

/// The other filters, with their arguments and other optimisers (`fixtures/emt/make_cell_filters.py`).
#[test]
fn every_cell_filter_makes_the_steps_of_ase() {
    let records = fixture("emt/cell_filters.json");
    let records = records["records"].as_array().expect("records");
    records.iter().for_each(compare);
    assert_eq!(records.len(), 39);
}

/// Random structures, optimisers and filters; `scripts/conformance` runs many. Where ASE itself is
/// sensitive to where it starts, there is nothing to compare.
#[test]
fn random_relaxations_are_those_of_ase() {
    let Some(python) = service("VOLLEY_TEST_PYTHON", "python") else { return };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/python/relaxations.py");
    let Range { start, end } = seeds(0..8);
    let output = Command::new(python).args([script, &start.to_string(), &end.to_string()]).output().expect("starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let records = found["records"].as_array().expect("records");
    let comparable = |record: &&Value| {
        let other = &record["sensitivity"][1];
        let steady = other["max_d_step_energy"].as_f64().is_some_and(|off| off < SENSITIVE);
        record["error"].is_null() && steady && other["n_steps"] == record["n_steps"]
    };
    let compared = records.iter().filter(comparable).map(compare).count();
    assert!(2 * compared > records.len(), "{compared} of {}", records.len());
    eprintln!("{compared} of {} relaxations like ASE's, the others are sensitive", records.len());
}

/// Runs a record as `relax_job`, and compares every step and the end.
fn compare(record: &Value) {
    let name: String = get(record, "name");
    let parameters = json!({
        "relax_cell": record["relax_cell"],
        "calc_params": {"asap_cutoff": record["asap_cutoff"]},
        "opt_params": {
            "optimizer": record["optimizer"],
            "optimizer_kwargs": record["optimizer_kwargs"],
            "filter": record["filter"],
            "filter_kwargs": record["filter_kwargs"],
            "fmax": record["fmax"],
            "max_steps": record["max_steps"],
        },
    });
    let job = RelaxJob::from_value(&parameters).expect("parameters");
    let seen = RefCell::new(Vec::new());
    let observe = |progress: &Progress| {
        let step = progress.relaxation().expect("a relaxation");
        seen.borrow_mut().push((step.energy, step.fmax, step.atoms.positions().to_vec(), *step.atoms.cell()));
    };
    let context = Context { observe: &observe, ..Context::new("/somewhere") };
    let document = match job.run(&atoms(&record["initial"]), &context) {
        Ok(document) => document,
        Err(Error::NotConverged { document, .. }) => *document,
        Err(error) => panic!("{name}: {error}"),
    };
    // Filters that quacc does not use were run without quacc.
    if !record["parameters_opt"].is_null() {
        assert_eq!(document["parameters_opt"], record["parameters_opt"], "{name}");
    }
    assert_eq!(document["converged"], record["converged"], "{name}");
    let seen = seen.into_inner();
    assert_eq!(seen.len() - 1, get::<usize>(record, "n_steps"), "{name}");

    let off = record["sensitivity"][1]["max_d_step_energy"].as_f64().expect("a number");
    let off_position = record["sensitivity"][1]["max_d_position"].as_f64().expect("a number");
    let steps = record["steps"].as_array().expect("steps");
    assert_eq!(seen.len(), steps.len(), "{name}");
    for ((value, fmax, positions, cell), step) in seen.iter().zip(steps).filter(|_| off < SENSITIVE) {
        assert!((value - get::<f64>(step, "value")).abs() < 1e-8, "{name}: {value} for {step}");
        assert!((fmax - get::<f64>(step, "fmax")).abs() < 1e-6, "{name}: {fmax} for {step}");
        // Of a run in a fixed cell ASE's numbers are without the cell.
        for (found, key) in [(positions.as_slice(), "positions"), (cell.as_slice(), "cell")] {
            if step.get(key).is_some_and(Value::is_array) {
                let off = difference(found, &get::<Vec<[f64; 3]>>(step, key));
                assert!(off < 1e-6, "{name}: {key} {off} in {}", step["step"]);
            }
        }
    }
    let last = from_mson(&document["atoms"]).expect("atoms");
    let energy = document["results"]["energy"].as_f64().expect("a number");
    let expected: f64 = get(&record["final"], "energy");
    assert!((energy - expected).abs() < 1e-8 + 10.0 * off, "{name}: {energy} for {expected}");
    let tolerance = 1e-6 + 2.0 * off_position;
    let moved = difference(last.positions(), &get::<Vec<[f64; 3]>>(&record["final"], "positions"));
    assert!(moved < tolerance, "{name}: {moved}");
    let strained = difference(last.cell(), &get::<Vec<[f64; 3]>>(&record["final"], "cell"));
    assert!(strained < tolerance, "{name}: {strained}");
}

#[test]
fn the_observer_can_stop_it() {
    let records = fixture("emt/relaxations.json");
    let record = records["records"].as_array().expect("records").iter().find(|r| r["name"] == "rattled32");
    let mut calculator = Emt::default();
    let mut target = AtomsTarget::new(atoms(&record.expect("there")["initial"]), &mut calculator);
    let limits = Limits { fmax: 0.01, max_steps: 1000 };
    let outcome = minimise(&mut target, &mut *Method::default().optimizer(), limits, |step| {
        if step.number == 3 { Verdict::Stop } else { Verdict::Continue }
    });
    let outcome = outcome.expect("minimised");
    assert_eq!((outcome.ending, outcome.steps), (Ending::Stopped, 3));
}
