//! Linked cells: points sorted into boxes, so that a search looks at nearby boxes only
//! (B. Quentrec and C. Brot, J. Comput. Phys. 13, 430 (1973), doi:10.1016/0021-9991(73)90046-6).
//! Boxes along x lie side by side in memory, so a row of boxes is one run of points.

use crate::science::linear::Vec3;

use super::images::bounds;

/// Boxes per reach in each direction: two makes 25 short runs, half the volume of 3x3x3 full ones.
const PER_REACH: f64 = 2.0;

/// Points sorted into boxes.
pub(super) struct Bins {
    reach: f64,
    origin: Vec3,
    /// 1 / edge of a box, 1/Angstrom.
    density: f64,
    counts: [usize; 3],
    /// The first point of each box in the sorted arrays, and their end.
    starts: Vec<u32>,
    sorted: Vec<(Vec3, u32)>,
}

impl Bins {
    pub(super) fn new(points: &[Vec3], reach: f64) -> Self {
        let (low, high) = bounds(points);
        let origin = if points.is_empty() { [0.0; 3] } else { low };
        let extent: Vec3 = std::array::from_fn(|k| (high[k] - low[k]).max(0.0));
        let mut edge = reach / PER_REACH;
        let boxes = |edge: f64| extent.map(|length| (length / edge).floor() + 1.0);
        // Few atoms far apart must not make many empty boxes.
        while boxes(edge).iter().product::<f64>() > 8.0 * points.len() as f64 + 64.0 {
            edge *= 1.25;
        }
        let counts = boxes(edge).map(|count| count as usize);
        let mut bins = Self {
            reach,
            origin,
            density: 1.0 / edge,
            counts,
            starts: vec![0; counts.iter().product::<usize>() + 1],
            sorted: vec![([0.0; 3], 0); points.len()],
        };
        let places: Vec<usize> = points.iter().map(|point| bins.index(bins.box_of(*point))).collect();
        for place in &places {
            bins.starts[place + 1] += 1;
        }
        for place in 1..bins.starts.len() {
            bins.starts[place] += bins.starts[place - 1];
        }
        let mut next = bins.starts.clone();
        for (index, place) in places.iter().enumerate() {
            bins.sorted[next[*place] as usize] = (points[index], index as u32);
            next[*place] += 1;
        }
        bins
    }

    /// The points within reach of `point` whose index is above `index`, left in `buffer`.
    pub(super) fn around<'a>(&self, index: u32, point: Vec3, buffer: &'a mut Vec<u32>) -> &'a [u32] {
        let middle = self.box_of(point);
        let steps = (self.reach * self.density).ceil() as usize;
        let range = |k: usize| middle[k].saturating_sub(steps)..=(middle[k] + steps).min(self.counts[k] - 1);
        let limit = self.reach * self.reach;
        // Written without a branch in the inner loop: most candidates are rejected unpredictably.
        if buffer.len() < self.sorted.len() {
            buffer.resize(self.sorted.len(), 0);
        }
        let mut count = 0;
        for z in range(2) {
            for y in range(1) {
                let first = self.starts[self.index([*range(0).start(), y, z])] as usize;
                let last = self.starts[self.index([*range(0).end(), y, z]) + 1] as usize;
                for (other, other_index) in &self.sorted[first..last] {
                    let (dx, dy, dz) = (other[0] - point[0], other[1] - point[1], other[2] - point[2]);
                    let near = (dx * dx + dy * dy + dz * dz < limit) & (*other_index > index);
                    buffer[count] = *other_index;
                    count += usize::from(near);
                }
            }
        }
        &buffer[..count]
    }

    fn box_of(&self, point: Vec3) -> [usize; 3] {
        std::array::from_fn(|k| {
            // `as` saturates, so rounding at the lower edge cannot go below the first box.
            (((point[k] - self.origin[k]) * self.density) as usize).min(self.counts[k] - 1)
        })
    }

    fn index(&self, [x, y, z]: [usize; 3]) -> usize {
        (z * self.counts[1] + y) * self.counts[0] + x
    }
}
