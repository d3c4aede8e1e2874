//! Effective medium theory: energy, per-atom energies, forces and stress of ASE's `EMT`, for
//! Al, Cu, Ag, Au, Ni, Pd, Pt and, not seriously, H, C, N, O.
//! K. W. Jacobsen, P. Stoltze, J. K. Norskov, Surf. Sci. 366, 394 (1996),
//! doi:10.1016/0039-6028(96)00816-3. The result does not depend on the neighbour list's skin,
//! nor on what was calculated before.

mod batches;
mod exp;
mod kernel;
mod parameters;
mod terms;

pub use parameters::{check, supported};

use pulp::Arch;

use crate::science::atoms::Atoms;
use crate::science::calculator::{Calculator, Properties};
use crate::science::error::{Error, Result};
use crate::science::linear::{Mat3, norm};
use crate::science::neighbours::{Domain, NeighbourList};
use crate::science::threads::Threads;
use kernel::{Density, Force, Interaction, Scratch};
use parameters::{Cutoff, Element, HalfPair};
use terms::Bond;

/// Atoms closer than this have no meaningful energy, Angstrom.
const TOO_CLOSE: f64 = 1e-6;
/// How far pairs beyond the cutoff are kept in the list, Angstrom.
const SKIN: f64 = 0.3;
/// Atoms embedded by a thread at a time.
const PIECE: usize = 1024;

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
    threads: Threads,
    /// Which vector instructions to use: they change the rounding, nothing else.
    arch: Arch,
    model: Option<Model>,
    scratch: Vec<Scratch>,
}

/// What depends on the elements only, and the list.
#[derive(Debug)]
struct Model {
    numbers: Vec<u8>,
    /// Index into `elements` for each atom.
    kinds: Vec<u8>,
    elements: Vec<Element>,
    interaction: Interaction,
    list: NeighbourList,
}

impl Default for Emt {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Emt {
    /// `asap_cutoff`: a cutoff fitted to the elements present, as ASAP's EMT has it. One thread.
    pub fn new(asap_cutoff: bool) -> Self {
        let (threads, arch) = (Threads::new(1), Arch::new());
        Self { asap_cutoff, skin: SKIN, threads, arch, model: None, scratch: Vec::new() }
    }

    /// The same calculator with another skin of its neighbour list, in Angstrom.
    pub fn with_skin(mut self, skin: f64) -> Self {
        self.skin = skin;
        self.model = None;
        self
    }

