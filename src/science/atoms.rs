//! Atoms: elements, positions, cell, periodicity, fixed atoms, further columns and notes.
//! Whoever holds an `Atoms` may rely on it: all numbers are finite, all arrays have the same
//! length, all elements exist, and the vectors of periodic directions are independent.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::column::Column;
use super::elements;
use super::error::{Error, Result};
use super::linear::{Mat3, Vec3, determinant, independence};

/// Below this [`independence`] periodic vectors count as dependent. Any real crystal, also a
/// strongly skewed description of one, is many orders of magnitude above.
const SINGULAR: f64 = 1e-10;

/// No coordinate is larger than this, Angstrom.
const FARTHEST: f64 = 1e9;

/// A collection of atoms. Lengths in Angstrom.
///
/// ```
/// # use volley::science::Atoms;
/// let copper = Atoms::new(vec![29], vec![[0.0; 3]])?
///     .with_cell([[0.0, 1.8, 1.8], [1.8, 0.0, 1.8], [1.8, 1.8, 0.0]], [true; 3])?;
/// assert_eq!(copper.formula(), "Cu");
/// assert!((copper.volume() - 2.0 * 1.8f64.powi(3)).abs() < 1e-12);
/// # Ok::<(), volley::science::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Atoms {
    numbers: Vec<u8>,
    positions: Vec<Vec3>,
    cell: Mat3,
    pbc: [bool; 3],
    fixed: BTreeSet<usize>,
    columns: Vec<(String, Column)>,
    info: Map<String, Value>,
}

impl Atoms {
    /// Atoms in empty space: no cell, not periodic, none fixed.
    pub fn new(numbers: Vec<u8>, positions: Vec<Vec3>) -> Result<Self> {
        if positions.len() != numbers.len() {
            let (found, expected) = (positions.len(), numbers.len());
            return Err(Error::Shape { what: "positions".into(), found, expected });
        }
        for number in &numbers {
            elements::checked_number(i64::from(*number))?;
        }
        check_positions(&positions)?;
        Ok(Self {
            numbers,
            positions,
            cell: [[0.0; 3]; 3],
            pbc: [false; 3],
            fixed: BTreeSet::new(),
            columns: Vec::new(),
            info: Map::new(),
        })
    }

    /// The same atoms in a cell (one lattice vector per row; zero rows are allowed where not periodic).
    pub fn with_cell(mut self, cell: Mat3, pbc: [bool; 3]) -> Result<Self> {
        check_cell(&cell, pbc)?;
        self.cell = cell;
        self.pbc = pbc;
        Ok(self)
    }

    /// The same atoms, those at `indices` (counted from 0) held in place.
    pub fn with_fixed(mut self, indices: impl IntoIterator<Item = usize>) -> Result<Self> {
        self.fixed = indices.into_iter().collect();
        match self.fixed.last() {
            Some(last) if *last >= self.len() => {
                let index = i64::try_from(*last).unwrap_or(i64::MAX);
                Err(Error::NoSuchAtom { what: "fixed".into(), index, count: self.len() })
            }
            _ => Ok(self),
        }
    }

