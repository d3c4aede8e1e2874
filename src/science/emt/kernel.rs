//! The two passes over the pairs of a domain. Pairs are taken by the hundred, in three strokes:
//! gather distances from the positions, compute in vectors (see `terms`), add the results to the
//! points. The second pass computes the exponentials again: that costs less than to keep them,
//! in time once they no longer fit into the cache, and always in memory.

use pulp::{Simd, WithSimd};

use crate::science::linear::Mat3;
use crate::science::neighbours::{Domain, Run};

use super::batches::batches;
use super::parameters::Cutoff;
use super::terms::{Bond, Lanes, WIDTH, densities, forces};

/// Pairs gathered at a time, in groups of `WIDTH`.
const GROUPS: usize = 8;
const BATCH: usize = GROUPS * WIDTH;

/// What the passes need of the elements.
#[derive(Debug)]
pub(super) struct Interaction {
    pub cutoff: Cutoff,
    /// `[centre * elements + neighbour]`.
    pub bonds: Vec<Bond>,
    pub elements: usize,
}

/// Arrays over the points of one domain.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// Position, and the slope of the atom's energy by its density.
    pub points: Vec<[f64; 4]>,
    /// Filled by [`Density`].
    pub densities: Vec<f64>,
    /// The smallest r^2.
    pub nearest: f64,
    /// Force and pair energy, filled by [`Force`].
    pub pushes: Vec<[f64; 4]>,
    /// Sum of position times force.
    pub virial: Mat3,
}

/// First pass: from positions to densities.
pub(super) struct Density<'a>(pub &'a Interaction, pub &'a Domain, pub &'a mut Scratch);

/// Second pass: from positions and slopes to forces, pair energies and virial.
pub(super) struct Force<'a>(pub &'a Interaction, pub &'a Domain, pub &'a mut Scratch);

impl WithSimd for Density<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self(interaction, domain, scratch) = self;
        if S::IS_SCALAR {
            density::<false>(interaction, domain, scratch)
        } else {
            density::<true>(interaction, domain, scratch)
        }
    }
}

impl WithSimd for Force<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self(interaction, domain, scratch) = self;
        if S::IS_SCALAR {
            force::<false>(interaction, domain, scratch)
        } else {
            force::<true>(interaction, domain, scratch)
        }
    }
}

#[inline(always)]
fn density<const FUSED: bool>(interaction: &Interaction, domain: &Domain, scratch: &mut Scratch) {
    let (points, sums) = (&scratch.points, &mut scratch.densities);
    sums.clear();
    sums.resize(points.len(), 0.0);
    let mut nearest = [f64::INFINITY; WIDTH];
    let mut pairs = Pairs::default();
    for run in domain.runs() {
        let bond = interaction.bond(&run);
        for batch in batches(run, BATCH) {
            for piece in batch.pieces() {
                let from = points[piece.centre];
                let squares = &mut pairs.squares.as_flattened_mut()[piece.at..];
                for (square, neighbour) in squares.iter_mut().zip(piece.neighbours) {
                    *square = distance_squared(points[*neighbour as usize], from);
                }
            }
            for [squares, here, there] in pairs.groups(batch.len(), interaction.cutoff.range) {
                for (nearest, square) in nearest.iter_mut().zip(squares.iter()) {
                    *nearest = if *square < *nearest { *square } else { *nearest };
                }
                densities::<FUSED>(&interaction.cutoff, bond, squares, here, there);
            }
            for piece in batch.pieces() {
                let mut sum = 0.0;
                for (neighbour, (here, there)) in piece.neighbours.iter().zip(pairs.results(piece.at)) {
                    sum += here;
                    sums[*neighbour as usize] += there;
                }
                sums[piece.centre] += sum;
            }
        }
    }
    scratch.nearest = nearest.into_iter().fold(f64::INFINITY, f64::min);
}

