//! The atoms that symmetry makes of the sites a file lists.
//!
//! Images that agree within 1e-3 of the cell in every fractional coordinate are one atom (the rule
//! and the number of ASE), and a site that is an image of an earlier one is listed twice. What then
//! still lies closer than any two atoms is a special position with too few digits, and refused.

use super::operations::Operation;
use crate::science::linear::{Mat3, Vec3, norm, row_times, sub};

/// Fractions of the cell within which two images are one atom.
const SAME: f64 = 1e-3;

/// No two atoms are nearer, Angstrom; hydrogen molecules have 0.74.
const TOO_NEAR: f64 = 0.3;

/// A site as listed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Site {
    pub line: usize,
    pub name: String,
    pub number: u8,
    /// Fractional coordinates.
    pub point: Vec3,
}

/// The atoms of a cell: numbers and fractional coordinates in [0, 1), the images of one site together. The
/// error has the line of the site at fault.
pub(super) fn expand(
    sites: &[Site],
    operations: &[Operation],
    cell: &Mat3,
) -> Result<(Vec<u8>, Vec<Vec3>), (usize, String)> {
    let (mut numbers, mut points) = (Vec::new(), Vec::new());
    // Which site each atom comes from.
    let mut origins: Vec<&Site> = Vec::new();
    for site in sites {
        match points
            .iter()
            .map(|point| apart(site.point, *point, cell))
            .zip(&origins)
            .find(|(apart, _)| *apart != Apart::Far)
        {
            None => {}
            Some((Apart::Same, first)) if first.number == site.number => continue,
            Some((apart, first)) => {
                let reason = match apart {
                    Apart::Same => "disorder is not supported",
                    _ => "closer than any two atoms are",
                };
                let (name, first) = (&site.name, &first.name);
                return Err((site.line, format!("{name} lies where an image of {first} is: {reason}")));
            }
        }
        let start = points.len();
        for operation in operations {
            let image = operation.image(site.point);
            match points[start..].iter().map(|point| apart(image, *point, cell)).find(|apart| *apart != Apart::Far) {
                Some(Apart::Same) => {}
                Some(_) => {
                    let name = &site.name;
                    let reason = format!("images of {name} nearly coincide: a special position needs more digits");
                    return Err((site.line, reason));
                }
                None => {
                    numbers.push(site.number);
                    points.push(image);
                    origins.push(site);
                }
            }
        }
    }
    Ok((numbers, points))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Apart {
    Same,
    Near,
    Far,
}

fn apart(left: Vec3, right: Vec3, cell: &Mat3) -> Apart {
    let shift = sub(left, right).map(|x| x - x.round());
    if shift.iter().all(|x| x.abs() < SAME) {
        Apart::Same
    } else if norm(row_times(shift, cell)) < TOO_NEAR {
        Apart::Near
    } else {
        Apart::Far
    }
}
