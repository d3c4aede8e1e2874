//! The search for a point group: which axes and mirrors a molecule has, in pymatgen's order and with
//! its tests, and the name that follows from them.

use super::inertia::principal;
use super::molecule::{Centred, Site};
use super::operations::{INVERSION, reflection, rotation, rotoreflection};
use super::{EIGEN_TOLERANCE, PointGroup, TOLERANCE};
use crate::science::linear::{Mat3, Vec3, add, cross, dot, norm, sub};

/// A rotation axis (not of length 1) with its order.
type Axis = (Vec3, usize);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Mirror {
    /// Across the axis.
    Across,
    /// Along it.
    Along,
}

/// The point group of a molecule of two atoms or more.
pub(super) fn classify(molecule: &Centred) -> Option<PointGroup> {
    let principal = principal(molecule.sites())?;
    let search =
        Search { molecule, moments: principal.map(|(moment, _)| moment), axes: principal.map(|(_, axis)| axis) };
    let [a, b, c] = search.moments;
    let same = |x: f64, y: f64| (x - y).abs() < EIGEN_TOLERANCE;
    if (a * b * c).abs() < EIGEN_TOLERANCE {
        return Some(if search.has(&INVERSION) { PointGroup::DInfH } else { PointGroup::CInfV });
    }
    if same(a, b) && same(a, c) {
        search.spherical_top()
    } else if same(a, b) || same(a, c) || same(b, c) {
        search.symmetric_top(Vec::new())
    } else {
        Some(search.asymmetric_top())
    }
}

struct Search<'a> {
    molecule: &'a Centred,
    moments: [f64; 3],
    axes: [Vec3; 3],
}

