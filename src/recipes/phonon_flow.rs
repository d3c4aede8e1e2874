//! `phonon_flow`: how a crystal vibrates, and what it is worth at a temperature, by finite displacements in a
//! supercell.

use serde_json::{Value, json};

use super::document::{document, final_atoms, object};
use super::error::{Error, Result};
use super::jobs::merged;
use super::metadata::metadata;
use super::phonon_options::{PhononOptions, options};
use super::phonon_results::{Found, results};
use super::schema::CalcParams;
use super::stressed::noticeable;
use super::{Context, Progress, Recipe, StaticJob, check_emt};
use crate::science::emt::Emt;
use crate::science::fields::Fields;
use crate::science::io::mson::to_mson;
use crate::science::linear::{Vec3, add, norm};
use crate::science::phonons::{
    Crystal, Displacement, Dynamics, ForceConstants, Grid, Group, IntMat, Mesh, displacements, supercell,
};
use crate::science::symmetry::MOST_ATOMS;
use crate::science::{Atoms, Calculator};

/// The length that phonopy's mesh stands for, Angstrom.
const MESH_LENGTH: f64 = 100.0;

/// Forces above this on atoms at rest, eV/Angstrom, are worth a warning: quacc's advice is to relax to 1e-3.
const AT_REST: f64 = 2e-3;

/// Imaginary frequencies beyond this, THz, are no noise of finite displacements.
const IMAGINARY: f64 = -0.05;

/// What this follows.
const PHONOPY: &str = "4.10.0";

/// The parameters of phonons.
///
/// ```
/// use serde_json::json;
/// use volley::recipes::{Context, PhononFlow, Recipe};
/// let copper = volley::science::structure::build(&json!({"bulk": "Cu"}))?;
/// let flow = PhononFlow::from_value(&json!({"min_lengths": 6}))?;
/// let document = flow.run(&copper, &Context::new("/tmp"))?;
/// let heat = &document["results"]["thermal_properties"]["heat_capacity"];
/// // Dulong and Petit: 3 R.
/// assert!((heat[100].as_f64().unwrap() - 24.9).abs() < 0.1);
/// # Ok::<(), volley::recipes::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PhononFlow {
    options: PhononOptions,
    calc: CalcParams,
}

impl PhononFlow {
    /// The keys its parameters may have.
    pub const KEYS: [&'static str; 9] = [
        "symprec",
        "min_lengths",
        "supercell_matrix",
        "displacement",
        "fixed_atom_indices",
        "t_step",
        "t_min",
        "t_max",
        "job_params",
    ];

    /// From an object of parameters.
    pub fn from_value(parameters: &Value) -> Result<Self> {
        let fields = Fields::of(parameters, "the parameters of phonon_flow", &Self::KEYS)?;
        let none = json!({});
        let jobs = Fields::of(fields.get("job_params").unwrap_or(&none), "job_params", &["static_job", "all"])?;
        let all = jobs.get("all").unwrap_or(&none);
        let job = StaticJob::from_value(&jobs.get("static_job").map_or_else(|| all.clone(), |own| merged(all, own)))?;
        Ok(Self { options: options(&fields)?, calc: job.calc })
    }

    /// The forces on the atoms of the supercell in each displacement; `still` are atoms beside them.
    fn forces(
        &self,
        crystal: &Crystal,
        still: &Atoms,
        moved: &[Displacement],
        context: &Context,
    ) -> Result<Vec<Vec<Vec3>>> {
        let all = &crystal.supercell;
        let numbers = [all.numbers(), still.numbers()].concat();
        let places = [all.positions(), still.positions()].concat();
        let mut atoms = Atoms::new(numbers, places.clone())?.with_cell(*all.cell(), [true; 3])?;
        let mut calculator = Emt::new(self.calc.asap_cutoff);
        let mut forces = Vec::with_capacity(moved.len());
        for (done, displacement) in moved.iter().enumerate() {
            if (context.interrupt)() {
                return Err(Error::Interrupted { steps: done });
            }
            let mut positions = places.clone();
            positions[displacement.atom] = add(positions[displacement.atom], displacement.vector);
            atoms.set_positions(positions)?;
            let mut found = calculator.calculate(&atoms)?.forces;
            found.truncate(all.len());
            forces.push(found);
            (context.observe)(&Progress::Part { what: "displacement", done: done + 1, of: moved.len() });
        }
        Ok(forces)
    }

    /// What the user should know, a sentence each.
    fn warnings(&self, atoms: &Atoms, mesh: &Mesh) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        let found = Emt::new(self.calc.asap_cutoff).calculate(&repeating(atoms)?)?;
        let moving = found.forces.iter().enumerate().filter(|(atom, _)| !self.options.fixed.contains(atom));
        let largest = moving.map(|(_, force)| norm(*force)).fold(0.0, f64::max);
        if largest > AT_REST {
            warnings.push(format!(
                "there are forces up to {largest:.4} eV/Angstrom on the atoms at rest: phonons need a relaxed structure \
                 (opt_params.fmax of 0.001 or less)"
            ));
        }
        // A slab, or what is held in place, cannot follow its stress.
        let is_free = atoms.pbc() == [true; 3] && self.options.fixed.is_empty();
        if let Some(stress) = found.stress.filter(|_| is_free).and_then(noticeable) {
            warnings.push(format!(
                "there is a stress of up to {stress:.2} GPa in the cell: phonons need a relaxed one (relax_cell of \
                 EmtRelaxTask or volley emt relax, with opt_params.fmax of 0.001, as in \
                 templates/workflows/phonons.yaml)"
            ));
        }
        if let Some((frequency, [x, y, z])) = mesh.lowest().filter(|(frequency, _)| *frequency < IMAGINARY) {
            let imaginary: u32 = mesh.modes().filter(|mode| mode.1 < IMAGINARY).map(|mode| mode.2).sum();
            let all: u32 = mesh.modes().map(|mode| mode.2).sum();
            warnings.push(format!(
                "{imaginary} of {all} modes are imaginary, as far as {:.3}i THz at q = ({x:.4} {y:.4} {z:.4}): the \
                 structure is not stable, and the thermal properties leave these modes out",
                -frequency
            ));
        }
        Ok(warnings)
    }
}

