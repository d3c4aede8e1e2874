//! Files as ASE, monty and pymatgen write them, and that ours read back as they were.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use volley::science::Atoms;
use volley::science::column::{Column, Values};
use volley::science::io::extxyz::{self, Frame};
use volley::science::io::{mson, poscar};
use volley::science::structure::{build, file, plain, read_file};

use super::{atoms, difference, fixture};

fn sample(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/emt/formats").join(name)
}

fn assert_same(what: &str, found: &Atoms, expected: &Value) {
    let expected = atoms(expected);
    assert_eq!(found.numbers(), expected.numbers(), "{what}");
    assert_eq!(found.pbc(), expected.pbc(), "{what}");
    assert_eq!(found.fixed(), expected.fixed(), "{what}");
    assert!(difference(found.positions(), expected.positions()) < 1e-12, "{what}");
    assert!(difference(found.cell(), expected.cell()) < 1e-12, "{what}");
}

#[test]
fn samples_read_as_others_read_them() {
    let expected = fixture("emt/formats/expected.json");
    let mut compared = 0;
    for (name, expected) in expected["expected"].as_object().expect("samples") {
        if name.ends_with(".cif") || expected.is_array() {
            continue;
        }
        assert_same(name, &read_file(&sample(name)).expect(name), expected);
        compared += 1;
    }
    assert_eq!(compared, 16);
    let text = std::fs::read_to_string(sample("traj_like_multi.extxyz")).expect("the sample");
    let frames = extxyz::read(&text).expect("frames");
    for (frame, expected) in frames.iter().zip(expected["expected"]["traj_like_multi.extxyz"].as_array().expect("two"))
    {
        assert_same("traj_like_multi.extxyz", &frame.atoms, expected);
    }
    assert_eq!(frames.len(), 2);
}

#[test]
fn results_in_extended_xyz_are_read() {
    let text = std::fs::read_to_string(sample("extxyz_with_results.extxyz")).expect("the sample");
    let frame = extxyz::read(&text).expect("a frame").remove(0);
    assert_eq!(frame.energy, Some(0.26739528575931093));
    assert_eq!(frame.forces.expect("forces")[3], [-0.14450672, -0.15841137, -0.26077124]);
    assert_eq!(frame.energies.expect("energies")[0], -3.65030316);
    assert_eq!(frame.stress.expect("stress")[3], -0.015324010998912976);
    assert_eq!(frame.atoms.columns().count(), 0);
    let slab = read_file(&sample("extxyz_slab.extxyz")).expect("the sample");
    assert_eq!(slab.column("tags").map(|tags| &tags.values), Some(&Values::Int(vec![3, 3, 2, 2, 1, 1])));
}

#[test]
fn mson_is_written_to_the_character() {
    for name in ["atoms_constraint", "atoms_slab_TTF", "molecule"] {
        let text = std::fs::read_to_string(sample(&format!("monty_{name}.json"))).expect("the sample");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(mson::to_mson(&build(&value).expect("atoms")), value, "{name}");
    }
}

#[test]
fn windows_line_ends_and_marks_are_read() {
    let text = std::fs::read_to_string(sample("POSCAR_direct_selective")).expect("the sample");
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(poscar::read(&windows).expect("atoms"), poscar::read(&text).expect("atoms"));
    let text = std::fs::read_to_string(sample("traj_like_multi.extxyz")).expect("the sample");
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(extxyz::read(&windows).expect("frames"), extxyz::read(&text).expect("frames"));
}

