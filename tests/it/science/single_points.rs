//! Energies, forces and stress of 84 structures as ASE 3.29.0 has them.

use volley::science::emt::Emt;
use volley::science::{Atoms, Calculator};

use super::{atoms, difference, fixture, get};

#[test]
fn all_single_points_agree_with_ase() {
    let records = fixture("emt/single_points.json");
    let records = records["records"].as_array().expect("records");
    assert_eq!(records.len(), 84);
    for record in records {
        let atoms = atoms(record);
        let count = atoms.len() as f64;
        let found = Emt::new(get(record, "asap_cutoff")).calculate(&atoms).expect("calculated");
        let energies: Vec<f64> = get(record, "energies");
        let stress: Option<[f64; 6]> = get(record, "stress");
        let energies: Vec<[f64; 1]> = energies.into_iter().map(|e| [e]).collect();
        let own: Vec<[f64; 1]> = found.energies.iter().map(|e| [*e]).collect();
        assert_eq!(found.stress.is_some(), stress.is_some(), "{}", record["name"]);
        let deviations = [
            (found.energy - get::<f64>(record, "energy")).abs() / count,
            difference(&own, &energies),
            difference(&found.forces, &get::<Vec<[f64; 3]>>(record, "forces")),
            stress.map_or(0.0, |stress| difference(&[found.stress.expect("stress")], &[stress])),
        ];
        for (deviation, limit) in deviations.iter().zip([1e-12, 1e-12, 1e-11, 1e-12]) {
            assert!(*deviation <= limit, "{}: {deviations:?}", record["name"]);
        }
    }
}

#[test]
fn an_element_without_parameters_is_named() {
    let records = fixture("emt/single_points.json");
    let iron = atoms(&records["error_cases"][0]);
    let message = Emt::default().calculate(&iron).expect_err("no parameters").to_string();
    assert!(message.starts_with("no EMT parameters for Fe"), "{message}");
    for known in ["Al", "Cu", "Ag", "Au", "Ni", "Pd", "Pt", "H", "C", "N", "O"] {
        assert!(message.contains(known), "{message}");
    }
}

#[test]
fn atoms_on_one_spot_are_named() {
    let positions = vec![[0.0; 3], [2.0, 0.0, 0.0], [3.0, 1e-7, 0.0]];
    let box3 = [[3.0, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 9.0]];
    let atoms = Atoms::new(vec![29; 3], positions).and_then(|a| a.with_cell(box3, [true; 3]));
    let message = Emt::default().calculate(&atoms.expect("valid")).expect_err("close").to_string();
    assert!(
        message.starts_with("atoms 0 and 2 are 1e-7 Angstrom apart") || message.starts_with("atoms 2 and 0 are"),
        "{message}"
    );
}

#[test]
fn an_atom_on_its_own_image_is_named() {
    let thin = [[5e-7, 0.0, 0.0], [0.0, 9.0, 0.0], [0.0, 0.0, 9.0]];
    let atoms = Atoms::new(vec![29], vec![[0.0; 3]]).and_then(|a| a.with_cell(thin, [true; 3])).expect("valid");
    let message = Emt::default().calculate(&atoms).expect_err("close").to_string();
    assert_eq!(message, "atoms 0 and 0 are 5e-7 Angstrom apart (one may be a periodic image)");
    // Shorter along a direction that does not repeat it means nothing.
    let alone = atoms.with_cell(thin, [false, true, true]).expect("valid");
    assert!((Emt::default().calculate(&alone).expect("calculated").energy - 3.51).abs() < 1e-12);
}

#[test]
fn a_reused_calculator_forgets_what_was_before() {
    let records = fixture("emt/single_points.json");
    let mut used = Emt::default();
    for record in records["records"].as_array().expect("records") {
        if get::<bool>(record, "asap_cutoff") {
            continue;
        }
        let atoms = atoms(record);
        let again = used.calculate(&atoms).expect("calculated");
        assert_eq!(again, Emt::default().calculate(&atoms).expect("calculated"));
    }
}
