//! Compositions: how many atoms of each element, and the formulas that are written for that, with
//! the orders and exceptions of pymatgen's `Composition`.

use std::collections::BTreeMap;

use super::element_data::{electronegativity, weight};
use super::elements::symbol;

/// Formulas that are not reduced to the last: diatomic gases and peroxides.
const HALVED: [(&str, &str); 11] = [
    ("LiO", "Li2O2"),
    ("NaO", "Na2O2"),
    ("KO", "K2O2"),
    ("HO", "H2O2"),
    ("CsO", "Cs2O2"),
    ("RbO", "Rb2O2"),
    ("O", "O2"),
    ("N", "N2"),
    ("F", "F2"),
    ("Cl", "Cl2"),
    ("H", "H2"),
];

/// The last two elements form a group of their own, in brackets, only if they are not more ionic than this.
const POLYANION: f64 = 1.65;

/// How many atoms of each element.
///
/// ```
/// use volley::science::composition::Composition;
/// let ammonia = Composition::of(&[7, 1, 1, 1]);
/// assert_eq!((ammonia.pretty().as_str(), ammonia.anonymous().as_str()), ("H3N", "AB3"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Composition {
    counts: BTreeMap<&'static str, Amount>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Amount {
    number: u8,
    count: usize,
}

impl Composition {
    /// The composition of atoms with these atomic numbers.
    pub fn of(numbers: &[u8]) -> Self {
        let mut counts = BTreeMap::new();
        for number in numbers {
            counts.entry(symbol(*number)).or_insert(Amount { number: *number, count: 0 }).count += 1;
        }
        Self { counts }
    }

    /// The symbols, in alphabetical order.
    pub fn elements(&self) -> impl Iterator<Item = &'static str> {
        self.counts.keys().copied()
    }

    /// The number of atoms of each element, in alphabetical order.
    pub fn amounts(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.counts.iter().map(|(symbol, amount)| (*symbol, amount.count as f64))
    }

    /// The same per [`Composition::pretty`] formula unit. A lone atom of a diatomic gas is half a unit.
    pub fn reduced(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let (_, units) = self.pretty_and_units();
        self.amounts().map(move |(symbol, amount)| (symbol, amount / units))
    }

    /// The weight of all atoms in unified atomic mass units.
    pub fn weight(&self) -> f64 {
        self.counts.values().map(|amount| amount.count as f64 * weight(amount.number)).sum()
    }

    /// The elements joined by hyphens, as "Al-Ni".
    pub fn chemsys(&self) -> String {
        self.elements().collect::<Vec<&str>>().join("-")
    }

    /// The whole formula in alphabetical order with every count, as "C1 H4".
    pub fn alphabetical(&self) -> String {
        let words = self.counts.iter().map(|(symbol, amount)| format!("{symbol}{}", amount.count));
        words.collect::<Vec<String>>().join(" ")
    }

    /// The reduced formula with letters for elements, from the rarest to the most frequent, as "AB3".
    /// There are only 26 letters: more elements than that are left out.
    pub fn anonymous(&self) -> String {
        let divisor = self.divisor();
        let mut counts: Vec<usize> = self.counts.values().map(|amount| amount.count / divisor).collect();
        counts.sort_unstable();
        ('A'..='Z').zip(counts).map(|(letter, count)| counted(letter, count)).collect()
    }

    /// The reduced formula from the least to the most electronegative element, as "AlNi", "H3N" or "Cu(NO3)2".
    pub fn pretty(&self) -> String {
        self.pretty_and_units().0
    }

    fn pretty_and_units(&self) -> (String, f64) {
        let divisor = self.divisor();
        let mut order: Vec<(&str, Amount)> = self.counts.iter().map(|(symbol, amount)| (*symbol, *amount)).collect();
        let rank = |amount: Amount| electronegativity(amount.number).unwrap_or(f64::INFINITY);
        order.sort_by(|(_, left), (_, right)| rank(*left).total_cmp(&rank(*right)));
        let group = match order.as_slice() {
            [_, .., (first, a), (second, b)] if polyanion(a.number, b.number) => {
                let (a, b) = (a.count / divisor, b.count / divisor);
                let times = gcd(a, b);
                (times > 1).then(|| format!("({}{}){times}", counted(first, a / times), counted(second, b / times)))
            }
            _ => None,
        };
        order.truncate(order.len() - if group.is_some() { 2 } else { 0 });
        let words = order.iter().map(|(symbol, amount)| counted(symbol, amount.count / divisor));
        let formula: String = words.chain(group).collect();
        match HALVED.iter().find(|(reduced, _)| *reduced == formula) {
            Some((_, doubled)) => ((*doubled).to_owned(), divisor as f64 / 2.0),
            None => (formula, divisor as f64),
        }
    }

    /// The largest number that divides all counts.
    fn divisor(&self) -> usize {
        self.counts.values().fold(0, |divisor, amount| gcd(divisor, amount.count)).max(1)
    }
}

/// Whether two elements are alike enough to be one group.
fn polyanion(first: u8, second: u8) -> bool {
    let difference = electronegativity(second).zip(electronegativity(first)).map(|(second, first)| second - first);
    difference.is_some_and(|difference| difference < POLYANION)
}

fn counted(what: impl std::fmt::Display, count: usize) -> String {
    if count == 1 { what.to_string() } else { format!("{what}{count}") }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::Composition;
    use crate::science::elements::split_symbols;

    #[test]
    fn formulas_are_pymatgens() {
        // Formula; pretty, anonymous and alphabetical as pymatgen 2026.10.16 writes them; formula units.
        let cases = [
            ("Cu4", "Cu", "A", "Cu4", 4.0),
            ("Ni4Al4", "AlNi", "AB", "Al4 Ni4", 4.0),
            ("O", "O2", "A", "O1", 0.5),
            ("N6", "N2", "A", "N6", 3.0),
            ("OHOH", "H2O2", "AB", "H2 O2", 1.0),
            ("CuN2O6", "Cu(NO3)2", "AB2C6", "Cu1 N2 O6", 1.0),
            ("CH3CH2OH", "H6C2O", "AB2C6", "C2 H6 O1", 1.0),
            ("Fe4P6O24Li2", "LiFe2(PO4)3", "AB2C3D12", "Fe4 Li2 O24 P6", 2.0),
            ("HeNeAr", "ArHeNe", "ABC", "Ar1 He1 Ne1", 1.0),
        ];
        for (name, pretty, anonymous, alphabetical, units) in cases {
            let composition = Composition::of(&split_symbols(name).expect(name));
            assert_eq!(composition.pretty(), pretty);
            assert_eq!(composition.anonymous(), anonymous);
            assert_eq!(composition.alphabetical(), alphabetical);
            for ((_, amount), (_, reduced)) in composition.amounts().zip(composition.reduced()) {
                assert_eq!(amount / reduced, units, "{name}");
            }
        }
    }
}
