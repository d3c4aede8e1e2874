//! Dynamics under pressure step by step as ASE 3.29.0 makes them, and what they must do anywhere.

use serde_json::{Value, json};
use volley::recipes::{Context, MdJob, Recipe};
use volley::science::Atoms;
use volley::science::emt::Emt;
use volley::science::io::mson::from_mson;
use volley::science::linear::{Vec3, determinant};
use volley::science::md::{
    Damping, Dynamics, Melchionna, MelchionnaSettings, Mtk, NptBerendsen, NvtBerendsen, Random, Shape, System,
    upper_triangular, with_momenta,
};
use volley::science::structure::build;
use volley::science::units::FS;

use super::{atoms, difference, fixture, get};

/// Energies (eV), volumes (Angstrom^3), places and momenta differ by less in all steps; the file has 14 digits.
const SAME: f64 = 1e-10;

/// One of the ensembles with what it conserves, if it does.
enum Ensemble {
    Berendsen(NptBerendsen),
    Mtk(Mtk),
    Melchionna(Melchionna),
}

impl Ensemble {
    /// That of a record, in units of ASE.
    fn of(record: &Value) -> Self {
        let timestep = get::<f64>(record, "timestep_fs") * FS;
        let kwargs = &record["kwargs"];
        let number = |key: &str| kwargs[key].as_f64();
        let given = |key: &str| number(key).unwrap_or_else(|| panic!("{key}"));
        let count = |key: &str, usual: usize| kwargs[key].as_u64().map_or(usual, |count| count as usize);
        let temperature = given("temperature_K");
        match get::<String>(record, "class").as_str() {
            class @ ("NPTBerendsen" | "Inhomogeneous_NPTBerendsen") => {
                let mask: [u8; 3] = serde_json::from_value(kwargs["mask"].clone()).unwrap_or([1; 3]);
                let shape = if class == "NPTBerendsen" { Shape::Kept } else { Shape::Sides(mask.map(|on| on != 0)) };
                let fix_com = kwargs["fixcm"].as_bool().unwrap_or(true);
                Self::Berendsen(NptBerendsen {
                    atoms: NvtBerendsen { timestep, temperature, taut: given("taut"), fix_com },
                    pressure: given("pressure_au"),
                    taup: given("taup"),
                    compressibility: given("compressibility_au"),
                    shape,
                })
            }
            class @ ("MTKNPT" | "IsotropicMTKNPT") => {
                let damping = |time: &str, links: &str, loops: &str| Damping {
                    time: given(time),
                    links: count(links, 3),
                    loops: count(loops, 1),
                };
                let chains = [damping("tdamp", "tchain", "tloop"), damping("pdamp", "pchain", "ploop")];
                Self::Mtk(Mtk::new(timestep, temperature, given("pressure_au"), chains, class == "IsotropicMTKNPT"))
            }
            _ => {
                let on: [u8; 3] = serde_json::from_value(kwargs["mask"].clone()).unwrap_or([1; 3]);
                let pressure = number("externalstress").unwrap_or_default();
                let (p, none) = (-pressure, 0.0);
                let given: Option<[f64; 6]> = serde_json::from_value(kwargs["externalstress"].clone()).ok();
                Self::Melchionna(Melchionna::new(MelchionnaSettings {
                    timestep,
                    temperature,
                    stress: given.unwrap_or([p, p, p, none, none, none]),
                    ttime: number("ttime"),
                    pfactor: number("pfactor"),
                    mask: on.map(|row| on.map(|column| row * column != 0)),
                }))
            }
        }
    }

    fn dynamics(&mut self) -> &mut dyn Dynamics {
        match self {
            Self::Berendsen(dynamics) => dynamics,
            Self::Mtk(dynamics) => dynamics,
            Self::Melchionna(dynamics) => dynamics,
        }
    }

    fn conserved(&self, system: &System) -> Option<f64> {
        match self {
            Self::Berendsen(_) => None,
            Self::Mtk(dynamics) => Some(dynamics.conserved_energy(system)),
            Self::Melchionna(dynamics) => Some(dynamics.gibbs_free_energy(system)),
        }
    }
}

/// Atoms of a fixture with their momenta.
fn moving(value: &Value) -> Atoms {
    with_momenta(atoms(value), &get::<Vec<Vec3>>(value, "momenta")).expect("momenta")
}

/// One step of a run without chance.
fn step(ensemble: &mut Ensemble, system: &mut System) {
    ensemble.dynamics().step(system, &mut Random::of_step(0, 0)).expect("a step");
}

