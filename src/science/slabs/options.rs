//! What slabs to make, checked before any is made.

use crate::science::elements::symbol;
use crate::science::error::{Error, Result};

/// Nobody looks at surfaces beyond; their number grows with the cube.
const HIGHEST_INDEX: usize = 20;

/// What slabs to make; lengths in Angstrom.
#[derive(Clone, Debug, PartialEq)]
pub struct SlabOptions {
    /// The largest component of a Miller index, 1 to 20.
    pub max_index: usize,
    /// The least thickness, above 0.
    pub min_slab_size: f64,
    /// The least lengths of a and b.
    pub min_length_width: f64,
    /// The least thickness of the vacuum.
    pub min_vacuum_size: f64,
    /// Atoms within this depth below the top are free, the others fixed; `None` or 0 fixes none.
    pub z_fix: Option<f64>,
    /// Whether a slab with two different faces is also made upside down.
    pub flip_asymmetric: bool,
    /// Only slabs with one of these elements (atomic numbers) among the atoms within 0.9 Angstrom of
    /// their top; `None` or an empty list: all.
    pub allowed_surface_symbols: Option<Vec<u8>>,
    /// How far apart along the normal atoms of one layer may be.
    pub ftol: f64,
    /// How far apart atoms may be that a smaller cell in the plane merges, and, as a fraction of lengths
    /// and of the mean distance of atoms, how much slabs may differ that count as the same. Above 0.
    pub tol: f64,
    /// Whether slabs lose atoms until both faces are alike.
    pub symmetrize: bool,
    /// Whether the cell is reduced in the plane.
    pub primitive: bool,
    /// Whether the slab's centre of mass is in the middle of its cell.
    pub center_slab: bool,
    /// Whether `min_slab_size` and `min_vacuum_size` are numbers of lattice planes instead of lengths.
    pub in_unit_planes: bool,
    /// Whether the slab's cell is reduced as a whole, which makes it less skewed.
    pub lll_reduce: bool,
    /// Take as third vector of the cell that closest to the normal, with coefficients up to this;
    /// 1 to 20.
    pub max_normal_search: Option<usize>,
    /// Whether to do as quacc where quacc is wrong: flips in tilted cells, and which atoms are at the top.
    pub compat_quacc: bool,
}

impl Default for SlabOptions {
    fn default() -> Self {
        Self {
            max_index: 1,
            min_slab_size: 10.0,
            min_length_width: 8.0,
            min_vacuum_size: 20.0,
            z_fix: Some(2.0),
            flip_asymmetric: true,
            allowed_surface_symbols: None,
            ftol: 0.1,
            tol: 0.1,
            symmetrize: false,
            primitive: true,
            center_slab: true,
            in_unit_planes: false,
            lll_reduce: false,
            max_normal_search: None,
            compat_quacc: false,
        }
    }
}

impl SlabOptions {
    /// An error for the first value that makes no sense.
    pub fn check(&self) -> Result<()> {
        for (key, index) in [("max_index", Some(self.max_index)), ("max_normal_search", self.max_normal_search)] {
            if index.is_some_and(|index| !(1..=HIGHEST_INDEX).contains(&index)) {
                let given = index.unwrap_or_default();
                return Err(Error::bad(key, format!("must be a whole number from 1 to {HIGHEST_INDEX}, not {given}")));
            }
        }
        for (key, length) in [("min_slab_size", self.min_slab_size), ("tol", self.tol)] {
            if !(length > 0.0 && length.is_finite()) {
                return Err(Error::bad(key, format!("must be a number above 0, not {length}")));
            }
        }
        let lengths = [
            ("min_length_width", self.min_length_width),
            ("min_vacuum_size", self.min_vacuum_size),
            ("z_fix", self.z_fix.unwrap_or_default()),
            ("ftol", self.ftol),
        ];
        for (key, length) in lengths {
            if !(length >= 0.0 && length.is_finite()) {
                return Err(Error::bad(key, format!("must be a number, 0 or more, not {length}")));
            }
        }
        Ok(())
    }

    /// The depth down to which atoms are free, if any are to be fixed.
    pub(super) fn free_depth(&self) -> Option<f64> {
        self.z_fix.filter(|depth| *depth > 0.0)
    }

    /// The elements one of which has to be at the top.
    pub(super) fn wanted_elements(&self) -> Option<&[u8]> {
        self.allowed_surface_symbols.as_deref().filter(|elements| !elements.is_empty())
    }
}

/// Symbols of elements for a message.
pub(super) fn named(elements: &[u8]) -> String {
    elements.iter().map(|number| symbol(*number)).collect::<Vec<_>>().join(", ")
}
