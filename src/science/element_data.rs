//! Atomic weights and electronegativities, from the table in `element_data.txt`, which says whose
//! they are. For formulas, densities and centres of mass that have to agree with pymatgen's.

use std::sync::LazyLock;

const TABLE: &str = include_str!("element_data.txt");

struct Data {
    weight: f64,
    electronegativity: Option<f64>,
}

/// By atomic number, from 1.
static DATA: LazyLock<Vec<Data>> = LazyLock::new(|| {
    let line = |line: &str| {
        let mut numbers = line.split(' ').skip(1).map(|word| word.parse().ok());
        Data { weight: numbers.next().flatten().unwrap_or(f64::NAN), electronegativity: numbers.next().flatten() }
    };
    TABLE.lines().filter(|line| !line.starts_with('#')).map(line).collect()
});

/// The atomic weight of an element in unified atomic mass units; NaN for a number no element has.
///
/// ```
/// assert_eq!(volley::science::element_data::weight(29), 63.546);
/// ```
pub fn weight(number: u8) -> f64 {
    data(number).map_or(f64::NAN, |data| data.weight)
}

/// The electronegativity of an element on Pauling's scale, where one is known.
pub fn electronegativity(number: u8) -> Option<f64> {
    data(number)?.electronegativity
}

fn data(number: u8) -> Option<&'static Data> {
    DATA.get(usize::from(number).checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::{TABLE, electronegativity, weight};
    use crate::science::elements::symbol;

    #[test]
    fn the_table_has_every_element_in_its_place() {
        let symbols: Vec<&str> =
            TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(symbols, (1..119).map(symbol).collect::<Vec<&str>>());
        assert!((1..119).all(|number| weight(number) > 1.0));
        assert_eq!((electronegativity(2), electronegativity(9)), (None, Some(3.98)));
        assert!(weight(0).is_nan() && weight(119).is_nan());
    }
}
