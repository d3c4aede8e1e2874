//! A slab: layers of the oriented cell and vacuum, centred, in the smallest cell of its plane.

use super::SlabOptions;
use super::crystal::{Crystal, Site, cell_from_parameters, cell_parameters, wrapped};
use super::lll;
use super::oriented::Oriented;
use super::primitive::{is_close, primitive};
use super::rounding::{inverse, row_times};
use crate::science::element_data::{electronegativity, weight};
use crate::science::elements::symbol;
use crate::science::error::{Error, Result};
use crate::science::linear::Mat3;

/// No slab has more atoms than this.
pub(super) const MOST_ATOMS: f64 = 1e6;

/// How far apart atoms of the oriented cell may be that are to be merged, Angstrom.
const MERGE_BULK: f64 = 0.25;

/// A slab before it is repeated in its plane.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    pub crystal: Crystal,
    pub miller: [i32; 3],
    /// Where the oriented cell was cut, as a fraction of its height.
    pub shift: f64,
    /// The slab's cell in terms of the bulk's.
    pub scale_factor: Mat3,
}

impl Cut {
    /// The slab that begins at the fraction `shift` of the oriented cell.
    pub fn new(
        bulk: &Crystal,
        oriented: &Oriented,
        miller: [i32; 3],
        shift: f64,
        options: &SlabOptions,
    ) -> Result<Self> {
        let mut crystal = stacked(oriented, shift, options)?;
        if options.lll_reduce {
            crystal = lll_reduced(&crystal)?;
        }
        if options.center_slab {
            center(&mut crystal);
        }
        if options.primitive {
            crystal = reduced_in_plane(crystal, oriented, options.tol);
        }
        let singular = || Error::SingularCell { vectors: "a, b, c".into() };
        let to_bulk = inverse(&bulk.cell).ok_or_else(singular)?;
        let scale_factor = crystal.cell.map(|vector| row_times(vector, &to_bulk));
        let (lengths, angles) = cell_parameters(&crystal.cell);
        crystal.cell = cell_from_parameters(lengths, angles);
        Ok(Self { crystal, miller, shift, scale_factor })
    }
}

/// Enough layers of the oriented cell, and enough empty ones above.
fn stacked(oriented: &Oriented, shift: f64, options: &SlabOptions) -> Result<Crystal> {
    let unit =
        if options.in_unit_planes { (oriented.height / oriented.spacing * 1e8).round() / 1e8 } else { oriented.height };
    let layers = (options.min_slab_size / unit).ceil();
    let count = layers + (options.min_vacuum_size / unit).ceil();
    let unit_cell = &oriented.crystal;
    let atoms = layers * unit_cell.sites.len() as f64;
    if atoms > MOST_ATOMS || count > MOST_ATOMS {
        return Err(Error::bad("min_slab_size", format!("a slab would have {atoms:e} atoms in {count:e} layers")));
    }
    let lowest = unit_cell.sites.iter().map(|site| {
        let [x, y, z] = site.place;
        Site { place: [x, y, wrapped(z - shift) / count], ..*site }
    });
    let lowest: Vec<Site> = lowest.collect();
    let raised = |layer: usize| {
        let by = layer as f64 / count;
        lowest.iter().map(move |site| Site { place: [site.place[0], site.place[1], site.place[2] + by], ..*site })
    };
    let [a, b, c] = unit_cell.cell;
    Ok(Crystal { cell: [a, b, c.map(|x| x * count)], sites: (0..layers as usize).flat_map(raised).collect() })
}

/// The same in a reduced cell, sorted by element.
fn lll_reduced(crystal: &Crystal) -> Result<Crystal> {
    let cell = lll::reduced(&crystal.cell);
    let to_fractions = inverse(&cell).ok_or_else(|| Error::SingularCell { vectors: "a, b, c".into() })?;
    let place = |site: &Site| row_times(row_times(site.place, &crystal.cell), &to_fractions).map(wrapped);
    let mut sites: Vec<Site> = crystal.sites.iter().map(|site| Site { place: place(site), ..*site }).collect();
    sites.sort_by(|a, b| {
        let [left, right] = [a, b].map(|site| electronegativity(site.number).unwrap_or(f64::INFINITY));
        left.total_cmp(&right).then_with(|| symbol(a.number).cmp(symbol(b.number)))
    });
    Ok(Crystal { cell, sites })
}

/// Moves the centre of mass to the middle of c.
pub(super) fn center(crystal: &mut Crystal) {
    let weights = crystal.sites.iter().map(|site| (weight(site.number), site.place[2]));
    let (total, moment) = weights.fold((0.0, 0.0), |(total, moment), (mass, z)| (total + mass, moment + mass * z));
    if total > 0.0 {
        crystal.shift_along_c(0.5 - moment / total);
    }
}

/// The slab in its smallest cell, if the oriented cell has one with the same a and b.
fn reduced_in_plane(slab: Crystal, oriented: &Oriented, tol: f64) -> Crystal {
    let smaller = primitive(&slab, tol, &|_| true);
    let ([a, b, _], angles) = cell_parameters(&smaller.cell);
    let alike = |cell: &Mat3| {
        let (lengths, found) = cell_parameters(cell);
        let same_angles = (0..3).all(|k| is_close(found[k].to_degrees(), angles[k].to_degrees()));
        is_close(lengths[0], a) && is_close(lengths[1], b) && same_angles
    };
    let bulk = primitive(&oriented.crystal, MERGE_BULK, &alike);
    let [bulk_a, bulk_b, _] = cell_parameters(&bulk.cell).0;
    if is_close(a, bulk_a) && is_close(b, bulk_b) { smaller } else { slab }
}
