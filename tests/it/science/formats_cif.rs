//! CIF: what ASE and pymatgen write, groups without operations, and what is refused.

use proptest::prelude::*;
use volley::science::Atoms;
use volley::science::io::cif;
use volley::science::linear::{inverse, row_times};
use volley::science::structure::{read_file, read_frames, write_file};

use super::formats::any_atoms;
use super::formats_ase::apart;
use super::{atoms, difference, fixture};

const HEAD: &str = "data_x\n_cell_length_a 4\n_cell_length_b 4.0(1)\n_cell_length_c 4\n_cell_angle_alpha 90\n\
                    _cell_angle_beta 90\n_cell_angle_gamma 90\n";
const SITES: &str = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nCu1 0 0 0\n";

fn one(text: &str) -> Atoms {
    let mut found = cif::read(text).expect(text);
    assert_eq!(found.len(), 1, "{text}");
    found.remove(0)
}

fn wrong(text: &str) -> String {
    cif::read(text).expect_err(text).to_string()
}

/// The text of a sample of pymatgen's without its operations.
fn without_operations(name: &str) -> (String, String) {
    let path = format!("{}/tests/fixtures/cif/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("the sample");
    let (start, rest) = text.split_once("loop_\n _symmetry_equiv").expect("operations");
    let (_, sites) = rest.split_once("loop_").expect("sites");
    let stripped = format!("{start}loop_{sites}");
    (text, stripped)
}

#[test]
fn samples_read_as_in_ase() {
    let expected = fixture("cif/expected.json");
    let expected = expected["expected"].as_object().expect("samples");
    for (name, expected) in expected {
        let path = format!("{}/tests/fixtures/cif/{name}", env!("CARGO_MANIFEST_DIR"));
        let (found, expected) = (read_file(path.as_ref()).expect(name), atoms(expected));
        assert_eq!((found.numbers(), found.pbc()), (expected.numbers(), expected.pbc()), "{name}");
        assert!(difference(found.cell(), expected.cell()) < 1e-12, "{name}");
        // 1 - 1e-16 and 0 are the same fraction.
        assert!(apart(&found, &expected) < 1e-12, "{name}");
    }
    assert_eq!(expected.len(), 8);
}

#[test]
fn a_group_named_is_as_good_as_its_operations() {
    let sorted = |atoms: &Atoms| {
        let mut rows: Vec<_> = atoms.numbers().iter().zip(atoms.positions()).collect();
        rows.sort_by(|a, b| a.partial_cmp(b).expect("finite numbers"));
        rows.into_iter().map(|(number, position)| (*number, position.map(|x| (x * 1e6).round()))).collect::<Vec<_>>()
    };
    for name in ["tetragonal", "wurtzite", "corundum", "monoclinic"] {
        let (full, stripped) = without_operations(&format!("pymatgen_{name}.cif"));
        assert_eq!(sorted(&one(&stripped)), sorted(&one(&full)), "{name}");
    }
    let (_, stripped) = without_operations("pymatgen_diamond.cif");
    let reason = "line 3: the space group Fd-3m has the settings 1, 2, and nothing says which; list the symmetry \
                  operations (_space_group_symop_operation_xyz)";
    assert_eq!(wrong(&stripped), reason);
    // pymatgen's diamond has its atom at (0, 0, 1/2): that is an origin of the second choice.
    for named in ["'F d -3 m :1'", "Fd3m:1", "\"F 41/d -3 2/m:1\""] {
        assert_eq!(one(&stripped.replace("  Fd-3m", &format!("  {named}"))).len(), 8, "{named}");
    }
}

#[test]
fn symbols_of_space_groups_have_many_spellings() {
    let cell = "_cell_length_a 5\n_cell_length_b 6\n_cell_length_c 7\n_cell_angle_alpha 90\n_cell_angle_gamma 90\n";
    let count = |beta: &str, tag: &str, name: &str| {
        let sites = SITES.replace("0 0 0", "0.07 0.21 0.36");
        cif::read(&format!("data_x\n{cell}_cell_angle_beta {beta}\n{tag} {name}\n{sites}")).map(|found| found[0].len())
    };
    let symbol = "_symmetry_space_group_name_H-M";
    for name in ["P21/c", "'P 21/c'", "'P 1 21/c 1'", "P2_1/n", "'P 1 21/a 1'"] {
        assert_eq!(count("100", symbol, name).expect(name), 4, "{name}");
    }
    for name in ["Pnma", "'P n m a'", "Pbnm", "'P m c n'"] {
        assert_eq!(count("90", symbol, name).expect(name), 8, "{name}");
    }
    for name in ["Cmca", "Cmce", "Bmab", "Cmma", "Cmmb"] {
        assert_eq!(count("90", symbol, name).expect(name), 16, "{name}");
    }
    assert_eq!(count("100", "_space_group_name_Hall", "'-P 2ybc'").expect("a group"), 4);
    assert_eq!(count("90", "_symmetry_Int_Tables_number", "19").expect("a group"), 4);
    let wrong = |beta: &str, tag: &str, name: &str| count(beta, tag, name).expect_err(name).to_string();
    assert!(wrong("90", symbol, "Pnam2").starts_with("line 8: no space group is called Pnam2; list"));
    assert!(
        wrong("100", symbol, "Fm-3m").starts_with("line 8: no setting of the space group Fm-3m fits the cell; list")
    );
    assert!(wrong("100", "_space_group_IT_number", "14").contains("has the settings b1, b2, b3, and nothing"));
    assert!(wrong("100", "_space_group_IT_number", "231").starts_with("line 8: no space group is called 231"));
}

#[test]
fn files_by_other_hands_are_read() {
    let text = format!(
        "# by hand\n{}_publ_section_title\n;\n data_not_a block, loop_ neither\n;\nloop_\n_symmetry_equiv_pos_as_xyz\n\
         x,y,z\n'x, 1/2+y, 1/2+z'\nloop_\n_atom_site_label _atom_site_type_symbol _atom_site_fract_x\n\
         _atom_site_fract_y _atom_site_fract_z _atom_site_occupancy # one row in two lines\n\
         Cu1 Cu2+ 0.25(1) 0\n0 1.000(4)\nW1 O2- .5 -0.25 . 1\n",
        HEAD.replace("_cell_length_a 4", "_cell.length_a\n  4.000")
    );
    assert_eq!(wrong(&text), "line 23: W1 has no coordinates");
    let text = text.replace("-0.25 . 1", "-0.25 1.5 .");
    let found = one(&text);
    assert_eq!(found.numbers(), [29, 29, 8, 8]);
    let expected = [[1.0, 0.0, 0.0], [1.0, 2.0, 2.0], [2.0, 3.0, 2.0], [2.0, 1.0, 0.0]];
    assert!(difference(found.positions(), &expected) < 1e-14);
    assert_eq!(one(&format!("\u{feff}{}", text.replace('\n', "\r\n"))), found);
    // Old files name their authors in Latin-1.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("old.cif");
    let bytes: Vec<u8> = text.replace("by hand", "M\u{fc}ller").chars().map(|letter| letter as u8).collect();
    std::fs::write(&path, bytes).expect("writes");
    assert_eq!(read_file(&path).expect("reads"), found);
    // Blocks without atoms are not structures; of several structures the last is the file's.
    std::fs::write(&path, format!("data_global\n_a b\n{HEAD}{SITES}{}", text.replace("data_x", "data_y")))
        .expect("writes");
    let frames = read_frames(&path).expect("reads");
    assert_eq!((frames.len(), frames[0].len()), (2, 1));
    assert_eq!(read_file(&path).expect("reads"), found);
}

#[test]
fn what_is_not_understood_is_refused() {
    let sites = |rows: &str| format!("{HEAD}{}", SITES.replace("Cu1 0 0 0\n", rows));
    assert_eq!(wrong("data_x\n_a 1\n"), "line 1: no block lists atoms (_atom_site_fract_x, ...)");
    assert_eq!(wrong("_a 1\n"), "line 1: a block (data_NAME) should begin here");
    assert_eq!(wrong(&format!("data_x\n{SITES}")), "line 1: _cell_length_a of data_x is missing");
    let flat = HEAD.replace("gamma 90", "gamma 180");
    assert_eq!(wrong(&format!("{flat}{SITES}")), "line 5: no cell has the angles 90, 90, 180");
    let none = HEAD.replace("length_a 4", "length_a ?");
    assert_eq!(wrong(&format!("{none}{SITES}")), "line 1: _cell_length_a of data_x is missing");
    assert_eq!(wrong(&format!("{HEAD}_cell_length_a 5\n")), "line 8: _cell_length_a is given twice in data_x");
    assert_eq!(wrong(&sites("Cu1 0 0\n")), "line 8: the loop has 3 values for 4 columns");
    assert_eq!(wrong(&sites("Qq1 0 0 0\n")), "line 13: \"Qq1\": unknown element \"Qq\"");
    assert_eq!(wrong(&sites("CU1 0 0 0\n")), "line 13: \"CU1\": unknown element \"CU\" (did you mean \"Cu\"?)");
    assert_eq!(wrong(&sites("Cu1 0 a 0\n")), "line 13: \"a\" is not a coordinate");
    assert_eq!(
        wrong(&sites("Cu1 0 0 0\nAu1 0.9999 0 0\n")),
        "line 14: Au1 lies where an image of Cu1 is: disorder is not supported"
    );
    assert_eq!(
        wrong(&sites("Cu1 0 0 0\nCu2 0.02 0 0\n")),
        "line 14: Cu2 lies where an image of Cu1 is: closer than any two atoms are"
    );
    // The same atom listed twice is one, as in ASE.
    assert_eq!(one(&sites("Cu1 0 0 0\nCu2 0.9999 0 0\n")).len(), 1);
    let occupied = sites("Cu1 0 0 0 0.5\n").replace("_fract_z\n", "_fract_z\n_atom_site_occupancy\n");
    assert_eq!(wrong(&occupied), "line 14: Cu1 has the occupancy 0.5; partial occupancies are not supported");
    let hydrogens = occupied.replace("_occupancy", "_attached_hydrogens").replace("0.5", "2");
    assert_eq!(wrong(&hydrogens), "line 14: Cu1 has 2 hydrogen atoms without coordinates");
    let operations = |text: &str| format!("{HEAD}loop_\n_symmetry_equiv_pos_as_xyz\n{text}{SITES}");
    assert_eq!(
        wrong(&operations("'x, y, w'\n")),
        "line 10: \"x, y, w\" is not a symmetry operation like \"-x+1/2, y, z\""
    );
    // A third written with three digits is no longer on its axis.
    let trigonal = operations("'x,y,z'\n'-y,x-y,z'\n'-x+y,-x,z'\n")
        .replace("gamma 90", "gamma 120")
        .replace("Cu1 0 0 0", "Cu1 0.334 0.666 0");
    assert_eq!(wrong(&trigonal), "line 18: images of Cu1 nearly coincide: a special position needs more digits");
    let cartesian = format!("{HEAD}{}", SITES.replace("fract", "Cartn"));
    assert_eq!(wrong(&cartesian), "line 1: _atom_site_fract_x of data_x is missing");
    let molecule = volley::science::build::molecule("N2").expect("a molecule");
    let folder = tempfile::tempdir().expect("a folder");
    let message = write_file(&folder.path().join("n2.cif"), &[molecule.into()]).expect_err("no cell").to_string();
    assert!(message.ends_with("n2.cif: cell: CIF needs three independent lattice vectors"), "{message}");
}

proptest! {
    #[test]
    fn cif_keeps_what_it_can(atoms in any_atoms()) {
        // Where atoms coincide the reader has its say.
        let text = cif::write(&[&atoms]).expect("text");
        if let Ok(found) = cif::read(&text) && found[0].len() == atoms.len() {
            prop_assert_eq!(found[0].numbers(), atoms.numbers());
            let fraction = |atoms: &Atoms, k: usize| row_times(atoms.positions()[k], &inverse(atoms.cell()).expect("a cell"));
            for k in 0..atoms.len() {
                let (a, b) = (fraction(&found[0], k), fraction(&atoms, k));
                prop_assert!((0..3).all(|j| ((a[j] - b[j]) - (a[j] - b[j]).round()).abs() < 1e-12));
            }
        }
    }

    #[test]
    fn the_reader_never_panics(place in 0usize..4000, text in "[ -~\n]{0,20}", at in 0usize..5) {
        let name = ["tetragonal", "wurtzite", "corundum", "monoclinic", "diamond"][at];
        let (mut full, mut stripped) = without_operations(&format!("pymatgen_{name}.cif"));
        for sample in [&mut full, &mut stripped] {
            let place = place % sample.len();
            sample.replace_range(place..(place + text.len() / 2).min(sample.len()), &text);
            let _ = cif::read(sample);
        }
        let _ = cif::read(&format!("data_{text}"));
    }
}
