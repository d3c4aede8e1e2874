//! Files of ours read by ASE, and ASE's by us: random structures with everything a format can say, and
//! the space groups that a CIF file may name without listing operations. One Python process for each.

use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};
use volley::science::Atoms;
use volley::science::column::{Column, Values};
use volley::science::io::{Frame, Results, extxyz, mson};
use volley::science::linear::{Mat3, Vec3, dot, inverse, row_times};
use volley::science::structure::{plain, read_file, read_frames, write_file};

use super::{atoms, difference};
use crate::support::service;

const STRUCTURES: usize = 60;

/// What ASE found after `arguments`, in `folder`.
fn ask(python: &str, folder: &Path, arguments: &[&str]) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/python/structures.py");
    let output =
        Command::new(python).args(["-W", "ignore", script]).arg(folder).args(arguments).output().expect("starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(folder.join("found.json")).expect("an answer");
    serde_json::from_str(&text).expect("JSON")
}

/// Notes that every format's writer keeps.
fn tame() -> impl Strategy<Value = Map<String, Value>> {
    (any::<i16>(), -9.0..9.0, any::<bool>(), "[a-z]{3}( [a-z]{1,5}){0,2}").prop_map(|(n, x, flag, text)| {
        let info = json!({"n": n, "x": x, "flag": flag, "note": text, "list": [n, 2, 3], "deep": {"k": [null, text]}});
        info.as_object().cloned().unwrap_or_default()
    })
}

/// The formats that can hold the atoms.
fn formats(atoms: &Atoms) -> &'static [&'static str] {
    if atoms.volume() > 0.0 { &["extxyz", "json", "vasp", "cif"] } else { &["extxyz", "json"] }
}

/// Atoms that keep their distance in a skewed cell of either hand, some outside the cell, a few with two
/// lattice vectors or none, and notes that only a careful writer keeps.
fn frame() -> impl Strategy<Value = (Frame, Map<String, Value>)> {
    let vector = |most: f64| prop::array::uniform3(-most..most);
    let atom = (vector(0.1), 1u8..119, any::<bool>(), any::<i32>(), vector(9.0), "[a-z]{1,3}");
    let rows = (prop::sample::subsequence((0..27).collect::<Vec<u8>>(), 1..7), prop::collection::vec(atom, 6));
    let cell = (prop::array::uniform3(6.0f64..9.0), prop::array::uniform6(-1.5..1.5), any::<bool>());
    let wild = "[ -~\n\u{e4}\u{3bb}]{0,12}";
    let vectors = prop_oneof![6 => Just(3), 1 => Just(2), 1 => Just(0)];
    (rows, (cell, vectors), any::<[bool; 3]>(), prop::option::of(-9.0..9.0), tame(), wild).prop_map(
        |((slots, mut rows), ((d, s, left), vectors), pbc, energy, tame, wild)| {
            let cell = [[d[0], s[0], s[1]], [s[2], d[1], s[3]], [s[4], s[5], if left { -d[2] } else { d[2] }]];
            rows.truncate(slots.len());
            let place = |(slot, row): (&u8, &(Vec3, u8, bool, i32, Vec3, String))| {
                let grid = [slot % 3, slot / 3 % 3, slot / 9].map(f64::from);
                row_times(std::array::from_fn(|k| (grid[k] + row.0[k]) / 3.0 + f64::from(row.3 % 2)), &cell)
            };
            let positions: Vec<Vec3> = slots.iter().zip(&rows).map(place).collect();
            let fixed: Vec<usize> = (0..rows.len()).filter(|index| rows[*index].2).collect();
            let columns = [
                ("tags", None, Values::Int(rows.iter().map(|row| row.3.into()).collect())),
                ("initial_magmoms", None, Values::Real(rows.iter().map(|row| row.4[0]).collect())),
                ("arrow", Some(3), Values::Real(rows.iter().flat_map(|row| row.4).collect())),
                ("label", None, Values::Text(rows.iter().map(|row| row.5.clone()).collect())),
                ("chosen", None, Values::Bool(rows.iter().map(|row| row.2).collect())),
            ];
            let mut info = tame.clone();
            info.insert("wild".into(), wild.clone().into());
            info.insert("words".into(), json!([wild, "T", 1]));
            let (cell, pbc): (Mat3, [bool; 3]) = match vectors {
                3 => (cell, pbc),
                2 => ([cell[0], cell[1], [0.0; 3]], [pbc[0], pbc[1], false]),
                _ => ([[0.0; 3]; 3], [false; 3]),
            };
            let mut atoms = Atoms::new(rows.iter().map(|row| row.1).collect(), positions)
                .and_then(|atoms| atoms.with_cell(cell, pbc))
                .and_then(|atoms| atoms.with_fixed(fixed))
                .expect("valid atoms")
                .with_info(info);
            for (name, width, values) in columns {
                atoms = atoms.with_column(name, Column { width, values }).expect("a column");
            }
            let results = Results {
                energy,
                energies: energy.map(|energy| vec![energy; rows.len()]),
                forces: energy.map(|_| rows.iter().map(|row| row.4).collect()),
                stress: energy.map(|energy| [energy, 1.0, -2.0, 0.1, 1.0 / 3.0, 0.3]),
            };
            (Frame { atoms, results }, tame)
        },
    )
}

