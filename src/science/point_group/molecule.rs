//! The atoms of a molecule about their centre of mass, and the two things symmetry asks of them:
//! whether an operation leaves them as they are, and which of them could be equivalent.

use super::TOLERANCE;
use super::operations::apply;
use crate::science::atoms::Atoms;
use crate::science::element_data::weight;
use crate::science::linear::{Mat3, Vec3, add, norm, scale, sub};

/// One atom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Site {
    pub number: u8,
    /// Atomic weight.
    pub weight: f64,
    /// Relative to the centre of mass, Angstrom.
    pub place: Vec3,
}

/// A molecule with its centre of mass in the origin.
#[derive(Clone, Debug)]
pub(super) struct Centred {
    sites: Vec<Site>,
    /// Indices of the sites by ascending x.
    by_x: Vec<usize>,
}

impl Centred {
    pub(super) fn of(atoms: &Atoms) -> Self {
        let weights: Vec<f64> = atoms.numbers().iter().map(|number| weight(*number)).collect();
        let moments = atoms.positions().iter().zip(&weights).map(|(place, weight)| scale(*place, *weight));
        let centre = scale(moments.fold([0.0; 3], add), 1.0 / weights.iter().sum::<f64>());
        let site = |(k, place): (usize, &Vec3)| Site {
            number: atoms.numbers()[k],
            weight: weights[k],
            place: sub(*place, centre),
        };
        let sites: Vec<Site> = atoms.positions().iter().enumerate().map(site).collect();
        let mut by_x: Vec<usize> = (0..sites.len()).collect();
        by_x.sort_by(|a, b| sites[*a].place[0].total_cmp(&sites[*b].place[0]));
        Self { sites, by_x }
    }

    pub(super) fn sites(&self) -> &[Site] {
        &self.sites
    }

    /// Whether the operation takes every atom to where exactly one atom is, and that of its element.
    pub(super) fn is_symmetric(&self, operation: &Mat3) -> bool {
        self.sites.iter().all(|site| {
            let image = apply(operation, site.place);
            let start = self.by_x.partition_point(|k| self.sites[*k].place[0] <= image[0] - TOLERANCE);
            let slice = self.by_x[start..].iter().map(|k| &self.sites[*k]);
            let mut there = slice
                .take_while(|other| other.place[0] < image[0] + TOLERANCE)
                .filter(|other| (0..3).all(|k| (other.place[k] - image[k]).abs() < TOLERANCE));
            matches!((there.next(), there.next()), (Some(only), None) if only.number == site.number)
        })
    }

    /// Groups of atoms that are of one element and about equally far from the centre, in the order of
    /// their first atoms. Distances belong together if no gap between neighbouring ones is beyond the
    /// tolerance; the group in the centre itself is left out.
    pub(super) fn shells(&self) -> Vec<Vec<Site>> {
        let distances: Vec<f64> = self.sites.iter().map(|site| norm(site.place)).collect();
        let mut order: Vec<usize> = (0..self.sites.len()).collect();
        order.sort_by(|a, b| distances[*a].total_cmp(&distances[*b]));
        let mut shell_of: Vec<Option<usize>> = vec![None; order.len()];
        for (shell, members) in order.chunk_by(|a, b| distances[*b] - distances[*a] <= TOLERANCE).enumerate() {
            let mean = members.iter().map(|k| distances[*k]).sum::<f64>() / members.len() as f64;
            for member in members.iter().filter(|_| mean >= TOLERANCE) {
                shell_of[*member] = Some(shell);
            }
        }
        let mut groups: Vec<((usize, u8), Vec<Site>)> = Vec::new();
        for (site, shell) in self.sites.iter().zip(shell_of) {
            let Some(shell) = shell else { continue };
            let key = (shell, site.number);
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, group)) => group.push(*site),
                None => groups.push((key, vec![*site])),
            }
        }
        groups.into_iter().map(|(_, group)| group).collect()
    }
}