#[test]
fn a_wrong_line_is_named() {
    let poscar = |text: &str| poscar::read(text).expect_err("wrong").to_string();
    let head = "Cu\n1.0\n3 0 0\n0 3 0\n0 0 3\n";
    assert_eq!(poscar("Cu\n1.0\n3 0 0\n0 x 0\n"), "line 4: three numbers are needed, not \"0 x 0\"");
    assert_eq!(poscar(&format!("{head}Qq\n1\nDirect\n0 0 0\n")), "line 7: unknown element \"Qq\"");
    assert_eq!(
        poscar(&format!("{head}Cu\n2\nDirect\n0 0 0\n")),
        "line 10: the file ends where the position of an atom should be"
    );
    assert_eq!(
        poscar(&format!("{head}Cu\n1\nSel\nDirect\n0 0 0 T F T\n")),
        "line 10: atoms fixed in some directions only are not supported"
    );
    let xyz = |text: &str| extxyz::read(text).expect_err("wrong").to_string();
    assert_eq!(xyz("two\n"), "line 1: the number of atoms should be here, not \"two\"");
    assert_eq!(xyz("2\n\nCu 0 0 0\n"), "line 3: the file ends after 1 of 2 atoms");
    assert_eq!(xyz("1\nLattice=\"1 2\"\nCu 0 0 0\n"), "line 2: Lattice needs nine numbers, not \"1 2\"");
    assert_eq!(xyz("1\n\nCu 0 0\n"), "line 3: 3 columns where Properties needs 4");
    assert_eq!(xyz("1\n\nCu 0 nan 0\n"), "line 3: \"nan\": must be a finite number");
    assert_eq!(xyz("1\nLattice=\"1 0 0\nCu 0 0 0\n"), "line 2: \" is missing after \"\\\"1 0 0\"");
}

#[test]
fn wrong_structures_are_explained() {
    let wrong = |spec: Value| build(&spec).expect_err("wrong").to_string();
    let cell = |cell: Value| wrong(json!({"symbols": ["Cu"], "positions": [[0, 0, 0]], "cell": cell}));
    let singular = "singular cell: the periodic vectors a, b, c are zero or linearly dependent";
    assert_eq!(cell(json!([[1, 0, 0], [0, 1, 0], [1, 1, 0]])), singular);
    assert_eq!(cell(json!([3, 3, 0])), singular);
    assert_eq!(cell(json!([[1, 0], [0, 1], [1, 1]])), "row 0 of cell has 2 entries where 3 are needed");
    assert_eq!(
        wrong(json!({"symbols": ["Cu", "Cu"], "positions": [[0, 0, 0]]})),
        "positions has 1 entries where 2 are needed"
    );
    assert_eq!(
        wrong(json!({"symbols": ["Cu"], "positions": [[0, null, 0]]})),
        "row 0 of positions: must hold finite numbers, not null"
    );
    assert_eq!(wrong(json!({"symbols": ["Qq"], "positions": [[0, 0, 0]]})), "unknown element \"Qq\"");
    assert_eq!(wrong(json!({"numbers": [0], "positions": [[0, 0, 0]]})), "no element has the atomic number 0");
    assert_eq!(
        wrong(json!({"symbols": ["Cu"], "positions": [[0, 0, 0]], "fixed": [1]})),
        "fixed names atom 1, but there are only 1 atoms (counted from 0)"
    );
    assert_eq!(
        wrong(json!({"symbols": ["Cu"], "position": [[0, 0, 0]]})),
        "unknown key \"position\" in structure (did you mean \"positions\"?)"
    );
    assert_eq!(
        wrong(json!({"bulk": "Cu", "cubic": true})),
        "structure: write {bulk: {name: ..., cubic: ...}} to give cubic"
    );
    assert!(wrong(json!({"molecule": false})).contains("YAML reads words like NO"));
    assert_eq!(wrong(json!({"symbols": [], "positions": []})), "the structure has no atoms");
    assert!(wrong(json!({"file": "POSCAR"})).contains("has to be read when the workflow is added"));
    assert_eq!(file(&json!({"file": "POSCAR"})), Some("POSCAR"));
    assert_eq!(file(&json!({"bulk": "Cu"})), None);
    let message = read_file(Path::new("somewhere/POSCAR")).expect_err("not there").to_string();
    assert!(message.starts_with("cannot read somewhere/POSCAR: "), "{message}");
    assert!(read_file(Path::new("copper.cfg")).expect_err("unknown").to_string().contains("POSCAR*"));
}

#[test]
fn short_forms_mean_what_they_say() {
    let atoms = build(&json!({"symbols": "CuO2", "positions": [[0, 0, 0], [0, 0, 1.2], [0, 1, 2]], "cell": [3, 4, 5]}));
    let atoms = atoms.expect("a structure");
    assert_eq!((atoms.numbers(), atoms.pbc(), atoms.volume()), (&[29, 8, 8][..], [true; 3], 60.0));
    let slab = json!({"numbers": [29], "positions": [[0, 0, 0]], "cell": [3, 3, 0], "pbc": [true, true, false]});
    assert_eq!(build(&slab).expect("a structure").volume(), 0.0);
    let oxygen = build(&json!({"molecule": "O2"})).expect("a structure");
    assert_eq!(oxygen.column("initial_magmoms").map(|c| &c.values), Some(&Values::Real(vec![1.0, 1.0])));
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![-20.0..20.0, Just(0.0), Just(-0.0), Just(1e-17), Just(1.0 / 3.0), any::<i8>().prop_map(f64::from)]
}

