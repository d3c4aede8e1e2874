//! What molecular dynamics has to obey whatever the numbers of others: conservation laws, and the statistics of
//! the canonical ensemble. All runs are seeded, and bounds are five standard errors.

use volley::science::emt::Emt;
use volley::science::linear::{Vec3, add, dot, scale, sub};
use volley::science::md::{
    Andersen, Bussi, Dynamics, Langevin, NoseHooverChainNvt, Random, System, VelocityVerlet, maxwell_boltzmann,
    set_stationary, set_temperature,
};
use volley::science::units::{FS, KB};
use volley::science::{Atoms, Calculator, Properties, Result, structure};

use super::difference;

const KELVIN: f64 = 300.0;

/// Each atom is bound to its place by a spring of 1 eV/Angstrom^2, and to the next one so that energy goes to and
/// fro between them: what scales all momenta alike cannot see to that.
struct Springs(Vec<Vec3>);

/// eV/Angstrom^4 in a quarter of the fourth power of how far two have come apart.
const COUPLING: f64 = 30.0;

impl Calculator for Springs {
    fn calculate(&mut self, atoms: &Atoms) -> Result<Properties> {
        let moved: Vec<Vec3> = atoms.positions().iter().zip(&self.0).map(|(place, home)| sub(*place, *home)).collect();
        let mut forces: Vec<Vec3> = moved.iter().map(|moved| scale(*moved, -1.0)).collect();
        let mut energies: Vec<f64> = moved.iter().map(|moved| 0.5 * dot(*moved, *moved)).collect();
        for index in 1..moved.len() {
            let apart = sub(moved[index], moved[index - 1]);
            let square = dot(apart, apart);
            let pull = scale(apart, COUPLING * square);
            energies[index] += 0.25 * COUPLING * square * square;
            forces[index] = sub(forces[index], pull);
            forces[index - 1] = add(forces[index - 1], pull);
        }
        Ok(Properties { energy: energies.iter().sum(), energies, forces, stress: None })
    }
}

/// Atoms of several masses, apart from each other.
fn bound(count: usize) -> (Atoms, Springs) {
    let places: Vec<Vec3> = (0..count).map(|index| [5.0 * index as f64, 0.0, 0.0]).collect();
    let numbers = (0..count).map(|index| [13, 29, 8][index % 3]).collect();
    (Atoms::new(numbers, places.clone()).expect("atoms"), Springs(places))
}

fn copper() -> Atoms {
    let cell = serde_json::json!({"bulk": {"name": "Cu", "cubic": true, "supercell": [2, 2, 2]}});
    structure::build(&cell).expect("copper")
}

/// A copper crystal at a temperature that is no small one, its centre at rest.
fn warm<'a>(calculator: &'a mut Emt, kelvin: f64) -> System<'a> {
    let mut system = System::new(copper(), calculator).expect("a system");
    maxwell_boltzmann(&mut system, 2.0 * kelvin, &mut Random::of_step(11, 0));
    set_stationary(&mut system);
    system
}

/// The root of the mean square by which something is not conserved in 320 fs; `step` makes a step and tells it.
fn wobble(timestep: f64, mut step: impl FnMut(&mut System) -> f64) -> f64 {
    let mut calculator = Emt::new(false);
    let mut system = warm(&mut calculator, 300.0);
    let steps = (320.0 * FS / timestep).round() as usize;
    let values: Vec<f64> = (0..steps).map(|_| step(&mut system)).collect();
    let mean = values.iter().sum::<f64>() / steps as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / steps as f64).sqrt()
}

#[test]
fn energy_is_conserved_to_second_order() {
    let [coarse, fine] = [8.0 * FS, 4.0 * FS].map(|timestep| {
        let mut verlet = VelocityVerlet { timestep };
        wobble(timestep, |system| {
            verlet.step(system, &mut Random::of_step(0, 0)).expect("a step");
            system.properties().energy + system.kinetic_energy()
        })
    });
    assert!((3.2..5.0).contains(&(coarse / fine)), "{coarse} and {fine}");
    assert!(fine < 5e-3, "{fine} eV of some 2 eV");
}

