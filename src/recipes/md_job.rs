//! `md_job`: molecular dynamics, by quacc's names of ensembles and with its defaults.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::document::{document, final_atoms, frame, object, results};
use super::ensembles::Ensemble;
use super::error::{Error, Result};
use super::md_frames::{Frames, MdFrame, interval};
use super::md_params::{MdParams, Start};
use super::md_progress::picoseconds;
use super::metadata::metadata;
use super::schema::{CalcParams, additional_fields};
use super::{Context, MdStep, Progress, Recipe, check_emt};
use crate::science::emt::Emt;
use crate::science::fields::Fields;
use crate::science::md::{Dynamics, Random, System, check_motion, widest_gap};
use crate::science::units::{BAR, FS};
use crate::science::{self, Atoms, Properties};

/// Sooner than this nothing can be said about the time it takes.
const ENOUGH: Duration = Duration::from_secs(1);

/// A time step below this was meant in another unit, fs.
const SHORTEST: f64 = 1e-3;

/// Nothing that is described by EMT is as hot, K: energy has come from nowhere.
const HOTTEST: f64 = 1e6;

/// Of the neighbour list, Angstrom: wider than for relaxations, since atoms that swing soon leave a narrow one.
/// Measured on copper of 300 K: 5 % fewer instructions than with 0.3; 0.9 reaches the next shell, and takes a
/// fifth more.
const SKIN: f64 = 0.6;

/// A file of frames above this is worth a word, bytes.
const LARGE: f64 = 1e9;

/// No layers of a metal are as far apart, Angstrom.
const VACUUM: f64 = 6.0;

/// What an atom takes in a frame of `md.extxyz`, bytes.
const PER_ATOM: f64 = 220.0;

/// The parameters of a run.
#[derive(Clone, Debug)]
pub struct MdJob {
    ensemble: &'static Ensemble,
    /// Steps to make.
    pub steps: usize,
    /// Angstrom sqrt(u/eV).
    timestep: f64,
    /// K.
    temperature: Option<f64>,
    /// eV/Angstrom^3.
    pressure: f64,
    /// Every so many steps are in the trajectory and in the log.
    pub loginterval: usize,
    md: MdParams,
    /// What random numbers depend on; some number if it is not given.
    pub seed: Option<u64>,
    /// What EMT is told.
    pub calc: CalcParams,
    /// Merged into the document last.
    pub additional_fields: Map<String, Value>,
}

/// Where an earlier run has got to.
#[derive(Clone, Debug)]
pub struct Reached {
    /// Steps made.
    pub step: usize,
    /// The atoms with their momenta.
    pub atoms: Atoms,
    /// What the dynamics has to remember.
    pub state: Value,
    /// What its random numbers depended on.
    pub seed: u64,
    /// The part of the trajectory before, as far as it is known: frames of ascending steps, up to `step`.
    pub frames: Vec<MdFrame>,
}

impl MdJob {
    /// The keys its parameters may have.
    pub const KEYS: [&'static str; 9] = [
        "dynamics",
        "steps",
        "timestep_fs",
        "temperature_K",
        "pressure_bar",
        "md_params",
        "seed",
        "calc_params",
        "additional_fields",
    ];

    /// From an object of parameters.
    pub fn from_value(parameters: &Value) -> Result<Self> {
        let fields = Fields::of(parameters, "the parameters of md_job", &Self::KEYS)?;
        let ensemble = Ensemble::of(fields.text("dynamics")?.unwrap_or("nve"))?;
        let md = MdParams::of(fields.get("md_params"))?;
        let kwargs = ensemble.fields(&md.dynamics_kwargs)?;
        let pressure = fields.number("pressure_bar")?;
        if pressure.is_some() && !ensemble.holds_pressure() {
            return Err(science::Error::bad("pressure_bar", format!("{} holds no pressure", ensemble.name)).into());
        }
        let loginterval = kwargs.count("loginterval")?.unwrap_or(1);
        if loginterval == 0 {
            return Err(science::Error::bad("loginterval of dynamics_kwargs", "must be 1 or more").into());
        }
        let job = Self {
            ensemble,
            steps: md.steps.or(fields.count("steps")?).unwrap_or(20_000),
            timestep: kwargs.positive("timestep")?.unwrap_or(timestep(&fields)?),
            temperature: fields.number("temperature_K")?,
            pressure: pressure.unwrap_or(0.0) * BAR,
            loginterval,
            md,
            seed: fields.count("seed")?.map(|seed| seed as u64),
            calc: CalcParams::of(fields.get("calc_params"))?,
            additional_fields: additional_fields(&fields)?,
        };
        job.dynamics()?;
        if job.temperature.is_none() && matches!(job.md.start, Start::Thermal { temperature: None, .. }) {
            let reason = "is missing: momenta need one";
            return Err(science::Error::bad("temperature_K of maxwell_boltzmann_kwargs", reason).into());
        }
        Ok(job)
    }

