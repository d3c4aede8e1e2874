//! The crystal in which each element is found, with its lattice constants and magnetic moment, as
//! ASE's reference states have them; by ASE's word from N. W. Ashcroft and N. D. Mermin, Solid State
//! Physics (1976).

/// The reference crystal of an element. Lengths in Angstrom, angles in degrees.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reference {
    pub crystal: &'static str,
    pub a: f64,
    pub b_over_a: Option<f64>,
    pub c_over_a: Option<f64>,
    pub alpha: Option<f64>,
    pub magmom: Option<f64>,
    /// Fractional coordinates, where the structure has a basis of its own.
    pub basis: &'static [[f64; 3]],
}

/// Cubic elements: crystal, then symbol and a.
const CUBIC: [(&str, &[(&str, f64)]); 4] = [
    ("sc", &[("Po", 3.35)]),
    (
        "fcc",
        &[
            ("Ne", 4.43),
            ("Al", 4.05),
            ("Ar", 5.26),
            ("Ca", 5.58),
            ("Ni", 3.52),
            ("Cu", 3.61),
            ("Kr", 5.72),
            ("Sr", 6.08),
            ("Rh", 3.8),
            ("Pd", 3.89),
            ("Ag", 4.09),
            ("Xe", 6.2),
            ("Ce", 5.16),
            ("Yb", 5.49),
            ("Ir", 3.84),
            ("Pt", 3.92),
            ("Au", 4.08),
            ("Pb", 4.95),
            ("Ac", 5.31),
            ("Th", 5.08),
        ],
    ),
    (
        "bcc",
        &[
            ("Li", 3.49),
            ("Na", 4.23),
            ("K", 5.23),
            ("V", 3.02),
            ("Cr", 2.88),
            ("Fe", 2.87),
            ("Rb", 5.59),
            ("Nb", 3.3),
            ("Mo", 3.15),
            ("Cs", 6.05),
            ("Ba", 5.02),
            ("Eu", 4.61),
            ("Ta", 3.31),
            ("W", 3.16),
        ],
    ),
    ("diamond", &[("C", 3.57), ("Si", 5.43), ("Ge", 5.66)]),
];

/// Hexagonal close-packed elements: symbol, a, c/a.
const HCP: &[(&str, f64, f64)] = &[
    ("Be", 2.29, 1.567),
    ("Mg", 3.21, 1.624),
    ("Sc", 3.31, 1.594),
    ("Ti", 2.95, 1.588),
    ("Co", 2.51, 1.622),
    ("Zn", 2.66, 1.856),
    ("Y", 3.65, 1.571),
    ("Zr", 3.23, 1.593),
    ("Tc", 2.74, 1.604),
    ("Ru", 2.7, 1.584),
    ("Cd", 2.98, 1.886),
    ("La", 3.75, 1.619),
    ("Pr", 3.67, 1.614),
    ("Nd", 3.66, 1.614),
    ("Gd", 3.64, 1.588),
    ("Tb", 3.6, 1.581),
    ("Dy", 3.59, 1.573),
    ("Ho", 3.58, 1.57),
    ("Er", 3.56, 1.57),
    ("Tm", 3.54, 1.57),
    ("Lu", 3.51, 1.585),
    ("Hf", 3.2, 1.582),
    ("Re", 2.76, 1.615),
    ("Os", 2.74, 1.579),
    ("Tl", 3.46, 1.599),
];

/// Elements with a magnetic moment in their reference crystal: symbol, Bohr magnetons per atom.
const MAGNETIC: [(&str, f64); 3] = [("Fe", 2.3), ("Co", 1.2), ("Ni", 0.6)];

/// c/a of a hexagonal crystal: its own, or that of close-packed spheres. That of another crystal of the element
/// says nothing about it.
pub(super) fn hexagonal_ratio(own: Option<Reference>) -> f64 {
    own.and_then(|own| own.c_over_a).unwrap_or((8f64 / 3.0).sqrt())
}

/// The reference crystal of an element, if it has one that can be built from these data alone.
pub(super) fn reference(symbol: &str) -> Option<Reference> {
    let mut found = cubic(symbol).or_else(|| hexagonal(symbol)).or_else(|| other(symbol))?;
    found.magmom = MAGNETIC.iter().find(|(name, _)| *name == symbol).map(|(_, moment)| *moment);
    Some(found)
}

fn cubic(symbol: &str) -> Option<Reference> {
    CUBIC.iter().find_map(|(crystal, elements)| {
        let (_, a) = elements.iter().find(|(name, _)| *name == symbol)?;
        Some(Reference { crystal, a: *a, ..Reference::default() })
    })
}

fn hexagonal(symbol: &str) -> Option<Reference> {
    let (_, a, c_over_a) = HCP.iter().find(|(name, ..)| *name == symbol)?;
    Some(Reference { crystal: "hcp", a: *a, c_over_a: Some(*c_over_a), ..Reference::default() })
}

fn other(symbol: &str) -> Option<Reference> {
    let rhombohedral =
        |a, alpha, basis| Reference { crystal: "rhombohedral", a, alpha: Some(alpha), basis, ..Reference::default() };
    let tetragonal =
        |a, c_over_a, basis| Reference { crystal: "bct", a, c_over_a: Some(c_over_a), basis, ..Reference::default() };
    let orthorhombic = |a, b_over_a, c_over_a| Reference {
        crystal: "orthorhombic",
        a,
        b_over_a: Some(b_over_a),
        c_over_a: Some(c_over_a),
        ..Reference::default()
    };
    Some(match symbol {
        "As" => rhombohedral(4.13, 54.1, &[[-0.226; 3], [0.226; 3]]),
        "Sb" => rhombohedral(4.51, 57.6, &[[-0.233; 3], [0.233; 3]]),
        "Bi" => rhombohedral(4.75, 57.14, &[[-0.237; 3], [0.237; 3]]),
        "Sm" => rhombohedral(9.0, 23.13, &[[0.0; 3], [-0.222; 3], [0.222; 3]]),
        "Hg" => rhombohedral(2.99, 70.45, &[[0.0; 3]]),
        "In" => tetragonal(3.2456201256462527, 1.5216937931134504, &[]),
        "Sn" => tetragonal(5.82, 0.546, &[[0.0; 3], [0.25, 0.75, 0.5]]),
        "U" => orthorhombic(2.85, 1.736, 2.056),
        "Np" => orthorhombic(4.72, 1.035, 1.411),
        _ => return None,
    })
}