#[inline(always)]
fn force<const FUSED: bool>(interaction: &Interaction, domain: &Domain, scratch: &mut Scratch) {
    let (points, pushes) = (&scratch.points, &mut scratch.pushes);
    pushes.clear();
    pushes.resize(points.len(), [0.0; 4]);
    let mut pairs = Pairs::default();
    for run in domain.runs() {
        let bond = interaction.bond(&run);
        for batch in batches(run, BATCH) {
            for piece in batch.pieces() {
                let from = points[piece.centre];
                let Pairs { squares, here, there } = &mut pairs;
                let slots =
                    squares.as_flattened_mut()[piece.at..].iter_mut().zip(&mut here.as_flattened_mut()[piece.at..]);
                let slots = slots.zip(&mut there.as_flattened_mut()[piece.at..]);
                for (((square, here), there), neighbour) in slots.zip(piece.neighbours) {
                    let to = points[*neighbour as usize];
                    *square = distance_squared(to, from);
                    (*here, *there) = (from[3], to[3]);
                }
            }
            for [squares, here, there] in pairs.groups(batch.len(), interaction.cutoff.range) {
                forces::<FUSED>(&interaction.cutoff, bond, squares, here, there);
            }
            for piece in batch.pieces() {
                let (from, mut sum) = (points[piece.centre], [0.0; 4]);
                for (neighbour, (factor, energy)) in piece.neighbours.iter().zip(pairs.results(piece.at)) {
                    let (to, push) = (points[*neighbour as usize], &mut pushes[*neighbour as usize]);
                    for k in 0..3 {
                        let force = (to[k] - from[k]) * factor;
                        sum[k] += force;
                        push[k] -= force;
                    }
                    sum[3] += energy;
                    push[3] += energy;
                }
                let push = &mut pushes[piece.centre];
                *push = std::array::from_fn(|k| push[k] + sum[k]);
            }
        }
    }
    scratch.virial = virial(points, pushes);
}

/// The sum of position times force. The forces in a domain sum to zero, so any origin will do; one
/// amid the points rounds least.
#[inline(always)]
fn virial(points: &[[f64; 4]], pushes: &[[f64; 4]]) -> Mat3 {
    let mut virial = [[0.0; 3]; 3];
    for (point, push) in points.iter().zip(pushes) {
        for a in 0..3 {
            for b in 0..3 {
                virial[a][b] += (point[a] - points[0][a]) * push[b];
            }
        }
    }
    virial
}

#[inline(always)]
fn distance_squared(to: [f64; 4], from: [f64; 4]) -> f64 {
    let (x, y, z) = (to[0] - from[0], to[1] - from[1], to[2] - from[2]);
    x * x + y * y + z * z
}

/// The pairs of a batch: r^2, and two numbers each that become two results each.
struct Pairs {
    squares: [Lanes; GROUPS],
    here: [Lanes; GROUPS],
    there: [Lanes; GROUPS],
}

impl Default for Pairs {
    fn default() -> Self {
        Self { squares: [[0.0; WIDTH]; GROUPS], here: [[0.0; WIDTH]; GROUPS], there: [[0.0; WIDTH]; GROUPS] }
    }
}

impl Pairs {
    /// As many groups as hold `count` pairs; places left over in the last get the distance `range`.
    #[inline(always)]
    fn groups(&mut self, count: usize, range: f64) -> impl Iterator<Item = [&mut Lanes; 3]> {
        let groups = count.div_ceil(WIDTH);
        self.squares.as_flattened_mut()[count..groups * WIDTH].fill(range * range);
        let columns = self.squares.iter_mut().zip(&mut self.here).zip(&mut self.there);
        columns.take(groups).map(|((squares, here), there)| [squares, here, there])
    }

    /// The two results of each pair from `first` on.
    #[inline(always)]
    fn results(&self, first: usize) -> impl Iterator<Item = (f64, f64)> {
        let columns = self.here.as_flattened()[first..].iter().zip(&self.there.as_flattened()[first..]);
        columns.map(|(here, there)| (*here, *there))
    }
}

impl Interaction {
    fn bond(&self, run: &Run<'_>) -> &Bond {
        &self.bonds[usize::from(run.centre) * self.elements + usize::from(run.neighbour)]
    }
}
