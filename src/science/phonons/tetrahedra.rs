//! The density of states by linear interpolation in tetrahedra: P. E. Bloechl, O. Jepsen, O. K. Andersen, Phys. Rev.
//! B 49, 16223 (1994), doi:10.1103/PhysRevB.49.16223; weights of A. H. MacDonald, S. H. Vosko, P. T. Coleridge,
//! J. Phys. C 12, 2991 (1979), doi:10.1088/0022-3719/12/15/008.

use super::grid::Grid;
use super::integers::{Int3, times_column};
use crate::science::error::{Error, Result};
use crate::science::linear::{Vec3, add, dot, scale};

/// Corners of a tetrahedron that are closer than this in frequency (THz) count as one.
const EQUAL: f64 = 1e-10;

/// The density of states at `frequencies` (THz), in modes of the primitive cell for each THz. `modes` are the
/// frequencies at the irreducible points of the grid. `stop` is asked at each of these.
pub fn total_dos(grid: &Grid, modes: &[Vec<f64>], frequencies: &[f64], stop: &dyn Fn() -> bool) -> Result<Vec<f64>> {
    let corners = around(grid);
    let (mut density, size) = (vec![0.0; frequencies.len()], grid.size() as f64);
    for (number, (address, weight)) in grid.addresses.iter().zip(&grid.weights).enumerate() {
        if stop() {
            return Err(Error::Stopped);
        }
        let share = f64::from(*weight) / size / 6.0;
        for corners in &corners {
            let at = corners.map(|step| {
                let corner = std::array::from_fn(|k| address[k] + step[k]);
                &modes[grid.irreducible[grid.index(corner)] as usize]
            });
            for (branch, own) in modes[number].iter().enumerate() {
                add_corner(&mut density, frequencies, *own, at.map(|modes| modes[branch]), share);
            }
        }
    }
    Ok(density)
}

/// The 24 tetrahedra that have a point of the grid as a corner: steps of the address to the three other corners.
/// Each cell of the grid is cut into six along its shortest diagonal.
fn around(grid: &Grid) -> Vec<[Int3; 3]> {
    let [a, b, c] = grid.cell();
    let along = |signs: Vec3| {
        let diagonal = add(add(scale(a, signs[0]), scale(b, signs[1])), scale(c, signs[2]));
        dot(diagonal, diagonal)
    };
    let diagonals: [(Int3, Vec3); 4] = [
        ([0, 0, 0], [1.0, 1.0, 1.0]),
        ([1, 0, 0], [-1.0, 1.0, 1.0]),
        ([0, 1, 0], [1.0, -1.0, 1.0]),
        ([0, 0, 1], [1.0, 1.0, -1.0]),
    ];
    let shortest = diagonals.iter().min_by(|x, y| along(x.1).total_cmp(&along(y.1)));
    let start = shortest.map_or([0; 3], |(start, _)| *start);
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mut all = Vec::with_capacity(24);
    for order in orders {
        // From corner to corner of the cell along edges, to the end of the diagonal.
        let mut path = vec![start];
        for axis in order {
            let mut next = path[path.len() - 1];
            next[axis] = 1 - next[axis];
            path.push(next);
        }
        for centre in 0..4 {
            let others = (0..4).filter(|k| *k != centre).map(|k| -> Int3 {
                times_column(&grid.left, std::array::from_fn(|axis| path[k][axis] - path[centre][axis]))
            });
            let others: Vec<Int3> = others.collect();
            all.push([others[0], others[1], others[2]]);
        }
    }
    all
}

/// What one corner, of frequency `own`, contributes to the density of a tetrahedron.
fn add_corner(density: &mut [f64], frequencies: &[f64], own: f64, others: [f64; 3], share: f64) {
    let mut v = [own, others[0], others[1], others[2]];
    v.sort_unstable_by(f64::total_cmp);
    let span = v[3] - v[0];
    let start = frequencies.partition_point(|w| *w < v[0]);
    let rank = v.iter().position(|x| *x == own).unwrap_or_default();
    for (w, density) in frequencies[start..].iter().zip(&mut density[start..]) {
        if *w >= v[3] {
            break;
        }
        *density += share * corner(&v, *w, rank) / span;
    }
}

/// The weight of a corner times the density at `w`, times the span of frequencies.
fn corner(v: &[f64; 4], w: f64, rank: usize) -> f64 {
    let f = |n: usize, m: usize| {
        let apart = v[n] - v[m];
        if apart.abs() < EQUAL { 0.0 } else { (w - v[m]) / apart }
    };
    if w < v[1] {
        let part = f(1, 0) * f(2, 0);
        part * match rank {
            0 => f(0, 1) + f(0, 2) + f(0, 3),
            other => f(other, 0),
        }
    } else if w < v[2] {
        let (one, two) = (f(1, 2) * f(2, 0), f(2, 1) * f(1, 3));
        match rank {
            0 => f(0, 3) * (one + two) + f(0, 2) * one,
            1 => f(1, 2) * (one + two) + f(1, 3) * two,
            2 => f(2, 1) * (one + two) + f(2, 0) * one,
            _ => f(3, 0) * (one + two) + f(3, 1) * two,
        }
    } else {
        let part = f(1, 3) * f(2, 3);
        part * match rank {
            3 => f(3, 0) + f(3, 1) + f(3, 2),
            other => f(other, 3),
        }
    }
}
