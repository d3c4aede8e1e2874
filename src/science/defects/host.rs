//! The supercell of the bulk with one site empty, its atoms in the order of pymatgen-analysis-defects:
//! first all copies of the bulk's first atom, then those of its second, ...

use super::periodic::Periodic;
use super::shape::Matrix;
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, add, sub};
use crate::science::slabs::crystal::{Crystal, wrapped};
use crate::science::slabs::rounding::{inverse, row_times};

/// A supercell with an empty site.
#[derive(Debug)]
pub(super) struct Host {
    /// How it was made of the bulk.
    pub matrix: Matrix,
    pub cell: Mat3,
    pub numbers: Vec<u8>,
    /// Where the atoms are, Angstrom.
    pub positions: Vec<Vec3>,
    /// Where the empty site is, in fractions of the supercell.
    pub hole: Vec3,
}

impl Host {
    /// The supercell `matrix` of `bulk` without the atom `site`.
    pub fn new(bulk: &Atoms, site: usize, matrix: &Matrix) -> Result<Self> {
        let crystal = centred(bulk, site)?;
        let made = crystal.repeated(matrix);
        let to_fractions = inverse(&made.cell).ok_or_else(|| Error::SingularCell { vectors: "a, b, c".into() })?;
        let periodic = Periodic::new(&made.cell)?;
        // pymatgen wants the site a little inside the supercell's origin, in which cell of the bulk that is.
        let cell = std::array::from_fn(|k| if matrix.iter().map(|row| row[k]).sum::<i64>() < 0 { -1.0 } else { 0.0 });
        let shift = row_times(cell, bulk.cell());
        let origin = row_times(crystal.sites[site].place, &crystal.cell);
        let place = |fractions: Vec3| row_times(fractions, &made.cell);
        let distance = |index: &usize| periodic.distance(place(made.sites[*index].place), origin);
        let gone = (0..made.sites.len())
            .filter(|index| made.sites[*index].origin == site)
            .min_by(|a, b| distance(a).total_cmp(&distance(b)));
        let moved = |position: Vec3| row_times(add(position, shift), &to_fractions).map(wrapped);
        let kept = || made.sites.iter().enumerate().filter(|(index, _)| Some(*index) != gone).map(|(_, site)| site);
        Ok(Self {
            matrix: *matrix,
            cell: made.cell,
            numbers: kept().map(|site| site.number).collect(),
            positions: kept().map(|site| place(moved(place(site.place)))).collect(),
            hole: moved(origin),
        })
    }

    /// Where the empty site is, Angstrom.
    pub fn hole_position(&self) -> Vec3 {
        row_times(self.hole, &self.cell)
    }
}

/// The bulk, each atom where it is nearest to `site`.
fn centred(bulk: &Atoms, site: usize) -> Result<Crystal> {
    let mut crystal = Crystal::new(bulk)?;
    let to_fractions = inverse(bulk.cell()).ok_or_else(|| Error::SingularCell { vectors: "a, b, c".into() })?;
    let periodic = Periodic::new(bulk.cell())?;
    let centre = bulk.positions()[site];
    for (place, position) in crystal.sites.iter_mut().map(|site| &mut site.place).zip(bulk.positions()) {
        let off = sub(add(centre, periodic.between(centre, *position)), *position);
        *place = add(*place, row_times(off, &to_fractions).map(f64::round));
    }
    Ok(crystal)
}