#[test]
fn runs_under_pressure_are_those_of_ase() {
    let records = fixture("emt/md_pressure.json");
    let records = records["records"].as_array().expect("records");
    assert_eq!(records.len(), 21);
    for record in records {
        let name: String = get(record, "name");
        let mut emt = Emt::default();
        let mut system = System::new(moving(&record["initial"]), &mut emt).expect("a system");
        let mut ensemble = Ensemble::of(record);
        ensemble.dynamics().begin(&mut system).expect("begins");
        let steps: Vec<[Option<f64>; 4]> = get(record, "steps");
        let mut worst = 0.0f64;
        for (index, expected) in steps.iter().enumerate() {
            if index > 0 {
                step(&mut ensemble, &mut system);
            }
            let (energy, volume) = (system.properties().energy, system.atoms().volume());
            let found = [Some(energy), Some(system.kinetic_energy()), Some(volume), ensemble.conserved(&system)];
            for (found, expected) in found.into_iter().zip(expected) {
                let off = found.unwrap_or_default() - expected.unwrap_or_default();
                assert!(off.abs() < SAME, "{name}, step {index}: {found:?} for {expected:?}");
                worst = worst.max(off.abs());
            }
        }
        let last = &record["final"];
        let arrays = [system.atoms().positions(), system.atoms().cell(), system.momenta()];
        for (found, key) in arrays.into_iter().zip(["positions", "cell", "momenta"]) {
            let off = difference(found, &get::<Vec<[f64; 3]>>(last, key));
            assert!(off < SAME, "{name}: {key} {off}");
            worst = worst.max(off);
        }
        eprintln!("{name}: {worst:.0e}");
    }
}

#[test]
fn a_run_under_pressure_goes_on_where_it_was() {
    let records = fixture("emt/md_pressure.json");
    for record in records["records"].as_array().expect("records").iter().step_by(3) {
        let name: String = get(record, "name");
        let mut emt = Emt::default();
        let mut system = System::new(moving(&record["initial"]), &mut emt).expect("a system");
        let mut ensemble = Ensemble::of(record);
        ensemble.dynamics().begin(&mut system).expect("begins");
        (0..7).for_each(|_| step(&mut ensemble, &mut system));

        let mut other_emt = Emt::default();
        let mut other_system = System::new(system.snapshot().expect("atoms"), &mut other_emt).expect("a system");
        let mut other = Ensemble::of(record);
        // As text, in which they are kept.
        let kept = ensemble.dynamics().kept().to_string();
        other.dynamics().restore(&serde_json::from_str(&kept).expect("JSON")).expect("restored");
        for _ in 0..7 {
            step(&mut ensemble, &mut system);
            step(&mut other, &mut other_system);
        }
        let off = difference(system.momenta(), other_system.momenta());
        // A list that is built anew has its pairs in another order.
        assert!(off < 1e-12, "{name}: {off}");
        let off = difference(system.atoms().cell(), other_system.atoms().cell());
        assert!(off < 1e-13, "{name}: {off}");
    }
}

#[test]
fn a_state_of_something_else_is_refused() {
    let records = fixture("emt/md_pressure.json");
    let named = |name: &str| {
        let found = records["records"].as_array().expect("records").iter().find(|record| record["name"] == name);
        Ensemble::of(found.expect("a record"))
    };
    let (mut chains, mut plain, mut npt) = (named("npt_mtk, chains, alloy"), named("npt_mtk"), named("npt"));
    let kept = chains.dynamics().kept();
    let message = plain.dynamics().restore(&kept).expect_err("another chain").to_string();
    assert_eq!(message, "eta of the state that was kept: must be 3 numbers");
    let message = npt.dynamics().restore(&kept).expect_err("another ensemble").to_string();
    assert_eq!(message, "the state of the dynamics: is not one of npt");
}

