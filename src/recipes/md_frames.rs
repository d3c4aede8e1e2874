//! The trajectory of molecular dynamics: what the document has of it, and the frames of its file.

use serde_json::{Map, Value, json};

use super::document::{frame, object, results};
use crate::science::io::{self, Results};
use crate::science::linear::{Mat3, Vec3};
use crate::science::md::{System, momenta_of, with_momenta};
use crate::science::units::FS;
use crate::science::{Atoms, Properties};

/// The document has this many atoms in all frames together; each frame counts as some atoms more, for what it
/// takes in any case. That is some 20 MB.
const MOST: usize = 100_000;
const OF_A_FRAME: usize = 4;

/// Every so many steps are in the document: all of the log if they are not too many.
pub(super) fn interval(steps: usize, loginterval: usize, atoms: usize) -> usize {
    let logged = steps / loginterval;
    let most = (MOST / (atoms + OF_A_FRAME)).max(2) - 1;
    logged.div_ceil(most).max(1) * loginterval
}

/// A frame as a file has it.
#[derive(Clone, Debug)]
pub struct MdFrame {
    /// Steps made so far.
    pub step: usize,
    cell: Mat3,
    positions: Vec<Vec3>,
    momenta: Vec<Vec3>,
    properties: Properties,
    kinetic_energy: f64,
    temperature: f64,
}

/// Keys of a frame in a file.
const STEP: &str = "step";
const TIME: &str = "time_fs";
const KINETIC_ENERGY: &str = "kinetic_energy";
const TEMPERATURE: &str = "temperature";

impl MdFrame {
    /// Of a frame in such a file.
    pub fn of(frame: io::Frame) -> Option<Self> {
        let io::Frame { atoms, results: Results { energy, energies, forces, stress } } = frame;
        let number = |key: &str| atoms.info().get(key)?.as_f64();
        Some(Self {
            step: Self::step_in(atoms.info())?,
            cell: *atoms.cell(),
            positions: atoms.positions().to_vec(),
            momenta: momenta_of(&atoms).ok()??,
            properties: Properties { energy: energy?, energies: energies?, forces: forces?, stress },
            kinetic_energy: number(KINETIC_ENERGY)?,
            temperature: number(TEMPERATURE)?,
        })
    }

    /// The step in the notes of such a frame.
    pub fn step_in(notes: &Map<String, Value>) -> Option<usize> {
        usize::try_from(notes.get(STEP)?.as_u64()?).ok()
    }
}

/// What a frame in a file says beside the atoms; the time step is in ASE's unit.
pub(super) fn notes(step: usize, timestep: f64, kinetic_energy: f64, temperature: f64) -> Map<String, Value> {
    object([
        (STEP, step.into()),
        (TIME, (step as f64 * timestep / FS).into()),
        (KINETIC_ENERGY, kinetic_energy.into()),
        (TEMPERATURE, temperature.into()),
    ])
}

/// The trajectory in the document.
pub(super) struct Frames {
    /// The atoms, which each frame has elsewhere.
    input: Atoms,
    interval: usize,
    is_thinned: bool,
    steps: Vec<usize>,
    trajectory: Vec<Value>,
    results: Vec<Value>,
    log: Vec<Value>,
}

impl Frames {
    pub(super) fn new(steps: usize, loginterval: usize, input: &Atoms) -> Self {
        let interval = interval(steps, loginterval, input.len());
        let (trajectory, results, log) = Default::default();
        let input = input.clone();
        Self { input, interval, is_thinned: interval > loginterval, steps: Vec::new(), trajectory, results, log }
    }

    /// Looks at a step, and takes it if it belongs to the trajectory.
    pub(super) fn see(&mut self, step: usize, is_last: bool, system: &System, timestep: f64) {
        if !self.wants(step, is_last) {
            return;
        }
        let atoms = system.atoms();
        let (kinetic_energy, temperature) = (system.kinetic_energy(), system.temperature());
        let properties = system.properties().clone();
        let (cell, positions, momenta) = (*atoms.cell(), atoms.positions().to_vec(), system.momenta().to_vec());
        self.add(MdFrame { step, cell, positions, momenta, properties, kinetic_energy, temperature }, timestep);
    }

    /// Takes what an earlier run has left.
    pub(super) fn take(&mut self, frames: Vec<MdFrame>, timestep: f64) {
        for frame in frames {
            if self.wants(frame.step, false) && frame.positions.len() == self.input.len() {
                self.add(frame, timestep);
            }
        }
    }

    fn wants(&self, step: usize, is_last: bool) -> bool {
        let is_new = self.steps.last().is_none_or(|last| *last < step);
        is_new && (step.is_multiple_of(self.interval) || is_last && self.is_thinned)
    }

    fn add(&mut self, taken: MdFrame, timestep: f64) {
        let mut atoms = self.input.clone();
        // Where they come from they have been these atoms.
        let moved = atoms.set_cell(taken.cell).and_then(|()| atoms.set_positions(taken.positions));
        let Ok(atoms) = moved.and_then(|()| with_momenta(atoms, &taken.momenta)) else { return };
        self.steps.push(taken.step);
        self.trajectory.push(frame(&atoms));
        self.results.push(results(&taken.properties));
        self.log.push(json!({
            "kinetic_energy": taken.kinetic_energy,
            "temperature": taken.temperature,
            "time": taken.step as f64 * timestep,
        }));
    }

    /// What the document has of it.
    pub(super) fn into_members(self) -> Map<String, Value> {
        let first = self.steps.first().copied().filter(|first| *first > 0);
        object([
            ("first_step", json!(first)),
            ("trajectory", self.trajectory.into()),
            ("trajectory_interval", json!(self.is_thinned.then_some(self.interval))),
            ("trajectory_log", self.log.into()),
            ("trajectory_results", self.results.into()),
        ])
    }
}
