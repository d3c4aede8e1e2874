//! Slabs of 27 bulks as quacc 1.8.2 makes them, and that what is done differently is right.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use volley::science::build::{BulkOptions, bulk};
use volley::science::elements::number;
use volley::science::emt::Emt;
use volley::science::linear::{Mat3, Vec3, cross, dot, norm, scale};
use volley::science::optimize::{AtomsTarget, Bfgs, BfgsOptions, Limits, Verdict, minimise};
use volley::science::slabs::{JOULE_PER_SQUARE_METRE, SlabOptions, Slabs, make_slabs_from_bulk, surface_energy};
use volley::science::{Atoms, Calculator};

use super::{atoms, difference, fixture, get};

/// Atoms of one layer are no farther apart, Angstrom.
const LAYER: f64 = 0.02;

fn options(record: &Value) -> SlabOptions {
    let mut options = SlabOptions { compat_quacc: true, ..SlabOptions::default() };
    for (key, value) in record["make_slabs_kwargs"].as_object().expect("an object") {
        let (real, flag) = (value.as_f64().unwrap_or(f64::NAN), value.as_bool().unwrap_or_default());
        match key.as_str() {
            "max_index" => options.max_index = real as usize,
            "min_slab_size" => options.min_slab_size = real,
            "min_vacuum_size" => options.min_vacuum_size = real,
            "min_length_width" => options.min_length_width = real,
            "z_fix" => options.z_fix = value.as_f64(),
            "flip_asymmetric" => options.flip_asymmetric = flag,
            "symmetrize" => options.symmetrize = flag,
            "primitive" => options.primitive = flag,
            "in_unit_planes" => options.in_unit_planes = flag,
            "lll_reduce" => options.lll_reduce = flag,
            "max_normal_search" => options.max_normal_search = Some(real as usize),
            "allowed_surface_symbols" => {
                let symbols: Vec<String> = serde_json::from_value(value.clone()).expect("symbols");
                let numbers = symbols.iter().map(|symbol| number(symbol).expect("an element"));
                options.allowed_surface_symbols = Some(numbers.collect());
            }
            other => panic!("{other}"),
        }
    }
    options
}

fn records() -> Vec<Value> {
    let records = fixture("emt/slabs.json")["records"].as_array().expect("records").clone();
    assert_eq!(records.len(), 27);
    records
}

fn made(record: &Value) -> Slabs {
    make_slabs_from_bulk(&atoms(&record["bulk"]), &options(record)).expect("slabs")
}

#[test]
fn the_slabs_are_those_of_quacc() {
    let mut compared = 0;
    for record in records() {
        let made = made(&record);
        assert_eq!(made.warnings, Vec::<String>::new(), "{}", record["name"]);
        let expected = record["slabs"].as_array().expect("slabs");
        assert_eq!(made.slabs.len(), expected.len(), "{}", record["name"]);
        for (slab, expected) in made.slabs.iter().zip(expected) {
            let place = format!("{}: slab {}", record["name"], expected["index"]);
            assert_eq!(slab.miller_index, get::<[i32; 3]>(expected, "miller_index"), "{place}");
            assert!((slab.shift - get::<f64>(expected, "shift")).abs() < 5.1e-4, "{place}: {}", slab.shift);
            assert!(difference(&slab.scale_factor, &get::<Mat3>(expected, "scale_factor")) < 1e-6, "{place}");
            assert_eq!(slab.atoms.len(), get::<usize>(expected, "n_atoms"), "{place}");
            let parameters = [parameters(slab.atoms.cell())];
            assert!(difference(&parameters, &[get::<[f64; 6]>(expected, "cell_lengths_angles")]) < 1e-6, "{place}");
            assert_layers(&slab.atoms, &expected["layers"], &place);
            let found = Emt::default().calculate(&slab.atoms).expect("calculated");
            assert!((found.energy - get::<f64>(expected, "energy")).abs() < 1e-8, "{place}");
            let mut energies: Vec<[f64; 1]> = found.energies.iter().map(|energy| [*energy]).collect();
            energies.sort_by(|a, b| a[0].total_cmp(&b[0]));
            let expected: Vec<f64> = get(expected, "energies_sorted");
            let expected: Vec<[f64; 1]> = expected.into_iter().map(|energy| [energy]).collect();
            assert!(difference(&energies, &expected) < 1e-8, "{place}");
            compared += 1;
        }
    }
    assert_eq!(compared, 119);
}