/// The largest distance of `found` from `expected`, each atom to the nearest of its images.
pub fn apart(found: &Atoms, expected: &Atoms) -> f64 {
    // Fractions of each one's own cell: some formats turn the cell.
    let fractions = |atoms: &Atoms| -> Vec<Vec3> {
        let to_fractional = inverse(atoms.cell()).expect("a cell");
        atoms.positions().iter().map(|position| row_times(*position, &to_fractional)).collect()
    };
    let pairs = fractions(found).into_iter().zip(fractions(expected));
    let shifts = pairs.map(|(a, b)| std::array::from_fn::<f64, 3, _>(|k| a[k] - b[k]).map(|x| x - x.round()));
    let rest: Vec<Vec3> = shifts.map(|shift| row_times(shift, expected.cell())).collect();
    difference(&rest, &vec![[0.0; 3]; found.len()])
}

/// Scalar products of the lattice vectors: the cell but for its orientation.
fn metric(cell: &Mat3) -> Mat3 {
    std::array::from_fn(|i| std::array::from_fn(|j| dot(cell[i], cell[j])))
}

/// Compares what `format` can say.
fn compare(what: &str, format: &str, found: &Atoms, expected: &Atoms, tolerance: f64) {
    assert_eq!(found.numbers(), expected.numbers(), "{what}");
    let pbc = if ["cif", "vasp"].contains(&format) { [true; 3] } else { expected.pbc() };
    assert_eq!(found.pbc(), pbc, "{what}");
    if format == "cif" {
        assert!(difference(&metric(found.cell()), &metric(expected.cell())) < 1e-11, "{what}");
        assert!(apart(found, expected) < 1e-11, "{what}: {}", apart(found, expected));
        return;
    }
    assert_eq!(found.fixed(), expected.fixed(), "{what}");
    assert!(difference(found.cell(), expected.cell()) <= tolerance.min(1e-14), "{what}");
    if format == "vasp" && tolerance > 0.0 {
        assert!(apart(found, expected) <= tolerance, "{what}");
    } else {
        assert!(difference(found.positions(), expected.positions()) <= tolerance, "{what}");
    }
}

/// Compares the numbers in two JSON values within `tolerance`, and everything else exactly.
fn compare_values(what: &str, found: &Value, expected: &Value, tolerance: f64) {
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{what}");
            found.iter().zip(expected).for_each(|(found, expected)| compare_values(what, found, expected, tolerance));
        }
        (Value::Object(found), Value::Object(expected)) if found.len() == expected.len() => {
            expected.iter().for_each(|(key, value)| compare_values(what, &found[key], value, tolerance));
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().expect("a number"), expected.as_f64().expect("a number"));
            assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected}");
        }
        _ => assert_eq!(found, expected, "{what}"),
    }
}

/// Columns and notes as JSON.
fn extras(atoms: &Atoms) -> (Value, Value) {
    let plain = plain(atoms);
    (plain["columns"].clone(), plain["info"].clone())
}

fn results_json(results: &Results) -> Value {
    let mut map = Map::new();
    let mut insert = |key: &str, value: Value| (!value.is_null()).then(|| map.insert(key.into(), value));
    insert("energy", json!(results.energy));
    insert("free_energy", json!(results.energy));
    insert("energies", json!(results.energies));
    insert("forces", json!(results.forces));
    insert("stress", json!(results.stress));
    map.into()
}

