//! The two faces of a slab: whether they are alike, making them alike, and turning the slab over.

use std::f64::consts::PI;

use super::crystal::{Crystal, Site, cell_from_parameters, cell_parameters, wrapped};
use super::cut::{Cut, center};
use super::isometries;
use crate::science::linear::{Mat3, inverse, row_times};

/// How far atoms may be from where symmetry wants them, Angstrom.
const SYMPREC: f64 = 0.1;

/// Quacc's wrapping of positions puts what is this little below 0 at 0.
const WRAP: f64 = 1e-7;

/// Whether some symmetry of the slab takes one face to the other: inversion, or a rotation that turns c
/// over.
pub(super) fn are_alike(slab: &Crystal) -> bool {
    let inversion = [[-1, 0, 0], [0, -1, 0], [0, 0, -1]];
    isometries::of_crystal(slab, SYMPREC).iter().any(|rotation| *rotation == inversion || rotation[2] == inversion[2])
}

/// The slab if its faces are alike, else what remains when atoms are taken from the top, or from the
/// bottom, one by one until they are. Never as few atoms as the bulk has.
pub(super) fn made_alike(cut: Cut, bulk: &Crystal) -> Vec<Cut> {
    if are_alike(&cut.crystal) {
        return vec![cut];
    }
    let mut made = Vec::new();
    for sign in [1.0, -1.0] {
        let mut slab = cut.clone();
        loop {
            let heights = slab.crystal.sites.iter().map(|site| sign * site.place[2]).enumerate();
            // The first of equals.
            let outermost = heights.reduce(|most, next| if next.1 > most.1 { next } else { most });
            if let Some((index, _)) = outermost {
                slab.crystal.sites.remove(index);
            }
            if slab.crystal.sites.len() <= bulk.sites.len() {
                break;
            }
            if are_alike(&slab.crystal) {
                made.push(slab);
                break;
            }
        }
    }
    made
}

/// How a slab was turned over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Half a turn about x in the cell that it had.
    InItsCell,
    /// Half a turn about a, into the cell that has then.
    WithItsCell,
}

/// The slab upside down: by half a turn about x where that maps the lattice and its plane onto
/// themselves, as quacc does; else by half a turn about a, which changes the signs of b and c to keep
/// the cell right-handed and its normal up.
pub(super) fn turned_over(cut: &Cut, centered: bool) -> (Cut, Turn) {
    let crystal = &cut.crystal;
    let (low, high) = crystal.extent();
    let upside_down =
        |site: &Site, [x, y]: [f64; 2]| Site { place: [wrapped(x), wrapped(y), low + high - site.place[2]], ..*site };
    let mut turned = Cut { shift: -cut.shift, ..cut.clone() };
    let turn = match half_turn_about_x(&crystal.cell) {
        Some(turn) => {
            let place = |site: &Site| row_times(site.place, &turn);
            turned.crystal.sites =
                crystal.sites.iter().map(|site| upside_down(site, [place(site)[0], place(site)[1]])).collect();
            Turn::InItsCell
        }
        None => {
            let (lengths, [alpha, beta, gamma]) = cell_parameters(&crystal.cell);
            turned.crystal.cell = cell_from_parameters(lengths, [alpha, PI - beta, PI - gamma]);
            turned.scale_factor[1] = cut.scale_factor[1].map(|x| -x);
            turned.scale_factor[2] = cut.scale_factor[2].map(|x| -x);
            turned.crystal.sites =
                crystal.sites.iter().map(|site| upside_down(site, [site.place[0], -site.place[1]])).collect();
            Turn::WithItsCell
        }
    };
    if centered {
        center(&mut turned.crystal);
    }
    (turned, turn)
}

/// Half a turn about x, acting on rows of fractions, if it maps the lattice and the plane of a and b
/// onto themselves.
fn half_turn_about_x(cell: &Mat3) -> Option<Mat3> {
    let back = inverse(cell)?;
    let turn = cell.map(|[x, y, z]| row_times([x, -y, -z], &back));
    let whole = turn.map(|row| row.map(f64::round));
    let close = turn.as_flattened().iter().zip(whole.as_flattened()).all(|(a, b)| (a - b).abs() < 1e-9);
    (close && whole[0][2] == 0.0 && whole[1][2] == 0.0).then_some(whole)
}

/// The slab as quacc turns it over, whatever its cell: positions make half a turn about x, the cell
/// stays and is filled anew. Right only where [`turned_over`] says [`Turn::InItsCell`].
pub(super) fn turned_over_as_quacc(cut: &Cut, centered: bool) -> Cut {
    let mut turned = Cut { shift: -cut.shift, ..cut.clone() };
    let Some(back) = inverse(&cut.crystal.cell) else { return turned };
    for site in &mut turned.crystal.sites {
        let [x, y, z] = row_times(site.place, &cut.crystal.cell);
        site.place = row_times([x, -y, -z], &back).map(|fraction| wrapped(fraction + WRAP) - WRAP);
    }
    if centered {
        center(&mut turned.crystal);
    }
    turned
}