impl Search<'_> {
    fn has(&self, operation: &Mat3) -> bool {
        self.molecule.is_symmetric(operation)
    }

    /// Three different moments: no axis is of more than the second order, and all are principal.
    fn asymmetric_top(&self) -> PointGroup {
        let twofold: Vec<Axis> =
            self.axes.iter().filter(|axis| self.has(&rotation(**axis, 2))).map(|axis| (*axis, 2)).collect();
        match twofold.as_slice() {
            [] => self.without_axis(),
            [first, _, _] => self.dihedral(*first),
            [first, ..] => self.cyclic(*first),
        }
    }

    /// Two equal moments: the axis of the third is the main axis. `found` are axes known already.
    fn symmetric_top(&self, mut found: Vec<Axis>) -> Option<PointGroup> {
        let [a, b, c] = self.moments;
        let unique = match ((a - b).abs() < EIGEN_TOLERANCE, (b - c).abs() < EIGEN_TOLERANCE) {
            (true, _) => self.axes[2],
            (false, true) => self.axes[0],
            (false, false) => self.axes[1],
        };
        // The order of an axis divides the number of atoms in every shell off it.
        let shells = self.molecule.shells();
        let off = shells.iter().map(|shell| off_axis(shell, unique)).filter(|shell| !shell.is_empty());
        let smallest = off.min_by_key(Vec::len)?;
        let orders = (2..=smallest.len()).rev().filter(|order| smallest.len().is_multiple_of(*order));
        found.extend(orders.map(|order| (unique, order)).find(|(axis, order)| self.has(&rotation(*axis, *order))));
        let across = pairs(&smallest).map(|(a, b)| cross(sub(a.place, b.place), unique));
        found.extend(
            across
                .filter(|axis| norm(*axis) > TOLERANCE)
                .find(|axis| self.has(&rotation(*axis, 2)))
                .map(|axis| (axis, 2)),
        );
        Some(match (highest(&found), found.len()) {
            (None, _) => self.without_axis(),
            (Some(main), 1) => self.cyclic(main),
            (Some(main), _) => self.dihedral(main),
        })
    }

    /// Three equal moments: a cubic or icosahedral group, unless the moments are equal by chance.
    fn spherical_top(&self) -> Option<PointGroup> {
        let found = self.spherical_axes()?;
        let centre = || self.has(&INVERSION);
        Some(match highest(&found) {
            Some((_, 5)) => {
                if centre() {
                    PointGroup::Ih
                } else {
                    PointGroup::I
                }
            }
            Some((_, 4)) => {
                if centre() {
                    PointGroup::Oh
                } else {
                    PointGroup::O
                }
            }
            Some((axis, 3)) => match self.mirror(axis) {
                None => PointGroup::T,
                Some(_) if centre() => PointGroup::Th,
                Some(_) => PointGroup::Td,
            },
            _ => return self.symmetric_top(found),
        })
    }

    /// One axis of each order, from pairs and triples of the smallest shell: twofold ones halve
    /// a pair, the others stand on the plane of a triple.
    fn spherical_axes(&self) -> Option<Vec<Axis>> {
        let shell = self.molecule.shells().into_iter().min_by_key(Vec::len)?;
        let mut found: Vec<Axis> = Vec::new();
        let known = |found: &[Axis], order: usize| found.iter().any(|(_, known)| *known == order);
        for (k, first) in shell.iter().enumerate() {
            for (second, third) in pairs(&shell[k + 1..]) {
                let [a, b, c] = [first.place, second.place, third.place];
                for axis in [add(a, b), add(a, c), add(b, c)] {
                    if !known(&found, 2) && norm(axis) > TOLERANCE && self.has(&rotation(axis, 2)) {
                        found.push((axis, 2));
                    }
                }
                let axis = cross(sub(b, a), sub(c, a));
                if norm(axis) > TOLERANCE {
                    let wanted = [3, 4, 5].into_iter().filter(|order| !known(&found, *order));
                    let order = wanted.into_iter().find(|order| self.has(&rotation(axis, *order)));
                    found.extend(order.map(|order| (axis, order)));
                }
                if known(&found, 2) && known(&found, 3) && (known(&found, 4) || known(&found, 5)) {
                    return Some(found);
                }
            }
        }
        Some(found)
    }

    fn without_axis(&self) -> PointGroup {
        if self.has(&INVERSION) {
            PointGroup::Ci
        } else if self.axes.iter().any(|axis| self.mirror(*axis).is_some()) {
            PointGroup::Cs
        } else {
            PointGroup::C1
        }
    }

    fn cyclic(&self, (axis, order): Axis) -> PointGroup {
        match self.mirror(axis) {
            Some(Mirror::Across) => PointGroup::CH(order),
            Some(Mirror::Along) => PointGroup::CV(order),
            None if self.has(&rotoreflection(axis, 2 * order)) => PointGroup::S(2 * order),
            None => PointGroup::C(order),
        }
    }

    fn dihedral(&self, (axis, order): Axis) -> PointGroup {
        match self.mirror(axis) {
            Some(Mirror::Across) => PointGroup::DH(order),
            Some(Mirror::Along) => PointGroup::DD(order),
            None => PointGroup::D(order),
        }
    }

    /// A mirror across the axis, or one that swaps two atoms. As pymatgen has it, the normal of the
    /// latter may also point backwards along the axis.
    fn mirror(&self, axis: Vec3) -> Option<Mirror> {
        if self.has(&reflection(axis)) {
            return Some(Mirror::Across);
        }
        let alike = pairs(self.molecule.sites()).filter(|(a, b)| a.number == b.number);
        let mut normals = alike.map(|(a, b)| sub(a.place, b.place)).filter(|normal| dot(*normal, axis) < TOLERANCE);
        normals.any(|normal| self.has(&reflection(normal))).then_some(Mirror::Along)
    }
}

/// The first axis of the highest order.
fn highest(found: &[Axis]) -> Option<Axis> {
    found.iter().copied().reduce(|best, axis| if axis.1 > best.1 { axis } else { best })
}

fn off_axis(shell: &[Site], axis: Vec3) -> Vec<Site> {
    shell.iter().filter(|site| norm(cross(site.place, axis)) > TOLERANCE).copied().collect()
}

/// All pairs, each once, in the order of the first then the second.
fn pairs(sites: &[Site]) -> impl Iterator<Item = (&Site, &Site)> {
    sites.iter().enumerate().flat_map(|(k, first)| sites[k + 1..].iter().map(move |second| (first, second)))
}
