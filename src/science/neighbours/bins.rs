//! Linked cells: points sorted into boxes, so that a search looks at nearby boxes only
//! (B. Quentrec and C. Brot, J. Comput. Phys. 13, 430 (1973), doi:10.1016/0021-9991(73)90046-6).
//! Boxes along x lie side by side in memory, so a row of boxes is one run of points. In the order
//! of the boxes each pair of real atoms belongs to the earlier one, which therefore looks
//! forward only; images are looked for all around.

use std::ops::Range;

use crate::science::linear::Vec3;

use super::images::bounds;

/// Boxes per reach: thin ones along x, where they cost nothing, fit the runs to the sphere.
const PER_REACH: [f64; 3] = [4.0, 1.0, 1.0];
/// Added to the place of a ghost, so that it comes after every real atom.
const GHOST: u32 = 1 << 31;
/// Points looked at together.
const STRIP: usize = 64;

/// Points sorted into boxes; *places* are indices into the sorted order.
pub(super) struct Bins {
    reach: f64,
    origin: Vec3,
    /// 1 / edge of a box, 1/Angstrom.
    density: Vec3,
    counts: [usize; 3],
    /// How many boxes a search goes to either side.
    steps: [usize; 3],
    /// The first place of each box, and their end.
    starts: Vec<u32>,
    /// How many ghosts there are in the boxes before each.
    ghosts_before: Vec<u32>,
    sorted: [Vec<f64>; 3],
    /// The place itself, plus `GHOST` for ghosts.
    ranks: Vec<u32>,
    /// The point at each place.
    pub(super) points: Vec<u32>,
}

impl Bins {
    /// The first `real` points are atoms, the rest ghosts. There is at least one point.
    pub(super) fn new(points: &[Vec3], real: usize, reach: f64) -> Self {
        let (origin, high) = bounds(points);
        let extent: Vec3 = std::array::from_fn(|k| high[k] - origin[k]);
        // One part in 1e9 more, so that rounding moves no pair one box further apart.
        let mut edges = PER_REACH.map(|count| reach / count * (1.0 + 1e-9));
        let boxes = |edges: Vec3| -> Vec3 { std::array::from_fn(|k| (extent[k] / edges[k]).floor() + 1.0) };
        // Few atoms far apart must not make many empty boxes.
        while boxes(edges).iter().product::<f64>() > 8.0 * points.len() as f64 + 64.0 {
            edges = edges.map(|edge| edge * 1.25);
        }
        let counts = boxes(edges).map(|count| count as usize);
        let total = counts.iter().product::<usize>();
        let density = edges.map(|edge| 1.0 / edge);
        let mut bins = Self {
            reach,
            origin,
            density,
            counts,
            steps: density.map(|density| (reach * density).ceil() as usize),
            starts: vec![0; total + 1],
            ghosts_before: vec![0; total + 1],
            sorted: std::array::from_fn(|_| vec![0.0; points.len()]),
            ranks: vec![0; points.len()],
            points: vec![0; points.len()],
        };
        let homes: Vec<u32> = points.iter().map(|point| bins.index(bins.box_of(*point)) as u32).collect();
        for (point, home) in homes.iter().enumerate() {
            bins.starts[*home as usize + 1] += 1;
            bins.ghosts_before[*home as usize + 1] += u32::from(point >= real);
        }
        for home in 0..total {
            bins.starts[home + 1] += bins.starts[home];
            bins.ghosts_before[home + 1] += bins.ghosts_before[home];
        }
        let mut next = bins.starts.clone();
        for (point, home) in homes.iter().enumerate() {
            let place = next[*home as usize];
            next[*home as usize] += 1;
            for (column, x) in bins.sorted.iter_mut().zip(points[point]) {
                column[place as usize] = x;
            }
            bins.ranks[place as usize] = if point < real { place } else { place | GHOST };
            bins.points[place as usize] = point as u32;
        }
        bins
    }

    pub(super) fn counts(&self) -> [usize; 3] {
        self.counts
    }

    /// The length of a box along one axis, Angstrom.
    pub(super) fn edge(&self, axis: usize) -> f64 {
        1.0 / self.density[axis]
    }

    /// The number of real atoms in a box.
    pub(super) fn atoms_in(&self, place: [usize; 3]) -> usize {
        let home = self.index(place);
        let all = self.starts[home + 1] - self.starts[home];
        (all - (self.ghosts_before[home + 1] - self.ghosts_before[home])) as usize
    }

    /// The places of the real atoms in a box.
    pub(super) fn atoms(&self, place: [usize; 3]) -> impl Iterator<Item = u32> + '_ {
        let home = self.index(place);
        (self.starts[home]..self.starts[home + 1]).filter(|place| self.ranks[*place as usize] < GHOST)
    }

    /// The runs of places in which the real atoms of a box find what they pair with.
    #[inline(always)]
    pub(super) fn runs(&self, middle: [usize; 3], runs: &mut Vec<Range<usize>>) {
        let low: [usize; 3] = std::array::from_fn(|k| middle[k].saturating_sub(self.steps[k]));
        let high: [usize; 3] = std::array::from_fn(|k| (middle[k] + self.steps[k]).min(self.counts[k] - 1));
        runs.clear();
        for z in low[2]..=high[2] {
            for y in low[1]..=high[1] {
                let (first, last) = (self.index([low[0], y, z]), self.index([high[0], y, z]) + 1);
                let behind = (z, y) < (middle[2], middle[1]);
                if !behind || self.ghosts_before[first] < self.ghosts_before[last] {
                    runs.push(self.starts[first] as usize..self.starts[last] as usize);
                }
            }
        }
    }

    /// Appends the places of the points that pair with the real atom at `place`.
    #[inline(always)]
    pub(super) fn around(&self, runs: &[Range<usize>], place: u32, found: &mut Vec<u32>) {
        let centre = self.sorted.each_ref().map(|column| column[place as usize]);
        for run in runs {
            self.search(run.clone(), centre, place, found);
        }
    }

    /// Appends those of a run of places that are near `centre` and of higher rank than `place`.
    #[inline(always)]
    fn search(&self, run: Range<usize>, centre: Vec3, place: u32, found: &mut Vec<u32>) {
        let limit = self.reach * self.reach;
        let mut first = run.start;
        while first < run.end {
            let last = run.end.min(first + STRIP);
            let [x, y, z] = self.sorted.each_ref().map(|column| &column[first..last]);
            let ranks = &self.ranks[first..last];
            let mut pairs = [0; STRIP];
            for ((((pair, x), y), z), rank) in pairs.iter_mut().zip(x).zip(y).zip(z).zip(ranks) {
                let (dx, dy, dz) = (x - centre[0], y - centre[1], z - centre[2]);
                let square = dx * dx + dy * dy + dz * dz;
                *pair = usize::from((square < limit) & (*rank > place));
            }
            // Without a branch: every place is written, the end moves on for those that count.
            let (mut near, mut count) = ([0; STRIP], 0);
            for (rank, pair) in ranks.iter().zip(pairs) {
                near[count % STRIP] = rank & !GHOST;
                count += pair;
            }
            found.extend_from_slice(&near[..count]);
            first = last;
        }
    }

    fn box_of(&self, point: Vec3) -> [usize; 3] {
        std::array::from_fn(|k| {
            // `as` saturates, so rounding at the lower edge cannot go below the first box.
            (((point[k] - self.origin[k]) * self.density[k]) as usize).min(self.counts[k] - 1)
        })
    }

    fn index(&self, [x, y, z]: [usize; 3]) -> usize {
        (z * self.counts[1] + y) * self.counts[0] + x
    }
}
