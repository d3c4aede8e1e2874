//! The columns of a table that show what recipes found; those about surfaces only where there are any.

use super::table::Cell;
use crate::recipes::{JOULE_PER_SQUARE_METRE, Summary};

/// Which columns there are.
#[derive(Debug, Clone, Copy)]
pub struct SummaryColumns {
    slabs: bool,
}

impl SummaryColumns {
    /// Those that these rows need.
    pub fn of<'a>(rows: impl IntoIterator<Item = &'a Summary>) -> Self {
        Self { slabs: rows.into_iter().any(|row| row.miller_index.is_some()) }
    }

    /// Their names.
    pub fn head(self) -> Vec<&'static str> {
        let surface: &[&str] = if self.slabs { &["miller", "shift"] } else { &[] };
        let energies: &[&str] = if self.slabs { &["surface energy (eV/Å²)", "(J/m²)"] } else { &[] };
        let always = ["formula", "energy (eV)", "per atom (eV)"];
        let ending = ["max force (eV/Å)", "steps", "converged"];
        surface.iter().chain(&always).chain(energies).chain(&ending).copied().collect()
    }

    /// The cells of a row, empty ones where there is no result.
    pub fn cells(self, summary: Option<&Summary>) -> Vec<Cell> {
        let Some(row) = summary else { return self.head().iter().map(|_| "".into()).collect() };
        let number = |value: Option<f64>, digits: usize| value.map(|value| format!("{value:.digits$}"));
        let mut cells = Vec::new();
        if self.slabs {
            cells.push(row.miller_index.map(|[h, k, l]| format!("{h} {k} {l}")));
            cells.push(number(row.shift, 3));
        }
        cells.push(Some(row.formula.clone()));
        cells.push(number(Some(row.energy), 6));
        cells.push(number(Some(row.energy_per_atom()), 6));
        if self.slabs {
            cells.push(number(row.surface_energy, 6));
            cells.push(number(row.surface_energy.map(|energy| energy * JOULE_PER_SQUARE_METRE), 4));
        }
        cells.push(number(Some(row.max_force), 6));
        cells.push(row.steps.map(|steps| steps.to_string()));
        cells.push(row.converged.map(|yes| if yes { "yes" } else { "no" }.to_owned()));
        cells.into_iter().map(|cell| cell.unwrap_or_default().into()).collect()
    }
}
