//! `bulk`: a crystal by chemical symbol, structure and lattice constants; what is not given
//! comes from the element's reference crystal.

use crate::science::atoms::Atoms;
use crate::science::column::{Column, Values};
use crate::science::elements;
use crate::science::error::{Error, Result};
use crate::science::linear::row_times;
use crate::science::nearest::suggestion;

use super::crystals::{self, Constants, Setting, WURTZITE};
use super::reference::{Reference, hexagonal_ratio, reference};

/// What may be said about a crystal beside its name. Lengths in Angstrom, angles in degrees.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BulkOptions {
    /// `fcc`, `bcc`, `hcp`, `diamond`, `sc`, `bct`, `rhombohedral`, `orthorhombic`, `rocksalt`,
    /// `cesiumchloride`, `zincblende`, `fluorite` or `wurtzite`.
    pub crystalstructure: Option<String>,
    /// Lattice constant.
    pub a: Option<f64>,
    /// Second lattice constant; without `c` it is taken for `c`.
    pub b: Option<f64>,
    /// Third lattice constant.
    pub c: Option<f64>,
    /// c/a, instead of `c`.
    pub covera: Option<f64>,
    /// Angle of a rhombohedral lattice.
    pub alpha: Option<f64>,
    /// Internal coordinate of wurtzite.
    pub u: Option<f64>,
    /// The cubic cell instead of the primitive one.
    pub cubic: bool,
    /// An orthorhombic cell instead of the primitive one.
    pub orthorhombic: bool,
}

/// The crystal `name` ("Cu", "NaCl"), periodic in all directions.
///
/// ```
/// # use volley::science::build::{BulkOptions, bulk};
/// let cell = bulk("Cu", &BulkOptions { cubic: true, ..Default::default() })?;
/// assert_eq!((cell.len(), cell.cell()[0]), (4, [3.61, 0.0, 0.0]));
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn bulk(name: &str, options: &BulkOptions) -> Result<Atoms> {
    let fail = |reason: String| Error::Build { name: format!("bulk {name}"), reason };
    let species = elements::split_symbols(name)?;
    let known = (species.len() == 1).then(|| reference(name)).flatten();
    let structure = match (&options.crystalstructure, &known) {
        (Some(structure), _) => structure.as_str(),
        (None, Some(known)) => known.crystal,
        (None, None) => {
            return Err(fail("it has no reference crystal: give crystalstructure and a".into()));
        }
    };
    if !crystals::NAMES.contains(&structure) && structure != WURTZITE {
        let hint = suggestion(structure, crystals::NAMES.into_iter().chain([WURTZITE]));
        return Err(fail(format!("unknown crystalstructure {structure:?} ({hint})")));
    }
    if species.len() != crystals::species(structure) {
        let (needed, found) = (crystals::species(structure), species.len());
        return Err(fail(format!("{structure} takes {needed} symbols, not {found}")));
    }
    let own = known.filter(|known| known.crystal == structure);
    let constants = constants(structure, options, known, own).map_err(fail)?;
    let setting = match (options.orthorhombic, options.cubic) {
        (true, _) => Setting::Orthorhombic,
        (false, true) => Setting::Cubic,
        (false, false) => Setting::Primitive,
    };
    let wanted = if options.orthorhombic { "orthorhombic" } else { "cubic" };
    let (cell, mut basis) = crystals::crystal(structure, setting, &constants)
        .ok_or_else(|| fail(format!("{structure} has no {wanted} cell")))?;
    if let Some(own) = own.filter(|own| !own.basis.is_empty()) {
        basis = own.basis.iter().map(|point| (0, *point)).collect();
    }
    let off_diagonal = (0..3).any(|i| (0..3).any(|j| i != j && cell[i][j] != 0.0));
    if setting != Setting::Primitive && off_diagonal {
        return Err(fail(format!("{structure} has no {wanted} cell")));
    }
    let numbers = basis.iter().map(|(kind, _)| species[*kind]).collect();
    let positions = basis.iter().map(|(_, point)| row_times(*point, &cell)).collect();
    let atoms = Atoms::new(numbers, positions)?.with_cell(cell, [true; 3])?;
    match own.and_then(|own| own.magmom) {
        None => Ok(atoms),
        Some(moment) => {
            let moments = Values::Real(vec![moment; atoms.len()]);
            atoms.with_column("initial_magmoms", Column::flat(moments))
        }
    }
}

/// Lattice constants from what is given, what the element has, and what the structure implies.
/// `known` is the element's reference crystal, `own` the same if it is of the wanted structure.
fn constants(
    structure: &str,
    options: &BulkOptions,
    known: Option<Reference>,
    own: Option<Reference>,
) -> std::result::Result<Constants, String> {
    let (b, c) = match (options.b, options.c) {
        (Some(b), None) => (None, Some(b)),
        given => given,
    };
    if c.is_some() && options.covera.is_some() {
        return Err("give c or covera, not both".into());
    }
    let given = [options.a, b, c, options.covera, options.alpha, options.u];
    if given.iter().flatten().any(|value| !value.is_finite() || *value <= 0.0) {
        return Err("lattice constants must be positive, finite numbers".into());
    }
    let a = options.a.or(own.map(|own| own.a)).ok_or_else(|| format!("give a for {structure}"))?;
    let known = known.unwrap_or_default();
    let ideal = match structure {
        "hcp" | WURTZITE => hexagonal_ratio(own),
        _ => known.c_over_a.unwrap_or(f64::NAN),
    };
    let c = c.unwrap_or(a * options.covera.unwrap_or(ideal));
    let constants = Constants {
        a,
        b: b.or(known.b_over_a.map(|ratio| ratio * a)).unwrap_or(f64::NAN),
        c,
        alpha: options.alpha.or(known.alpha).unwrap_or(f64::NAN),
        // All four bonds of the ideal tetrahedron equally long.
        u: options.u.unwrap_or(0.25 + 1.0 / (3.0 * (c / a).powi(2))),
    };
    let missing = match structure {
        "rhombohedral" if constants.alpha.is_nan() => "alpha",
        "rhombohedral" if own.is_none() => return Err("it has no rhombohedral reference".into()),
        "orthorhombic" if constants.b.is_nan() => "b",
        "orthorhombic" | "bct" | "hcp" | WURTZITE if constants.c.is_nan() => "c",
        _ => return Ok(constants),
    };
    Err(format!("give {missing} for {structure}"))
}
