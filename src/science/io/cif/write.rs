//! Atoms as blocks of a CIF file, in P1.

use std::fmt::Write;

use super::CELL;
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::linear::{Vec3, dot, inverse, norm, row_times};

/// The text of structures, one block each.
pub fn write(structures: &[&Atoms]) -> Result<String> {
    let mut out = String::new();
    for (index, atoms) in structures.iter().enumerate() {
        let to_fractional = inverse(atoms.cell())
            .filter(|_| atoms.volume() > 0.0)
            .ok_or_else(|| Error::bad("cell", "CIF needs three independent lattice vectors"))?;
        // Writing to a String cannot fail.
        let _ = block(&mut out, index, atoms, &to_fractional);
    }
    Ok(out)
}

fn block(out: &mut String, index: usize, atoms: &Atoms, to_fractional: &[Vec3; 3]) -> std::fmt::Result {
    // The dictionary wants the elements apart: "Al2 Cu O".
    let mut formula = String::new();
    for letter in atoms.formula().chars() {
        formula.extend(Some(' ').filter(|_| letter.is_ascii_uppercase()));
        formula.push(letter);
    }
    writeln!(out, "data_structure{index}\n_chemical_formula_sum '{}'", formula.trim())?;
    let [a, b, c] = *atoms.cell();
    let angle = |u: Vec3, v: Vec3| (dot(u, v) / (norm(u) * norm(v))).clamp(-1.0, 1.0).acos().to_degrees();
    let parameters = [norm(a), norm(b), norm(c), angle(b, c), angle(a, c), angle(a, b)];
    for (tag, value) in CELL.iter().zip(parameters) {
        writeln!(out, "{tag} {value:?}")?;
    }
    writeln!(out, "_space_group_name_H-M_alt 'P 1'\n_space_group_IT_number 1")?;
    writeln!(out, "loop_\n_space_group_symop_operation_xyz\n'x, y, z'")?;
    writeln!(out, "loop_\n_atom_site_type_symbol\n_atom_site_label")?;
    writeln!(out, "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy")?;
    for (number, (symbol, position)) in (1..).zip(atoms.symbols().zip(atoms.positions())) {
        let [x, y, z] = row_times(*position, to_fractional);
        writeln!(out, "{symbol} {symbol}{number} {x:?} {y:?} {z:?} 1")?;
    }
    Ok(())
}