#[test]
fn a_chain_conserves_its_energy_to_second_order() {
    let [coarse, fine] = [8.0 * FS, 4.0 * FS].map(|timestep| {
        let mut chain = NoseHooverChainNvt::new(timestep, 600.0, 50.0 * FS, 3, 1);
        wobble(timestep, |system| {
            chain.step(system, &mut Random::of_step(0, 0)).expect("a step");
            chain.conserved_energy(system)
        })
    });
    assert!((3.0..5.5).contains(&(coarse / fine)), "{coarse} and {fine}");
    assert!(fine < 1e-2, "{fine} eV");
}

#[test]
fn time_can_be_turned_round() {
    let mut calculator = Emt::new(false);
    let mut system = warm(&mut calculator, 600.0);
    let (places, momenta) = (system.atoms().positions().to_vec(), system.momenta().to_vec());
    let mut verlet = VelocityVerlet { timestep: 4.0 * FS };
    for _ in 0..2 {
        for _ in 0..60 {
            verlet.step(&mut system, &mut Random::of_step(0, 0)).expect("a step");
        }
        system.scale_momenta(-1.0);
    }
    assert!(difference(system.atoms().positions(), &places) < 1e-10);
    assert!(difference(system.momenta(), &momenta) < 1e-10);
}

#[test]
fn momentum_is_conserved() {
    let timestep = 4.0 * FS;
    let runs: [Box<dyn Dynamics>; 4] = [
        Box::new(VelocityVerlet { timestep }),
        Box::new(NoseHooverChainNvt::new(timestep, 500.0, 50.0 * FS, 3, 1)),
        Box::new(Bussi { timestep, temperature: 500.0, taut: 50.0 * FS }),
        Box::new(Langevin { timestep, temperature: 500.0, friction: 0.1, fix_com: true }),
    ];
    for mut dynamics in runs {
        let mut calculator = Emt::new(false);
        let mut system = warm(&mut calculator, 300.0);
        for step in 1..=40 {
            dynamics.step(&mut system, &mut Random::of_step(5, step)).expect("a step");
        }
        let sum = system.momenta().iter().fold([0.0; 3], |sum, momentum| add(sum, *momentum));
        assert!(sum.iter().all(|component| component.abs() < 1e-10), "{dynamics:?}: {sum:?}");
    }
}

#[test]
fn thermal_momenta_are_those_of_maxwell_and_boltzmann() {
    let (atoms, mut springs) = bound(3000);
    let atoms = atoms.with_fixed([3]).expect("fixes");
    let mut system = System::new(atoms, &mut springs).expect("a system");
    maxwell_boltzmann(&mut system, KELVIN, &mut Random::of_step(1, 0));
    assert_eq!(system.momenta()[3], [0.0; 3]);
    for kind in 0..3 {
        let of_kind = system.momenta().iter().zip(system.masses()).enumerate();
        let of_kind = of_kind.filter(|(index, _)| index % 3 == kind && *index != 3);
        let reduced: Vec<f64> =
            of_kind.flat_map(|(_, (momentum, mass))| momentum.map(|p| p / (mass * KB * KELVIN).sqrt())).collect();
        let count = reduced.len() as f64;
        let moment = |power: i32| reduced.iter().map(|x| x.powi(power)).sum::<f64>() / count;
        // Of a normal number: moments 0, 1 and 3, with variances 1, 2 and 96.
        for (power, expected, variance) in [(1, 0.0, 1.0_f64), (2, 1.0, 2.0), (4, 3.0, 96.0)] {
            let error = (moment(power) - expected).abs();
            assert!(error < 5.0 * (variance / count).sqrt(), "kind {kind}, moment {power}: {error}");
        }
    }
    set_temperature(&mut system, 77.0);
    assert!((system.temperature() - 77.0).abs() < 1e-9);
}