    /// Every so many steps are in the trajectory of the document.
    pub fn trajectory_interval(&self, atoms: usize) -> usize {
        interval(self.steps, self.loginterval, atoms)
    }

    /// The time of a step, ps.
    pub fn picoseconds(&self, step: usize) -> f64 {
        picoseconds(step, self.timestep)
    }

    /// A word on the size of the file of all frames, if it is large.
    pub fn large_file(&self, atoms: usize) -> Option<String> {
        let bytes = (self.steps / self.loginterval + 1) as f64 * atoms as f64 * PER_ATOM;
        let fewer = "dynamics_kwargs.loginterval makes them fewer";
        (bytes > LARGE).then(|| format!("all frames take about {:.0} GB in a file: {fewer}", bytes / 1e9))
    }

    fn dynamics(&self) -> Result<Box<dyn Dynamics>> {
        self.ensemble.dynamics(&self.md.dynamics_kwargs, self.timestep, self.temperature, self.pressure)
    }

    /// Computes, from where an earlier run got to if there is one.
    pub fn run_from(&self, atoms: &Atoms, reached: Option<Reached>, context: &Context) -> Result<Value> {
        self.check(atoms)?;
        if (context.interrupt)() {
            return Err(Error::Interrupted { steps: 0 });
        }
        let mut dynamics = self.dynamics()?;
        let seed = reached.as_ref().map(|reached| reached.seed).or(self.seed);
        // Short enough to be typed again.
        let seed = seed.unwrap_or_else(|| rand::random::<u32>().into());
        let mut calculator = Emt::new(self.calc.asap_cutoff).with_skin(SKIN);
        let mut system = System::new(dynamics.adapt(atoms.clone())?, &mut calculator)?;
        let starts_random = self.md.begin(&mut system, self.temperature, &mut Random::of_step(seed, 0));
        dynamics.begin(&mut system)?;
        let input = system.snapshot()?;
        let mut frames = Frames::new(self.steps, self.loginterval, &input);
        let mut run = Run { job: self, seed, first_step: 0, started: Instant::now(), context };
        if let Some(reached) = reached {
            system = System::new(reached.atoms, &mut calculator)?;
            dynamics.restore(&reached.state)?;
            run.first_step = reached.step;
            frames.take(reached.frames, self.timestep);
        }
        let completed = run.go(&mut system, &mut *dynamics, &mut frames)?;
        let seed = (starts_random || dynamics.is_random()).then_some(seed);
        let end = End {
            completed,
            seed,
            last: system.snapshot()?,
            properties: system.properties(),
            parameters: dynamics.parameters(),
        };
        Ok(self.document(&input, end, frames, context))
    }

    fn document(&self, input: &Atoms, end: End, frames: Frames, context: &Context) -> Value {
        let (key, found) = metadata(&end.last);
        let is_partial = end.completed < self.steps;
        let mut parameters = end.parameters;
        parameters.extend(object([
            ("md-type", self.ensemble.class.into()),
            ("seed", json!(end.seed)),
            ("timestep", self.timestep.into()),
            ("type", "molecular-dynamics".into()),
        ]));
        let mut own = object([
            ("atoms", final_atoms(&end.last)),
            ("completed_steps", end.completed.into()),
            ("input_atoms", object([("atoms", frame(input)), (key, metadata(input).1)]).into()),
            (key, found),
            ("name", "EMT MD".into()),
            ("parameters", json!({"asap_cutoff": self.calc.asap_cutoff})),
            ("parameters_md", parameters.into()),
            ("requested_steps", self.steps.into()),
            ("results", results(end.properties)),
            ("state", if is_partial { "partial" } else { "completed" }.into()),
            ("stop_reason", if is_partial { self.md.stop_reason.as_str().into() } else { Value::Null }),
        ]);
        own.extend(frames.into_members());
        document(own, context.dir_name, &self.additional_fields)
    }
}