    /// The same calculator on `count` threads, started when there is work for more than one: they
    /// pay from about a thousand atoms. The results are the same to the last bit for any number.
    pub fn with_threads(mut self, count: usize) -> Self {
        self.threads = Threads::new(count);
        self
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
        let half = |centre: usize, neighbour: usize| HalfPair::new(&elements[centre], &elements[neighbour]);
        let bonds = (0..elements.len().pow(2)).map(|index| {
            let (centre, neighbour) = (index / elements.len(), index % elements.len());
            let (seen, seeing) = (half(centre, neighbour), half(neighbour, centre));
            Bond { seen, seeing, alike: centre == neighbour }
        });
        let interaction = Interaction { cutoff, bonds: bonds.collect(), elements: elements.len() };
        let kinds =
            numbers.iter().filter_map(|number| present.binary_search(number).ok().map(|kind| kind as u8)).collect();
        let list = NeighbourList::new(cutoff.range, skin);
        Ok(Self { numbers: numbers.to_vec(), kinds, elements, interaction, list })
    }
}

impl Calculator for Emt {
    fn calculate(&mut self, atoms: &Atoms) -> Result<Properties> {
        if atoms.is_empty() {
            return Err(Error::NoAtoms);
        }
        let vectors = atoms.cell().iter().zip(atoms.pbc()).filter(|(_, periodic)| *periodic);
        if let Some(distance) = vectors.map(|(vector, _)| norm(*vector)).find(|length| *length < TOO_CLOSE) {
            return Err(Error::TooClose { first: 0, second: 0, distance });
        }
        let Self { threads, scratch, arch, .. } = self;
        let model = match self.model.take() {
            Some(model) if model.numbers == atoms.numbers() => model,
            _ => Model::new(atoms.numbers(), self.asap_cutoff, self.skin)?,
        };
        let model = self.model.insert(model);
        model.list.update(atoms, &model.kinds, threads)?;
        let interaction = &model.interaction;
        let domains = model.list.domains();
        scratch.resize_with(domains.len(), Scratch::default);
        let mut parts: Vec<(&Domain, &mut Scratch)> = domains.iter().zip(scratch).collect();

        // First pass: densities.
        threads.each(
            &mut parts,
            || (),
            |(), (domain, scratch)| {
                domain.place(atoms.positions(), atoms.cell(), &mut scratch.points);
                arch.dispatch(Density(interaction, domain, scratch));
            },
        );
        if parts.iter().any(|(_, scratch)| scratch.nearest < TOO_CLOSE * TOO_CLOSE) {
            return Err(too_close(&model.list, atoms));
        }
        let mut densities = vec![0.0; atoms.len()];
        for (domain, scratch) in &parts {
            for (point, density) in domain.points().iter().zip(&scratch.densities) {
                densities[point.atom as usize] += density;
            }
        }

        // The energy of each atom, zero for an atom of the perfect crystal; and how it
        // changes with the density. An atom without neighbours has only -E0.
        let (mut energies, mut slopes) = (vec![0.0; atoms.len()], densities);
        let kinds = model.kinds.chunks(PIECE);
        let mut pieces: Vec<_> = kinds.zip(energies.chunks_mut(PIECE)).zip(slopes.chunks_mut(PIECE)).collect();
        threads.each(
            &mut pieces,
            || (),
            |(), ((kinds, energies), slopes)| {
                for ((kind, energy), slope) in kinds.iter().zip(energies.iter_mut()).zip(slopes.iter_mut()) {
                    let (element, density) = (&model.elements[usize::from(*kind)], *slope);
                    let (cohesive, by_density) = if density > 0.0 { element.cohesive(density) } else { (0.0, 0.0) };
                    (*energy, *slope) = (cohesive - element.e0, by_density);
                }
            },
        );

        // Second pass: forces and pair energies, half of these to either atom.
        threads.each(
            &mut parts,
            || (),
            |(), (domain, scratch)| {
                for (point, [.., slope]) in domain.points().iter().zip(&mut scratch.points) {
                    *slope = slopes[point.atom as usize];
                }
                arch.dispatch(Force(interaction, domain, scratch));
            },
        );
        let (mut forces, mut virial) = (vec![[0.0; 3]; atoms.len()], [[0.0; 3]; 3]);
        for (domain, scratch) in &parts {
            for (point, [x, y, z, pair]) in domain.points().iter().zip(&scratch.pushes) {
                let force = &mut forces[point.atom as usize];
                *force = [force[0] + x, force[1] + y, force[2] + z];
                energies[point.atom as usize] += 0.5 * pair;
            }
            virial = std::array::from_fn(|a| std::array::from_fn(|b| virial[a][b] + scratch.virial[a][b]));
        }
        let stress = stress(atoms.volume(), &virial);
        Ok(Properties { energy: energies.iter().sum(), energies, forces, stress })
    }
}

/// Which pair it is that is closer than `TOO_CLOSE`.
fn too_close(list: &NeighbourList, atoms: &Atoms) -> Error {
    let pairs = list.pairs(atoms).into_iter().map(|(first, second, vector)| (norm(vector), first, second));
    let (distance, first, second) = pairs.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default();
    Error::TooClose { first: first.min(second), second: first.max(second), distance }
}

/// Minus the virial per volume, if there is one.
fn stress(volume: f64, virial: &Mat3) -> Option<[f64; 6]> {
    let voigt = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)];
    (volume != 0.0).then(|| voigt.map(|(a, b)| -0.5 * (virial[a][b] + virial[b][a]) / volume))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::science::linear::sub;

    #[test]
    fn processors_differ_by_rounding_only() {
        let positions = vec![[0.0; 3], [1.8, 1.9, 0.1], [1.7, 0.0, 1.9], [0.0, 1.8, 1.7]];
        let cell = [[3.7, 0.0, 0.2], [0.0, 3.6, 0.0], [0.0, -0.1, 3.8]];
        let atoms = Atoms::new(vec![29, 79, 29, 28], positions).and_then(|a| a.with_cell(cell, [true; 3]));
        let atoms = atoms.expect("valid");
        let plain = Emt { arch: Arch::Scalar, ..Emt::default() }.calculate(&atoms).expect("calculated");
        let vectors = Emt::default().calculate(&atoms).expect("calculated");
        assert!((plain.energy - vectors.energy).abs() < 1e-12);
        for (plain, vectors) in plain.forces.iter().zip(&vectors.forces) {
            assert!(norm(sub(*plain, *vectors)) < 1e-12);
        }
    }
}
