//! Low-index surfaces by name, as ASE's builders of the same names make them: layer upon layer, the top
//! one last.

use serde_json::{Value, json};

use crate::science::atoms::Atoms;
use crate::science::column::{Column, Values};
use crate::science::elements;
use crate::science::error::{Error, Result};

use super::adsorbate::ADSORBATE_INFO;
use super::layers::{self, Surface};
use super::reference::{hexagonal_ratio, reference};

/// No surface has more atoms along one direction.
const MOST: usize = 1000;

/// What may be said about a surface beside its name and element.
#[derive(Clone, Debug, PartialEq)]
pub struct SurfaceOptions {
    /// Atoms along the two vectors of the surface, and layers.
    pub size: [usize; 3],
    /// The lattice constant a of the crystal, Angstrom; the element's own if not given.
    pub a: Option<f64>,
    /// The lattice constant c of a hexagonal crystal, Angstrom; if not given, from c/a of the element where
    /// it is hexagonal, else of close-packed spheres.
    pub c: Option<f64>,
    /// Empty space below and above the layers, Angstrom; without it the third vector is zero, or that
    /// of the crystal if `periodic`.
    pub vacuum: Option<f64>,
    /// Whether the two vectors of the surface are orthogonal; not given, they are where the surface has no
    /// cells with others.
    pub orthogonal: Option<bool>,
    /// Whether the third direction repeats too.
    pub periodic: bool,
}

/// The surface `name` of the element `symbol`, periodic in the plane, x along a row of atoms: `fcc111`,
/// `fcc100`, `fcc110`, `bcc111`, `bcc100`, `bcc110`, `hcp0001`, `hcp10m10`, `diamond100` or `diamond111`.
///
/// The column `tags` counts the layers from the top, which is 1. The note `adsorbate_info` holds the
/// primitive cell in the plane and the sites that [`add_adsorbate`](super::add_adsorbate) knows.
///
/// ```
/// use volley::science::build::{SurfaceOptions, surface};
/// let size = [2, 2, 3];
/// let options = SurfaceOptions { size, a: None, c: None, vacuum: Some(10.0), orthogonal: None, periodic: false };
/// let copper = surface("fcc111", "Cu", &options)?;
/// assert_eq!((copper.len(), copper.pbc()), (12, [true, true, false]));
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn surface(name: &str, symbol: &str, options: &SurfaceOptions) -> Result<Atoms> {
    let fail = |reason: String| Error::Build { name: format!("surface {name} of {symbol}"), reason };
    let number = elements::number(symbol)?;
    let size = options.size;
    if size.iter().any(|n| !(1..=MOST).contains(n)) {
        return Err(fail(format!("the numbers of size must lie between 1 and {MOST}")));
    }
    let surface = layers::by_name(name).map_err(fail)?;
    let [a, covera] = lattice_constants(surface.crystal, symbol, options).map_err(fail)?;
    let orthogonal = options.orthogonal.unwrap_or(surface.leaning.is_none());
    let shift = if orthogonal { surface.orthogonal } else { surface.leaning };
    let only = if orthogonal { "no orthogonal cells" } else { "orthogonal cells only" };
    let shift = shift.ok_or_else(|| fail(format!("{name} has {only}")))?;
    if surface.leans && orthogonal && !size[1].is_multiple_of(2) {
        return Err(fail(format!("an orthogonal cell of {name} needs an even second number of size")));
    }
    let [along_x, along_y, spacing] = (surface.steps)(covera).map(|step| a * step);
    let skew = if orthogonal { 0.0 } else { 0.5 * along_x };
    let (mut positions, mut tags) = (Vec::new(), Vec::new());
    for layer in 0..size[2] {
        let depth = size[2] - 1 - layer;
        for row in 0..size[1] {
            let [shift_x, shift_y, shift_z] = shift(depth, row);
            for column in 0..size[0] {
                let (x, y, z) = (column as f64 + shift_x, row as f64 + shift_y, layer as f64 + shift_z);
                positions.push([x * along_x + y * skew, y * along_y, z * spacing]);
                tags.push(depth as i64 + 1);
            }
        }
    }
    let mut height = if options.periodic { size[2] as f64 * spacing } else { 0.0 };
    if let Some(vacuum) = options.vacuum {
        let heights = || positions.iter().map(|[_, _, z]| *z);
        let (lowest, highest) = (heights().fold(f64::MAX, f64::min), heights().fold(f64::MIN, f64::max));
        positions.iter_mut().for_each(|[_, _, z]| *z += vacuum - lowest);
        height = highest - lowest + 2.0 * vacuum;
    }
    let [columns, rows, _] = size.map(|n| n as f64);
    let cell = [[columns * along_x, 0.0, 0.0], [rows * skew, rows * along_y, 0.0], [0.0, 0.0, height]];
    let mut slab = Atoms::new(vec![number; positions.len()], positions)?
        .with_cell(cell, [true, true, options.periodic])?
        .with_column("tags", Column::flat(Values::Int(tags)))?;
    slab.info_mut().insert(ADSORBATE_INFO.into(), adsorbate_info(surface, along_x, along_y));
    Ok(slab)
}

/// The lattice constant a, and c/a.
fn lattice_constants(crystal: &str, symbol: &str, options: &SurfaceOptions) -> std::result::Result<[f64; 2], String> {
    let wrong = |length: &&f64| !length.is_finite() || **length <= 0.0;
    if [options.a, options.c, options.vacuum].iter().flatten().any(|length| wrong(&length)) {
        return Err("a, c and vacuum must be positive, finite numbers".into());
    }
    if options.c.is_some() && crystal != "hcp" {
        return Err(format!("c is for hcp surfaces, its crystal is {crystal}"));
    }
    let known = reference(symbol).filter(|known| known.crystal == crystal);
    let a = options.a.or(known.map(|known| known.a));
    let a = a.ok_or_else(|| format!("its crystal is not {crystal}: give a"))?;
    Ok([a, options.c.map_or(hexagonal_ratio(known), |c| c / a)])
}

/// What ASE notes about a surface, by its names: `cell`, the primitive vectors in the plane (Angstrom), and
/// `sites` in units of them.
fn adsorbate_info(surface: &Surface, along_x: f64, along_y: f64) -> Value {
    let lean = if surface.leans { 0.5 * along_x } else { 0.0 };
    let sites: serde_json::Map<String, Value> =
        surface.sites.iter().map(|(name, place)| ((*name).to_owned(), json!(place))).collect();
    json!({"cell": [[along_x, 0.0], [lean, along_y]], "sites": sites})
}
