//! Rows of lists, and how many there are.

use anyhow::Result;

use super::{Lane, Slot};
use crate::launchpad::Selection;
use crate::store::window::{FireworkRow, Start, Window, WorkflowRow};
use crate::store::{Direction, SortKey};
use crate::tui::Desk;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// About fireworks.
    Fireworks(Question),
    /// About workflows.
    Workflows(Question),
}

/// What a list asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The text of the filter: an answer to another one is too late.
    pub filter: String,
    /// What it selects.
    pub selection: Box<Selection>,
    /// Some rows; without these, how many there are.
    pub rows: Option<Box<Rows>>,
}

/// Which rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The order.
    pub sort: (SortKey, Direction),
    /// From where.
    pub start: Start,
    /// How many.
    pub size: usize,
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Some fireworks.
    Fireworks(Window<FireworkRow>),
    /// Some workflows.
    Workflows(Window<WorkflowRow>),
    /// How many there are.
    Count(u64),
}

impl Ask {
    pub(super) fn slot(&self) -> Slot {
        let slot = match self {
            Ask::Fireworks(Question { rows: Some(_), .. }) => "fireworks",
            Ask::Fireworks(_) => "number of fireworks",
            Ask::Workflows(Question { rows: Some(_), .. }) => "workflows",
            Ask::Workflows(_) => "number of workflows",
        };
        (Lane::Lists, slot)
    }

    pub(super) fn answer(&self, desk: &Desk) -> Result<Answer> {
        let store = &*desk.store;
        let (Ask::Fireworks(Question { selection, rows, .. }) | Ask::Workflows(Question { selection, rows, .. })) =
            self;
        let sort = rows.as_ref().map(|rows| rows.sort);
        Ok(match (self, rows) {
            // The shared counts cost nothing.
            (Ask::Fireworks(_), None) if **selection == Selection::default() => {
                Answer::Count(store.counts()?.fireworks.values().sum())
            }
            (Ask::Workflows(_), None) if **selection == Selection::default() => {
                Answer::Count(store.counts()?.workflows.values().sum())
            }
            (Ask::Fireworks(_), None) => Answer::Count(store.count_fireworks(&selection.fireworks(store, sort)?)?),
            (Ask::Workflows(_), None) => Answer::Count(store.count_workflows(&selection.workflows(store, sort)?)?),
            (Ask::Fireworks(_), Some(rows)) => {
                let query = selection.fireworks(store, sort)?;
                Answer::Fireworks(store.firework_window(&query, &rows.start, rows.size)?)
            }
            (Ask::Workflows(_), Some(rows)) => {
                let query = selection.workflows(store, sort)?;
                Answer::Workflows(store.workflow_window(&query, &rows.start, rows.size)?)
            }
        })
    }
}