/// Atoms with everything they can have.
pub fn any_atoms() -> impl Strategy<Value = Atoms> {
    let atom = (1u8..119, [number(), number(), number()], any::<bool>(), any::<i64>(), "[a-z]{1,3}");
    let cell = [-0.4..0.4, -0.4..0.4, -0.4..0.4, -0.4..0.4, -0.4..0.4, -0.4..0.4];
    (prop::collection::vec(atom, 1..8), cell, any::<[bool; 3]>()).prop_map(|(rows, s, pbc)| {
        let cell = [[3.1, s[0], s[1]], [s[2], 4.2, s[3]], [s[4], s[5], -5.3]];
        let fixed: Vec<usize> = rows.iter().enumerate().filter(|(_, row)| row.2).map(|(index, _)| index).collect();
        let tags = Values::Int(rows.iter().map(|row| row.3).collect());
        let momenta = Values::Real(rows.iter().flat_map(|row| row.1).collect());
        let letters = Values::Text(rows.iter().map(|row| row.4.clone()).collect());
        let info =
            json!({"note": "x y \"z\"", "n": 1, "x": -0.5, "list": [1, 2.5], "yes": true, "deep": {"k": [null]}});
        Atoms::new(rows.iter().map(|row| row.0).collect(), rows.iter().map(|row| row.1).collect())
            .and_then(|atoms| atoms.with_cell(cell, pbc))
            .and_then(|atoms| atoms.with_fixed(fixed))
            .and_then(|atoms| atoms.with_column("tags", Column::flat(tags)))
            .and_then(|atoms| atoms.with_column("momenta", Column { width: Some(3), values: momenta }))
            .and_then(|atoms| atoms.with_column("letters", Column::flat(letters)))
            .map(|atoms| atoms.with_info(info.as_object().cloned().unwrap_or_default()))
            .expect("valid atoms")
    })
}

proptest! {
    #[test]
    fn plain_and_mson_lose_nothing(atoms in any_atoms()) {
        let text = plain(&atoms).to_string();
        prop_assert_eq!(&build(&serde_json::from_str(&text).expect("JSON")).expect("atoms"), &atoms);
        let text = mson::to_mson(&atoms).to_string();
        prop_assert_eq!(&build(&serde_json::from_str(&text).expect("JSON")).expect("atoms"), &atoms);
    }

    #[test]
    fn extended_xyz_loses_nothing(atoms in any_atoms(), energy in number()) {
        let mut frame = Frame::from(atoms);
        frame.energy = Some(energy);
        frame.stress = Some([energy; 6]);
        frame.forces = Some(frame.atoms.positions().to_vec());
        frame.energies = Some(vec![energy; frame.atoms.len()]);
        let frames = vec![frame.clone(), Frame::from(frame.atoms)];
        prop_assert_eq!(extxyz::read(&extxyz::write(&frames)).expect("frames"), frames);
    }

    #[test]
    fn poscar_keeps_what_it_can(atoms in any_atoms()) {
        let found = poscar::read(&poscar::write(&atoms).expect("text")).expect("atoms");
        prop_assert_eq!(found.numbers(), atoms.numbers());
        prop_assert_eq!(found.positions(), atoms.positions());
        prop_assert_eq!((found.cell(), found.fixed()), (atoms.cell(), atoms.fixed()));
    }

    #[test]
    fn readers_never_panic(text in "[ -~\n]{0,200}", atoms in any_atoms(), cut in 0usize..400) {
        let _ = (poscar::read(&text), extxyz::read(&text));
        for mut text in [extxyz::write(&[atoms.clone().into()]), poscar::write(&atoms).expect("text")] {
            text.truncate(cut);
            let _ = (poscar::read(&text), extxyz::read(&text));
        }
    }
}
