//! Molecular dynamics against ASE, step by step; the random numbers are those that ASE was given.

use serde_json::Value;
use volley::science::Atoms;
use volley::science::emt::Emt;
use volley::science::linear::Vec3;
use volley::science::md::{
    Andersen, Bussi, Dynamics, Langevin, NoseHooverChainNvt, NvtBerendsen, Random, System, VelocityVerlet,
    set_stationary, stop_rotation, with_momenta,
};

use super::{atoms, difference, fixture, get};

/// The numbers the fixture was made with.
fn golden(count: usize) -> impl Iterator<Item = f64> {
    (1..=count).map(|k| (k as f64 * 0.618_033_988_749_895) % 1.0)
}

fn normal(uniform: f64) -> f64 {
    (uniform - 0.5) * 12f64.sqrt()
}

/// What a run of the fixture draws, as it asks for it.
fn drawn(name: &str, count: usize, freedom: f64) -> Random {
    let is_bussi = name == "Bussi";
    let kind = |(place, number): (usize, f64)| match (name.starts_with("Langevin"), is_bussi, place % 2) {
        (true, ..) | (_, true, 0) => normal(number),
        // Twice a gamma number of half the shape.
        (_, true, _) => 2.0 * (2.0 * number * 0.5 * (freedom - 1.0)),
        _ => number,
    };
    Random::recorded(golden(count).enumerate().map(kind).collect())
}

fn dynamics(name: &str, timestep: f64, temperature: f64, fs: f64) -> Box<dyn Dynamics> {
    let (class, fix_com) = (name.trim_end_matches("_free"), !name.ends_with("_free"));
    let other = |usual: f64, free: f64| if fix_com { usual } else { free };
    let chain = |damp: f64, links: usize, loops: usize| -> Box<dyn Dynamics> {
        Box::new(NoseHooverChainNvt::new(timestep, temperature, damp * fs, links, loops))
    };
    match class {
        "VelocityVerlet" => Box::new(VelocityVerlet { timestep }),
        "NoseHooverChainNVT" => chain(60.0, 3, 1),
        "NoseHooverChainNVT_4_2" => chain(40.0, 4, 2),
        "NoseHooverChainNVT_1" => chain(40.0, 1, 1),
        "NVTBerendsen" => Box::new(NvtBerendsen { timestep, temperature, taut: other(50.0, 5.0) * fs, fix_com }),
        "Langevin" => Box::new(Langevin { timestep, temperature, friction: other(0.02, 0.01) / fs, fix_com }),
        "Andersen" => Box::new(Andersen { timestep, temperature, probability: other(0.1, 0.2), fix_com }),
        "Bussi" => Box::new(Bussi { timestep, temperature, taut: 30.0 * fs }),
        _ => panic!("{name}"),
    }
}

fn start(record: &Value, name: &str) -> Atoms {
    let start = &record["starts"][name];
    let momenta: Vec<Vec3> = get(start, "momenta");
    with_momenta(atoms(start), &momenta).expect("momenta")
}

#[test]
fn every_step_is_that_of_ase() {
    let record = fixture("emt/dynamics.json");
    let [timestep, temperature, fs] = ["timestep", "temperature_K", "fs"].map(|key| get::<f64>(&record, key));
    let runs = record["runs"].as_array().expect("runs");
    assert_eq!(runs.len(), 19);
    for run in runs {
        let name = run["name"].as_str().expect("a name");
        let begin = run["start"].as_str().expect("a start");
        let place = |step: usize| format!("{name}, {begin}, step {step}");
        let mut calculator = Emt::new(false);
        let mut system = System::new(start(&record, begin), &mut calculator).expect("a system");
        let mut random = drawn(name, get(run, "drawn"), system.degrees_of_freedom() as f64);
        let mut dynamics = dynamics(name, timestep, temperature, fs);
        dynamics.begin(&mut system).expect("begins");
        let [energies, kinetic, temperatures] =
            ["energies", "kinetic", "temperatures"].map(|key| get::<Vec<f64>>(run, key));
        let frames = run["frames"].as_array().expect("frames");
        for step in 0..energies.len() {
            if step > 0 {
                dynamics.step(&mut system, &mut random).expect("a step");
            }
            let energy = system.properties().energy;
            assert!((energy - energies[step]).abs() < 1e-9, "{}: {energy} for {}", place(step), energies[step]);
            assert!((system.kinetic_energy() - kinetic[step]).abs() < 1e-9, "{}", place(step));
            assert!((system.temperature() - temperatures[step]).abs() < 1e-6, "{}", place(step));
            if let Some(frame) = frames.iter().find(|frame| frame["step"] == step) {
                let (positions, momenta): (Vec<Vec3>, Vec<Vec3>) = (get(frame, "positions"), get(frame, "momenta"));
                assert!(difference(system.atoms().positions(), &positions) < 1e-9, "{}", place(step));
                assert!(difference(system.momenta(), &momenta) < 1e-9, "{}", place(step));
            }
        }
        assert!(get::<usize>(run, "drawn") == 0 || random.uniform().is_nan(), "{name} has drawn less than ASE");
    }
}

#[test]
fn the_chain_conserves_the_energy_of_ase() {
    let record = fixture("emt/dynamics.json");
    let [timestep, temperature, fs] = ["timestep", "temperature_K", "fs"].map(|key| get::<f64>(&record, key));
    let run = record["runs"].as_array().expect("runs").iter().find(|run| run["name"] == "NoseHooverChainNVT");
    let expected: Vec<f64> = get(run.expect("the run"), "conserved");
    let mut calculator = Emt::new(false);
    let mut system = System::new(start(&record, "free"), &mut calculator).expect("a system");
    let mut chain = NoseHooverChainNvt::new(timestep, temperature, 60.0 * fs, 3, 1);
    for expected in expected {
        assert!((chain.conserved_energy(&system) - expected).abs() < 1e-9);
        chain.step(&mut system, &mut Random::of_step(0, 0)).expect("a step");
    }
}

#[test]
fn motion_as_a_whole_is_stopped_as_in_ase() {
    let record = fixture("emt/dynamics.json");
    for name in ["free", "fixed"] {
        for (key, stop) in [("stationary", set_stationary as fn(&mut System)), ("no_rotation", stop_rotation)] {
            let mut calculator = Emt::new(false);
            let mut system = System::new(start(&record, name), &mut calculator).expect("a system");
            stop(&mut system);
            let expected: Vec<Vec3> = get(&record["starts"][name], key);
            assert!(difference(system.momenta(), &expected) < 1e-10, "{name}, {key}");
        }
    }
}