#[test]
fn documents_under_pressure_are_those_of_quacc() {
    let records = fixture("emt/md_pressure_quacc.json");
    let records = records["records"].as_array().expect("records");
    assert_eq!(records.len(), 7);
    for record in records {
        let name = record["parameters"]["dynamics"].to_string();
        let job = MdJob::from_value(&record["parameters"]).expect("parameters");
        let document = job.run(&moving(&record["initial"]), &Context::new("/somewhere")).expect("a document");
        let mut parameters = document["parameters_md"].clone();
        parameters.as_object_mut().expect("parameters").retain(|_, value| !value.is_null());
        assert_eq!(parameters, record["parameters_md"], "{name}");
        let numbers = |value: &Value, key: &str| -> Vec<[f64; 1]> {
            value.as_array().expect("steps").iter().map(|step| [get(step, key)]).collect()
        };
        for key in ["kinetic_energy", "temperature", "time"] {
            let pair = [&document, record].map(|value| numbers(&value["trajectory_log"], key));
            assert!(difference(&pair[0], &pair[1]) < 1e-9, "{name}: {key}");
        }
        let energies: Vec<[f64; 1]> = get::<Vec<f64>>(record, "energies").into_iter().map(|energy| [energy]).collect();
        assert!(difference(&numbers(&document["trajectory_results"], "energy"), &energies) < 1e-10, "{name}");
        let stress: [f64; 6] = get(&document["results"], "stress");
        assert!(difference(&[stress], &[get::<[f64; 6]>(record, "stress")]) < 1e-11, "{name}");
        let last = document["trajectory"].as_array().and_then(|frames| frames.last()).expect("frames");
        for (found, key) in [(&document["input_atoms"]["atoms"], "input_atoms"), (last, "last")] {
            let (found, expected) = (from_mson(found).expect("atoms"), &record[key]);
            let momenta = volley::science::md::momenta_of(&found).expect("momenta").expect("some");
            for (found, part) in
                [found.positions(), found.cell(), &momenta].into_iter().zip(["positions", "cell", "momenta"])
            {
                let off = difference(found, &get::<Vec<Vec3>>(expected, part));
                assert!(off < 1e-10, "{name}: {part} of {key} {off}");
            }
        }
    }
}

#[test]
fn cells_are_turned_upright() {
    for cell in
        [[[0.0, 1.8, 1.8], [1.8, 0.0, 1.8], [1.8, 1.8, 0.0]], [[0.0, 2.0, 0.3], [2.5, 0.1, 0.0], [0.2, 0.0, 3.0]]]
    {
        let left_handed = determinant(&cell) < 0.0;
        let atoms = Atoms::new(vec![29, 28], vec![[0.1, 0.2, 0.3], [1.0, 1.5, 1.2]]).expect("atoms");
        let atoms = atoms.with_cell(cell, [true; 3]).expect("a cell");
        let atoms = with_momenta(atoms, &[[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]]).expect("momenta");
        let turned = upper_triangular(atoms.clone()).expect("turned");
        let new = turned.cell();
        assert_eq!([new[1][0], new[2][0], new[2][1]], [0.0; 3]);
        assert!((0..3).all(|k| (new[k][k] < 0.0) == left_handed));
        assert!((determinant(new) - determinant(&cell)).abs() < 1e-12);
        let (mut emt, mut other) = (Emt::default(), Emt::default());
        let systems = [System::new(atoms, &mut emt), System::new(turned.clone(), &mut other)];
        let [before, after] = systems.map(|system| system.expect("a system"));
        assert!((before.properties().energy - after.properties().energy).abs() < 1e-12);
        let [before, after] = [before, after].map(|system| system.stress().expect("a stress"));
        let trace = |s: [f64; 6]| s[0] + s[1] + s[2];
        let square = |s: [f64; 6]| (0..6).map(|k| s[k] * s[k] * if k < 3 { 1.0 } else { 2.0 }).sum::<f64>();
        assert!((trace(before) - trace(after)).abs() < 1e-12 && (square(before) - square(after)).abs() < 1e-12);
        assert_eq!(upper_triangular(turned.clone()).expect("as it is"), turned);
    }
    let flat = Atoms::new(vec![29], vec![[0.0; 3]]).expect("an atom");
    let flat = flat.with_cell([[0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0; 3]], [true, true, false]).expect("a cell");
    let message = upper_triangular(flat).expect_err("no volume").to_string();
    assert_eq!(message, "singular cell: the periodic vectors a, b, c are zero or linearly dependent");
}

