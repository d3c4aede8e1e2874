//! The space group of a crystal as it acts on the atoms of its supercell.

use super::crystal::Crystal;
use super::integers::{Int3, IntMat, add, sub as sub_integers, times_column};
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, Vec3, inverse, norm, product, row_times, sub, transposed};
use crate::science::symmetry::{self, Symmetry};

/// An operation, up to a lattice vector.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Acts on columns of fractional coordinates of the primitive cell.
    pub rotation: IntMat,
    /// The same for columns of Cartesian coordinates.
    pub cartesian: Mat3,
    /// Onto which atom it maps each of the primitive cell, and by which lattice vector that is moved.
    pub images: Vec<(usize, Int3)>,
}

/// The operations of a crystal.
#[derive(Clone, Debug)]
pub struct Group {
    /// Those that its supercell has, too.
    pub operations: Vec<Operation>,
    /// Rotations of the primitive cell, for columns of fractional coordinates.
    pub rotations: Vec<IntMat>,
    /// The conventional cell of the primitive one, and more.
    pub symmetry: Symmetry,
}

impl Operation {
    /// Where the atom goes that is `site`, once the operation is moved by `back`.
    pub fn image(&self, (basis, shift): (usize, Int3), back: Int3) -> (usize, Int3) {
        let (image, moved) = self.images[basis];
        (image, sub_integers(add(times_column(&self.rotation, shift), moved), back))
    }
}

impl Group {
    /// Found within the crystal's tolerance.
    pub fn of(crystal: &Crystal) -> Result<Self> {
        let symmetry = symmetry::find(&crystal.primitive, crystal.symprec);
        let symmetry =
            symmetry.ok_or_else(|| Error::bad("symprec", "the symmetry of the structure cannot be found"))?;
        let columns = transposed(crystal.primitive.cell());
        let to_fractions = inverse(&columns).ok_or(Error::NotFinite { what: "the cell".into() })?;
        let mut operations = Vec::new();
        let rotations = symmetry.group.operations.iter().map(|(rotation, _)| rotation.map(|row| row.map(i64::from)));
        let rotations: Vec<IntMat> = rotations.collect();
        for (rotation, (_, translation)) in rotations.iter().zip(&symmetry.group.operations) {
            if crystal.vectors.iter().any(|vector| crystal.lattice.class(times_column(rotation, *vector)) != 0) {
                continue;
            }
            let real = rotation.map(|row| row.map(|n| n as f64));
            operations.push(Operation {
                rotation: *rotation,
                cartesian: product(&product(&columns, &real), &to_fractions),
                images: images(crystal, &real, *translation)?,
            });
        }
        Ok(Self { operations, rotations, symmetry })
    }

    /// For each atom of the primitive cell, whether it is the first of its kind, and otherwise which operation maps
    /// it onto the first.
    pub fn firsts(&self, basis: usize) -> Vec<Option<&Operation>> {
        (0..basis)
            .map(|atom| {
                let lowest = self.operations.iter().min_by_key(|operation| operation.images[atom].0)?;
                (lowest.images[atom].0 != atom).then_some(lowest)
            })
            .collect()
    }

    /// The operations that leave an atom of the primitive cell where it is.
    pub fn site(&self, atom: usize) -> Vec<&Operation> {
        self.operations.iter().filter(|operation| operation.images[atom].0 == atom).collect()
    }
}

fn images(crystal: &Crystal, rotation: &Mat3, translation: Vec3) -> Result<Vec<(usize, Int3)>> {
    let numbers = crystal.primitive.numbers();
    let rows = transposed(rotation);
    let image = |atom: usize| {
        let turned = row_times(crystal.fractions[atom], &rows);
        let place: Vec3 = std::array::from_fn(|k| turned[k] + translation[k]);
        let same = (0..crystal.basis()).filter(|other| numbers[*other] == numbers[atom]).map(|other| {
            let difference = sub(place, crystal.fractions[other]);
            let shift = difference.map(f64::round);
            let apart = norm(row_times(sub(difference, shift), crystal.primitive.cell()));
            (apart, other, shift.map(|x| x as i64))
        });
        same.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, other, shift)| (other, shift))
    };
    let images: Option<Vec<(usize, Int3)>> = (0..crystal.basis()).map(image).collect();
    let mut seen = vec![false; crystal.basis()];
    images
        .filter(|images| images.iter().all(|(image, _)| !std::mem::replace(&mut seen[*image], true)))
        .ok_or_else(|| Error::bad("symprec", "is too large: two atoms are equivalent to one"))
}
