//! The low-index surfaces that have a name, as ASE's builders of the same names make them: how their atoms
//! are stacked, and where something can be adsorbed.

use std::f64::consts::SQRT_2;

use crate::science::nearest::suggestion;

/// How far a row of a layer is shifted, in columns, rows and layers; both are counted from 0, layers from the top.
pub(super) type Shift = fn(usize, usize) -> [f64; 3];

/// A named place on a surface, in units of the primitive cell in its plane.
pub(super) type Site = (&'static str, [f64; 2]);

/// One surface.
pub(super) struct Surface {
    name: &'static str,
    /// The crystal it is cut from.
    pub(super) crystal: &'static str,
    /// The distances of columns, rows and layers in lattice constants, for a ratio c/a.
    pub(super) steps: fn(f64) -> [f64; 3],
    /// Whether the second vector of the primitive cell in its plane leans half a step towards the first:
    /// an orthogonal cell then needs rows in pairs.
    pub(super) leans: bool,
    /// The stacking in cells with a leaning second vector, where there are such.
    pub(super) leaning: Option<Shift>,
    /// The stacking in orthogonal cells, where there are such.
    pub(super) orthogonal: Option<Shift>,
    /// Where something can be adsorbed.
    pub(super) sites: &'static [Site],
}

const ON_TOP: Site = ("ontop", [0.0, 0.0]);
const BRIDGE: Site = ("bridge", [0.5, 0.0]);
const HOLLOW: Site = ("hollow", [0.5, 0.5]);
const LONG_BRIDGE: Site = ("longbridge", [0.5, 0.0]);
const SHORT_BRIDGE: Site = ("shortbridge", [0.0, 0.5]);
const THIRD: [f64; 2] = [1.0 / 3.0, 1.0 / 3.0];
const CLOSE_PACKED: [Site; 4] = [ON_TOP, BRIDGE, ("fcc", THIRD), ("hcp", [2.0 / 3.0, 2.0 / 3.0])];

static SURFACES: [Surface; 10] = [
    Surface {
        name: "fcc111",
        crystal: "fcc",
        steps: |_| [0.5f64.sqrt(), 0.375f64.sqrt(), 1.0 / 3f64.sqrt()],
        leans: true,
        leaning: Some(abc),
        orthogonal: Some(abc_in_pairs),
        sites: &CLOSE_PACKED,
    },
    Surface {
        name: "fcc100",
        crystal: "fcc",
        steps: |_| [0.5f64.sqrt(), 0.5f64.sqrt(), 0.5],
        leans: false,
        leaning: None,
        orthogonal: Some(centred),
        sites: &[ON_TOP, HOLLOW, BRIDGE],
    },
    Surface {
        name: "fcc110",
        crystal: "fcc",
        steps: |_| [1.0, 0.5f64.sqrt(), 0.125f64.sqrt()],
        leans: false,
        leaning: None,
        orthogonal: Some(centred),
        sites: &[ON_TOP, HOLLOW, LONG_BRIDGE, SHORT_BRIDGE],
    },
    Surface {
        name: "bcc100",
        crystal: "bcc",
        steps: |_| [1.0, 1.0, 0.5],
        leans: false,
        leaning: None,
        orthogonal: Some(centred),
        sites: &[ON_TOP, HOLLOW, BRIDGE],
    },
    Surface {
        name: "bcc110",
        crystal: "bcc",
        steps: |_| [1.0, 0.5f64.sqrt(), 0.5f64.sqrt()],
        leans: true,
        leaning: Some(|depth, _| by_layer(&[[0.0; 3], [-0.5, 1.0, 0.0]], depth)),
        orthogonal: Some(|depth, row| aside(by_layer(&[[0.0; 3], [0.0, 1.0, 0.0]], depth), row)),
        sites: &[ON_TOP, SHORT_BRIDGE, LONG_BRIDGE, ("hollow", [0.375, 0.25])],
    },
    Surface {
        name: "bcc111",
        crystal: "bcc",
        steps: |_| [SQRT_2, 1.5f64.sqrt(), 3f64.sqrt() / 6.0],
        leans: true,
        leaning: Some(abc),
        orthogonal: Some(abc_in_pairs),
        sites: &[ON_TOP, ("hollow", THIRD)],
    },
    Surface {
        name: "hcp0001",
        crystal: "hcp",
        steps: |covera| [1.0, 0.75f64.sqrt(), 0.5 * covera],
        leans: true,
        leaning: Some(|depth, _| by_layer(&ABC[..2], depth)),
        orthogonal: Some(|depth, row| aside(by_layer(&[[0.0; 3], [0.0, 2.0 / 3.0, 0.0]], depth), row)),
        sites: &CLOSE_PACKED,
    },
    // Its cell is a rectangle, but its primitive cell (which offsets of adsorbates count in) is not in ASE.
    Surface {
        name: "hcp10m10",
        crystal: "hcp",
        steps: |covera| [1.0, 0.5 * covera, 0.75f64.sqrt()],
        leans: true,
        leaning: None,
        orthogonal: Some(|depth, row| {
            let higher = if row.is_multiple_of(2) { 2.0 / 3.0 } else { 0.0 };
            [0.5 * (depth % 2) as f64, 0.0, higher]
        }),
        sites: &[ON_TOP],
    },
    Surface {
        name: "diamond100",
        crystal: "diamond",
        steps: |_| [0.5f64.sqrt(), 0.5f64.sqrt(), 0.25],
        leans: false,
        leaning: None,
        orthogonal: Some(|depth, _| by_layer(&[[0.5, 0.0, 0.0], [0.0; 3], [0.0, 0.5, 0.0], [0.5, 0.5, 0.0]], depth)),
        sites: &[ON_TOP],
    },
    Surface {
        name: "diamond111",
        crystal: "diamond",
        steps: |_| [0.5f64.sqrt(), 0.375f64.sqrt(), 0.5 / 3f64.sqrt()],
        leans: true,
        // Double layers in the order ABC, the upper half of each a half step higher.
        leaning: Some(|depth, _| {
            let [x, y, _] = by_layer(&ABC, depth / 2);
            [x, y, if depth.is_multiple_of(2) { 0.5 } else { 0.0 }]
        }),
        orthogonal: None,
        sites: &[ON_TOP],
    },
];

/// The surface of that name.
pub(super) fn by_name(name: &str) -> Result<&'static Surface, String> {
    SURFACES.iter().find(|surface| surface.name == name).ok_or_else(|| {
        let hint = suggestion(name, SURFACES.iter().map(|surface| surface.name));
        format!("unknown surface {name:?} ({hint})")
    })
}

