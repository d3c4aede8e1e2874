//! Units in which the field speaks, in those of this library: eV, Angstrom and, where things move, atomic mass
//! units (u), so that times come in Angstrom sqrt(u/eV). From CODATA 2014, as `ase.units` has them.
//! P. J. Mohr et al., Rev. Mod. Phys. 88, 035009 (2016), doi:10.1103/RevModPhys.88.035009.

/// One elementary charge in coulomb: one eV in joule.
const E: f64 = 1.602_176_620_8e-19;

/// Boltzmann's constant, eV/K.
pub const KB: f64 = 1.380_648_52e-23 / E;

/// One femtosecond.
pub const FS: f64 = 0.098_226_947_884_640_63;

/// One gigapascal, eV/Angstrom^3.
pub const GPA: f64 = 1e-21 / E;

/// One bar, eV/Angstrom^3.
pub const BAR: f64 = 1e-4 * GPA;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_those_of_ase() {
        assert!((KB / 8.617_330_337_217_213e-5 - 1.0).abs() < 1e-15);
        assert!((GPA / 0.006_241_509_125_883_258 - 1.0).abs() < 1e-15);
        // sqrt(e/u) by the same constants, u = 1.660539040e-27 kg.
        assert!((FS / (1e-5 * (E / 1.660_539_040e-27).sqrt()) - 1.0).abs() < 1e-15);
    }
}
