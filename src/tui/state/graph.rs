//! A workflow as a graph, and where one is in it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Scene;
use crate::launchpad::graph::{Columns, Group, Place};
use crate::tui::ask::graph::Known;
use crate::workflow::FwId;

/// A workflow as a graph.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The firework that was asked for.
    pub fw_id: FwId,
    /// What is known of the workflow.
    pub known: Option<Arc<Known>>,
    /// Why it could not be read when it was last asked for: it may have been deleted.
    pub trouble: Option<String>,
    /// How it is shown.
    pub columns: Arc<Columns>,
    /// Fireworks that are shown one by one though others are like them.
    pub opened: Arc<BTreeSet<FwId>>,
    /// The firework that is marked, or one of several that are shown as one.
    pub cursor: FwId,
    /// Those, if there are several.
    pub group: Option<Group>,
    /// The first row that is seen.
    pub top: usize,
    /// The first column that is seen.
    pub left: usize,
}

/// Lines of a screen that are not of the picture: what it is of, and what is marked.
pub const ABOVE: u16 = 1;
/// Likewise.
pub const BELOW: u16 = 2;
/// Before a label: the end of a line, and the state.
pub const LEAD: usize = 6;
/// After it: the beginning of a line.
pub const TAIL: usize = 2;

impl Graph {
    /// The workflow of a firework.
    pub fn new(fw_id: FwId) -> Self {
        Graph {
            fw_id,
            known: None,
            trouble: None,
            columns: Arc::default(),
            opened: Arc::new(BTreeSet::from([fw_id])),
            cursor: fw_id,
            group: None,
            top: 0,
            left: 0,
        }
    }

    /// The place that is marked.
    pub fn marked(&self) -> Option<&Place> {
        self.columns.place(self.columns.find(self.cursor)?)
    }

    /// How wide the label of a column is on a terminal of this width, so that one beside it is seen.
    pub fn label(&self, column: usize, scene: &Scene) -> usize {
        let most = (usize::from(scene.width) / 3).clamp(14, 40);
        self.columns.columns.get(column).map_or(0, |column| column.width.min(most))
    }

    /// How wide a column is with the lines behind it.
    pub fn width(&self, column: usize, scene: &Scene) -> usize {
        let gutter = self.columns.columns.get(column).map_or(0, |column| column.gutter);
        LEAD + self.label(column, scene) + TAIL + gutter
    }

    /// How many rows are seen.
    pub fn rows(scene: &Scene) -> usize {
        usize::from(scene.body().saturating_sub(ABOVE + BELOW)).max(1)
    }

    /// The first column and the first row that are seen, so that what is marked is.
    pub fn corner(&self, scene: &Scene) -> (usize, usize) {
        let Some((column, _)) = self.columns.find(self.cursor) else { return (0, 0) };
        let room = usize::from(scene.width);
        let mut left = self.left.min(column);
        let mut used: usize = (left..column).map(|column| self.width(column, scene)).sum();
        while left < column && used + LEAD + self.label(column, scene) > room {
            used -= self.width(left, scene);
            left += 1;
        }
        let row = self.marked().map_or(0, |place| place.row);
        let most = self.columns.height.saturating_sub(Self::rows(scene));
        (left, crate::tui::fit::shifted(self.top.min(most), row, Self::rows(scene)))
    }
}