/// `timestep_fs` in ASE's unit.
fn timestep(fields: &Fields) -> Result<f64> {
    let given = fields.positive("timestep_fs")?.unwrap_or(0.5);
    if given < SHORTEST {
        let reason = format!("must be in fs, like 2: {given:e} fs is too short for anything to happen");
        return Err(science::Error::bad("timestep_fs", reason).into());
    }
    Ok(given * FS)
}

/// How a run ended.
struct End<'a> {
    completed: usize,
    seed: Option<u64>,
    last: Atoms,
    properties: &'a Properties,
    parameters: Map<String, Value>,
}

/// A run on its way.
struct Run<'a> {
    job: &'a MdJob,
    seed: u64,
    first_step: usize,
    started: Instant,
    context: &'a Context<'a>,
}

impl Run<'_> {
    /// Goes to the last step, or as far as time allows; returns the steps made.
    fn go(&self, system: &mut System, dynamics: &mut dyn Dynamics, frames: &mut Frames) -> Result<usize> {
        let mut step = self.first_step;
        loop {
            let is_last = step >= self.job.steps || self.is_late();
            frames.see(step, is_last, system, self.job.timestep);
            (self.context.observe)(&Progress::Dynamics(self.progress(step, system, dynamics)));
            if (self.context.interrupt)() {
                return Err(Error::Interrupted { steps: step });
            }
            if is_last {
                return Ok(step);
            }
            step += 1;
            let random = &mut Random::of_step(self.seed, step as u64);
            let broken = |source| Error::Dynamics { step, steps: self.job.steps, source };
            dynamics.step(system, random).map_err(broken)?;
            let is_finite = system.properties().energy.is_finite() && system.kinetic_energy().is_finite();
            if !is_finite || system.temperature() > HOTTEST {
                let reason = format!("the temperature has come to {:.3e} K", system.temperature());
                return Err(broken(science::Error::bad("structure", reason)));
            }
        }
    }

    fn is_late(&self) -> bool {
        self.job.md.max_runtime.is_some_and(|most| self.started.elapsed() >= most)
    }

    fn progress<'a>(&self, step: usize, system: &'a System, dynamics: &'a dyn Dynamics) -> MdStep<'a> {
        let kinetic_energy = system.kinetic_energy();
        MdStep {
            step,
            steps: self.job.steps,
            is_logged: step.is_multiple_of(self.job.loginterval),
            timestep: self.job.timestep,
            atoms: system.atoms(),
            momenta: system.momenta(),
            properties: system.properties(),
            kinetic_energy,
            temperature: system.temperature_of(kinetic_energy),
            left: self.left(step),
            seed: self.seed,
            dynamics,
        }
    }

    /// How long the rest takes if it goes on like this.
    fn left(&self, step: usize) -> Option<Duration> {
        let passed = self.started.elapsed();
        let made = step.checked_sub(self.first_step).filter(|made| *made > 0 && passed >= ENOUGH)?;
        let rest = passed.div_f64(made as f64).mul_f64(self.job.steps.saturating_sub(step) as f64);
        let allowed = self.job.md.max_runtime.map(|most| most.saturating_sub(passed));
        Some(allowed.map_or(rest, |allowed| rest.min(allowed)))
    }
}

impl Recipe for MdJob {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        check_emt(atoms)?;
        check_motion(atoms)?;
        self.dynamics()?.check(atoms)?;
        if atoms.fixed().len() == atoms.len() {
            return Err(science::Error::bad("structure", "all atoms are fixed: nothing can move").into());
        }
        Ok(())
    }

    fn notices(&self, atoms: &Atoms) -> Vec<String> {
        let logged = self.steps / self.loginterval + 1;
        let kept = self.trajectory_interval(atoms.len());
        let thinned = || {
            format!(
                "the trajectory in the document has a frame every {kept} steps: one of each of {logged} is too much"
            )
        };
        let gap = if self.ensemble.holds_pressure() { widest_gap(atoms) } else { 0.0 };
        let closes = || {
            let name = self.ensemble.name;
            format!("the structure has {gap:.0} Angstrom of vacuum along a periodic direction: {name} may close it")
        };
        [(kept > self.loginterval).then(thinned), (gap > VACUUM).then(closes)].into_iter().flatten().collect()
    }

    fn keeps_files(&self) -> bool {
        true
    }

    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value> {
        self.run_from(atoms, None, context)
    }
}
