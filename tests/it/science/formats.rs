//! Files as ASE, monty and pymatgen write them, and that ours read back as they were.

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use volley::science::Atoms;
use volley::science::column::{Column, Values};
use volley::science::io::{Frame, Results, cif, database, extxyz, mson, poscar};
use volley::science::structure::{build, file, plain, read_file, read_frames, write_file};

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
        if expected.is_array() {
            continue;
        }
        assert_same(name, &read_file(&sample(name)).expect(name), expected);
        compared += 1;
    }
    assert_eq!(compared, 20);
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
    let Frame { atoms, results } = extxyz::read(&text).expect("a frame").remove(0);
    assert_eq!(results.energy, Some(0.26739528575931093));
    assert_eq!(results.forces.expect("forces")[3], [-0.14450672, -0.15841137, -0.26077124]);
    assert_eq!(results.energies.expect("energies")[0], -3.65030316);
    assert_eq!(results.stress.expect("stress")[3], -0.015324010998912976);
    assert_eq!(atoms.columns().count(), 0);
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
    assert_eq!(poscar("Cu\n1 2\n"), "line 2: the scale must be one number, not zero, or three above zero");
    assert_eq!(poscar("Cu\n1 -1 1\n"), "line 2: the scale must be one number, not zero, or three above zero");
    assert_eq!(poscar(&format!("{head}Cu\n1 x\nDirect\n0 0 0\n")), "line 7: \"x\" is not a number of atoms");
    assert_eq!(
        poscar(&format!("{head}Cu Au\n1\nDirect\n0 0 0\n")),
        "line 7: 1 counts, but the elements named are \"Cu Au\""
    );
    assert_eq!(poscar(&format!("{head}Cu\n1\n0 0 0\n")), "line 8: Direct or Cartesian should be here, not \"0 0 0\"");
    assert_eq!(
        poscar(&format!("{head}Cu\n1\nDirect\n0 0 0\n0.5 0.5 0.5\n")),
        "line 10: another position, but only 1 atoms are counted"
    );
    assert_eq!(
        poscar("Cu\n1.0\n3 0 0\n0 3 0\n3 3 0\nCu\n1\nDirect\n0 0 0\n"),
        "line 5: singular cell: the periodic vectors a, b, c are zero or linearly dependent"
    );
    let xyz = |text: &str| extxyz::read(text).expect_err("wrong").to_string();
    assert_eq!(xyz("two\n"), "line 1: the number of atoms should be here, not \"two\"");
    assert_eq!(xyz("2\n\nCu 0 0 0\n"), "line 3: the file ends after 1 of 2 atoms");
    assert_eq!(xyz("1\nLattice=\"1 2\"\nCu 0 0 0\n"), "line 2: Lattice needs nine numbers, not \"1 2\"");
    assert_eq!(xyz("1\nProperties=species:S:1:pos:R:3\nCu 0 0 0 1\n"), "line 3: 5 columns where Properties needs 4");
    assert_eq!(
        xyz("1\nLattice=\"1 0 0 0 1 0 1 1 0\"\nCu 0 0 0\n"),
        "line 2: singular cell: the periodic vectors a, b, c are zero or linearly dependent"
    );
    let wide = format!("1\nProperties=species:S:1:pos:R:3:a:R:{0}:b:R:{0}\nCu 0 0 0\n", usize::MAX);
    assert_eq!(xyz(&wide), format!("line 3: 4 columns where Properties needs {}", usize::MAX));
    assert_eq!(xyz("99999999999\n\nCu 0 0 0\n"), "line 3: the file ends after 1 of 99999999999 atoms");
    assert_eq!(xyz("1\nenergy=\"1 2\"\nCu 0 0 0\n"), "line 2: energy needs one number, not \"1 2\"");
    assert_eq!(xyz("1\n\nCu 0 0\n"), "line 3: 3 columns where Properties needs 4");
    assert_eq!(xyz("1\n\nCu 0 nan 0\n"), "line 3: \"nan\": must be a finite number");
    assert_eq!(xyz("1\nLattice=\"1 0 0\nCu 0 0 0\n"), "line 2: \" is missing after \"\\\"1 0 0\"");
}

#[test]
fn every_form_of_poscar_is_read() {
    let rows = "3 0 0\n0 3 0\n1 0 4\n";
    let read = |text: String| poscar::read(&text).expect(&text);
    let plain = read(format!("Cu\n1.0\n{rows}Cu\n2 ! two\nDirect\n0 0 0\n0.5 0.5 0.5\n"));
    assert_eq!(plain.positions()[1], [2.0, 1.5, 2.0]);
    // The elements in the comment, and potentials for elements.
    assert_eq!(read(format!("Cu and more\n1.0\n{rows}2\nD\n0 0 0\n0.5 0.5 0.5\n")), plain);
    assert_eq!(read(format!("x\n1.0\n{rows}Cu_pv/1a2b\n2\nD\n0 0 0\n0.5 0.5 0.5\n\n0 0 0\n0 0 0\n")), plain);
    assert_eq!(read(format!("x\n1.0 a factor\n{rows}Cu Cu\n1 1\nK\n0 0 0 Cu\n2 1.5 2 Cu\n")), plain);
    // Three scales; a volume, also of a left-handed cell.
    let scaled = read(format!("x\n2 1 0.5\n{rows}Cu\n2\nCartesian\n0 0 0\n2 1.5 2\n"));
    assert_eq!(scaled.cell(), &[[6.0, 0.0, 0.0], [0.0, 3.0, 0.0], [2.0, 0.0, 2.0]]);
    assert_eq!(scaled.positions()[1], [4.0, 1.5, 1.0]);
    for rows in [rows, "0 3 0\n3 0 0\n1 0 4\n"] {
        let doubled = read(format!("x\n-288\n{rows}Cu\n2\nCart\n0 0 0\n2 1.5 2\n"));
        assert!((doubled.volume() - 288.0).abs() < 1e-12);
        assert!(difference(&[doubled.positions()[1]], &[[4.0, 3.0, 4.0]]) < 1e-14);
    }
}