    /// The same atoms with a column more, or with the column of that name replaced.
    pub fn with_column(mut self, name: impl Into<String>, column: Column) -> Result<Self> {
        let name = name.into();
        let rows = column.rows().unwrap_or(column.values.len());
        if rows != self.len() || column.rows().is_none() {
            return Err(Error::Shape { what: name, found: rows, expected: self.len() });
        }
        match self.columns.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = column,
            None => self.columns.push((name, column)),
        }
        Ok(self)
    }

    /// The same atoms with these notes.
    pub fn with_info(mut self, info: Map<String, Value>) -> Self {
        self.info = info;
        self
    }

    /// These atoms and then the `others`, which become part of this structure: its cell and notes stay, fixed
    /// are those that were. Where only one side has a column, the other side has zeros in it.
    pub fn joined(&self, others: &Self) -> Result<Self> {
        let numbers = [self.numbers(), others.numbers()].concat();
        let positions = [self.positions(), others.positions()].concat();
        let mut joined = Self { columns: Vec::new(), ..self.clone() };
        (joined.numbers, joined.positions) = (numbers, positions);
        let only_theirs = others.columns().filter(|(name, _)| self.column(name).is_none());
        for (name, like) in self.columns().chain(only_theirs) {
            let part = |atoms: &Self| {
                atoms.column(name).map_or_else(|| like.zeros(atoms.len()), |column| column.values.clone())
            };
            let values = part(self).followed_by(part(others));
            let wrong = || Error::bad(name, "holds values of another kind in the atoms to be added");
            joined = joined.with_column(name, Column { width: like.width, values: values.ok_or_else(wrong)? })?;
        }
        Ok(joined)
    }

    /// Only the columns whose name `keep` accepts.
    pub fn retain_columns(&mut self, keep: impl Fn(&str) -> bool) {
        self.columns.retain(|(name, _)| keep(name));
    }

    /// The number of atoms.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there are no atoms.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Atomic numbers.
    pub fn numbers(&self) -> &[u8] {
        &self.numbers
    }

    /// Chemical symbols.
    pub fn symbols(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.numbers.iter().map(|number| elements::symbol(*number))
    }

    /// Cartesian positions in Angstrom.
    pub fn positions(&self) -> &[Vec3] {
        &self.positions
    }

    /// Moves all atoms, fixed ones too.
    pub fn set_positions(&mut self, positions: Vec<Vec3>) -> Result<()> {
        if positions.len() != self.len() {
            let (found, expected) = (positions.len(), self.len());
            return Err(Error::Shape { what: "positions".into(), found, expected });
        }
        check_positions(&positions)?;
        self.positions = positions;
        Ok(())
    }

    /// The cell, one lattice vector per row, in Angstrom.
    pub fn cell(&self) -> &Mat3 {
        &self.cell
    }

    /// Changes the cell. The atoms stay where they are.
    pub fn set_cell(&mut self, cell: Mat3) -> Result<()> {
        check_cell(&cell, self.pbc)?;
        self.cell = cell;
        Ok(())
    }

    /// Which directions repeat.
    pub fn pbc(&self) -> [bool; 3] {
        self.pbc
    }

    /// Whether any direction repeats.
    pub fn is_periodic(&self) -> bool {
        self.pbc.contains(&true)
    }

    /// The volume of the cell in Angstrom^3; 0 if the cell has not three independent vectors.
    pub fn volume(&self) -> f64 {
        // Relative to the lengths of the vectors, so that it holds in any unit of length.
        if independence(&self.cell) > 1e-14 { determinant(&self.cell).abs() } else { 0.0 }
    }

    /// Indices of the atoms held in place, ascending.
    pub fn fixed(&self) -> &BTreeSet<usize> {
        &self.fixed
    }

    /// Further per-atom data in the order it was added.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Column)> {
        self.columns.iter().map(|(name, column)| (name.as_str(), column))
    }

    /// One column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns().find(|(known, _)| *known == name).map(|(_, column)| column)
    }

    /// Notes on the whole structure.
    pub fn info(&self) -> &Map<String, Value> {
        &self.info
    }

    /// Notes on the whole structure, to change.
    pub fn info_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.info
    }

    /// The formula in Hill order, as "CH4" or "Al4Ni4".
    pub fn formula(&self) -> String {
        elements::hill_formula(&self.numbers)
    }
}

fn check_positions(positions: &[Vec3]) -> Result<()> {
    for (index, position) in positions.iter().enumerate() {
        check_lengths(position, || format!("the position of atom {index}"))?;
    }
    Ok(())
}

/// Lengths are numbers, and of a size that arithmetic with them cannot overflow.
fn check_lengths(lengths: &[f64], what: impl Fn() -> String) -> Result<()> {
    match lengths.iter().find(|x| !x.is_finite() || x.abs() > FARTHEST) {
        None => Ok(()),
        Some(x) if x.is_finite() => Err(Error::bad(what(), format!("{x:e} Angstrom is beyond any structure"))),
        Some(_) => Err(Error::NotFinite { what: what() }),
    }
}

fn check_cell(cell: &Mat3, pbc: [bool; 3]) -> Result<()> {
    check_lengths(cell.as_flattened(), || "an entry of the cell".into())?;
    let periodic: Vec<usize> = (0..3).filter(|k| pbc[*k]).collect();
    let rows: Vec<Vec3> = periodic.iter().map(|k| cell[*k]).collect();
    if independence(&rows) > SINGULAR {
        return Ok(());
    }
    let names: Vec<&str> = periodic.iter().map(|k| ["a", "b", "c"][*k]).collect();
    Err(Error::SingularCell { vectors: names.join(", ") })
}
