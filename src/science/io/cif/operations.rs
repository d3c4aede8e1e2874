//! Symmetry operations as CIF writes them: `-x+1/2, y-x, z`, International Tables' short notation.

use crate::science::linear::Vec3;

/// A rotation acting on columns of fractional coordinates, and its translation.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Row by row.
    pub rotation: [[i32; 3]; 3],
    /// In fractions of the lattice vectors.
    pub translation: Vec3,
}

impl Operation {
    /// Where the operation puts a point, in fractional coordinates within [0, 1).
    pub fn image(&self, point: Vec3) -> Vec3 {
        let row = |k: usize| (0..3).map(|j| f64::from(self.rotation[k][j]) * point[j]).sum::<f64>();
        std::array::from_fn(|k| wrap(row(k) + self.translation[k]))
    }
}

/// The fraction within [0, 1) that differs by a whole number.
pub(super) fn wrap(fraction: f64) -> f64 {
    let wrapped = fraction.rem_euclid(1.0);
    // So close below a whole number that the remainder rounds up to one.
    if wrapped == 1.0 { 0.0 } else { wrapped }
}

/// Reads one operation.
pub(super) fn parse(text: &str) -> Result<Operation, String> {
    let wrong = || format!("{text:?} is not a symmetry operation like \"-x+1/2, y, z\"");
    let rows: Vec<&str> = text.split(',').collect();
    let [x, y, z] = rows.as_slice() else { return Err(wrong()) };
    let mut operation = Operation { rotation: [[0; 3]; 3], translation: [0.0; 3] };
    for (k, row) in [x, y, z].into_iter().enumerate() {
        (operation.rotation[k], operation.translation[k]) = coordinate(row).ok_or_else(wrong)?;
    }
    // A crystal has as many atoms after an operation as before.
    if determinant(&operation.rotation).abs() == 1 { Ok(operation) } else { Err(wrong()) }
}

/// A sum of signed terms, each an axis or a number.
fn coordinate(text: &str) -> Option<([i32; 3], f64)> {
    let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>().to_lowercase();
    let (mut axes, mut shift) = ([0; 3], 0.0);
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let sign = if rest.starts_with('-') { -1 } else { 1 };
        let term = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let end = term.find(['+', '-']).unwrap_or(term.len());
        match &term[..end] {
            "x" => axes[0] += sign,
            "y" => axes[1] += sign,
            "z" => axes[2] += sign,
            number => shift += f64::from(sign) * fraction(number)?,
        }
        rest = &term[end..];
    }
    (!text.is_empty()).then_some((axes, shift))
}

/// A number, perhaps a fraction.
fn fraction(text: &str) -> Option<f64> {
    let digits =
        |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || c == '.').then(|| text.parse::<f64>().ok())?;
    let value = match text.split_once('/') {
        Some((above, below)) => digits(above)? / digits(below)?,
        None => digits(text)?,
    };
    value.is_finite().then_some(value)
}

fn determinant(m: &[[i32; 3]; 3]) -> i32 {
    let minor = |a: usize, b: usize| m[1][a] * m[2][b] - m[1][b] * m[2][a];
    m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_read_in_every_spelling() {
        let expected = Operation { rotation: [[-1, 0, 0], [-1, 1, 0], [0, 0, 1]], translation: [0.5, 0.0, 0.25] };
        for text in ["-x+1/2, y-x, z+0.25", "1/2-X,-X+Y,1/4+Z", " 0.5 - x , y - x , +z+1/4 "] {
            assert_eq!(parse(text), Ok(expected.clone()), "{text}");
        }
        for text in ["x,y", "x,y,z,x", "x,y,w", "x,y,x", "x,y,", "x,y,z+1/0", "x,y,z+", "x,y,2*z"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn images_stay_in_the_cell() {
        let screw = parse("-x, -y, z+1/2").expect("an operation");
        assert_eq!(screw.image([0.25, -0.0, 0.75]), [0.75, 0.0, 0.25]);
        assert_eq!(wrap(-1e-20), 0.0);
    }
}
