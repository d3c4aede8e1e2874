//! Vacancies as quacc 1.8.2 makes them with pymatgen-analysis-defects and ShakeNBreak: sites, supercells,
//! the order of the atoms, which of them move and where to, and the random moves of the others.

use std::collections::BTreeMap;

use serde_json::Value;
use volley::science::Atoms;
use volley::science::defects::{Defect, DefectOptions, make_defects_from_bulk};
use volley::science::elements::number;
use volley::science::linear::{Vec3, inverse, norm, row_times, sub};

use super::{fixture, get};

fn records() -> Vec<Value> {
    let records = fixture("emt/defects.json")["records"].as_array().expect("records").clone();
    assert!(records.len() > 25);
    records
}

fn bulk(record: &Value) -> Atoms {
    let bulk = &record["bulk"];
    Atoms::new(get(bulk, "numbers"), get(bulk, "positions"))
        .and_then(|atoms| atoms.with_cell(get(bulk, "cell"), [true; 3]))
        .expect("a structure")
}

fn options(record: &Value) -> DefectOptions {
    let kwargs = &record["kwargs"];
    let count = |key: &str, default: usize| kwargs[key].as_u64().map_or(default, |count| count as usize);
    let default = DefectOptions::default();
    let symbols: Option<Vec<String>> = get(kwargs, "rm_species");
    DefectOptions {
        matrix: get(kwargs, "sc_mat"),
        min_atoms: count("min_atoms", default.min_atoms),
        max_atoms: count("max_atoms", default.max_atoms),
        min_length: kwargs["min_length"].as_f64().unwrap_or(default.min_length),
        force_diagonal: kwargs["force_diagonal"].as_bool().unwrap_or_default(),
        remove: symbols.map(|symbols| symbols.iter().map(|symbol| number(symbol).expect("an element")).collect()),
        charge: kwargs["defect_charge"].as_i64().unwrap_or_default(),
        distortions: true,
    }
}

fn made(record: &Value, distortions: bool) -> Vec<Defect> {
    let options = DefectOptions { distortions, ..options(record) };
    make_defects_from_bulk(&bulk(record), &options, &|| false)
        .unwrap_or_else(|error| panic!("{}: {error}", record["name"]))
}

/// How far apart two points are in a crystal, given the difference.
fn apart(difference: Vec3, atoms: &Atoms) -> f64 {
    let to_fractions = inverse(atoms.cell()).expect("a cell");
    norm(row_times(row_times(difference, &to_fractions).map(|x| x - x.round()), atoms.cell()))
}

/// The letters in the fixture.
fn letter(symbol: &str) -> char {
    let letters = BTreeMap::from([("Al", 'A'), ("Ni", 'N'), ("Cu", 'C'), ("Pd", 'P'), ("Pt", 'T'), ("Au", 'U')]);
    letters[symbol]
}

#[test]
fn the_supercells_are_those_of_quacc() {
    for record in records() {
        let name = &record["name"];
        let (made, expected) = (made(&record, false), record["sites"].as_array().expect("sites"));
        assert_eq!(made.len(), expected.len(), "{name}");
        for (made, expected) in made.iter().zip(expected) {
            let about = &made.atoms.info()["defect_stats"]["defect"];
            assert_eq!(about["sc_mat"], expected["matrix"], "{name}");
            assert_eq!(made.symbol, expected["name"], "{name}");
            assert_eq!(
                (made.site, made.multiplicity),
                (get(expected, "site"), get(expected, "multiplicity")),
                "{name}"
            );
            assert_eq!(made.atoms.symbols().map(letter).collect::<String>(), expected["symbols"], "{name}");
            for (index, place) in get::<Vec<Vec3>>(expected, "frac").into_iter().enumerate() {
                let off = apart(sub(row_times(place, made.atoms.cell()), made.atoms.positions()[index]), &made.atoms);
                assert!(off < 2e-3, "{name}: atom {index} is {off} off");
            }
            // Where pymatgen moves the atoms along, it leaves the site behind.
            let off = sub(get(about, "sc_defect_frac_coords"), get(expected, "place"));
            let behind = name == "Cu sc_mat negative";
            assert!(behind || apart(row_times(off, made.atoms.cell()), &made.atoms) < 1e-4, "{name}: {off:?}");
        }
    }
}

#[test]
fn the_distortions_are_those_of_quacc() {
    let (mut exact, mut total) = (0, 0);
    for record in records() {
        let name = &record["name"];
        let (made, plain) = (made(&record, true), made(&record, false));
        // Where ShakeNBreak fails: a neighbour is its own image, or is none to pymatgen.
        if record.get("error").is_some() {
            assert!(made.len() > plain.len(), "{name}");
            continue;
        }
        let expected = record["structures"].as_array().expect("structures");
        let names: Vec<(&str, &str)> = made.iter().map(|one| (one.symbol.as_str(), one.distortion.as_str())).collect();
        let wanted: Vec<(&str, &str)> = expected
            .iter()
            .map(|one| (one["symbol"].as_str().expect("a name"), one["distortion"].as_str().expect("a name")))
            .collect();
        assert_eq!(names, wanted, "{name}");
        for (made, expected) in made.iter().zip(expected) {
            let place = format!("{name}, {} at {}", made.distortion, made.site);
            let plain = plain.iter().find(|plain| plain.site == made.site).expect("the same site");
            let moved: BTreeMap<usize, Vec3> = get(expected, "moved");
            let distorted: Vec<usize> = get(&made.atoms.info()["defect_stats"]["defect"], "distorted_atoms");
            let mut known: Vec<usize> = distorted.clone();
            known.sort_unstable();
            if made.distortion != "Bond_Distortion_0.0%" {
                assert_eq!(known, moved.keys().copied().collect::<Vec<usize>>(), "{place}");
            }
            for (index, position) in &moved {
                let off = apart(sub(*position, made.atoms.positions()[*index]), &made.atoms);
                assert!(off < 2e-6, "{place}: atom {index} is {off} off");
            }
            let by = |index: usize| sub(made.atoms.positions()[index], plain.atoms.positions()[index]);
            let rattled: Vec<Vec3> = get(expected, "rattled");
            total += 1;
            let close = rattled
                .iter()
                .enumerate()
                .filter(|(index, _)| !distorted.contains(index))
                .all(|(index, expected)| apart(sub(by(index), *expected), &made.atoms) < 2e-6);
            exact += usize::from(close);
        }
    }
    assert!(exact == total && total > 100, "{exact} of {total}");
}
