//! The elastic tensor from finite differences: for each kind of strain the derivative of all stresses, on
//! whatever points there are, and the tensor that agrees best with all of them.

use nalgebra::{DMatrix, DVector, Matrix6, Vector6};

use super::states::State;
use super::{ElasticTensor, Tensor, voigt};

/// Strains below this are noise.
const NOISE: f64 = 1e-10;

/// Relative to the largest, singular values below this are zero.
const RANK: f64 = 1e-13;

/// The kind of a strain and the derivative of the stress (GPa) along it.
struct Derivative {
    /// In units of the smallest component, shear doubled.
    direction: Vector6<f64>,
    stress: Vector6<f64>,
}

/// The tensor for these states and the stress without strain (GPa). `None` where two strains of a kind
/// are equal, so that there is no derivative.
pub(super) fn differences(states: &[State], equilibrium: &Tensor) -> Option<ElasticTensor> {
    let points: Vec<(Vector6<f64>, Vector6<f64>)> = states.iter().map(point).collect();
    let mut kinds: Vec<[bool; 6]> = Vec::new();
    for (strain, _) in &points {
        if !kinds.contains(&kind(strain)) {
            kinds.push(kind(strain));
        }
    }
    let derivatives: Option<Vec<Derivative>> = kinds
        .iter()
        .map(|one| {
            let of_kind: Vec<_> = points.iter().filter(|(strain, _)| kind(strain) == *one).copied().collect();
            derivative(of_kind, voigt(equilibrium))
        })
        .collect();
    solve(&derivatives?)
}

/// Voigt's vectors of a strain, shear doubled, and of its stress.
fn point(state: &State) -> (Vector6<f64>, Vector6<f64>) {
    let doubled = Vector6::new(1.0, 1.0, 1.0, 2.0, 2.0, 2.0);
    let quiet = |x: f64| if x.abs() < NOISE { 0.0 } else { x };
    (voigt(&state.strain).map(quiet).component_mul(&doubled), voigt(&state.stress).map(quiet))
}

fn kind(strain: &Vector6<f64>) -> [bool; 6] {
    std::array::from_fn(|k| strain[k] != 0.0)
}

/// The first derivative at no strain of the polynomial through all points: B. Fornberg, Math. Comp. 51, 699
/// (1988), doi:10.1090/S0025-5718-1988-0935077-0.
fn derivative(mut points: Vec<(Vector6<f64>, Vector6<f64>)>, equilibrium: Vector6<f64>) -> Option<Derivative> {
    let last = points.last()?.0;
    let smallest = last.iter().filter(|x| **x != 0.0).min_by(|a, b| a.abs().total_cmp(&b.abs()))?;
    let direction = last / *smallest;
    let along = direction.iter().position(|ratio| *ratio == 1.0)?;
    points.push((Vector6::zeros(), equilibrium));
    let powers = DMatrix::from_fn(points.len(), points.len(), |power, k| points[k].0[along].powi(power as i32));
    let first = DVector::from_fn(points.len(), |power, _| if power == 1 { 1.0 } else { 0.0 });
    let weights = powers.lu().solve(&first)?;
    let stress = points.iter().zip(&weights).map(|((_, stress), weight)| stress * *weight).sum();
    Some(Derivative { direction, stress })
}

/// The 21 constants by least squares, from six equations for each kind of strain.
fn solve(derivatives: &[Derivative]) -> Option<ElasticTensor> {
    let constants: Vec<(usize, usize)> = (0..6).flat_map(|i| (i..6).map(move |j| (i, j))).collect();
    let equations = DMatrix::from_fn(6 * derivatives.len(), constants.len(), |row, column| {
        let (direction, i) = (&derivatives[row / 6].direction, row % 6);
        match constants[column] {
            (p, q) if p == i => direction[q],
            (p, q) if q == i => direction[p],
            _ => 0.0,
        }
    });
    let wanted = DVector::from_fn(equations.nrows(), |row, _| derivatives[row / 6].stress[row % 6]);
    let parts = equations.svd(true, true);
    let found = parts.solve(&wanted, parts.singular_values.max() * RANK).ok()?;
    let mut tensor = Matrix6::zeros();
    for (value, (i, j)) in found.iter().zip(constants) {
        tensor[(i, j)] = *value;
        tensor[(j, i)] = *value;
    }
    Some(ElasticTensor(tensor))
}