impl Recipe for PhononFlow {
    fn check(&self, atoms: &Atoms) -> Result<()> {
        check_emt(atoms)?;
        let prepared = Prepared::new(&self.options, atoms)?;
        if atoms.len() <= MOST_ATOMS {
            prepared.crystal(self.options.symprec)?;
        } else {
            // Symmetry takes seconds then: not where a workflow is added.
            supercell(&prepared.moving, &prepared.matrix)?;
        }
        Ok(())
    }

    fn notices(&self, atoms: &Atoms) -> Vec<String> {
        let notice = "fixed atoms are displaced like all others: fixed_atom_indices says which ones are not";
        let is_unnoticed = !atoms.fixed().is_empty() && self.options.fixed.is_empty();
        is_unnoticed.then(|| notice.to_owned()).into_iter().collect()
    }

    fn run(&self, atoms: &Atoms, context: &Context) -> Result<Value> {
        check_emt(atoms)?;
        let prepared = Prepared::new(&self.options, atoms)?;
        let (crystal, group) = prepared.crystal(self.options.symprec)?;
        let Prepared { moving, still, matrix } = prepared;
        let moved = displacements(&crystal, &group, self.options.displacement);
        let forces = self.forces(&crystal, &supercell(&still, &matrix)?, &moved, context)?;
        let mut constants = ForceConstants::new(&crystal, &group, &moved, &forces)?;
        if !still.is_empty() {
            constants = constants.symmetrized(&crystal, &group);
        }
        let dynamics = Dynamics::new(&crystal, &constants)?;
        let grid = Grid::new(MESH_LENGTH, crystal.primitive.cell(), &group)?;
        let wanted = super::phonon_results::keeps_eigenvectors(grid.points.len(), dynamics.branches());
        let stopped = |error| match error {
            crate::science::Error::Stopped => Error::Interrupted { steps: moved.len() },
            error => error.into(),
        };
        let mesh = Mesh::new(grid, &dynamics, wanted, context.interrupt).map_err(stopped)?;
        let warnings = self.warnings(atoms, &mesh)?;
        let found = Found { crystal: &crystal, constants: &constants, mesh: &mesh };
        let results = results(&found, &self.options.temperatures(), context.interrupt).map_err(stopped)?;
        let (key, metadata) = metadata(&repeating(atoms)?);
        let mut own = object([
            ("atoms", final_atoms(atoms)),
            (key, metadata),
            ("name", "EMT Phonons".into()),
            ("parameters", json!({"asap_cutoff": self.calc.asap_cutoff})),
            (
                "phonopy_metadata",
                json!({
                    "version": concat!("volley ", env!("CARGO_PKG_VERSION")),
                    "follows": PHONOPY,
                    "supercell_matrix": matrix,
                    "primitive_matrix": crystal.primitive_matrix,
                    "natoms_primitive": crystal.basis(),
                    "displacements": moved.len(),
                }),
            ),
            ("results", results),
        ]);
        if !still.is_empty() {
            own.insert("displaced_atoms".into(), to_mson(&moving));
            own.insert("non_displaced_atoms".into(), to_mson(&still));
        }
        if !warnings.is_empty() {
            own.insert("warnings".into(), json!(warnings));
        }
        Ok(document(own, context.dir_name, &serde_json::Map::new()))
    }
}

/// What is known before anything is computed.
struct Prepared {
    /// The atoms that are displaced.
    moving: Atoms,
    still: Atoms,
    matrix: IntMat,
}

impl Prepared {
    fn new(options: &PhononOptions, atoms: &Atoms) -> Result<Self> {
        if atoms.volume() == 0.0 {
            return Err(
                crate::science::Error::bad("structure", "phonons need a cell of three independent vectors").into()
            );
        }
        let (moving, still) = options.split(atoms)?;
        let matrix = options.matrix(&moving)?;
        options.check_symprec(&repeating(&moving)?)?;
        Ok(Self { moving, still, matrix })
    }

    fn crystal(&self, symprec: f64) -> Result<(Crystal, Group)> {
        let crystal = Crystal::new(&self.moving, &self.matrix, symprec)?;
        let group = Group::of(&crystal)?;
        Ok((crystal, group))
    }
}

/// The same atoms, periodic in all directions, as phonons take them to be.
fn repeating(atoms: &Atoms) -> Result<Atoms> {
    Ok(atoms.clone().with_cell(*atoms.cell(), [true; 3])?)
}
