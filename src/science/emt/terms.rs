//! The formulas of one pair, for many pairs at a time: from distances to densities, and from
//! distances and slopes to energies and forces. Plain arrays of fixed length and no branches, so
//! that the compiler makes vector instructions of each loop. Beyond the cutoff all is zero.

use super::exp::{exp, multiply_add};
use super::parameters::{Cutoff, HalfPair};

/// Pairs computed together: a few of the longest vectors there are.
pub(super) const WIDTH: usize = 32;
/// One number per pair.
pub(super) type Lanes = [f64; WIDTH];

/// What two atoms are to each other: the neighbour as the centre sees it, and the reverse.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bond {
    pub seen: HalfPair,
    pub seeing: HalfPair,
    /// Both of one element: both see the same, which saves exponentials.
    pub alike: bool,
}

/// The density of the neighbour at the centre and of the centre at the neighbour, from r^2.
#[inline(always)]
pub(super) fn densities<const FUSED: bool>(
    cutoff: &Cutoff,
    bond: &Bond,
    squares: &Lanes,
    here: &mut Lanes,
    there: &mut Lanes,
) {
    let limit = cutoff.range * cutoff.range;
    let Bond { seen, seeing, alike } = bond;
    if *alike {
        for k in 0..WIDTH {
            let r = squares[k].sqrt();
            let density = seen.density * exp::<FUSED>(-seen.eta * r) / (1.0 + fermi::<FUSED>(cutoff, r));
            here[k] = if squares[k] < limit { density } else { 0.0 };
        }
        *there = *here;
    } else {
        for k in 0..WIDTH {
            let r = squares[k].sqrt();
            let w = 1.0 / (1.0 + fermi::<FUSED>(cutoff, r));
            let w = if squares[k] < limit { w } else { 0.0 };
            here[k] = seen.density * w * exp::<FUSED>(-seen.eta * r);
            there[k] = seeing.density * w * exp::<FUSED>(-seeing.eta * r);
        }
    }
}

/// The pair energy and its part of the force, dE/dr over r, from r^2 and the slopes of the energies
/// of both atoms by their densities. The results replace the slopes: forces at the centre's place,
/// energies at the neighbour's.
#[inline(always)]
pub(super) fn forces<const FUSED: bool>(
    cutoff: &Cutoff,
    bond: &Bond,
    squares: &Lanes,
    here: &mut Lanes,
    there: &mut Lanes,
) {
    let limit = cutoff.range * cutoff.range;
    let fma = multiply_add::<FUSED>;
    let Bond { seen, seeing, alike } = bond;
    if *alike {
        for k in 0..WIDTH {
            let r = squares[k].sqrt();
            let (w, inverse, log_slope) = weight::<FUSED>(cutoff, r);
            let w = if squares[k] < limit { w } else { 0.0 };
            let density = seen.density * w * exp::<FUSED>(-seen.eta * r);
            let energy = 2.0 * seen.pair * w * exp::<FUSED>(-seen.kappa * r);
            let by_density = (here[k] + there[k]) * density;
            here[k] = fma(by_density, log_slope - seen.eta, energy * (log_slope - seen.kappa)) * inverse;
            there[k] = energy;
        }
    } else {
        for k in 0..WIDTH {
            let r = squares[k].sqrt();
            let (w, inverse, log_slope) = weight::<FUSED>(cutoff, r);
            let w = if squares[k] < limit { w } else { 0.0 };
            let density = here[k] * seen.density * w * exp::<FUSED>(-seen.eta * r);
            let returned = there[k] * seeing.density * w * exp::<FUSED>(-seeing.eta * r);
            let energy = seen.pair * w * exp::<FUSED>(-seen.kappa * r);
            let back = seeing.pair * w * exp::<FUSED>(-seeing.kappa * r);
            let by_density = fma(density, log_slope - seen.eta, returned * (log_slope - seeing.eta));
            let by_pair = fma(energy, log_slope - seen.kappa, back * (log_slope - seeing.kappa));
            here[k] = (by_density + by_pair) * inverse;
            there[k] = energy + back;
        }
    }
}

/// The exponential of the Fermi function.
#[inline(always)]
fn fermi<const FUSED: bool>(cutoff: &Cutoff, r: f64) -> f64 {
    exp::<FUSED>(cutoff.steepness * (r - cutoff.middle))
}

/// The cutoff function w, 1/r, and dw/dr over w; both quotients by one division.
#[inline(always)]
fn weight<const FUSED: bool>(cutoff: &Cutoff, r: f64) -> (f64, f64, f64) {
    let below = 1.0 + fermi::<FUSED>(cutoff, r);
    let both = 1.0 / (r * below);
    let w = both * r;
    (w, both * below, cutoff.steepness * (w - 1.0))
}
