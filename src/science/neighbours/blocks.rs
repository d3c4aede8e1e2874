//! Cuts the boxes of a search into blocks of nearly equal numbers of atoms, by halving the
//! longest side (M. J. Berger and S. H. Bokhari, IEEE Trans. Comput. C-36, 570 (1987),
//! doi:10.1109/TC.1987.1676942). The blocks depend on the atoms only, not on who works on them.

use super::bins::Bins;

/// A block of more atoms is halved: few enough that all about them stays in a core's cache and that
/// two threads find work in a thousand atoms, many enough that the halo is not most of the work.
const MOST: usize = 768;

/// Boxes from `low` up to but not including `high`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    low: [usize; 3],
    high: [usize; 3],
}

impl Block {
    /// The blocks with atoms in them; each atom is in one of them.
    pub(super) fn all(bins: &Bins) -> Vec<Self> {
        let mut blocks = Vec::new();
        Self { low: [0; 3], high: bins.counts() }.halve(bins, &mut blocks);
        blocks
    }

    /// The boxes, those along x next to each other.
    pub(super) fn boxes(self) -> impl Iterator<Item = [usize; 3]> {
        let Self { low, high } = self;
        (low[2]..high[2])
            .flat_map(move |z| (low[1]..high[1]).flat_map(move |y| (low[0]..high[0]).map(move |x| [x, y, z])))
    }

    fn halve(self, bins: &Bins, into: &mut Vec<Self>) {
        let layers = self.layers(bins);
        let total = layers[0].iter().sum::<usize>();
        if total == 0 {
            return;
        }
        // Without empty layers at the faces.
        let mut block = self;
        for (axis, layers) in layers.iter().enumerate() {
            let filled = |count: &usize| *count > 0;
            block.high[axis] = self.low[axis] + layers.iter().rposition(filled).unwrap_or(0) + 1;
            block.low[axis] += layers.iter().position(filled).unwrap_or(0);
        }
        let length = |axis: usize| (block.high[axis] - block.low[axis] - 1) as f64 * bins.edge(axis);
        let longest = (0..3).max_by(|a, b| length(*a).total_cmp(&length(*b))).unwrap_or(0);
        if total <= MOST || length(longest) == 0.0 {
            return into.push(block);
        }
        // The cut with the most even halves.
        let mut below = 0;
        let uneven = (block.low[longest] + 1..block.high[longest]).map(|cut| {
            below += layers[longest][cut - 1 - self.low[longest]];
            (below.abs_diff(total - below), cut)
        });
        let cut = uneven.min().map_or(block.high[longest], |(_, cut)| cut);
        let (mut left, mut right) = (block, block);
        left.high[longest] = cut;
        right.low[longest] = cut;
        left.halve(bins, into);
        right.halve(bins, into);
    }

    /// The number of atoms in each layer of boxes along each axis.
    fn layers(&self, bins: &Bins) -> [Vec<usize>; 3] {
        let mut layers: [Vec<usize>; 3] = std::array::from_fn(|axis| vec![0; self.high[axis] - self.low[axis]]);
        for z in self.low[2]..self.high[2] {
            for y in self.low[1]..self.high[1] {
                let mut row = 0;
                for (x, layer) in (self.low[0]..self.high[0]).zip(&mut layers[0]) {
                    let atoms = bins.atoms_in([x, y, z]);
                    *layer += atoms;
                    row += atoms;
                }
                layers[1][y - self.low[1]] += row;
                layers[2][z - self.low[2]] += row;
            }
        }
        layers
    }
}