#[test]
fn files_mean_the_same_to_ase() {
    let Some(python) = service("VOLLEY_TEST_PYTHON", "python") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut runner = TestRunner::deterministic();
    let mut draw = || frame().new_tree(&mut runner).expect("a structure").current();
    let frames: Vec<(Frame, Map<String, Value>)> = (0..STRUCTURES).map(|_| draw()).collect();
    let together = |format: &str| -> Vec<Frame> {
        let frames = frames.iter().map(|(frame, _)| frame);
        frames.filter(|frame| formats(&frame.atoms).contains(&format)).cloned().collect()
    };
    for format in ["extxyz", "cif", "json"] {
        write_file(&folder.path().join(format!("all.{format}")), &together(format)).expect("writes");
    }
    let mut given = Vec::new();
    for (number, (frame, tame)) in frames.iter().enumerate() {
        for format in formats(&frame.atoms) {
            let path = folder.path().join(format!("{number}.ours.{format}"));
            write_file(&path, std::slice::from_ref(frame)).expect("writes");
        }
        given.push(json!({
            "atoms": mson::atoms_json(&frame.atoms), "info": tame, "results": results_json(&frame.results),
            "formats": formats(&frame.atoms),
        }));
    }
    std::fs::write(folder.path().join("structures.json"), Value::from(given).to_string()).expect("writes");
    let found = ask(&python, folder.path(), &[]);
    for (number, (Frame { atoms: expected, results }, tame)) in frames.iter().enumerate() {
        for &format in formats(expected) {
            // Ours in ASE: to the last bit, but that CIF has fractions.
            let what = format!("{number}.ours.{format}");
            let record = &found["one_by_one"][number][format];
            compare(&what, format, &atoms(record), expected, 0.0);
            let (columns, info) = extras(expected);
            for (name, column) in columns.as_object().expect("columns") {
                if format == "extxyz" || (format == "json" && ["tags", "initial_magmoms"].contains(&name.as_str())) {
                    compare_values(&what, &record["columns"][name], column, 0.0);
                }
            }
            if format == "extxyz" {
                let info = info.as_object().expect("notes");
                info.iter().for_each(|(key, value)| compare_values(&what, &record["info"][key], value, 0.0));
                assert_eq!(record["info"].as_object().map(Map::len), Some(info.len()), "{what}");
            }
            if ["extxyz", "json"].contains(&format) {
                let results = results_json(results);
                let results = results.as_object().expect("results");
                results.iter().for_each(|(key, value)| compare_values(&what, &record["results"][key], value, 0.0));
            }

            // ASE's in ours: to as many digits as it writes.
            let what = format!("{number}.ase.{format}");
            let path = folder.path().join(&what);
            let tolerance = [("extxyz", 5.1e-9), ("vasp", 1e-13)].iter().find(|(name, _)| *name == format);
            let tolerance = tolerance.map_or(0.0, |(_, tolerance)| *tolerance);
            let read = read_file(&path).expect(&what);
            compare(&what, format, &read, expected, tolerance);
            if format == "extxyz" {
                let frame = extxyz::read(&std::fs::read_to_string(&path).expect("the file")).expect(&what).remove(0);
                compare_values(&what, &results_json(&frame.results), &results_json(results), tolerance);
                let (found, notes) = extras(&read);
                for (name, column) in columns.as_object().expect("columns") {
                    compare_values(&what, &found[name], column, tolerance);
                }
                assert_eq!(notes, Value::from(tame.clone()), "{what}");
            }
        }
    }
    for format in ["extxyz", "cif", "json"] {
        let count = together(format).len();
        assert!(count > STRUCTURES / 2, "{format}");
        assert_eq!(found["together"][format], count, "{format}");
        assert_eq!(read_frames(&folder.path().join(format!("all.{format}"))).expect("reads").len(), count);
    }
}

#[test]
fn named_space_groups_are_those_of_ase_or_refused() {
    let Some(python) = service("VOLLEY_TEST_PYTHON", "python") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let found = ask(&python, folder.path(), &["groups"]);
    let mut refused = Vec::new();
    for number in 1..=230 {
        let path = folder.path().join(format!("group{number}.cif"));
        match read_file(&path) {
            Ok(read) => {
                let expected = atoms(&found[number.to_string()]);
                assert_eq!(read.len(), expected.len(), "{number}");
                assert!(difference(read.cell(), expected.cell()) < 1e-12, "{number}");
                // The operations are in another order.
                let near = |a: &Vec3, b: &Vec3| (0..3).all(|k| (a[k] - b[k]).abs() < 1e-9);
                for position in read.positions() {
                    assert!(expected.positions().iter().any(|other| near(position, other)), "{number}: {position:?}");
                }
            }
            Err(error) => refused.push((number, error.to_string())),
        }
    }
    for (_, message) in &refused {
        assert!(message.contains("and nothing says which; list the symmetry operations"), "{message}");
    }
    // Those that International Tables give with two origins, and Cmme, once Cmma or Cmmb.
    let refused: Vec<i32> = refused.into_iter().map(|(number, _)| number).collect();
    let several = [
        48, 50, 59, 67, 68, 70, 85, 86, 88, 125, 126, 129, 130, 133, 134, 137, 138, 141, 142, 201, 203, 222, 224, 227,
        228,
    ];
    assert_eq!(refused, several);
}