/// Lengths in Angstrom and angles in degrees.
fn parameters(cell: &Mat3) -> [f64; 6] {
    let angle = |i: usize, j: usize| (dot(cell[i], cell[j]) / (norm(cell[i]) * norm(cell[j]))).acos().to_degrees();
    [norm(cell[0]), norm(cell[1]), norm(cell[2]), angle(1, 2), angle(0, 2), angle(0, 1)]
}

/// Depth below the top one along the normal, and the atoms there, top first.
fn layers(slab: &Atoms) -> Vec<(f64, Vec<usize>)> {
    let normal = cross(slab.cell()[0], slab.cell()[1]);
    let normal = scale(normal, 1.0 / norm(normal));
    let heights: Vec<f64> = slab.positions().iter().map(|position| dot(*position, normal)).collect();
    let mut order: Vec<usize> = (0..slab.len()).collect();
    order.sort_by(|a, b| heights[*b].total_cmp(&heights[*a]));
    let mut layers: Vec<(f64, Vec<usize>)> = Vec::new();
    for index in &order {
        let depth = heights[*index] - heights[order[0]];
        match layers.last_mut() {
            Some((top, members)) if *top - depth < LAYER => members.push(*index),
            _ => layers.push((depth, vec![*index])),
        }
    }
    layers
}

fn assert_layers(slab: &Atoms, expected: &Value, place: &str) {
    let expected = expected.as_array().expect("layers");
    let found = layers(slab);
    assert_eq!(found.len(), expected.len(), "{place}");
    for ((depth, members), expected) in found.iter().zip(expected) {
        assert!((depth - get::<f64>(expected, "depth")).abs() < 1e-3, "{place}: {depth} for {expected}");
        let free = members.iter().filter(|index| !slab.fixed().contains(index)).count();
        let mut symbols = BTreeMap::<&str, usize>::new();
        let all: Vec<&str> = slab.symbols().collect();
        members.iter().for_each(|index| *symbols.entry(all[*index]).or_default() += 1);
        let found = json!({"n": members.len(), "n_free": free, "symbols": symbols});
        for key in ["n", "n_free", "symbols"] {
            assert_eq!(found[key], expected[key], "{place}: {key} at {depth}");
        }
    }
}

#[test]
fn they_relax_as_quacc_relaxes_them() {
    let mut compared = 0;
    for record in records() {
        let slabs = made(&record).slabs;
        for (slab, expected) in slabs.into_iter().zip(record["slabs"].as_array().expect("slabs")) {
            let place = format!("{}: slab {}", record["name"], expected["index"]);
            let relaxed = &expected["relaxed"];
            let mut calculator = Emt::default();
            let mut target = AtomsTarget::new(slab.atoms, &mut calculator);
            let mut energies = Vec::new();
            let limits = Limits { fmax: 0.01, max_steps: 1000 };
            let outcome = minimise(&mut target, &mut Bfgs::new(BfgsOptions::default()), limits, |step| {
                energies.push([step.now.value]);
                Verdict::Continue
            });
            assert_eq!(outcome.expect("minimised").steps, get::<usize>(relaxed, "n_steps"), "{place}");
            let expected: Vec<f64> = get(relaxed, "step_energies");
            let expected: Vec<[f64; 1]> = expected.into_iter().map(|energy| [energy]).collect();
            assert!(difference(&energies, &expected) < 1e-8, "{place}");
            compared += 1;
        }
    }
    assert_eq!(compared, 119);
}

#[test]
fn a_slab_knows_its_bulk() {
    let record = records().into_iter().find(|record| record["name"] == "NiAl_B2").expect("there");
    let slab = &made(&record).slabs[0];
    let stats = &slab.atoms.info()["slab_stats"];
    let keys: Vec<&String> = stats.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["bulk", "miller_index", "shift", "scale_factor"]);
    assert_eq!(stats["bulk"]["@class"], "MSONAtoms");
    assert_eq!(stats["miller_index"], json!([1, 0, 0]));
    assert_eq!(stats["shift"], json!(0.25));
    let columns: Vec<&str> = slab.atoms.columns().map(|(name, _)| name).collect();
    assert_eq!(columns, ["bulk_wyckoff", "bulk_equivalent"]);
}

/// Bulks whose slabs have two faces, in cells that are upright and tilted.
fn polar_bulks() -> Vec<(String, Atoms)> {
    let mut bulks: Vec<(String, Atoms)> = Vec::new();
    for record in records() {
        if ["NiAl_B2", "Cu3Au_L12", "CuAg_fcc_rattled_lowsym"].contains(&record["name"].as_str().expect("a name")) {
            bulks.push((get(&record, "name"), atoms(&record["bulk"])));
        }
    }
    let oxide = BulkOptions { crystalstructure: Some("rocksalt".into()), a: Some(4.2), ..BulkOptions::default() };
    bulks.push(("NiO".into(), bulk("NiO", &oxide).expect("built")));
    bulks
}