/// The mean of values and its standard error, from blocks that know little of each other.
fn mean(values: &[f64]) -> (f64, f64) {
    let size = values.len() / 20;
    let blocks: Vec<f64> = values.chunks_exact(size).map(|block| block.iter().sum::<f64>() / size as f64).collect();
    let count = blocks.len() as f64;
    let mean = blocks.iter().sum::<f64>() / count;
    let variance = blocks.iter().map(|block| (block - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// The temperature is T on average, with the variance 2 T^2 / f for f degrees of freedom, as kinetic energies of
/// the canonical ensemble have it; and each kind of atom has its share of it.
fn is_canonical(mut dynamics: Box<dyn Dynamics>) {
    let (atoms, mut springs) = bound(6);
    let mut system = System::new(atoms, &mut springs).expect("a system");
    maxwell_boltzmann(&mut system, KELVIN, &mut Random::of_step(2, 0));
    dynamics.begin(&mut system).expect("begins");
    let (mut temperatures, mut light) = (Vec::new(), Vec::new());
    for step in 1..=24_000 {
        dynamics.step(&mut system, &mut Random::of_step(2, step)).expect("a step");
        if step > 2000 {
            temperatures.push(system.temperature() / KELVIN);
            let of = |index: usize| system.momenta()[index].map(|p| p * p / system.masses()[index]).iter().sum::<f64>();
            light.push((of(2) + of(5)) / (6.0 * KB * KELVIN));
        }
    }
    let freedom = system.degrees_of_freedom() as f64;
    let squares: Vec<f64> = temperatures.iter().map(|t| (t - 1.0).powi(2) * freedom / 2.0).collect();
    for (name, values) in [("mean", &temperatures), ("variance", &squares), ("light atoms", &light)] {
        let (found, error) = mean(values);
        assert!(error < 0.1, "{dynamics:?}: {name} is not known: {found} +- {error}");
        assert!((found - 1.0).abs() < 5.0 * error, "{dynamics:?}: {name} {found} +- {error}");
    }
}

const TIMESTEP: f64 = 2.0 * FS;

#[test]
fn langevin_is_canonical() {
    let (timestep, temperature) = (TIMESTEP, KELVIN);
    is_canonical(Box::new(Langevin { timestep, temperature, friction: 0.02 / FS, fix_com: false }));
}

#[test]
fn andersen_is_canonical() {
    let (timestep, temperature) = (TIMESTEP, KELVIN);
    is_canonical(Box::new(Andersen { timestep, temperature, probability: 0.02, fix_com: false }));
}

#[test]
fn bussi_is_canonical() {
    is_canonical(Box::new(Bussi { timestep: TIMESTEP, temperature: KELVIN, taut: 40.0 * FS }));
}

#[test]
fn a_chain_is_canonical() {
    // A slower chain swings along with so small a system, and does not come round in any time that one waits.
    is_canonical(Box::new(NoseHooverChainNvt::new(TIMESTEP, KELVIN, 15.0 * FS, 3, 1)));
}

#[test]
fn fixed_atoms_do_not_count() {
    let (atoms, mut springs) = bound(8);
    let places = atoms.positions().to_vec();
    let mut system = System::new(atoms.with_fixed([0, 1, 2, 3]).expect("fixes"), &mut springs).expect("a system");
    maxwell_boltzmann(&mut system, KELVIN, &mut Random::of_step(4, 0));
    let mut chain = NoseHooverChainNvt::new(TIMESTEP, KELVIN, 40.0 * FS, 3, 1);
    let mut temperatures = Vec::new();
    for step in 0..12_000 {
        chain.step(&mut system, &mut Random::of_step(0, step)).expect("a step");
        temperatures.push(system.temperature() / KELVIN);
    }
    assert_eq!(system.atoms().positions()[..4], places[..4]);
    let (found, error) = mean(&temperatures);
    assert!((found - 1.0).abs() < 5.0 * error && error < 0.05, "{found} +- {error}");
}
