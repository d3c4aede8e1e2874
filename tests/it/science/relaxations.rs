//! Relaxations with BFGS in a fixed cell, step by step as ASE 3.29.0 makes them.

use serde_json::Value;
use volley::science::emt::Emt;
use volley::science::optimize::{AtomsTarget, Bfgs, BfgsOptions, Ending, Limits, Verdict, minimise};

use super::{atoms, difference, fixture, get};

/// Where ASE itself, started 1e-10 Angstrom off, ends up elsewhere by more than this (eV), steps are not compared.
const SENSITIVE: f64 = 1e-7;

#[test]
fn bfgs_makes_the_steps_of_ase() {
    let records = fixture("emt/relaxations.json");
    let mut compared = 0;
    for record in records["records"].as_array().expect("records").iter().filter(|r| is_plain_bfgs(r)) {
        let name: String = get(record, "name");
        let limits = Limits { fmax: get(record, "fmax"), max_steps: get(record, "max_steps") };
        let mut calculator = Emt::default();
        let mut target = AtomsTarget::new(atoms(&record["initial"]), &mut calculator);
        let mut seen = Vec::new();
        let outcome = minimise(&mut target, &mut Bfgs::new(BfgsOptions::default()), limits, |_, _, now| {
            seen.push((now.value, now.fmax()));
            Verdict::Continue
        })
        .expect("minimised");
        assert_eq!(outcome.steps, get::<usize>(record, "n_steps"), "{name}");
        let converged = outcome.ending == Ending::Converged;
        assert_eq!(converged, get::<bool>(record, "converged"), "{name}");

        let off = record["sensitivity"][1]["max_d_step_energy"].as_f64().expect("a number");
        let off_position = record["sensitivity"][1]["max_d_position"].as_f64().expect("a number");
        let steps = record["steps"].as_array().expect("steps");
        assert_eq!(seen.len(), steps.len(), "{name}");
        for ((energy, fmax), step) in seen.iter().zip(steps).filter(|_| off < SENSITIVE) {
            assert!((energy - get::<f64>(step, "energy")).abs() < 1e-8, "{name}: {step}");
            assert!((fmax - get::<f64>(step, "fmax")).abs() < 1e-6, "{name}: {step}");
        }
        let (last, properties) = target.into_parts();
        let energy = properties.expect("evaluated").energy;
        let expected: f64 = record["final"]["energy"].as_f64().expect("a number");
        assert!((energy - expected).abs() < 1e-7, "{name}: {energy} for {expected}");
        let positions: Vec<[f64; 3]> = get(&record["final"], "positions");
        let moved = difference(last.positions(), &positions);
        assert!(moved < 1e-6 + 2.0 * off_position, "{name}: {moved}");
        compared += 1;
    }
    assert_eq!(compared, 15);
}

fn is_plain_bfgs(record: &Value) -> bool {
    record["optimizer"] == "BFGS"
        && record["relax_cell"] == false
        && record["filter"].is_null()
        && record["optimizer_kwargs"].as_object().is_some_and(|kwargs| kwargs.is_empty())
}

#[test]
fn the_observer_can_stop_it() {
    let records = fixture("emt/relaxations.json");
    let record = records["records"].as_array().expect("records").iter().find(|r| r["name"] == "rattled32");
    let mut calculator = Emt::default();
    let mut target = AtomsTarget::new(atoms(&record.expect("there")["initial"]), &mut calculator);
    let limits = Limits { fmax: 0.01, max_steps: 1000 };
    let outcome = minimise(&mut target, &mut Bfgs::new(BfgsOptions::default()), limits, |step, _, _| {
        if step == 3 { Verdict::Stop } else { Verdict::Continue }
    });
    let outcome = outcome.expect("minimised");
    assert_eq!((outcome.ending, outcome.steps), (Ending::Stopped, 3));
}
