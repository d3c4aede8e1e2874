//! Which vacancies, and in which supercells.

use super::shape;
use crate::science::atoms::Atoms;
use crate::science::elements;
use crate::science::error::{Error, Result};

/// No more atoms, and nothing longer (Angstrom), may be asked for.
const MOST_ATOMS: usize = 100_000;
const LONGEST: f64 = 1e4;
const LARGEST_ENTRY: i64 = 1000;

/// What [`super::make_defects_from_bulk`] can be told, with quacc's names and defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct DefectOptions {
    /// `sc_mat`: how vectors of the supercell are made of the bulk's, one row each. If none, the nearest
    /// to a cube that the following allow.
    pub matrix: Option<[[i64; 3]; 3]>,
    /// The fewest atoms of the supercell before one is taken away.
    pub min_atoms: usize,
    /// The most.
    pub max_atoms: usize,
    /// How long its vectors are at least, Angstrom.
    pub min_length: f64,
    /// Each vector a multiple of one of the bulk's, as long as `min_length` or longer, with any number of atoms.
    pub force_diagonal: bool,
    /// `rm_species`: the elements that go missing; all if none.
    pub remove: Option<Vec<u8>>,
    /// EMT knows no charges; it says how many neighbours ShakeNBreak distorts, and is noted.
    pub charge: i64,
    /// Whether the geometries are ShakeNBreak's; otherwise there is one, unperturbed.
    pub distortions: bool,
}

impl Default for DefectOptions {
    fn default() -> Self {
        Self {
            matrix: None,
            min_atoms: 80,
            max_atoms: 240,
            min_length: 10.0,
            force_diagonal: false,
            remove: None,
            charge: 0,
            distortions: true,
        }
    }
}

impl DefectOptions {
    /// Whether they can be met at all.
    pub fn check(&self) -> Result<()> {
        let bad = |key: &str, reason: String| Err(Error::bad(format!("{key} of make_defects_kwargs"), reason));
        if let Some(matrix) = &self.matrix {
            if matrix.as_flattened().iter().any(|entry| entry.abs() > LARGEST_ENTRY) {
                return bad("sc_mat", format!("no entry may be larger than {LARGEST_ENTRY}"));
            }
            if shape::cells(matrix) == 0 {
                return bad("sc_mat", "its rows are zero or linearly dependent".into());
            }
        }
        if self.min_atoms > self.max_atoms {
            return bad("min_atoms", format!("{} is more than max_atoms, {}", self.min_atoms, self.max_atoms));
        }
        if self.max_atoms > MOST_ATOMS {
            return bad("max_atoms", format!("must be {MOST_ATOMS} or fewer, not {}", self.max_atoms));
        }
        if !(self.min_length > 0.0 && self.min_length <= LONGEST) {
            return bad(
                "min_length",
                format!("must be above 0 and at most {LONGEST} Angstrom, not {}", self.min_length),
            );
        }
        Ok(())
    }

    /// How vectors of the supercell are made of those of `bulk`, one row each; an error where no supercell
    /// fits, and where `bulk` has not what should be removed.
    pub fn supercell_of(&self, bulk: &Atoms, stop: &dyn Fn() -> bool) -> Result<[[i64; 3]; 3]> {
        self.check_for(bulk)?;
        let matrix = shape::supercell_matrix(bulk.cell(), bulk.len(), self, stop)?;
        let count = shape::cells(&matrix).saturating_mul(bulk.len() as u64);
        if (2..=MOST_ATOMS as u64).contains(&count) {
            return Ok(matrix);
        }
        let reason = format!("a supercell of {count} atoms, where 2 to {MOST_ATOMS} can have a vacancy");
        Err(Error::bad("make_defects_kwargs", reason))
    }

    fn check_for(&self, bulk: &Atoms) -> Result<()> {
        self.check()?;
        if bulk.is_empty() {
            return Err(Error::NoAtoms);
        }
        let strange = self.remove.iter().flatten().find(|number| !bulk.numbers().contains(number));
        strange.map_or(Ok(()), |number| {
            let reason = format!("there is no {} in {}", elements::symbol(*number), bulk.formula());
            Err(Error::bad("rm_species of make_defects_kwargs", reason))
        })
    }
}
