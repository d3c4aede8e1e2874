//! Empty layers of a cell, which no force holds open under pressure.

use crate::science::atoms::Atoms;
use crate::science::linear::{heights, inverse, row_times};

/// The thickness of the thickest layer without atoms between planes of the cell that repeat, Angstrom.
pub fn widest_gap(atoms: &Atoms) -> f64 {
    let Some(back) = inverse(atoms.cell()) else { return 0.0 };
    let heights = heights(atoms.cell());
    let gap = |k: usize| {
        let mut places: Vec<f64> =
            atoms.positions().iter().map(|place| row_times(*place, &back)[k].rem_euclid(1.0)).collect();
        places.sort_by(f64::total_cmp);
        places.extend(places.first().map(|first| first + 1.0));
        heights[k] * places.windows(2).map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
    };
    (0..3).filter(|k| atoms.pbc()[*k]).map(gap).fold(0.0, f64::max)
}
