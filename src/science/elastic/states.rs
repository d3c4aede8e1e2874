//! From deformations and stresses to the tensor: what symmetry adds to what was computed, and stresses made
//! as symmetric as the crystal, with the tolerances of emmet.

use super::strains::{gradient, second_piola_kirchhoff, strain};
use super::{ElasticTensor, LOOSE, Tensor, fit, rotations, turned};
use crate::science::atoms::Atoms;
use crate::science::error::{Error, Result};

/// Strains that were asked for differ by this or more in some component.
pub(super) const APART: f64 = 0.002;

/// Strains count as the same where no component differs by this: emmet's setting.
const SAME: f64 = 0.002;

/// The same as a part of what the computed strains differ by, so that no rotation can make one the other: those of
/// a hexagonal crystal bring the strain of one axis to within 0.43 of itself of that of the other. With the usual
/// strains this is `SAME`.
const SHARE: f64 = 0.4;

/// A strain and the second Piola-Kirchhoff stress (GPa) that goes with it.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    pub strain: Tensor,
    pub stress: Tensor,
}

/// What came of a fit.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The strains, first the computed ones, then those that symmetry adds.
    pub strains: Vec<Tensor>,
    /// The second Piola-Kirchhoff stresses of the computed ones, GPa.
    pub stresses: Vec<Tensor>,
    /// GPa, in the orientation of the crystal; `None` where the strains leave it undetermined.
    pub tensor: Option<ElasticTensor>,
    /// The rotations of the crystal.
    pub rotations: Vec<Tensor>,
}

/// The elastic tensor of `atoms`, whose stress is `equilibrium`, from deformation gradients and Cauchy's stress
/// (GPa) in each.
pub fn fit_crystal(atoms: &Atoms, gradients: &[Tensor], stresses: &[Tensor], equilibrium: &Tensor) -> Result<Fit> {
    if gradients.len() != stresses.len() {
        let (found, expected) = (stresses.len(), gradients.len());
        return Err(Error::Shape { what: "stresses".into(), found, expected });
    }
    let rotations = rotations(atoms, LOOSE);
    let state = |(gradient, cauchy): (&Tensor, &Tensor)| {
        let stress = second_piola_kirchhoff(cauchy, gradient).ok_or_else(singular)?;
        Ok(State { strain: strain(gradient), stress })
    };
    let mut states: Vec<State> = gradients.iter().zip(stresses).map(state).collect::<Result<_>>()?;
    let computed: Vec<Tensor> = states.iter().map(|state| state.stress).collect();
    let strains: Vec<Tensor> = states.iter().map(|state| state.strain).collect();
    let near = Near(SAME.min(SHARE * apart(&strains)));
    states.extend(derived(&states, &rotations, near));
    let symmetric = symmetrised(&states, &rotations, near);
    let tensor = fit::differences(&symmetric, equilibrium);
    Ok(Fit { strains: states.iter().map(|state| state.strain).collect(), stresses: computed, tensor, rotations })
}

fn singular() -> Error {
    Error::bad("deformations", "one of them leaves no volume")
}

/// By how much the two of these strains and none at all that are most alike differ, in their largest component.
pub(super) fn apart(strains: &[Tensor]) -> f64 {
    let pairs = strains.iter().enumerate().flat_map(|(k, one)| strains[..k].iter().map(move |other| one - other));
    pairs.chain(strains.iter().copied()).map(|difference| difference.amax()).fold(f64::INFINITY, f64::min)
}

/// Up to which difference in every component strains are the same.
#[derive(Clone, Copy)]
struct Near(f64);

impl Near {
    fn same(self, one: &Tensor, other: &Tensor) -> bool {
        (one - other).amax() < self.0
    }

    /// Whether a deformation changes one component of the gradient only.
    fn is_independent(self, strain: &Tensor) -> bool {
        let changed = |gradient: Tensor| (gradient - Tensor::identity()).iter().filter(|x| x.abs() > self.0).count();
        gradient(strain).map(changed) == Some(1)
    }
}

/// The states of further single components that rotations make of the computed ones: the mean over all computed
/// deformations that lead there, each taken once. Unlike emmet, which turns Cauchy's stress as if an upper
/// triangular gradient stayed one, this turns the second Piola-Kirchhoff stress, as is right for any rotation.
fn derived(primary: &[State], rotations: &[Tensor], near: Near) -> Vec<State> {
    let mut found: Vec<(Tensor, Vec<(usize, Tensor)>)> = Vec::new();
    for (index, state) in primary.iter().enumerate() {
        for rotation in rotations {
            let strain = turned(rotation, &state.strain);
            if primary.iter().any(|other| near.same(&other.strain, &strain)) || !near.is_independent(&strain) {
                continue;
            }
            let stress = || (index, turned(rotation, &state.stress));
            match found.iter_mut().find(|(known, _)| near.same(known, &strain)) {
                None => found.push((strain, vec![stress()])),
                Some((_, stresses)) if stresses.iter().all(|(known, _)| *known != index) => stresses.push(stress()),
                Some(_) => {}
            }
        }
    }
    let mean = |stresses: &[(usize, Tensor)]| {
        stresses.iter().map(|(_, stress)| stress).sum::<Tensor>() / stresses.len() as f64
    };
    found.iter().map(|(strain, stresses)| State { strain: *strain, stress: mean(stresses) }).collect()
}

/// The same strains, each with the mean of all stresses that rotations bring there.
fn symmetrised(states: &[State], rotations: &[Tensor], near: Near) -> Vec<State> {
    let pairs = || states.iter().flat_map(|state| rotations.iter().map(move |rotation| (state, rotation)));
    let images: Vec<Tensor> = pairs().map(|(state, rotation)| turned(rotation, &state.strain)).collect();
    let mean = |state: &State| {
        let here = images.iter().zip(pairs()).filter(|(image, _)| near.same(image, &state.strain));
        let (count, sum) = here.fold((0, Tensor::zeros()), |(count, sum), (_, (other, rotation))| {
            (count + 1, sum + turned(rotation, &other.stress))
        });
        State { strain: state.strain, stress: sum / f64::from(count.max(1)) }
    };
    states.iter().map(mean).collect()
}
