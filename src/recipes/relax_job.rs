//! `relax_job`: moves the atoms, and the cell where that is asked for, downhill until the forces are small.

use serde_json::{Map, Value, json};

use super::defect::formation_energy;
use super::document::{document, final_atoms, frame, object, results};
use super::error::{Error, Result};
use super::metadata::metadata;
use super::optimizers::OptParams;
use super::schema::{CalcParams, additional_fields};
use super::surface::surface_energies;
use super::{Context, Progress, Recipe, RelaxStep, check_emt};
use crate::science::Atoms;
use crate::science::emt::Emt;
use crate::science::fields::Fields;
use crate::science::optimize::{
    AtomicTarget, AtomsTarget, CellTarget, Ending, Method, Outcome, Step, Verdict, minimise,
};

/// Above so many atoms LBFGS needs hardly more steps than BFGS, and each is much cheaper.
const MANY: usize = 500;

/// The parameters of a relaxation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelaxJob {
    /// Whether the cell relaxes too; without effect on what is not periodic.
    pub relax_cell: bool,
    /// What EMT is told.
    pub calc: CalcParams,
    /// How to relax.
    pub opt: OptParams,
    /// Merged into the document last.
    pub additional_fields: Map<String, Value>,
}

impl RelaxJob {
    /// The keys its parameters may have.
    pub const KEYS: [&'static str; 4] = ["relax_cell", "calc_params", "opt_params", "additional_fields"];

    /// From an object of parameters.
    pub fn from_value(parameters: &Value) -> Result<Self> {
        let fields = Fields::of(parameters, "the parameters of relax_job", &Self::KEYS)?;
        Ok(Self {
            relax_cell: fields.flag("relax_cell")?.unwrap_or(false),
            calc: CalcParams::of(fields.get("calc_params"))?,
            opt: OptParams::of(fields.get("opt_params"))?,
            additional_fields: additional_fields(&fields)?,
        })
    }

    /// `parameters_opt` as quacc summarises them.
    fn parameters_opt(&self) -> Value {
        let alpha = match self.opt.method {
            Method::Bfgs(options) => Some(options.alpha),
            Method::BfgsLineSearch(options) => Some(options.alpha),
            _ => None,
        };
        json!({
            "alpha": alpha,
            "fmax": self.opt.fmax,
            "max_steps": self.opt.max_steps,
            "maxstep": self.opt.method.maxstep(),
            "optimizer": self.opt.method.name(),
            "type": "optimization",
        })
    }

    /// Relaxes, and writes the document of how it went.
    fn relax<T: AtomicTarget>(&self, mut target: T, context: &Context) -> Result<Value> {
        let input = target.atoms().clone();
        let (mut frames, mut frame_results) = (Vec::new(), Vec::new());
        let mut optimizer = self.opt.method.optimizer();
        let outcome = minimise(&mut target, &mut *optimizer, self.opt.limits(), |step: Step<'_, T>| {
            let (atoms, name) = (step.target.atoms(), self.opt.method.name());
            frames.push(frame(atoms));
            if let Some(properties) = step.target.properties() {
                frame_results.push(results(properties));
                let Step { number, now, trials, .. } = step;
                let (energy, fmax) = (now.value, now.fmax());
                let step = RelaxStep { optimizer: name, step: number, trials, energy, fmax, atoms, properties };
                (context.observe)(&Progress::Relaxation(step));
            }
            if (context.interrupt)() { Verdict::Stop } else { Verdict::Continue }
        })?;
        let Outcome { ending, steps, fmax } = outcome;
        if ending == Ending::Stopped {
            return Err(Error::Interrupted { steps });
        }
        let energy = target.properties().map_or(f64::NAN, |found| found.energy);
        let (key, found) = metadata(target.atoms());
        // What did not move has the same metadata.
        let started = if steps == 0 { found.clone() } else { metadata(&input).1 };
        let own = object([
            ("atoms", final_atoms(target.atoms())),
            ("converged", (ending == Ending::Converged).into()),
            ("input_atoms", object([("atoms", frames.first().cloned().unwrap_or_default()), (key, started)]).into()),
            (key, found),
            ("name", "EMT Relax".into()),
            ("parameters", json!({"asap_cutoff": self.calc.asap_cutoff})),
            ("parameters_opt", self.parameters_opt()),
            ("results", frame_results.last().cloned().unwrap_or_default()),
            ("formation_energy", formation_energy(target.atoms(), energy, self.calc)),
            ("surface_energy", surface_energies(target.atoms(), energy, self.calc)),
            ("trajectory", frames.into()),
            ("trajectory_results", frame_results.into()),
        ]);
        let document = document(own, context.dir_name, &self.additional_fields);
        if ending == Ending::Converged {
            return Ok(document);
        }
        Err(Error::NotConverged { steps, fmax, wanted: self.opt.fmax, document: Box::new(document) })
    }
}

impl Recipe for RelaxJob {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        if self.relax_cell && atoms.is_periodic() && atoms.volume() == 0.0 {
            let reason = "its cell needs three independent vectors to be relaxed (relax_cell: true)";
            return Err(crate::science::Error::bad("structure", reason).into());
        }
        check_emt(atoms)
    }

    fn notices(&self, atoms: &Atoms) -> Vec<String> {
        let is_slow = matches!(self.opt.method, Method::Bfgs(_) | Method::BfgsLineSearch(_)) && atoms.len() > MANY;
        let name = self.opt.method.name();
        let notice = || format!("{name} for {} atoms: above about {MANY} LBFGS is the better choice", atoms.len());
        is_slow.then(notice).into_iter().collect()
    }

    fn keeps_files(&self) -> bool {
        self.opt.write_files
    }

    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value> {
        self.check(atoms)?;
        if (context.interrupt)() {
            return Err(Error::Interrupted { steps: 0 });
        }
        let mut calculator = Emt::new(self.calc.asap_cutoff);
        if self.relax_cell && atoms.is_periodic() {
            self.relax(CellTarget::new(atoms.clone(), &mut calculator, self.opt.cell), context)
        } else {
            self.relax(AtomsTarget::new(atoms.clone(), &mut calculator), context)
        }
    }
}
