//! Phonons against phonopy 4.10, piece by piece, and against physics.

use nalgebra::Complex;
use serde_json::Value;
use volley::science::linear::{Vec3, add};
use volley::science::phonons::{
    Crystal, Displacement, Dynamics, ForceConstants, Grid, Group, Mesh, displacements, supercell,
};
use volley::science::{Atoms, Calculator, emt::Emt};

use super::{atoms, difference, fixture, get};

const SYMPREC: f64 = 1e-4;

/// Everything up to the force constants, with atoms that are held in place or without.
struct Computed {
    crystal: Crystal,
    group: Group,
    moved: Vec<Displacement>,
    constants: ForceConstants,
}

fn compute(unit: &Atoms, fixed: &[usize], matrix: &[[i64; 3]; 3]) -> Computed {
    let part = |keep: bool| {
        let kept: Vec<usize> = (0..unit.len()).filter(|atom| fixed.contains(atom) != keep).collect();
        let numbers = kept.iter().map(|atom| unit.numbers()[*atom]).collect();
        let positions = kept.iter().map(|atom| unit.positions()[*atom]).collect();
        Atoms::new(numbers, positions).and_then(|atoms| atoms.with_cell(*unit.cell(), [true; 3])).expect("atoms")
    };
    let crystal = Crystal::new(&part(true), matrix, SYMPREC).expect("a crystal");
    let still = supercell(&part(false), matrix).expect("a supercell");
    let group = Group::of(&crystal).expect("a group");
    let moved = displacements(&crystal, &group, 0.01);
    let all = &crystal.supercell;
    let mut calculator = Emt::default();
    let forces = moved.iter().map(|displacement| {
        let mut positions = [all.positions(), still.positions()].concat();
        positions[displacement.atom] = add(positions[displacement.atom], displacement.vector);
        let numbers = [all.numbers(), still.numbers()].concat();
        let moved = Atoms::new(numbers, positions).and_then(|atoms| atoms.with_cell(*all.cell(), [true; 3]));
        let mut forces = calculator.calculate(&moved.expect("atoms")).expect("forces").forces;
        forces.truncate(all.len());
        forces
    });
    let forces: Vec<Vec<Vec3>> = forces.collect();
    let mut constants = ForceConstants::new(&crystal, &group, &moved, &forces).expect("force constants");
    if !fixed.is_empty() {
        constants = constants.symmetrized(&crystal, &group);
    }
    Computed { crystal, group, moved, constants }
}

impl Computed {
    fn mesh(&self) -> Mesh {
        let dynamics = Dynamics::new(&self.crystal, &self.constants).expect("dynamics");
        let grid = Grid::new(100.0, self.crystal.primitive.cell(), &self.group).expect("a grid");
        Mesh::new(grid, &dynamics, false, &|| false).expect("a mesh")
    }
}

