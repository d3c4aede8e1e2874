//! Chemical symbols and atomic numbers, hydrogen to oganesson.

use super::error::{Error, Result};
use super::nearest::nearest;

/// The symbols by atomic number; entry 0 stands for no element.
const SYMBOLS: [&str; 119] = [
    "X", "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca",
    "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",
    "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce",
    "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir",
    "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm",
    "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc",
    "Lv", "Ts", "Og",
];

/// The symbol of an atomic number; "X" for a number that no element has.
pub fn symbol(number: u8) -> &'static str {
    SYMBOLS.get(usize::from(number)).copied().unwrap_or("X")
}

/// The atomic number of a symbol, spelled exactly.
///
/// ```
/// # use volley::science::elements::number;
/// assert_eq!(number("Cu").unwrap(), 29);
/// assert!(number("CU").unwrap_err().to_string().contains("did you mean \"Cu\"?"));
/// ```
pub fn number(symbol: &str) -> Result<u8> {
    SYMBOLS[1..].iter().zip(1u8..).find(|(known, _)| **known == symbol).map(|(_, z)| z).ok_or_else(|| {
        Error::UnknownElement {
            symbol: symbol.to_owned(),
            nearest: nearest(symbol, SYMBOLS[1..].iter().copied()).map(str::to_owned),
        }
    })
}

/// An atomic number as an element has one.
pub fn checked_number(number: i64) -> Result<u8> {
    u8::try_from(number).ok().filter(|z| (1..119).contains(z)).ok_or(Error::UnknownNumber { number })
}

/// The atomic numbers in a run of symbols, each perhaps with a count, as in "NaCl" or "CaF2".
pub fn split_symbols(name: &str) -> Result<Vec<u8>> {
    let unknown = || Error::UnknownElement { symbol: name.to_owned(), nearest: None };
    let mut numbers = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let tail = rest.trim_start_matches(|letter: char| !letter.is_ascii_digit());
        let word = &rest[..rest.len() - tail.len()];
        let after = tail.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let digits = &tail[..tail.len() - after.len()];
        let mut symbols = capitalised(word);
        let last = symbols.pop().ok_or_else(unknown)?;
        for symbol in symbols {
            numbers.push(number(symbol)?);
        }
        let count = if digits.is_empty() { 1 } else { digits.parse().map_err(|_| unknown())? };
        if count > 1_000_000 {
            return Err(unknown());
        }
        numbers.extend(std::iter::repeat_n(number(last)?, count));
        rest = after;
    }
    Ok(numbers)
}

/// Splits before every letter that is not lower case.
fn capitalised(word: &str) -> Vec<&str> {
    let mut starts: Vec<usize> =
        word.char_indices().filter(|(place, letter)| *place == 0 || !letter.is_lowercase()).map(|(at, _)| at).collect();
    starts.push(word.len());
    starts.windows(2).map(|ends| &word[ends[0]..ends[1]]).collect()
}

/// The formula in Hill order: carbon and hydrogen first if there is carbon, the rest by symbol.
pub fn hill_formula(numbers: &[u8]) -> String {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for z in numbers {
        *counts.entry(symbol(*z)).or_default() += 1;
    }
    let first: &[&str] = if counts.contains_key("C") { &["C", "H"] } else { &[] };
    let mut order: Vec<&str> = first.iter().copied().filter(|name| counts.contains_key(name)).collect();
    order.extend(counts.keys().copied().filter(|name| !first.contains(name)));
    order
        .into_iter()
        .map(|name| match counts[name] {
            1 => name.to_owned(),
            count => format!("{name}{count}"),
        })
        .collect()
}
