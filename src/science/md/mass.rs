//! The masses of atoms that ASE moves, which for some elements are not those that pymatgen weighs.

use crate::science::element_data::weight;

/// The mass of an element in u, as `ase.data.atomic_masses`: J. Meija et al., Pure Appl. Chem. 88, 265 (2016),
/// doi:10.1515/pac-2015-0305. For the elements that EMT knows; of others the weight in formulas.
pub fn mass(number: u8) -> f64 {
    match number {
        1 => 1.008,
        6 => 12.011,
        7 => 14.007,
        8 => 15.999,
        13 => 26.981_538_5,
        other => weight(other),
    }
}
