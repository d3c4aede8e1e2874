//! The parameters of EMT and what follows from them: cutoff function, gamma sums, pair constants.
//! K. W. Jacobsen, P. Stoltze, J. K. Norskov, Surf. Sci. 366, 394 (1996),
//! doi:10.1016/0039-6028(96)00816-3; cutoff treatment as in ASE's `ase.calculators.emt`.

use crate::science::elements::symbol;
use crate::science::error::{Error, Result};

/// The Bohr radius in Angstrom, CODATA 2014: the value that ASE's units are made with.
const BOHR: f64 = 0.529_177_210_563_841_1;

/// Ratio of the nearest-neighbour distance to the neutral-sphere radius, (16 pi / 3)^(1/3) / sqrt 2 =
/// 1.80940 rounded as it has always been in this potential.
pub(super) const BETA: f64 = 1.809;

/// One element in the units of the paper: E0 and V0 in eV, lengths in bohr.
struct Entry(u8, f64, f64, f64, f64, f64, f64, f64);

/// Atomic number, E0, s0, V0, eta2, kappa, lambda, n0, with the digits ASE has. The metals are the
/// paper's; H, C, N and O are ASE's additions "just for fun".
const TABLE: [Entry; 11] = [
    Entry(13, -3.28, 3.00, 1.493, 1.240, 2.000, 1.169, 0.00700),
    Entry(29, -3.51, 2.67, 2.476, 1.652, 2.740, 1.906, 0.00910),
    Entry(47, -2.96, 3.01, 2.132, 1.652, 2.790, 1.892, 0.00547),
    Entry(79, -3.80, 3.00, 2.321, 1.674, 2.873, 2.182, 0.00703),
    Entry(28, -4.44, 2.60, 3.673, 1.669, 2.757, 1.948, 0.01030),
    Entry(46, -3.90, 2.87, 2.773, 1.818, 3.107, 2.155, 0.00688),
    Entry(78, -5.85, 2.90, 4.067, 1.812, 3.145, 2.192, 0.00802),
    Entry(1, -3.21, 1.31, 0.132, 2.652, 2.790, 3.892, 0.00547),
    Entry(6, -3.50, 1.81, 0.332, 1.652, 2.790, 1.892, 0.01322),
    Entry(7, -5.10, 1.88, 0.132, 1.652, 2.790, 1.892, 0.01222),
    Entry(8, -4.60, 1.95, 0.332, 1.652, 2.790, 1.892, 0.00850),
];

/// The symbols of the elements EMT knows.
pub fn supported() -> impl Iterator<Item = &'static str> {
    TABLE.iter().map(|entry| symbol(entry.0))
}

/// Whether every one of `numbers` has parameters; the error names the first that has none.
pub fn check(numbers: &[u8]) -> Result<()> {
    numbers.iter().try_for_each(|number| entry(*number).map(drop))
}

fn entry(number: u8) -> Result<&'static Entry> {
    TABLE.iter().find(|entry| entry.0 == number).ok_or_else(|| Error::NoEmtParameters {
        symbol: symbol(number),
        known: supported().collect::<Vec<_>>().join(", "),
    })
}

/// The Fermi function that ends the interaction: 1/(1 + exp(steepness (r - middle))), cut at `range`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cutoff {
    /// Where it is 1/2, Angstrom.
    pub middle: f64,
    /// 1/Angstrom.
    pub steepness: f64,
    /// Beyond this distance there is no interaction, Angstrom.
    pub range: f64,
}

impl Cutoff {
    /// Between the third and fourth shell of the largest element: of all in the table, or, in
    /// the manner of ASAP, of those present.
    pub(super) fn new(numbers: &[u8], asap: bool) -> Self {
        let largest = TABLE
            .iter()
            .filter(|entry| !asap || numbers.contains(&entry.0))
            .map(|entry| entry.2 * BOHR)
            .fold(0.0, f64::max);
        let nearest = BETA * largest;
        let middle = nearest * 0.5 * (3f64.sqrt() + 4f64.sqrt());
        let steepness = (1.0f64 / 1e-4 - 1.0).ln() / (2.0 * nearest - middle);
        let range = if asap { 1.045 * middle } else { middle + 0.5 };
        Self { middle, steepness, range }
    }

    fn value(&self, r: f64) -> f64 {
        1.0 / (1.0 + (self.steepness * (r - self.middle)).exp())
    }
}