#[test]
fn a_slab_upside_down_is_the_same_slab() {
    let mut turned_with_cell = 0;
    for (name, bulk) in polar_bulks() {
        let options = SlabOptions { min_length_width: 1.0, min_slab_size: 6.0, ..SlabOptions::default() };
        let made = make_slabs_from_bulk(&bulk, &options).expect("slabs");
        turned_with_cell += made.warnings.iter().filter(|warning| warning.contains("turned over")).count();
        for turned in made.slabs.iter().filter(|slab| slab.shift.is_sign_negative()) {
            let same = |slab: &&volley::science::slabs::Slab| {
                slab.miller_index == turned.miller_index && slab.shift == -turned.shift
            };
            let slab = made.slabs.iter().find(same).expect("the slab that was turned");
            let place = format!("{name}: {:?} {}", slab.miller_index, slab.shift);
            let [upright, over] = [slab, turned].map(|slab| Emt::default().calculate(&slab.atoms).expect("calculated"));
            assert!((upright.energy - over.energy).abs() < 1e-9, "{place}: {} {}", upright.energy, over.energy);
            let (upright, over) = (layers(&slab.atoms), layers(&turned.atoms));
            let bottom = upright.last().expect("a layer").0;
            assert_eq!(upright.len(), over.len(), "{place}");
            for ((depth, members), (below, others)) in upright.iter().zip(over.iter().rev()) {
                assert!((depth - (bottom - below)).abs() < 2.0 * LAYER, "{place}: {depth} {below}");
                assert_eq!(numbers(&slab.atoms, members), numbers(&turned.atoms, others), "{place}");
            }
        }
    }
    assert!(turned_with_cell > 3, "{turned_with_cell}");
}

