//! `relax_job`: moves the atoms downhill until the forces are small, in a fixed cell.

use serde_json::{Map, Value, json};

use super::document::{document, final_atoms, frame, results};
use super::error::{Error, Result};
use super::schema::{CalcParams, OptParams, additional_fields};
use super::{Context, Recipe, check_emt};
use crate::science::Atoms;
use crate::science::emt::Emt;
use crate::science::fields::Fields;
use crate::science::optimize::{AtomsTarget, Bfgs, Ending, Outcome, Verdict, minimise};

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
        json!({
            "alpha": self.opt.bfgs.alpha,
            "fmax": self.opt.fmax,
            "max_steps": self.opt.max_steps,
            "maxstep": self.opt.bfgs.maxstep,
            "optimizer": "BFGS",
            "type": "optimization",
        })
    }
}

impl Recipe for RelaxJob {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        if self.relax_cell && atoms.is_periodic() {
            return Err(Error::NotSupported { what: "relax_cell: true for a periodic structure".into() });
        }
        check_emt(atoms)
    }

    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value> {
        self.check(atoms)?;
        if (context.interrupt)() {
            return Err(Error::Interrupted { steps: 0 });
        }
        let mut calculator = Emt::new(self.calc.asap_cutoff);
        let mut target = AtomsTarget::new(atoms.clone(), &mut calculator);
        let (mut frames, mut frame_results) = (Vec::new(), Vec::new());
        let mut optimizer = Bfgs::new(self.opt.bfgs);
        let outcome = minimise(&mut target, &mut optimizer, self.opt.limits(), |_, target, _| {
            frames.push(frame(target.atoms()));
            frame_results.extend(target.properties().map(results));
            if (context.interrupt)() { Verdict::Stop } else { Verdict::Continue }
        })?;
        let Outcome { ending, steps, fmax } = outcome;
        if ending == Ending::Stopped {
            return Err(Error::Interrupted { steps });
        }
        let own = json!({
            "atoms": final_atoms(target.atoms()),
            "converged": ending == Ending::Converged,
            "input_atoms": {"atoms": frames.first()},
            "name": "EMT Relax",
            "parameters": {"asap_cutoff": self.calc.asap_cutoff},
            "parameters_opt": self.parameters_opt(),
            "results": frame_results.last(),
            "trajectory": frames,
            "trajectory_results": frame_results,
        });
        let document = document(own, context.dir_name, &self.additional_fields);
        if ending == Ending::Converged {
            return Ok(document);
        }
        Err(Error::NotConverged { steps, fmax, wanted: self.opt.fmax, document: Box::new(document) })
    }
}
