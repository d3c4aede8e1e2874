//! The steps on the way to a slab, against those of pymatgen for the 27 bulks of the fixture.

use serde_json::Value;

use super::crystal::{Crystal, cell_parameters, nearest_image};
use super::cut::Cut;
use super::oriented::Oriented;
use super::{SlabOptions, faces, matching, miller};
use crate::science::atoms::Atoms;
use crate::science::elements::symbol;
use crate::science::linear::{Mat3, Vec3, sub};

fn get<T: serde::de::DeserializeOwned>(value: &Value, key: &str) -> T {
    serde_json::from_value(value[key].clone()).unwrap_or_else(|error| panic!("{key}: {error}"))
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6)
}

fn options(kwargs: &Value) -> SlabOptions {
    let or = |key: &str, default: f64| kwargs[key].as_f64().unwrap_or(default);
    let flag = |key: &str, default: bool| kwargs[key].as_bool().unwrap_or(default);
    SlabOptions {
        min_slab_size: or("min_slab_size", 10.0),
        min_vacuum_size: or("min_vacuum_size", 20.0),
        in_unit_planes: flag("in_unit_planes", false),
        lll_reduce: flag("lll_reduce", false),
        primitive: flag("primitive", true),
        ..SlabOptions::default()
    }
}

#[test]
fn every_step_is_that_of_pymatgen() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/emt/slabs.json");
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).expect("readable")).expect("JSON");
    let mut compared = 0;
    for record in fixture["records"].as_array().expect("records") {
        let bulk = &record["bulk"];
        let atoms = Atoms::new(get(bulk, "numbers"), get(bulk, "positions"));
        let atoms = atoms.and_then(|atoms| atoms.with_cell(get(bulk, "cell"), [true; 3])).expect("valid");
        let crystal = Crystal::new(&atoms).expect("a crystal");
        let kwargs = &record["make_slabs_kwargs"];
        let traces = record["trace"].as_array().expect("traces");
        let planes: Vec<[i32; 3]> = traces.iter().map(|trace| get(trace, "miller")).collect();
        let max_index = kwargs["max_index"].as_i64().unwrap_or(1) as i32;
        assert_eq!(miller::distinct_planes(&crystal.cell, max_index), planes, "{}", record["name"]);
        for (trace, miller) in traces.iter().zip(planes) {
            let place = format!("{} {miller:?}", record["name"]);
            let search = kwargs["max_normal_search"].as_i64().map(|reach| reach as i32);
            let oriented = Oriented::new(&crystal, miller, search).expect("oriented");
            assert!(
                close(&[oriented.height, oriented.spacing], &[get(trace, "proj_height"), get(trace, "d_hkl")]),
                "{place}"
            );
            assert_same_crystal(&oriented.crystal, &trace["oriented_unit_cell"], &place);
            assert_cuts(&crystal, &oriented, miller, trace, &options(kwargs), &place);
            compared += 1;
        }
    }
    assert_eq!(compared, 100);
}

fn assert_same_crystal(crystal: &Crystal, expected: &Value, place: &str) {
    let cell: Mat3 = get(expected, "lattice");
    assert!(close(crystal.cell.as_flattened(), cell.as_flattened()), "{place}: {:?} for {cell:?}", crystal.cell);
    let places: Vec<Vec3> = get(expected, "frac_coords");
    let species: Vec<String> = get(expected, "species");
    assert_eq!(crystal.sites.len(), places.len(), "{place}");
    for (wanted, species) in places.iter().zip(species) {
        let there = crystal.sites.iter().any(|site| {
            let off = sub(site.place, *wanted).map(nearest_image);
            symbol(site.number) == species && close(&off, &[0.0; 3])
        });
        assert!(there, "{place}: {species} at {wanted:?}");
    }
}

fn assert_cuts(
    bulk: &Crystal,
    oriented: &Oriented,
    miller: [i32; 3],
    trace: &Value,
    options: &SlabOptions,
    place: &str,
) {
    let expected = trace["terminations"].as_array().expect("terminations");
    let shifts: Vec<f64> = expected.iter().map(|cut| get(cut, "termination")).collect();
    let found = oriented.terminations(options.ftol);
    assert!(close(&found, &shifts), "{place}: {found:?} for {shifts:?}");
    let cut = |shift: &f64, options: &SlabOptions| Cut::new(bulk, oriented, miller, *shift, options).expect("a slab");
    let cuts: Vec<Cut> = found.iter().map(|shift| cut(shift, options)).collect();
    for (made, expected) in cuts.iter().zip(expected) {
        let whole = cut(&made.shift, &SlabOptions { primitive: false, ..options.clone() });
        assert_eq!(whole.crystal.sites.len(), get::<usize>(expected, "n_atoms_before_primitive"), "{place}");
        assert_eq!(made.crystal.sites.len(), get::<usize>(expected, "n_atoms"), "{place}");
        let (lengths, angles) = cell_parameters(&made.crystal.cell);
        let parameters = [lengths, angles.map(f64::to_degrees)];
        let wanted: Vec<f64> = get(expected, "lattice_abc_angles");
        assert!(close(parameters.as_flattened(), &wanted), "{place}: {parameters:?} for {wanted:?}");
        assert_eq!(faces::are_alike(&made.crystal), get::<bool>(expected, "is_symmetric"), "{place}");
    }
    let groups: Vec<Vec<usize>> = get(trace, "structurematcher_groups");
    let wanted: Vec<f64> = groups.iter().map(|group| shifts[group[0]]).collect();
    let kept: Vec<f64> = matching::distinct(cuts, options.tol).iter().map(|cut| cut.shift).collect();
    assert!(close(&kept, &wanted), "{place}: {kept:?} for {wanted:?}");
}
