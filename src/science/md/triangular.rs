//! Turning a structure so that its cell is an upper triangular matrix, as `Cell.standard_form("upper")` of ASE.

use super::system::MOMENTA;
use crate::science::atoms::Atoms;
use crate::science::column::Values;
use crate::science::error::{Error, Result};
use crate::science::linear::{Vec3, cross, determinant, dot, independence, norm, scale, sub};

/// The same structure, turned with its momenta: the third vector along z, the second in the plane of y and z. Along
/// -z and so on if the vectors are left-handed. A cell that is upper triangular already is left as it is.
pub fn upper_triangular(atoms: Atoms) -> Result<Atoms> {
    let cell = *atoms.cell();
    if is_upper_triangular(&cell) {
        return Ok(atoms);
    }
    if independence(&cell) < 1e-14 {
        return Err(Error::SingularCell { vectors: "a, b, c".into() });
    }
    let sign = determinant(&cell).signum();
    let unit = |vector: Vec3| scale(vector, sign / norm(vector));
    let [a, b, c] = cell;
    let z = unit(c);
    let y = unit(sub(b, scale(z, dot(b, z))));
    let x = cross(y, z);
    let turned = |vector: Vec3| [x, y, z].map(|axis| dot(vector, axis));
    let positions = atoms.positions().iter().map(|place| turned(*place)).collect();
    let momenta = atoms.column(MOMENTA).cloned();
    let mut atoms = atoms;
    atoms.set_cell([turned(a), [0.0, dot(b, y), dot(b, z)], [0.0, 0.0, dot(c, z)]])?;
    atoms.set_positions(positions)?;
    match momenta {
        Some(mut column) => {
            if let Values::Real(values) = &mut column.values {
                values.as_chunks_mut::<3>().0.iter_mut().for_each(|momentum| *momentum = turned(*momentum));
            }
            atoms.with_column(MOMENTA, column)
        }
        None => Ok(atoms),
    }
}

/// Whether all below the diagonal is zero.
pub(super) fn is_upper_triangular(cell: &[Vec3; 3]) -> bool {
    [cell[1][0], cell[2][0], cell[2][1]] == [0.0; 3]
}
