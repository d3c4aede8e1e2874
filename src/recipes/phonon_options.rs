//! What `phonon_flow` can be told, by quacc's names and with its defaults.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::error::Result;
use crate::science::fields::{Fields, brief};
use crate::science::linear::norm;
use crate::science::neighbours::NeighbourList;
use crate::science::phonons::{IntMat, MOST_REPEATS};
use crate::science::threads::Threads;
use crate::science::{Atoms, Error};

/// More temperatures than this are a mistake.
const MOST: f64 = 10_001.0;

/// The least `symprec`, Angstrom: positions have no more digits.
const FINEST: f64 = 1e-8;

/// The shortest distance between atoms is at least so many times `symprec`.
const APART: f64 = 10.0;

/// The parameters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PhononOptions {
    /// Atoms this near, Angstrom, are equivalent.
    pub symprec: f64,
    supercell: Supercell,
    /// Angstrom.
    pub displacement: f64,
    /// Atoms that stay where they are.
    pub fixed: BTreeSet<usize>,
    /// K.
    t_step: f64,
    t_min: f64,
    t_max: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Supercell {
    /// At least so long along each vector, Angstrom.
    Lengths([f64; 3]),
    /// Its vectors are the columns.
    Matrix(IntMat),
}

pub(super) fn options(fields: &Fields) -> Result<PhononOptions> {
    let fixed = fields.get("fixed_atom_indices").map(indices).transpose()?.unwrap_or_default();
    let found = PhononOptions {
        symprec: length(fields, "symprec", 1e-4, [FINEST, 0.5])?,
        supercell: supercell(fields)?,
        displacement: length(fields, "displacement", 0.01, [1e-5, 0.5])?,
        fixed,
        t_step: fields.positive("t_step")?.unwrap_or(10.0),
        t_min: fields.number("t_min")?.unwrap_or(0.0),
        t_max: fields.number("t_max")?.unwrap_or(1000.0),
    };
    if found.t_min < 0.0 || found.t_max < found.t_min || found.count() > MOST {
        let reason = format!(
            "temperatures from {:?} to {:?} K in steps of {:?} K: t_min must be 0 or more, t_max not below it, and there may be \
             {MOST} of them at most",
            found.t_min, found.t_max, found.t_step
        );
        return Err(Error::bad("t_min, t_max, t_step", reason).into());
    }
    Ok(found)
}

/// A length in Angstrom within limits. Below them, rounding of positions and forces takes over; above, what is found
/// is not the crystal any more.
fn length(fields: &Fields, key: &str, default: f64, [least, most]: [f64; 2]) -> Result<f64> {
    let found = fields.number(key)?.unwrap_or(default);
    if (least..=most).contains(&found) {
        return Ok(found);
    }
    Err(Error::bad(key, format!("must be from {least:?} to {most:?} Angstrom, not {found:?}")).into())
}

fn supercell(fields: &Fields) -> Result<Supercell> {
    if let Some(given) = fields.get("supercell_matrix") {
        let within = -MOST_REPEATS..=MOST_REPEATS;
        let matrix = IntMat::deserialize(given).ok();
        let matrix = matrix.filter(|matrix| matrix.as_flattened().iter().all(|n| within.contains(n)));
        let wrong = || {
            let reason = format!(
                "must be three rows of three whole numbers from -{MOST_REPEATS} to {MOST_REPEATS}, not {}",
                brief(given)
            );
            Error::bad("supercell_matrix", reason)
        };
        return Ok(Supercell::Matrix(matrix.ok_or_else(wrong)?));
    }
    let Some(given) = fields.get("min_lengths") else { return Ok(Supercell::Lengths([20.0; 3])) };
    let lengths = given.as_f64().map(|length| [length; 3]).or_else(|| <[f64; 3]>::deserialize(given).ok());
    let wrong = || Error::bad("min_lengths", format!("must be a length above 0, or three, not {}", brief(given)));
    let lengths = lengths.filter(|lengths| lengths.iter().all(|length| *length > 0.0)).ok_or_else(wrong)?;
    Ok(Supercell::Lengths(lengths))
}

fn indices(given: &Value) -> Result<BTreeSet<usize>> {
    let wrong =
        || Error::bad("fixed_atom_indices", format!("must be a list of atoms, counted from 0, not {}", brief(given)));
    Ok(BTreeSet::deserialize(given).map_err(|_| wrong())?)
}

impl PhononOptions {
    /// The supercell of `unit`; its vectors are the columns.
    pub fn matrix(&self, unit: &Atoms) -> Result<IntMat> {
        let lengths = match self.supercell {
            Supercell::Matrix(matrix) => return Ok(matrix),
            Supercell::Lengths(lengths) => lengths,
        };
        let mut matrix = [[0; 3]; 3];
        for (k, wanted) in lengths.iter().enumerate() {
            let own = norm(unit.cell()[k]);
            let times = (wanted / own).ceil();
            if times > MOST_REPEATS as f64 {
                let vector = ["a", "b", "c"][k];
                let reason =
                    format!("{wanted:?} Angstrom are more than {MOST_REPEATS} times {vector}, {own:.3} Angstrom");
                return Err(Error::bad("min_lengths", reason).into());
            }
            matrix[k][k] = times as i64;
        }
        Ok(matrix)
    }

    /// Whether `symprec` tells the atoms of the crystal `unit` from each other and from their images.
    pub fn check_symprec(&self, unit: &Atoms) -> Result<()> {
        let reach = APART * self.symprec;
        let mut near = NeighbourList::new(reach, 0.0);
        near.update(unit, &vec![0; unit.len()], &Threads::new(1))?;
        let pairs = near.pairs(unit).into_iter().map(|(first, second, apart)| (norm(apart), first, second));
        let Some((distance, first, second)) = pairs.min_by(|a, b| a.0.total_cmp(&b.0)) else { return Ok(()) };
        if distance < APART * FINEST {
            return Err(Error::TooClose { first, second, distance }.into());
        }
        let reason = format!(
            "{:?} Angstrom must be at most a tenth of the shortest distance between atoms, {distance:.4} Angstrom",
            self.symprec
        );
        Err(Error::bad("symprec", reason).into())
    }

    /// The atoms that are displaced, and those that are not; both without what is not needed.
    pub fn split(&self, atoms: &Atoms) -> Result<(Atoms, Atoms)> {
        if let Some(last) = self.fixed.last().filter(|last| **last >= atoms.len()) {
            let index = i64::try_from(*last).unwrap_or(i64::MAX);
            return Err(Error::NoSuchAtom { what: "fixed_atom_indices".into(), index, count: atoms.len() }.into());
        }
        let part = |fixed: bool| -> Result<Atoms> {
            let kept = || (0..atoms.len()).filter(|atom| self.fixed.contains(atom) == fixed);
            let numbers = kept().map(|atom| atoms.numbers()[atom]).collect();
            let positions = kept().map(|atom| atoms.positions()[atom]).collect();
            Ok(Atoms::new(numbers, positions)?.with_cell(*atoms.cell(), atoms.pbc())?)
        };
        let (moving, still) = (part(false)?, part(true)?);
        if moving.is_empty() {
            return Err(Error::bad("fixed_atom_indices", "leaves no atom to displace").into());
        }
        Ok((moving, still))
    }

    fn count(&self) -> f64 {
        ((self.t_max - self.t_min) / self.t_step + 0.5).ceil()
    }

    /// The temperatures, K.
    pub fn temperatures(&self) -> Vec<f64> {
        (0..self.count() as usize).map(|k| self.t_min + k as f64 * self.t_step).collect()
    }
}
