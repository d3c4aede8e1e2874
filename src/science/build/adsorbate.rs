//! Something on a surface, as ASE's `add_adsorbate` puts it there: above a named site or a place in the
//! plane, at a height above the top layer.

use serde_json::{Value, json};

use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};
use crate::science::io::mson;
use crate::science::linear::{add, sub};
use crate::science::nearest::suggestion;

/// The note on a structure that says where its sites are.
pub(super) const ADSORBATE_INFO: &str = "adsorbate_info";

/// The key of that note which holds the atom that heights are counted from.
const TOP: &str = "top layer atom index";

/// A place in the plane of a surface.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// A site of the surface, as `ontop`.
    Site(String),
    /// Coordinates x and y, Angstrom.
    Point([f64; 2]),
}

/// Where an adsorbate goes.
#[derive(Clone, Debug, PartialEq)]
pub struct AdsorbateOptions {
    /// The height above the top layer as it was before anything was adsorbed, Angstrom.
    pub height: f64,
    /// The place in the plane.
    pub position: Place,
    /// How far to go from there, in primitive cells of the surface; of its cell where these are not known.
    pub offset: [f64; 2],
    /// The atom of the adsorbate that comes to the place; the others keep their places around it.
    pub mol_index: usize,
}

/// `slab` with the atoms of `adsorbate` on its upper side (that of larger z). They have the tag 0, and none
/// of them is fixed. Named sites are those of a [`surface`](super::surface), or of one of ASE's own.
///
/// ```
/// use volley::science::build::{AdsorbateOptions, Place, SurfaceOptions, add_adsorbate, molecule, surface};
/// let options = SurfaceOptions {
///     size: [2, 2, 3], a: None, c: None, vacuum: Some(10.0), orthogonal: None, periodic: false,
/// };
/// let copper = surface("fcc111", "Cu", &options)?;
/// let above = |site: &str| AdsorbateOptions {
///     height: 1.8, position: Place::Site(site.into()), offset: [0.0; 2], mol_index: 1,
/// };
/// assert_eq!(add_adsorbate(&copper, &molecule("CO")?, &above("ontop"))?.formula(), "CCu12O");
/// let message = add_adsorbate(&copper, &molecule("CO")?, &above("hollow")).unwrap_err().to_string();
/// assert_eq!(message, "cannot build the adsorbate: there is no site \"hollow\" here (known are bridge, fcc, hcp, ontop)");
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn add_adsorbate(slab: &Atoms, adsorbate: &Atoms, options: &AdsorbateOptions) -> Result<Atoms> {
    let info = slab.info().get(ADSORBATE_INFO).unwrap_or(&Value::Null);
    let (point, site) = match &options.position {
        Place::Point(point) => (*point, [0.0; 2]),
        Place::Site(name) => ([0.0; 2], site(info, name)?),
    };
    let [ax, ay, bx, by] = cell(info, slab)?;
    let [u, v] = [site[0] + options.offset[0], site[1] + options.offset[1]];
    let [x, y] = [point[0] + u * ax + v * bx, point[1] + u * ay + v * by];
    let top = top_atom(info, slab).ok_or(Error::NoAtoms)?;
    let z = slab.positions()[top][2] + options.height;
    let count = adsorbate.len();
    let anchor = adsorbate.positions().get(options.mol_index).ok_or_else(|| {
        let index = i64::try_from(options.mol_index).unwrap_or(i64::MAX);
        Error::NoSuchAtom { what: "mol_index".into(), index, count }
    })?;
    let shift = sub([x, y, z], *anchor);
    let mut placed = adsorbate.clone();
    placed.set_positions(adsorbate.positions().iter().map(|place| add(*place, shift)).collect())?;
    let mut covered = slab.joined(&placed)?;
    // What is adsorbed later shall not stand on what is adsorbed now.
    let note = covered.info_mut().entry(ADSORBATE_INFO).or_insert_with(|| json!({}));
    if let Some(note) = note.as_object_mut() {
        note.insert(TOP.into(), top.into());
    }
    Ok(covered)
}

/// The atom that heights are counted from: the one that is noted, or the first of the highest.
fn top_atom(info: &Value, slab: &Atoms) -> Option<usize> {
    let noted = info[TOP].as_u64().and_then(|index| usize::try_from(index).ok());
    let heights = || slab.positions().iter().map(|place| place[2]);
    let highest = heights().fold(f64::MIN, f64::max);
    noted.filter(|index| *index < slab.len()).or_else(|| heights().position(|z| z == highest))
}

/// The cell that offsets count in: the one that is noted, or that of the slab in its plane. x and y of the first
/// vector, then of the second.
fn cell(info: &Value, slab: &Atoms) -> Result<[f64; 4]> {
    let [[ax, ay, _], [bx, by, _], _] = *slab.cell();
    if info["cell"].is_null() { Ok([ax, ay, bx, by]) } else { exactly("cell of adsorbate_info", &info["cell"]) }
}

/// The place of the site `name` in units of the surface's primitive cell.
fn site(info: &Value, name: &str) -> Result<[f64; 2]> {
    let fail = |reason: String| Error::Build { name: "the adsorbate".into(), reason };
    let Some(sites) = info["sites"].as_object().filter(|sites| !sites.is_empty()) else {
        let reason = "sites have names only on a surface that was built by name: give x and y (Angstrom)";
        return Err(fail(format!("position {name:?}: {reason}")));
    };
    if let Some(place) = sites.get(name) {
        return exactly(name, place);
    }
    let mut known: Vec<&str> = sites.keys().map(String::as_str).collect();
    known.sort_unstable();
    let hint = suggestion(name, known);
    Err(fail(format!("there is no site {name:?} here ({hint})")))
}

/// So many numbers, in a list or in an array that ASE wrote.
fn exactly<const N: usize>(what: &str, value: &Value) -> Result<[f64; N]> {
    let numbers = mson::numbers(what, value)?;
    let found = numbers.len();
    numbers.try_into().map_err(|_| Error::Shape { what: what.into(), found, expected: N })
}
