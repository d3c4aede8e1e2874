//! The Voronoi cell around a point: a large cube, cut by the plane half-way to each neighbour.

use std::f64::consts::PI;

use crate::science::linear::{Vec3, add, cross, dot, norm, scale, sub};

/// Corners this near to a plane lie on it, relative to the square of the neighbour's distance.
const ON_PLANE: f64 = 1e-10;

/// The side of the cell that a neighbour makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Face {
    /// The neighbour.
    pub neighbour: usize,
    /// As seen from the centre, steradian.
    pub solid_angle: f64,
    /// Angstrom^2.
    pub area: f64,
}

/// A polygon and the neighbour that made it; none for a side of the cube.
type Side = (Option<usize>, Vec<Vec3>);

/// The faces of the cell around the origin, whose neighbours are at `points`. `None` where they leave it open.
pub(super) fn faces(points: &[Vec3]) -> Option<Vec<Face>> {
    let mut nearest: Vec<usize> = (0..points.len()).collect();
    nearest.sort_by(|a, b| norm(points[*a]).total_cmp(&norm(points[*b])));
    let farthest = norm(points[*nearest.last()?]);
    let mut sides = cube(4.0 * farthest);
    for index in nearest {
        sides = cut(sides, points[index], index);
    }
    let face = |(neighbour, corners): &Side| {
        neighbour.map(|neighbour| Face { neighbour, solid_angle: solid_angle(corners), area: area(corners) })
    };
    sides.iter().map(face).collect()
}

fn cube(half: f64) -> Vec<Side> {
    let side = |axis: usize, sign: f64| {
        let corner = |a: f64, b: f64| {
            let mut corner = [0.0; 3];
            (corner[axis], corner[(axis + 1) % 3], corner[(axis + 2) % 3]) = (sign * half, a * half, b * half);
            corner
        };
        (None, vec![corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)])
    };
    (0..3).flat_map(|axis| [side(axis, -1.0), side(axis, 1.0)]).collect()
}

/// What remains of the cell on the side of the plane that is nearer to the origin than to `point`.
fn cut(sides: Vec<Side>, point: Vec3, index: usize) -> Vec<Side> {
    let square = dot(point, point);
    let beyond = |corner: Vec3| (dot(corner, point) / square - 0.5).max(-1.0);
    let outside = |corner: &Vec3| beyond(*corner) > ON_PLANE;
    if !sides.iter().flat_map(|(_, corners)| corners).any(outside) {
        return sides;
    }
    let (mut remaining, mut on_plane) = (Vec::new(), Vec::new());
    for (neighbour, corners) in sides {
        let mut kept = Vec::new();
        for (place, corner) in corners.iter().enumerate() {
            let next = corners[(place + 1) % corners.len()];
            if !outside(corner) {
                kept.push(*corner);
            }
            if outside(corner) != outside(&next) {
                let (here, there) = (dot(*corner, point) - 0.5 * square, dot(next, point) - 0.5 * square);
                let crossing = add(*corner, scale(sub(next, *corner), (here / (here - there)).clamp(0.0, 1.0)));
                kept.push(crossing);
            }
        }
        on_plane.extend(kept.iter().filter(|corner| beyond(**corner).abs() <= 2.0 * ON_PLANE));
        if kept.len() > 2 {
            remaining.push((neighbour, kept));
        }
    }
    if on_plane.len() > 2 {
        remaining.push((Some(index), around(on_plane, point)));
    }
    remaining
}

/// Corners of a convex polygon in order, seen along its normal.
fn around(corners: Vec<Vec3>, normal: Vec3) -> Vec<Vec3> {
    let centre = scale(corners.iter().fold([0.0; 3], |sum, corner| add(sum, *corner)), 1.0 / corners.len() as f64);
    let axis = (0..3).min_by(|a, b| normal[*a].abs().total_cmp(&normal[*b].abs())).unwrap_or(0);
    let mut unit = [0.0; 3];
    unit[axis] = 1.0;
    let x = cross(normal, unit);
    let y = scale(cross(normal, x), 1.0 / norm(normal));
    let angle = |corner: &Vec3| dot(sub(*corner, centre), y).atan2(dot(sub(*corner, centre), x));
    let mut ordered = corners;
    ordered.sort_by(|a, b| angle(a).total_cmp(&angle(b)));
    ordered
}

fn area(corners: &[Vec3]) -> f64 {
    let from_first = |k: usize| sub(corners[k], corners[0]);
    let sum = (1..corners.len() - 1).fold([0.0; 3], |sum, k| add(sum, cross(from_first(k), from_first(k + 1))));
    norm(sum) / 2.0
}

/// A. van Oosterom and J. Strackee, IEEE Trans. Biomed. Eng. 30, 125 (1983), doi:10.1109/TBME.1983.325207,
/// for each triangle of the polygon.
fn solid_angle(corners: &[Vec3]) -> f64 {
    let triangle = |k: usize| {
        let [a, b, c] = [corners[0], corners[k], corners[k + 1]];
        let volume = dot(a, cross(b, c)).abs();
        let [la, lb, lc] = [a, b, c].map(norm);
        let angle = 2.0 * volume.atan2(la * lb * lc + dot(a, b) * lc + dot(a, c) * lb + dot(b, c) * la);
        if angle < 0.0 { angle + 2.0 * PI } else { angle }
    };
    (1..corners.len() - 1).map(triangle).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_simple_lattices() {
        let whole = |steps: i32| (-steps..=steps).flat_map(move |a| (-steps..=steps).map(move |b| (a, b)));
        let cubic: Vec<Vec3> = whole(1)
            .flat_map(|(a, b)| (-1..=1).map(move |c| [a, b, c].map(f64::from)))
            .filter(|point| *point != [0.0; 3])
            .collect();
        let found = faces(&cubic).expect("closed");
        let large: Vec<&Face> = found.iter().filter(|face| face.area > 1e-6).collect();
        assert_eq!(large.len(), 6);
        assert!(large.iter().all(|face| (face.area - 1.0).abs() < 1e-9));
        assert!((found.iter().map(|face| face.solid_angle).sum::<f64>() - 4.0 * PI).abs() < 1e-9);
        // Eight hexagons and six squares.
        let corners = whole(1).flat_map(|(a, b)| [-1, 1].map(|c| [a, b, c].map(|x| 0.5 * f64::from(x))));
        let body: Vec<Vec3> =
            corners.filter(|point| point.iter().all(|x| *x != 0.0)).chain(cubic.iter().copied()).collect();
        let found = faces(&body).expect("closed");
        let count = |wanted: f64| found.iter().filter(|face| (face.area - wanted).abs() < 1e-9).count();
        assert_eq!((count(0.125), count(0.75 * 3f64.sqrt() * 0.25)), (6, 8));
        assert!(faces(&cubic[..3]).is_none());
        assert!(faces(&[]).is_none());
    }
}
