//! Crystallographic information files: cell, sites and symmetry operations of every block that has
//! atoms. Partial occupancies and disorder are refused. Written in P1, with full precision; of the
//! orientation of the cell, periodicity, fixed atoms and columns the format knows nothing.
//! Hall, Allen & Brown, Acta Cryst. A47, 655 (1991), doi:10.1107/S010876739101067X.

mod block;
mod operations;
mod read;
mod sites;
mod tokens;
mod write;

pub use operations::Operation;
pub use read::read;
pub use write::write;

/// Names of lengths and angles of the cell.
const CELL: [&str; 6] = [
    "_cell_length_a",
    "_cell_length_b",
    "_cell_length_c",
    "_cell_angle_alpha",
    "_cell_angle_beta",
    "_cell_angle_gamma",
];
