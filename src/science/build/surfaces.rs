//! Low-index surfaces of face-centred cubic metals, as ASE's `fcc111`, `fcc100` and `fcc110` build
//! them: layer upon layer, the top one last.

use crate::science::atoms::Atoms;
use crate::science::column::{Column, Values};
use crate::science::elements;
use crate::science::error::{Error, Result};
use crate::science::nearest::nearest;

use super::reference::reference;

const NAMES: [&str; 3] = ["fcc111", "fcc100", "fcc110"];

/// No surface has more atoms along one direction.
const MOST: usize = 1000;

/// What may be said about a surface beside its name and element.
#[derive(Clone, Debug, PartialEq)]
pub struct SurfaceOptions {
    /// Atoms along the two vectors of the surface, and layers.
    pub size: [usize; 3],
    /// The lattice constant of the cubic cell, Angstrom; the element's own if not given.
    pub a: Option<f64>,
    /// Empty space below and above the layers, Angstrom; without it the third vector is zero, or that
    /// of the crystal if `periodic`.
    pub vacuum: Option<f64>,
    /// Whether the two vectors of the surface are orthogonal; not given, they are except on fcc111.
    pub orthogonal: Option<bool>,
    /// Whether the third direction repeats too.
    pub periodic: bool,
}

/// The surface `name` of the element `symbol`, periodic in the plane, x along a close-packed row. The
/// column `tags` counts the layers from the top, which is 1.
///
/// ```
/// use volley::science::build::{SurfaceOptions, surface};
/// let options = SurfaceOptions { size: [2, 2, 3], a: None, vacuum: Some(10.0), orthogonal: None, periodic: false };
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
    let own = reference(symbol).filter(|known| known.crystal == "fcc").map(|known| known.a);
    let a = options.a.or(own).ok_or_else(|| fail("its crystal is not fcc: give a".into()))?;
    if [Some(a), options.vacuum].iter().flatten().any(|length| !length.is_finite() || *length <= 0.0) {
        return Err(fail("a and vacuum must be positive, finite numbers".into()));
    }
    let orthogonal = options.orthogonal.unwrap_or(name != "fcc111");
    let layers = layers(name, orthogonal).map_err(fail)?;
    if name == "fcc111" && orthogonal && !size[1].is_multiple_of(2) {
        return Err(fail("an orthogonal cell of fcc111 needs an even second number of size".into()));
    }
    let [along_x, along_y, spacing] = layers.steps.map(|step| a * step);
    let skew = if orthogonal { 0.0 } else { 0.5 * along_x };
    let (mut positions, mut tags) = (Vec::new(), Vec::new());
    let bottom = options.vacuum.unwrap_or(0.0);
    for layer in 0..size[2] {
        let depth = size[2] - 1 - layer;
        for row in 0..size[1] {
            let [shift_x, shift_y] = (layers.shift)(depth, row);
            for column in 0..size[0] {
                let (x, y) = (column as f64 + shift_x, row as f64 + shift_y);
                positions.push([x * along_x + y * skew, y * along_y, bottom + layer as f64 * spacing]);
                tags.push(depth as i64 + 1);
            }
        }
    }
    let height = match options.vacuum {
        Some(vacuum) => (size[2] - 1) as f64 * spacing + 2.0 * vacuum,
        None if options.periodic => size[2] as f64 * spacing,
        None => 0.0,
    };
    let [columns, rows, _] = size.map(|n| n as f64);
    let cell = [[columns * along_x, 0.0, 0.0], [rows * skew, rows * along_y, 0.0], [0.0, 0.0, height]];
    Atoms::new(vec![number; positions.len()], positions)?
        .with_cell(cell, [true, true, options.periodic])?
        .with_column("tags", Column::flat(Values::Int(tags)))
}

struct Layers {
    /// The distances of columns, rows and layers in lattice constants.
    steps: [f64; 3],
    /// How far a row in a layer (counted from the top) is shifted, in columns and rows.
    shift: fn(usize, usize) -> [f64; 2],
}

fn layers(name: &str, orthogonal: bool) -> std::result::Result<Layers, String> {
    const HALF: fn(usize, usize) -> [f64; 2] = |depth, _| if depth % 2 == 1 { [0.5, 0.5] } else { [0.0, 0.0] };
    Ok(match (name, orthogonal) {
        ("fcc111", _) => Layers {
            steps: [0.5f64.sqrt(), 0.375f64.sqrt(), 1.0 / 3f64.sqrt()],
            shift: if orthogonal { orthogonal_111 } else { skewed_111 },
        },
        ("fcc100", true) => Layers { steps: [0.5f64.sqrt(), 0.5f64.sqrt(), 0.5], shift: HALF },
        ("fcc110", true) => Layers { steps: [1.0, 0.5f64.sqrt(), 0.125f64.sqrt()], shift: HALF },
        ("fcc100" | "fcc110", false) => return Err(format!("{name} has orthogonal cells only")),
        _ => {
            let known = NAMES.join(", ");
            let hint =
                nearest(name, NAMES).map_or(format!("known are {known}"), |near| format!("did you mean {near}?"));
            return Err(format!("unknown surface {name:?} ({hint})"));
        }
    })
}

/// Close-packed layers in the order ABC from the top.
fn skewed_111(depth: usize, _: usize) -> [f64; 2] {
    [[0.0, 0.0], [-1.0 / 3.0, 2.0 / 3.0], [1.0 / 3.0, 1.0 / 3.0]][depth % 3]
}

/// The same in a rectangular cell, where every other row is half a step aside.
fn orthogonal_111(depth: usize, row: usize) -> [f64; 2] {
    let aside = 0.5 * (row % 2) as f64;
    [[aside, 0.0], [aside, 2.0 / 3.0], [0.5 - aside, 1.0 / 3.0]][depth % 3]
}
