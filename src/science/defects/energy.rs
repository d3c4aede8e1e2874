//! The energy it costs to take an atom out of a crystal.

use crate::science::atoms::Atoms;

/// The formation energy of a vacancy in an element, eV: E(N-1) - (N-1)/N E(N), energies in eV, where the
/// bulk may be any cell of the same crystal (M. J. Gillan, J. Phys. Condens. Matter 1, 689 (1989),
/// doi:10.1088/0953-8984/1/4/005). `None` for compounds: there it depends on where the atom goes.
///
/// ```
/// use volley::science::{build::bulk, defects::vacancy_formation_energy};
/// let copper = bulk("Cu", &Default::default())?;
/// assert_eq!(vacancy_formation_energy(2.0, &copper, 0.5, &copper), Some(1.5));
/// # Ok::<(), volley::science::Error>(())
/// ```
pub fn vacancy_formation_energy(defect_energy: f64, defect: &Atoms, bulk_energy: f64, bulk: &Atoms) -> Option<f64> {
    let element = bulk.numbers().first()?;
    let is_element = bulk.numbers().iter().chain(defect.numbers()).all(|number| number == element);
    is_element.then(|| defect_energy - defect.len() as f64 / bulk.len() as f64 * bulk_energy)
}