/// One element in eV and Angstrom, with its gamma sums.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub e0: f64,
    /// beta * s0: the nearest-neighbour distance of the reference crystal.
    pub nearest: f64,
    pub v0: f64,
    pub eta2: f64,
    pub kappa: f64,
    pub lambda: f64,
    pub n0: f64,
    pub gamma1: f64,
    pub gamma2: f64,
}

impl Element {
    pub(super) fn new(number: u8, cutoff: &Cutoff) -> Result<Self> {
        let Entry(_, e0, s0, v0, eta2, kappa, lambda, n0) = *entry(number)?;
        let nearest = BETA * s0 * BOHR;
        let (eta2, kappa, lambda) = (eta2 / BOHR, kappa / BOHR, lambda / BOHR);
        // Three shells of the fcc crystal: 12, 6 and 24 atoms at sqrt 1, sqrt 2 and sqrt 3.
        let sum = |decay: f64| {
            [(12.0, 1f64), (6.0, 2.0), (24.0, 3.0)]
                .map(|(count, square)| {
                    let r = nearest * square.sqrt();
                    count / 12.0 * cutoff.value(r) * (-decay * (r - nearest)).exp()
                })
                .iter()
                .sum()
        };
        let (gamma1, gamma2) = (sum(eta2), sum(kappa / BETA));
        Ok(Self { e0, nearest, v0, eta2, kappa, lambda, n0: n0 / BOHR.powi(3), gamma1, gamma2 })
    }

    /// The energy of embedding an atom whose neighbours' densities sum to `sigma`, and its derivative.
    pub(super) fn cohesive(&self, sigma: f64) -> (f64, f64) {
        let slope = BETA * self.eta2;
        let ds = -(sigma / (12.0 * self.gamma1)).ln() / slope;
        let (metal, sphere) = ((-self.lambda * ds).exp(), (-self.kappa * ds).exp());
        let energy = self.e0 * (1.0 + self.lambda * ds) * metal + 6.0 * self.v0 * sphere;
        let by_ds = -self.e0 * self.lambda.powi(2) * ds * metal - 6.0 * self.v0 * self.kappa * sphere;
        (energy, -by_ds / (slope * sigma))
    }
}

/// What a pair of elements (centre i, neighbour j) needs: with w the cutoff function,
/// density of j at i = `density * w * exp(-eta * r)`, pair energy seen from i = `pair * w * exp(-kappa * r)`.
#[derive(Clone, Copy, Debug)]
pub(super) struct HalfPair {
    pub density: f64,
    /// eta2 of the neighbour, 1/Angstrom.
    pub eta: f64,
    pub pair: f64,
    /// kappa / beta of the neighbour, 1/Angstrom.
    pub kappa: f64,
}

impl HalfPair {
    pub(super) fn new(centre: &Element, neighbour: &Element) -> Self {
        let chi = neighbour.n0 / centre.n0;
        let kappa = neighbour.kappa / BETA;
        Self {
            density: chi * (neighbour.eta2 * neighbour.nearest).exp(),
            eta: neighbour.eta2,
            pair: -centre.v0 / (2.0 * centre.gamma2) * chi * (kappa * neighbour.nearest).exp(),
            kappa,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::elements::number;

    #[test]
    fn constants_are_those_of_ase() {
        let text = include_str!("../../../tests/fixtures/emt/emt_constants.json");
        let derived = &serde_json::from_str::<serde_json::Value>(text).expect("JSON")["derived"];
        for (key, numbers, asap) in [("default", vec![1, 29], false), ("asap_Cu", vec![29], true)] {
            let (expected, found) = (&derived[key], Cutoff::new(&numbers, asap));
            let pairs = [("rc", found.middle), ("acut", found.steepness), ("rc_list", found.range)];
            let gammas = expected["gamma"].as_object().expect("an object").iter().map(|(symbol, gamma)| {
                let element = Element::new(number(symbol).expect("an element"), &found).expect("parameters");
                (gamma.clone(), vec![element.gamma1, element.gamma2])
            });
            let pairs = pairs.map(|(key, value)| (serde_json::json!([expected[key]]), vec![value]));
            for (expected, found) in pairs.into_iter().chain(gammas) {
                for (expected, found) in expected.as_array().expect("an array").iter().zip(found) {
                    let expected = expected.as_f64().expect("a number");
                    assert!((found - expected).abs() <= 1e-14 * expected, "{found} for {expected}");
                }
            }
        }
    }
}