#[test]
fn what_cannot_be_held_is_said_before_anything_is_computed() {
    let parameters = |dynamics: &str, kwargs: Value| json!({"dynamics": dynamics, "temperature_K": 300, "md_params": {"dynamics_kwargs": kwargs}});
    let missing = "compressibility_au of dynamics_kwargs: is missing: give that of the material in Angstrom^3/eV, \
                   which is 1 over its bulk modulus (NAME needs it)";
    for (dynamics, kwargs, expected) in [
        ("npt_berendsen", json!({}), missing.replace("NAME", "npt_berendsen")),
        ("npt_inhomogeneous", json!({}), missing.replace("NAME", "npt_inhomogeneous")),
        (
            "npt_inhomogeneous",
            json!({"compressibility_au": 1.0, "mask": [1, 0]}),
            "mask of dynamics_kwargs: must be three of 0 and 1, not [1,0]".into(),
        ),
        (
            "npt",
            json!({"mask": "xy"}),
            "mask of dynamics_kwargs: must be three of 0 and 1, or a matrix of them, not \"xy\"".into(),
        ),
        (
            "npt",
            json!({"externalstress": [[0, 1, 0], [0, 0, 0], [0, 0, 0]]}),
            "externalstress of dynamics_kwargs: must be a pressure, six numbers (xx, yy, zz, yz, xz, xy) or a symmetric \
             matrix, not [[0,1,0],[0,0,0],[0,0,0]]"
                .into(),
        ),
        ("npt_mtk", json!({"pchain": 0}), "pchain of dynamics_kwargs: must be 1 or more".into()),
        ("npt_mtk", json!({"taup": 1.0}), "unknown key \"taup\" in dynamics_kwargs (did you mean \"tdamp\"?)".into()),
        ("npt", json!({"pressure_au": 1.0}), "unknown key \"pressure_au\" in dynamics_kwargs".into()),
    ] {
        let message = MdJob::from_value(&parameters(dynamics, kwargs)).expect_err(dynamics).to_string();
        assert_eq!(message, expected);
    }
    let cold = MdJob::from_value(&json!({"dynamics": "npt"})).expect_err("no temperature").to_string();
    assert_eq!(cold, "temperature_K: is missing: npt needs one");

    let copper = Atoms::new(vec![29], vec![[0.0; 3]]).expect("an atom");
    let flat =
        copper.clone().with_cell([[2.6, 0.0, 0.0], [0.0, 2.6, 0.0], [0.0; 3]], [true, true, false]).expect("flat");
    let cube = [[3.0, 0.0, 0.0], [0.0, 3.0, 0.0], [0.0, 0.0, 3.0]];
    let two = Atoms::new(vec![29; 2], vec![[0.0; 3], [1.5; 3]]).expect("atoms");
    let held = two.with_cell(cube, [true; 3]).and_then(|atoms| atoms.with_fixed([0])).expect("held");
    let no_volume = "cell: has no volume, so there is no pressure to hold: give it three independent vectors";
    let no_way = |name: &str| format!("fixed atoms: {name} has no way to hold them: free them");
    for name in ["npt", "npt_berendsen", "npt_inhomogeneous", "npt_mtk", "npt_isotropic_mtk"] {
        let kwargs = if name.contains("en") { json!({"compressibility_au": 1.0}) } else { json!({}) };
        let job = MdJob::from_value(&parameters(name, kwargs)).expect("parameters");
        assert_eq!(job.check(&flat).expect_err("flat").to_string(), no_volume);
        match job.check(&held) {
            Err(error) => assert_eq!(error.to_string(), no_way(name)),
            Ok(()) => assert!(!name.contains("mtk")),
        }
    }
}

#[test]
fn vacuum_that_may_close_is_worth_a_word() {
    let job = |dynamics: &str| {
        let parameters = json!({"dynamics": dynamics, "temperature_K": 300, "steps": 1});
        MdJob::from_value(&parameters).expect("reads")
    };
    let slab = |height: f64, periodic: bool| {
        let places = [[0.0, 0.0, 0.0], [1.3, 1.3, 1.8], [0.0, 0.0, height - 1.8]];
        let cell = [[2.6, 0.0, 0.0], [0.0, 2.6, 0.0], [1.0, 1.0, height]];
        let given =
            json!({"symbols": ["Cu", "Cu", "Cu"], "positions": places, "cell": cell, "pbc": [true, true, periodic]});
        build(&given).expect("builds")
    };
    let notices = job("npt").notices(&slab(15.0, true));
    assert_eq!(notices, ["the structure has 11 Angstrom of vacuum along a periodic direction: npt may close it"]);
    for (dynamics, atoms) in [("npt", slab(9.0, true)), ("npt", slab(15.0, false)), ("nvt", slab(15.0, true))] {
        assert_eq!(job(dynamics).notices(&atoms), Vec::<String>::new(), "{dynamics}");
    }
}
