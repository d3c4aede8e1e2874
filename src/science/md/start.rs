//! The momenta that atoms start with.

use nalgebra::{Matrix3, SymmetricEigen, Vector3};

use super::{Random, System};
use crate::science::linear::{Vec3, add, cross, dot, scale, sub};
use crate::science::units::KB;

/// Momenta of the distribution of Maxwell and Boltzmann at `temperature` in K.
pub fn maxwell_boltzmann(system: &mut System, temperature: f64, random: &mut Random) {
    let width = |mass: &f64| (mass * KB * temperature).sqrt();
    let momenta: Vec<Vec3> = system.masses().iter().map(|mass| scale(random.normal3(), width(mass))).collect();
    system.set_momenta(momenta);
}

/// Scales momenta to a temperature in K; atoms at rest stay so.
pub fn set_temperature(system: &mut System, temperature: f64) {
    let now = system.temperature();
    if now > 0.0 {
        system.scale_momenta((temperature / now).sqrt());
    }
}

/// Brings the centre of mass to rest, at the same temperature.
pub fn set_stationary(system: &mut System) {
    let temperature = system.temperature();
    let sum = system.momenta().iter().fold([0.0; 3], |sum, momentum| add(sum, *momentum));
    let velocity = scale(sum, 1.0 / system.masses().iter().sum::<f64>());
    let rest = system.momenta().iter().zip(system.masses()).map(|(p, mass)| sub(*p, scale(velocity, *mass)));
    let rest: Vec<Vec3> = rest.collect();
    system.set_momenta(rest);
    set_temperature(system, temperature);
}

/// Stops rotation as a whole, at the same temperature.
pub fn stop_rotation(system: &mut System) {
    let temperature = system.temperature();
    let masses = system.masses();
    let centre = system.atoms().positions().iter().zip(masses).fold([0.0; 3], |sum, (r, m)| add(sum, scale(*r, *m)));
    let centre = scale(centre, 1.0 / masses.iter().sum::<f64>());
    let places: Vec<Vec3> = system.atoms().positions().iter().map(|place| sub(*place, centre)).collect();
    let mut inertia = Matrix3::zeros();
    for (place, mass) in places.iter().zip(masses) {
        let place = Vector3::from(*place);
        inertia += *mass * (Matrix3::identity() * place.norm_squared() - place * place.transpose());
    }
    let moments = places.iter().zip(system.momenta()).map(|(place, momentum)| cross(*place, *momentum));
    let angular = moments.fold([0.0; 3], add);
    let spin = angular_velocity(inertia, angular);
    let still = places.iter().zip(system.momenta()).zip(masses);
    let still: Vec<Vec3> = still.map(|((r, p), mass)| sub(*p, scale(cross(spin, *r), *mass))).collect();
    system.set_momenta(still);
    set_temperature(system, temperature);
}

/// What turns with an angular momentum; about the axis of a linear molecule nothing does.
fn angular_velocity(inertia: Matrix3<f64>, angular: Vec3) -> Vec3 {
    let eigen = SymmetricEigen::new(inertia);
    let least = 1e-10 * eigen.eigenvalues.max();
    let axes = eigen.eigenvalues.iter().zip(eigen.eigenvectors.column_iter()).filter(|(moment, _)| **moment > least);
    axes.map(|(moment, axis)| {
        let axis = [axis[0], axis[1], axis[2]];
        scale(axis, dot(axis, angular) / moment)
    })
    .fold([0.0; 3], add)
}