fn largest(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn is_near(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    let off = largest(found, expected);
    assert!(off < tolerance, "{what}: off by {off:e}");
}

/// All that phonopy's record has. `order`: whether its q-points come in our order, too.
fn check(name: &str, order: bool) {
    let reference = fixture(&format!("emt/phonons_{name}.json"));
    let unit = atoms(&reference["structure"]);
    let found = compute(&unit, &get::<Vec<usize>>(&reference, "fixed"), &get(&reference, "supercell_matrix"));
    let crystal = &found.crystal;
    let what = |part: &str| format!("{name}, {part}");
    let matrix: [Vec3; 3] = get(&reference, "primitive_matrix");
    assert!(difference(&crystal.primitive_matrix, &matrix) < 1e-8, "{name}: {:?}", crystal.primitive_matrix);
    let positions: Vec<Vec3> = get(&reference, "supercell_positions");
    assert!(difference(crystal.supercell.positions(), &positions) < 1e-6, "{name}");
    assert_eq!(crystal.firsts, get::<Vec<usize>>(&reference, "p2s_map"), "{name}");

    let expected = reference["displacements"].as_array().expect("a list");
    assert_eq!(found.moved.len(), expected.len(), "{name}");
    for (own, expected) in found.moved.iter().zip(expected) {
        assert_eq!(own.atom, get::<usize>(expected, "number"), "{name}");
        is_near(&what("displacements"), &own.vector, &get::<Vec<f64>>(expected, "displacement"), 1e-9);
    }
    let full = found.constants.full(crystal);
    for (atom, row) in reference["force_constants_rows"].as_object().expect("rows") {
        let row: Vec<[Vec3; 3]> = serde_json::from_value(row.clone()).expect("a row");
        let own = &full[atom.parse::<usize>().expect("a number")];
        is_near(&what("force constants"), own.as_flattened().as_flattened(), row.as_flattened().as_flattened(), 1e-9);
    }

    let dynamics = Dynamics::new(crystal, &found.constants).expect("dynamics");
    let expected: Vec<Vec<f64>> = get(&reference, "frequencies");
    let points: Vec<Vec3> = get(&reference, "qpoints");
    // Gamma comes first: rounding noise.
    for (point, frequencies) in points.iter().zip(&expected).skip(1) {
        is_near(&what("frequencies"), &dynamics.modes(*point, false).0, frequencies, 1e-6);
    }
    are_eigenvectors(&dynamics, &reference["dynamical_matrix"]);

    let mesh = found.mesh();
    let (step, grid) = (get::<usize>(&reference, "step"), &mesh.grid);
    assert_eq!(grid.points.len(), get::<usize>(&reference, "n_qpoints"), "{name}");
    let sums = [grid.weights.iter().sum(), grid.weights.iter().map(|weight| weight * weight).sum::<u32>()];
    assert_eq!(sums, get::<[u32; 2]>(&reference, "weights_sorted_sum"), "{name}");
    if order {
        let own: Vec<Vec3> = grid.points.iter().step_by(step).copied().collect();
        assert!(difference(&own, &points) < 1e-8, "{name}");
        let weights: Vec<u32> = grid.weights.iter().step_by(step).copied().collect();
        assert_eq!(weights, get::<Vec<u32>>(&reference, "weights"), "{name}");
    }
    // The ends of the range hang on the noise at Gamma.
    let sampling: Vec<f64> = get(&reference["total_dos"], "frequency_points");
    is_near(&what("frequency points"), &mesh.sampling(), &sampling, 1e-4);
    let density: Vec<f64> = get(&reference["total_dos"], "total_dos");
    is_near(&what("density of states"), &mesh.total_dos(&sampling, &|| false).expect("a density"), &density, 1e-7);
    let thermal = mesh.thermal(&get::<Vec<f64>>(&reference["thermal"], "temperatures"), &|| false).expect("sums");
    for (key, own) in [
        ("free_energy", &thermal.free_energy),
        ("entropy", &thermal.entropy),
        ("heat_capacity", &thermal.heat_capacity),
    ] {
        is_near(&what(key), own, &get::<Vec<f64>>(&reference["thermal"], key), 1e-7);
    }
}

/// Whether what is computed are eigenvectors of phonopy's matrix at a general point.
fn are_eigenvectors(dynamics: &Dynamics, expected: &Value) {
    let (real, imaginary): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (get(expected, "real"), get(expected, "imag"));
    let (frequencies, vectors) = dynamics.modes(get(expected, "q"), true);
    is_near("frequencies", &frequencies, &get::<Vec<f64>>(expected, "frequencies"), 1e-6);
    for (frequency, vector) in frequencies.iter().zip(&vectors) {
        let eigenvalue = (frequency / 15.633302300230191).powi(2).copysign(*frequency);
        for (row, x) in vector.iter().enumerate() {
            let terms = vector.iter().enumerate().map(|(k, y)| Complex::new(real[row][k], imaginary[row][k]) * y);
            assert!((terms.sum::<Complex<f64>>() - x * eigenvalue).norm() < 1e-8);
        }
        let norm: f64 = vector.iter().map(|x| x.norm_sqr()).sum();
        assert!((norm - 1.0).abs() < 1e-12);
    }
}

#[test]
fn phonopy_is_reproduced_with_symmetry() {
    for name in ["Cu_cubic", "matrix", "hcp", "L10", "skew_matrix", "Cu_orthorhombic"] {
        check(name, true);
    }
}

#[test]
fn phonopy_is_reproduced_without_much_symmetry() {
    for name in ["low", "slab_fixed", "adsorbate"] {
        check(name, true);
    }
}

#[test]
fn grids_of_the_conventional_cell_are_those_of_phonopy() {
    // But for the order of points, which follows from an arbitrary choice of vectors.
    check("bct", false);
}

/// Copper at EMT's lattice constant, Angstrom.
const COPPER: f64 = 3.5901;

fn copper(times: i64) -> Computed {
    let half = COPPER / 2.0;
    let unit = Atoms::new(vec![29], vec![[0.0; 3]])
        .and_then(|atoms| atoms.with_cell([[0.0, half, half], [half, 0.0, half], [half, half, 0.0]], [true; 3]));
    compute(&unit.expect("copper"), &[], &[[times, 0, 0], [0, times, 0], [0, 0, times]])
}

#[test]
fn force_constants_obey_the_laws() {
    let found = copper(4);
    let full = found.constants.full(&found.crystal);
    let mut asymmetry = 0.0f64;
    for (i, row) in full.iter().enumerate() {
        for a in 0..3 {
            for b in 0..3 {
                let sum: f64 = row.iter().map(|block| block[a][b]).sum();
                assert!(sum.abs() < 1e-10, "moving all atoms costs nothing");
                let pairs = row.iter().enumerate().map(|(j, block)| (block[a][b] - full[j][i][b][a]).abs());
                asymmetry = pairs.fold(asymmetry, f64::max);
            }
        }
    }
    // The order of derivatives does not matter, but for what a displacement of 0.01 Angstrom has of higher ones.
    assert!(asymmetry < 1e-4, "{asymmetry}");
}

#[test]
fn sound_is_as_fast_as_elastic_constants_say() {
    let found = copper(6);
    let dynamics = Dynamics::new(&found.crystal, &found.constants).expect("dynamics");
    // Along [100]: C44 twice, then C11, GPa, of EMT's copper; the density in kg/m^3.
    let density = 63.546 * 1.66053907e-27 * 4.0 / (COPPER * 1e-10).powi(3);
    let along = 0.004;
    let (frequencies, _) = dynamics.modes([0.0, along * COPPER / 2.0, along * COPPER / 2.0], false);
    for (frequency, constant) in frequencies.iter().zip([89.98e9, 89.98e9, 172.83e9]) {
        let speed = frequency * 1e12 / (along * 1e10);
        let expected = f64::sqrt(constant / density);
        assert!((speed / expected - 1.0).abs() < 0.01, "{speed} m/s for {expected} m/s");
    }
}

#[test]
fn sums_over_modes_have_their_limits() {
    let found = copper(3);
    let mesh = found.mesh();
    let sampling = mesh.sampling();
    let density = mesh.total_dos(&sampling, &|| false).expect("a density");
    let count = density.iter().sum::<f64>() * (sampling[1] - sampling[0]);
    assert!((count - 3.0).abs() < 1e-2, "{count} modes");
    // Dulong and Petit: 3 R, J/(K mol).
    let thermal = mesh.thermal(&[0.0, 5000.0], &|| false).expect("sums");
    assert!((thermal.heat_capacity[1] / 24.943 - 1.0).abs() < 1e-3, "{thermal:?}");
    assert_eq!((thermal.entropy[0], thermal.heat_capacity[0]), (0.0, 0.0));
    assert!(thermal.free_energy[0] > 0.0, "zero-point energy");
    // The points of a star have the same frequencies.
    let dynamics = Dynamics::new(&found.crystal, &found.constants).expect("dynamics");
    let point = [0.1, 0.23, -0.37];
    let (expected, _) = dynamics.modes(point, false);
    for rotation in &found.group.rotations {
        let turned = std::array::from_fn(|k| (0..3).map(|i| rotation[i][k] as f64 * point[i]).sum());
        is_near("a star", &dynamics.modes(turned, false).0, &expected, 1e-9);
    }
}

#[test]
fn what_is_no_crystal_is_refused() {
    let unit = Atoms::new(vec![29], vec![[0.0; 3]]).expect("an atom");
    let refused = supercell(&unit, &[[1, 0, 0], [0, 1, 0], [0, 0, 1]]).expect_err("no cell").to_string();
    assert!(refused.contains("three independent vectors"), "{refused}");
    let unit = unit.with_cell([[2.5, 0.0, 0.0], [0.0, 2.5, 0.0], [0.0, 0.0, 2.5]], [true; 3]).expect("a cell");
    for (matrix, words) in [
        ([[1, 0, 0], [0, 1, 0], [1, 1, 0]], "determinant above 0, not 0"),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], "determinant above 0, not -1"),
        ([[99, 0, 0], [0, 99, 0], [0, 0, 99]], "more than 100000 atoms"),
        ([[i64::MAX, 0, 0], [0, i64::MAX, 0], [0, 0, 1]], "from -1000 to 1000"),
        ([[1001, 0, 0], [0, 1, 0], [0, 0, 1]], "from -1000 to 1000"),
        ([[1000, 1000, 1000], [1000, 1000, 999], [999, 1000, 1000]], "too skewed"),
    ] {
        let refused = supercell(&unit, &matrix).expect_err("a wrong matrix").to_string();
        assert!(refused.contains(words), "{refused}");
    }
}