fn numbers(atoms: &Atoms, members: &[usize]) -> Vec<u8> {
    let mut numbers: Vec<u8> = members.iter().map(|index| atoms.numbers()[*index]).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn no_layer_is_detached_and_the_top_is_free() {
    for (name, bulk) in polar_bulks() {
        let depth = 2.0;
        let made = make_slabs_from_bulk(&bulk, &SlabOptions::default()).expect("slabs");
        for slab in &made.slabs {
            let place = format!("{name}: {:?} {}", slab.miller_index, slab.shift);
            let layers = layers(&slab.atoms);
            let widest = layers.windows(2).map(|pair| pair[0].0 - pair[1].0).fold(0.0, f64::max);
            assert!(widest < 3.0, "{place}: {widest}");
            for (below, members) in &layers {
                for index in members {
                    // Layers of the rattled crystal are not flat.
                    assert!(
                        slab.atoms.fixed().contains(index) == (*below < -depth) || (below + depth).abs() < 0.1,
                        "{place}: {below}"
                    );
                }
            }
        }
    }
}

#[test]
fn free_atoms_of_b2_are_the_top_ones_and_it_says_where_quacc_differs() {
    let record = records().into_iter().find(|record| record["name"] == "NiAl_B2").expect("there");
    let bulk = atoms(&record["bulk"]);
    let right = make_slabs_from_bulk(&bulk, &SlabOptions::default()).expect("slabs");
    let slab = &right.slabs[0];
    assert_eq!(slab.miller_index, [1, 0, 0]);
    let free: Vec<bool> = layers(&slab.atoms)
        .iter()
        .map(|(_, members)| members.iter().all(|index| !slab.atoms.fixed().contains(index)))
        .collect();
    assert_eq!(&free[..4], [true, true, false, false]);
    assert!(right.warnings[0].starts_with("slab (1 1 1)"), "{:?}", right.warnings);
    let fixed = right.warnings.iter().find(|warning| warning.starts_with("slab (1 0 0), shift 0.250: all"));
    assert!(fixed.is_some(), "{:?}", right.warnings);

    let copper = bulk_of("Cu");
    let right = make_slabs_from_bulk(&copper, &SlabOptions::default()).expect("slabs");
    let compat = SlabOptions { compat_quacc: true, ..SlabOptions::default() };
    assert_eq!(right, make_slabs_from_bulk(&copper, &compat).expect("slabs"));
    assert_eq!(right.warnings, Vec::<String>::new());
}

fn bulk_of(name: &str) -> Atoms {
    bulk(name, &BulkOptions::default()).expect("built")
}

#[test]
fn it_does_not_matter_where_the_slab_sits() {
    let copper = bulk_of("Cu");
    let centered = make_slabs_from_bulk(&copper, &SlabOptions::default()).expect("slabs");
    let options = SlabOptions { center_slab: false, ..SlabOptions::default() };
    let lying = make_slabs_from_bulk(&copper, &options).expect("slabs");
    for (a, b) in centered.slabs.iter().zip(&lying.slabs) {
        let [left, right] = [a, b].map(|slab| Emt::default().calculate(&slab.atoms).expect("calculated").energy);
        assert!((left - right).abs() < 1e-10, "{left} {right}");
        let middle = |atoms: &Atoms| {
            let inner: Vec<Vec3> = atoms.positions().to_vec();
            inner.iter().map(|position| position[2]).sum::<f64>() / (inner.len() as f64 * atoms.cell()[2][2])
        };
        assert!(middle(&b.atoms) < middle(&a.atoms), "{:?}", a.miller_index);
    }
}

#[test]
fn no_slabs_are_told() {
    let silver = SlabOptions { allowed_surface_symbols: Some(vec![47]), ..SlabOptions::default() };
    let made = make_slabs_from_bulk(&bulk_of("Cu"), &silver).expect("slabs");
    assert_eq!(made.slabs, []);
    assert_eq!(made.warnings, ["no slab was kept: none has Ag at its top"]);
}

type Change = fn(&mut SlabOptions);

#[test]
fn what_cannot_be_is_named() {
    let copper = bulk_of("Cu");
    let fails = |bulk: &Atoms, change: Change| {
        let mut options = SlabOptions::default();
        change(&mut options);
        make_slabs_from_bulk(bulk, &options).expect_err("an error").to_string()
    };
    let cases: [(Change, &str); 8] = [
        (|o| o.max_index = 0, "max_index: must be a whole number from 1 to 20, not 0"),
        (|o| o.max_index = 21, "max_index: must be a whole number from 1 to 20, not 21"),
        (|o| o.min_slab_size = -1.0, "min_slab_size: must be a number above 0, not -1"),
        (|o| o.min_vacuum_size = -0.5, "min_vacuum_size: must be a number, 0 or more, not -0.5"),
        (|o| o.min_length_width = f64::NAN, "min_length_width: must be a number, 0 or more, not NaN"),
        (|o| o.z_fix = Some(-2.0), "z_fix: must be a number, 0 or more, not -2"),
        (|o| o.min_slab_size = 1e9, "min_slab_size: a slab would have"),
        (|o| o.min_length_width = 1e6, "min_length_width: a slab would have"),
    ];
    for (change, expected) in cases {
        let message = fails(&copper, change);
        assert!(message.starts_with(expected), "{message}");
    }
    let nothing = Atoms::new(vec![], vec![]).expect("valid");
    assert_eq!(fails(&nothing, |_| ()), "the structure has no atoms");
    let flat = copper.clone().with_cell(*copper.cell(), [true, true, false]).expect("valid");
    assert!(fails(&flat, |_| ()).starts_with("pbc: slabs are cut from a crystal"));
    let dot = Atoms::new(vec![29], vec![[0.0; 3]]).expect("valid");
    assert!(fails(&dot, |_| ()).starts_with("pbc: "));
}

#[test]
fn surface_energies_follow_from_energies_and_area() {
    let copper = bulk_of("Cu");
    let energy = |atoms: &Atoms| Emt::default().calculate(atoms).expect("calculated").energy;
    let made = make_slabs_from_bulk(&copper, &SlabOptions::default()).expect("slabs");
    let surface = |index: usize| {
        let slab = &made.slabs[index].atoms;
        surface_energy(energy(slab), slab, energy(&copper), &copper).expect("a multiple")
    };
    // The record's area and energies of the (111) surface, primitive (1 0 0).
    let record = records().into_iter().find(|record| record["name"] == "Cu_fcc_primitive").expect("there");
    let expected = &record["slabs"][0];
    let times = get::<f64>(expected, "n_atoms");
    let cost = get::<f64>(expected, "energy") - times * get::<f64>(&record, "bulk_energy");
    assert!((surface(0) - cost / (2.0 * get::<f64>(expected, "area"))).abs() < 1e-10);
    assert!((0.5..2.0).contains(&(surface(0) * JOULE_PER_SQUARE_METRE)), "{}", surface(0));
    let gold = bulk_of("Au");
    assert_eq!(surface_energy(0.0, &made.slabs[0].atoms, 0.0, &gold), None);
    let flat = Atoms::new(vec![29], vec![[0.0; 3]]).expect("valid");
    assert_eq!(surface_energy(0.0, &flat, 0.0, &copper), None);
}