/// Close-packed layers in the order ABC from the top.
const ABC: [[f64; 3]; 3] = [[0.0; 3], [-1.0 / 3.0, 2.0 / 3.0, 0.0], [1.0 / 3.0, 1.0 / 3.0, 0.0]];

fn by_layer(shifts: &[[f64; 3]], depth: usize) -> [f64; 3] {
    shifts[depth % shifts.len()]
}

/// In a rectangular cell of a leaning lattice every other row is half a step aside.
fn aside([x, y, z]: [f64; 3], row: usize) -> [f64; 3] {
    [x + 0.5 * (row % 2) as f64, y, z]
}

fn centred(depth: usize, _: usize) -> [f64; 3] {
    by_layer(&[[0.0; 3], [0.5, 0.5, 0.0]], depth)
}

fn abc(depth: usize, _: usize) -> [f64; 3] {
    by_layer(&ABC, depth)
}

fn abc_in_pairs(depth: usize, row: usize) -> [f64; 3] {
    let [x, y, z] = by_layer(&[[0.0; 3], [0.0, 2.0 / 3.0, 0.0], [0.5, 1.0 / 3.0, 0.0]], depth);
    // The third layer's rows step back, which keeps them inside the cell.
    let step = if depth % 3 == 2 { -0.5 } else { 0.5 };
    [x + step * (row % 2) as f64, y, z]
}
