//! Principal axes and moments of inertia.

use super::molecule::Site;
use crate::science::linear::{Vec3, diagonalise, dot};

/// Moments of inertia as fractions of half their sum, each with its axis (of length 1). In the order of the axes
/// x, y, z that they are nearest to, as far as that is defined. `None` if all atoms are in one point.
pub(super) fn principal(sites: &[Site]) -> Option<[(f64, Vec3); 3]> {
    let total: f64 = sites.iter().map(|site| site.weight * dot(site.place, site.place)).sum();
    if total == 0.0 {
        return None;
    }
    let mut tensor = [[0.0; 3]; 3];
    for Site { weight, place, .. } in sites {
        for i in 0..3 {
            for j in 0..3 {
                let diagonal = if i == j { dot(*place, *place) } else { 0.0 };
                tensor[i][j] += weight * (diagonal - place[i] * place[j]) / total;
            }
        }
    }
    let axes = diagonalise(&mut tensor);
    Some(std::array::from_fn(|k| (tensor[k][k], std::array::from_fn(|i| axes[i][k]))))
}
