//! Effective medium theory: energy, per-atom energies, forces and stress of ASE's `EMT`, for
//! Al, Cu, Ag, Au, Ni, Pd, Pt and, not seriously, H, C, N, O.
//! K. W. Jacobsen, P. Stoltze, J. K. Norskov, Surf. Sci. 366, 394 (1996),
//! doi:10.1016/0039-6028(96)00816-3. The result does not depend on the neighbour list's skin,
//! nor on what was calculated before.

mod exp;
mod kernel;
mod parameters;

pub use parameters::{check, supported};

use crate::science::atoms::Atoms;
use crate::science::calculator::{Calculator, Properties};
use crate::science::error::{Error, Result};
use crate::science::linear::{Vec3, add, norm, sub};
use crate::science::neighbours::NeighbourList;
use kernel::Pairs;
use parameters::{Cutoff, Element, HalfPair};

/// Atoms closer than this have no meaningful energy, Angstrom.
const TOO_CLOSE: f64 = 1e-6;
/// How far pairs beyond the cutoff are kept in the list, Angstrom.
const SKIN: f64 = 0.3;

/// The calculator. It keeps its neighbour list, so calls for slightly moved atoms are cheap.
///
/// ```
/// use volley::science::{Calculator, build::bulk, emt::Emt};
/// let copper = bulk("Cu", &Default::default())?;
/// let found = Emt::default().calculate(&copper)?;
/// assert!((found.energy - -0.005681511358581304).abs() < 1e-12);
/// # Ok::<(), volley::science::Error>(())
/// ```
#[derive(Debug)]
pub struct Emt {
    asap_cutoff: bool,
    skin: f64,
    model: Option<Model>,
    scratch: Scratch,
}

/// What depends on the elements only.
#[derive(Debug)]
struct Model {
    numbers: Vec<u8>,
    /// Index into `elements` for each atom.
    kinds: Vec<u8>,
    elements: Vec<Element>,
    /// `[centre * elements + neighbour]`.
    halves: Vec<HalfPair>,
    cutoff: Cutoff,
    list: NeighbourList,
}

/// Arrays over the extended list, kept between calls.
#[derive(Debug, Default)]
struct Scratch {
    positions: Vec<Vec3>,
    /// Density and pair energy.
    sums: Vec<[f64; 2]>,
    slopes: Vec<f64>,
    forces: Vec<Vec3>,
    pairs: Pairs,
}

impl Default for Emt {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Emt {
    /// `asap_cutoff`: a cutoff fitted to the elements present, as ASAP's EMT has it.
    pub fn new(asap_cutoff: bool) -> Self {
        Self { asap_cutoff, skin: SKIN, model: None, scratch: Scratch::default() }
    }

    /// The same calculator with another skin of its neighbour list, in Angstrom.
    pub fn with_skin(mut self, skin: f64) -> Self {
        self.skin = skin;
        self.model = None;
        self
    }

    fn model(&mut self, numbers: &[u8]) -> Result<&mut Model> {
        let model = match self.model.take() {
            Some(model) if model.numbers == numbers => model,
            _ => Model::new(numbers, self.asap_cutoff, self.skin)?,
        };
        Ok(self.model.insert(model))
    }
}

impl Model {
    fn new(numbers: &[u8], asap_cutoff: bool, skin: f64) -> Result<Self> {
        check(numbers)?;
        let cutoff = Cutoff::new(numbers, asap_cutoff);
        let mut present = numbers.to_vec();
        present.sort_unstable();
        present.dedup();
        let elements: Vec<Element> =
            present.iter().map(|number| Element::new(*number, &cutoff)).collect::<Result<_>>()?;
        let halves = elements
            .iter()
            .flat_map(|centre| elements.iter().map(|neighbour| HalfPair::new(centre, neighbour)))
            .collect();
        let kinds =
            numbers.iter().filter_map(|number| present.binary_search(number).ok().map(|kind| kind as u8)).collect();
        let list = NeighbourList::new(cutoff.range, skin);
        Ok(Self { numbers: numbers.to_vec(), kinds, elements, halves, cutoff, list })
    }
}

impl Calculator for Emt {
    fn calculate(&mut self, atoms: &Atoms) -> Result<Properties> {
        let count = atoms.len();
        if count == 0 {
            return Err(Error::NoAtoms);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let model = self.model(atoms.numbers())?;
        model.list.update(atoms, &model.kinds)?;
        let list = &model.list;
        let owners = list.owners();
        list.extended_positions(atoms, &mut scratch.positions);
        let extended = scratch.positions.len();

        // First pass: densities and pair energies.
        scratch.sums.clear();
        scratch.sums.resize(extended, [0.0; 2]);
        let nearest = scratch.pairs.gather(model, &scratch.positions, &mut scratch.sums);
        if let Some((first, second)) = nearest {
            let distance = norm(sub(scratch.positions[second], scratch.positions[first]));
            let second = second.checked_sub(count).map_or(second, |ghost| owners[ghost] as usize);
            return Err(Error::TooClose { first, second, distance });
        }
        for (ghost, owner) in owners.iter().enumerate() {
            let [density, pair] = scratch.sums[count + ghost];
            let sum = &mut scratch.sums[*owner as usize];
            *sum = [sum[0] + density, sum[1] + pair];
        }

        // The energy of each atom, zero for an atom of the perfect crystal; and how it
        // changes with the density. An atom without neighbours has only -E0.
        scratch.slopes.clear();
        let mut energies = Vec::with_capacity(count);
        for (kind, [density, pair]) in model.kinds.iter().zip(&scratch.sums) {
            let element = &model.elements[usize::from(*kind)];
            let (cohesive, slope) = if *density > 0.0 { element.cohesive(*density) } else { (0.0, 0.0) };
            energies.push(cohesive + 0.5 * pair - element.e0);
            scratch.slopes.push(slope);
        }
        for owner in owners {
            scratch.slopes.push(scratch.slopes[*owner as usize]);
        }

        // Second pass: forces on real atoms and ghosts.
        scratch.forces.clear();
        scratch.forces.resize(extended, [0.0; 3]);
        scratch.pairs.push(&scratch.positions, &scratch.slopes, &mut scratch.forces);
        let stress = stress(atoms.volume(), &scratch.positions, &scratch.forces);
        for (ghost, owner) in owners.iter().enumerate() {
            let owner = *owner as usize;
            scratch.forces[owner] = add(scratch.forces[owner], scratch.forces[count + ghost]);
        }
        let forces = scratch.forces[..count].to_vec();
        self.scratch = scratch;
        Ok(Properties { energy: energies.iter().sum(), energies, forces, stress })
    }
}

/// The virial -sum r (x) F over real atoms and ghosts per volume. Ghosts carry their own share of
/// the forces, so no pair has to be visited again.
fn stress(volume: f64, positions: &[Vec3], forces: &[Vec3]) -> Option<[f64; 6]> {
    if volume == 0.0 {
        return None;
    }
    // The forces sum to zero, so any origin will do; one amid the atoms rounds least.
    let origin = positions[0];
    let mut virial = [[0.0; 3]; 3];
    for (position, force) in positions.iter().zip(forces) {
        let arm = sub(*position, origin);
        for a in 0..3 {
            for b in 0..3 {
                virial[a][b] -= arm[a] * force[b];
            }
        }
    }
    let voigt = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)];
    Some(voigt.map(|(a, b)| 0.5 * (virial[a][b] + virial[b][a]) / volume))
}
