//! Molecules by name: the G2 set and a few more, from the table in `molecules.txt`.
//! Not periodic, no cell; magnetic moments go into the column `initial_magmoms`.

use crate::science::atoms::Atoms;
use crate::science::column::{Column, Values};
use crate::science::elements;
use crate::science::error::{Error, Result};
use crate::science::nearest::nearest_few;

const TABLE: &str = include_str!("molecules.txt");

/// The molecules there are, sorted.
pub fn molecule_names() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter(|line| is_name(line))
}

/// The molecule `name`, coordinates in Angstrom.
///
/// ```
/// # use volley::science::build::molecule;
/// assert_eq!(molecule("CH3OH")?.formula(), "CH4O");
/// assert!(molecule("CH3HO").unwrap_err().to_string().contains("CH3OH"));
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn molecule(name: &str) -> Result<Atoms> {
    let mut lines = TABLE.lines();
    if !lines.by_ref().any(|line| is_name(line) && line == name) {
        let near = nearest_few(name, molecule_names(), 4).join(", ");
        let reason = match near.as_str() {
            "" => "there is no molecule of that name".to_owned(),
            near => format!("there is no molecule of that name (near ones: {near})"),
        };
        return Err(Error::Build { name: format!("molecule {name:?}"), reason });
    }
    let (mut numbers, mut positions, mut moments) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines.take_while(|line| !is_name(line)) {
        let mut words = line.split(' ');
        numbers.push(elements::number(words.next().unwrap_or_default())?);
        let values: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
        positions.push([values[0], values[1], values[2]]);
        moments.extend(values.get(3));
    }
    let atoms = Atoms::new(numbers, positions)?;
    if moments.is_empty() {
        return Ok(atoms);
    }
    atoms.with_column("initial_magmoms", Column::flat(Values::Real(moments)))
}

fn is_name(line: &str) -> bool {
    !line.contains(' ')
}