#[test]
fn files_of_many_structures_are_read_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let [copper, nickel] = ["Cu", "Ni"].map(|name| build(&json!({"bulk": name})).expect("atoms"));
    let frames = [copper.clone().into(), nickel.clone().into()];
    for name in ["both.extxyz", "both.XYZ", "both.json"] {
        let path = folder.path().join(name);
        write_file(&path, &frames).expect("writes");
        assert_eq!(read_frames(&path).expect("reads"), [copper.clone(), nickel.clone()], "{name}");
        assert_eq!(read_file(&path).expect("reads"), nickel, "{name}");
    }
    let path = folder.path().join("list.json");
    let text = json!([plain(&copper), mson::to_mson(&nickel), {"molecule": "N2"}]).to_string();
    std::fs::write(&path, format!("\u{feff}{text}")).expect("writes");
    assert_eq!(read_frames(&path).expect("reads")[..2], [copper, nickel]);
    let wrong = |text: &str| {
        std::fs::write(&path, text).expect("writes");
        let message = read_frames(&path).expect_err(text).to_string();
        message.split_once("list.json: ").expect("the file").1.to_owned()
    };
    assert_eq!(wrong("[]"), "the structure has no atoms");
    assert_eq!(wrong("{\n\"bulk\" 1}"), "JSON: expected `:` at line 2 column 8");
    assert_eq!(wrong("[{\"bulk\": \"Cu\"}, {\"bulk\": \"Qq\"}]"), "structure 1: unknown element \"Qq\"");
    assert_eq!(wrong("{\"ids\": [1, 2], \"nextid\": 3}"), "ids: there is no row 1");
    let text = std::fs::read_to_string(sample("ase_db.json")).expect("the sample");
    let partly = text.replace("FixAtoms", "FixScaled");
    assert_eq!(wrong(&partly), "row 1: constraints: FixScaled is not supported, only FixAtoms is");
    let message = write_file(&folder.path().join("POSCAR"), &frames).expect_err("two").to_string();
    assert!(message.ends_with("POSCAR: POSCAR: holds one structure, not 2 (*.extxyz holds many)"), "{message}");
    let message = write_file(&folder.path().join("copper.cfg"), &frames).expect_err("unknown").to_string();
    assert!(message.starts_with("cannot write ") && message.contains("*.cif"), "{message}");
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
        let results = Results {
            energy: Some(energy),
            energies: Some(vec![energy; atoms.len()]),
            forces: Some(atoms.positions().to_vec()),
            stress: Some([energy; 6]),
        };
        let frames = vec![Frame { atoms: atoms.clone(), results }, Frame::from(atoms)];
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
    fn readers_never_panic(text in "[ -~\n]{0,200}", atoms in any_atoms(), place in 0usize..2000, cut in any::<bool>()) {
        let read = |text: &str| (poscar::read(text), extxyz::read(text), cif::read(text)).0.is_ok();
        let json = |text: &str| serde_json::from_str(text).is_ok_and(|value: Value| build(&value).is_ok());
        let _ = (read(&text), json(&text));
        let frame: Frame = atoms.into();
        let written = [
            extxyz::write(std::slice::from_ref(&frame)),
            poscar::write(&frame.atoms).expect("text"),
            cif::write(&[&frame.atoms]).expect("text"),
            database::write(std::slice::from_ref(&frame)),
            mson::to_mson(&frame.atoms).to_string(),
            plain(&frame.atoms).to_string(),
        ];
        for mut whole in written {
            let place = place % whole.len();
            let end = if cut { whole.len() } else { (place + text.len() / 20).min(whole.len()) };
            whole.replace_range(place..end, if cut { "" } else { &text[..text.len() / 10] });
            let _ = (read(&whole), json(&whole));
        }
    }

    #[test]
    fn databases_keep_what_they_can(mut atoms in any_atoms()) {
        let value = serde_json::from_str(&database::write(&[atoms.clone().into()])).expect("JSON");
        atoms.retain_columns(|name| ["tags", "momenta"].contains(&name));
        let expected = atoms.with_info(serde_json::Map::new());
        prop_assert_eq!(database::read(&value).expect("atoms"), [expected]);
    }
}
