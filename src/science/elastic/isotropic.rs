//! What a polycrystal of a material would be like: moduli, velocities of sound, minimal thermal conductivity and
//! Debye's temperature, by the formulas that pymatgen collects.

use std::f64::consts::PI;

use super::ElasticTensor;
use crate::science::atoms::Atoms;
use crate::science::composition::Composition;

/// Boltzmann's constant, J/K (CODATA 2022).
const BOLTZMANN: f64 = 1.380649e-23;
/// Planck's constant over 2 pi, J s (CODATA 2022).
const HBAR: f64 = 1.054_571_817_646_156_5e-34;
/// The unified atomic mass unit, kg (CODATA 2022).
const DALTON: f64 = 1.660_539_068_92e-27;

/// A modulus in GPa: the upper bound of Voigt, the lower one of Reuss, and Hill's mean of both, R. Hill,
/// Proc. Phys. Soc. A 65, 349 (1952), doi:10.1088/0370-1298/65/5/307.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Of uniform strain.
    pub voigt: f64,
    /// Of uniform stress.
    pub reuss: f64,
    /// The mean.
    pub hill: f64,
}

/// Averages over all orientations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moduli {
    /// The bulk modulus.
    pub bulk: Bounds,
    /// The shear modulus.
    pub shear: Bounds,
}

impl Moduli {
    /// Those of a tensor; `None` where it has no inverse.
    pub fn of(tensor: &ElasticTensor) -> Option<Self> {
        let (c, s) = (tensor.rows(), tensor.compliance()?);
        let sum = |m: &[[f64; 6]; 6], places: &[(usize, usize)]| places.iter().map(|(i, j)| m[*i][*j]).sum::<f64>();
        let diagonal = [(0, 0), (1, 1), (2, 2)];
        let (mixed, shear) = ([(0, 1), (0, 2), (1, 2)], [(3, 3), (4, 4), (5, 5)]);
        let of = |voigt: f64, reuss: f64| Bounds { voigt, reuss, hill: (voigt + reuss) / 2.0 };
        Some(Self {
            bulk: of(
                (sum(&c, &diagonal) + 2.0 * sum(&c, &mixed)) / 9.0,
                1.0 / (sum(&s, &diagonal) + 2.0 * sum(&s, &mixed)),
            ),
            shear: of(
                (sum(&c, &diagonal) - sum(&c, &mixed) + 3.0 * sum(&c, &shear)) / 15.0,
                15.0 / (4.0 * sum(&s, &diagonal) - 4.0 * sum(&s, &mixed) + 3.0 * sum(&s, &shear)),
            ),
        })
    }

    /// Young's modulus, GPa.
    pub fn young(&self) -> f64 {
        young(self.bulk.hill, self.shear.hill)
    }

    /// Poisson's ratio.
    pub fn poisson(&self) -> f64 {
        let (k, g) = (self.bulk.hill, self.shear.hill);
        (3.0 * k - 2.0 * g) / (6.0 * k + 2.0 * g)
    }

    /// 0 for an isotropic crystal: S. I. Ranganathan and M. Ostoja-Starzewski, Phys. Rev. Lett. 101, 055504
    /// (2008), doi:10.1103/PhysRevLett.101.055504.
    pub fn anisotropy(&self) -> f64 {
        5.0 * self.shear.voigt / self.shear.reuss + self.bulk.voigt / self.bulk.reuss - 6.0
    }
}

/// Young's modulus of an isotropic solid with this bulk and shear modulus.
pub fn young(bulk: f64, shear: f64) -> f64 {
    9.0 * bulk * shear / (3.0 * bulk + shear)
}

/// What depends on masses and density beside the moduli. SI units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolidProperties {
    /// The velocity of transverse sound, m/s.
    pub transverse: f64,
    /// The velocity of longitudinal sound, m/s.
    pub longitudinal: f64,
    /// The acoustic part of the lattice's thermal conductivity at 300 K, W/(m K): E. S. Toberer, A. Zevalkink and
    /// G. J. Snyder, J. Mater. Chem. 21, 15843 (2011), doi:10.1039/C1JM11754H.
    pub snyder_acoustic: f64,
    /// Its optical part.
    pub snyder_optical: f64,
    /// The minimal thermal conductivity, W/(m K): D. R. Clarke, Surf. Coat. Technol. 163, 67 (2003),
    /// doi:10.1016/S0257-8972(02)00593-5.
    pub clarke: f64,
    /// The same by D. G. Cahill, S. K. Watson and R. O. Pohl, Phys. Rev. B 46, 6131 (1992),
    /// doi:10.1103/PhysRevB.46.6131.
    pub cahill: f64,
    /// Debye's temperature, K: O. L. Anderson, J. Phys. Chem. Solids 24, 909 (1963),
    /// doi:10.1016/0022-3697(63)90067-2.
    pub debye_temperature: f64,
}

impl SolidProperties {
    /// Those of a crystal with these moduli; `None` where the mean bulk or shear modulus is negative.
    pub fn of(atoms: &Atoms, moduli: &Moduli) -> Option<Self> {
        let (k, g) = (moduli.bulk.hill, moduli.shear.hill);
        if k < 0.0 || g < 0.0 {
            return None;
        }
        let (sites, volume) = (atoms.len() as f64, atoms.volume() * 1e-30);
        let mass = Composition::of(atoms.numbers()).weight() * DALTON;
        let (density, mean_mass, per_volume) = (mass / volume, mass / sites, sites / volume);
        let transverse = (1e9 * g / density).sqrt();
        let longitudinal = (1e9 * (k + 4.0 / 3.0 * g) / density).sqrt();
        let mean = (longitudinal + 2.0 * transverse) / 3.0;
        let debye = (3.0 / (longitudinal.powi(-3) + 2.0 * transverse.powi(-3))).cbrt();
        let area = per_volume.powf(2.0 / 3.0);
        Some(Self {
            transverse,
            longitudinal,
            snyder_acoustic: 0.38483 * mean_mass * mean.powi(3) * area / (300.0 * sites.cbrt()),
            snyder_optical: 1.66914e-23 * mean * area * (1.0 - 1.0 / sites.cbrt()),
            clarke: 0.87
                * BOLTZMANN
                * mean_mass.powf(-2.0 / 3.0)
                * density.powf(1.0 / 6.0)
                * (1e9 * moduli.young()).sqrt(),
            cahill: BOLTZMANN * 0.5 * (PI / 6.0).cbrt() * area * 3.0 * mean,
            debye_temperature: HBAR / BOLTZMANN * debye * (6.0 * PI * PI * per_volume).cbrt(),
        })
    }
}
