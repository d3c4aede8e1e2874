//! The columns of a table that show what recipes found; each only where there is any of it.

use super::table::Cell;
use crate::recipes::{Elastic, JOULE_PER_SQUARE_METRE, Summary};

/// A name, and what a row has.
type Column = (&'static str, fn(&Summary) -> Option<String>);

/// All columns, in their order: what a narrow terminal has no room for is left out from the right, and what
/// only some recipes find is what they were asked for.
const COLUMNS: &[Column] = &[
    ("miller", |row| row.miller_index.map(|[h, k, l]| format!("{h} {k} {l}"))),
    ("shift", |row| number(row.shift, 3)),
    ("deformation", |row| row.deformation.map(|index| index.to_string())),
    ("defect", |row| row.defect.clone()),
    ("site", |row| row.site.map(|site| site.to_string())),
    ("distortion", |row| row.distortion.clone()),
    ("formula", |row| Some(row.formula.clone())),
    ("surface energy (eV/Å²)", |row| number(row.surface_energy, 6)),
    ("(J/m²)", |row| number(row.surface_energy.map(|energy| energy * JOULE_PER_SQUARE_METRE), 4)),
    ("formation energy (eV)", |row| number(row.formation_energy, 6)),
    ("C11 (GPa)", |row| elastic(row, |found| Some(found.c11), 0)),
    ("C12 (GPa)", |row| elastic(row, |found| Some(found.c12), 0)),
    ("C44 (GPa)", |row| elastic(row, |found| Some(found.c44), 0)),
    ("bulk (GPa)", |row| elastic(row, |found| Some(found.k_vrh), 1)),
    ("shear (GPa)", |row| elastic(row, |found| Some(found.g_vrh), 1)),
    ("Young (GPa)", |row| elastic(row, |found| Some(found.young_modulus), 1)),
    ("Poisson", |row| elastic(row, |found| Some(found.poisson_ratio), 3)),
    ("anisotropy", |row| elastic(row, |found| Some(found.universal_anisotropy), 3)),
    ("Debye (K)", |row| elastic(row, |found| found.debye_temperature, 1)),
    ("lowest (THz)", |row| number(row.lowest_frequency, 3)),
    ("zero point (kJ/mol)", |row| number(row.zero_point_energy, 4)),
    ("F 300 K (kJ/mol)", |row| number(row.free_energy, 4)),
    ("S 300 K (J/K/mol)", |row| number(row.entropy, 3)),
    ("Cv 300 K (J/K/mol)", |row| number(row.heat_capacity, 3)),
    ("energy (eV)", |row| number(row.energy, 6)),
    ("per atom (eV)", |row| number(row.energy_per_atom(), 6)),
    ("max force (eV/Å)", |row| number(row.max_force, 6)),
    ("steps", |row| row.steps.map(|steps| steps.to_string())),
    ("mean T (K)", |row| number(row.temperature, 1)),
    ("converged", |row| row.converged.map(|yes| if yes { "yes" } else { "no" }.to_owned())),
];

/// What is there also where there are no rows.
const USUAL: [&str; 6] = ["formula", "energy (eV)", "per atom (eV)", "max force (eV/Å)", "steps", "converged"];

/// Which columns there are.
#[derive(Debug, Clone)]
pub struct SummaryColumns(Vec<&'static Column>);

impl SummaryColumns {
    /// Those that these rows need.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Summary>) -> Self {
        let rows: Vec<&Summary> = rows.into_iter().collect();
        let any = |read: &fn(&Summary) -> Option<String>| rows.iter().any(|row| read(row).is_some());
        // Where nothing has been found yet, what most recipes find.
        let usual = |name: &str| rows.is_empty() && USUAL.contains(&name);
        Self(COLUMNS.iter().filter(|(name, read)| usual(name) || any(read)).collect())
    }

    /// Their names.
    pub fn head(&self) -> Vec<&'static str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }

    /// The cells of a row, empty ones where there is no result.
    pub fn cells(&self, summary: Option<&Summary>) -> Vec<Cell> {
        self.0.iter().map(|(_, read)| summary.and_then(read).unwrap_or_default().into()).collect()
    }
}

fn elastic(row: &Summary, read: fn(&Elastic) -> Option<f64>, digits: usize) -> Option<String> {
    number(row.elastic.as_ref().and_then(read), digits)
}

fn number(value: Option<f64>, digits: usize) -> Option<String> {
    value.map(|value| format!("{value:.digits$}"))
}
