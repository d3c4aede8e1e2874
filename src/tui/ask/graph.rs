//! A workflow as a graph, put into columns where it is read: that of a large one takes its time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Result;

use super::{Lane, Slot};
use crate::launchpad::graph::{Columns, Graph, columns, graph_again};
use crate::tui::{Desk, fit};
use crate::workflow::FwId;

/// The workflow of this firework.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Which.
    pub fw_id: FwId,
    /// Fireworks that are shown one by one though others are like them.
    pub opened: Arc<BTreeSet<FwId>>,
    /// What was answered before.
    pub before: Option<Arc<Known>>,
}

/// The graph.
#[derive(Debug, Clone)]
pub struct Answer {
    /// As it was read.
    pub known: Arc<Known>,
    /// As it is shown.
    pub columns: Arc<Columns>,
}

/// A graph, and what is above each of its fireworks.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// As it was read.
    pub graph: Graph,
    /// What is above each.
    pub parents: BTreeMap<FwId, Vec<FwId>>,
}

impl Known {
    /// With what follows from it.
    pub fn new(graph: Graph) -> Self {
        Known { parents: graph.parents(), graph }
    }

    /// How it is shown.
    pub fn columns(&self, opened: &BTreeSet<FwId>) -> Arc<Columns> {
        Arc::new(columns(&self.graph, opened, &fit::columns))
    }
}

impl Ask {
    pub(super) fn slot(&self) -> Slot {
        (Lane::Store, "graph")
    }

    pub(super) fn answer(&self, desk: &Desk) -> Result<Answer> {
        let before = self.before.as_ref().map(|before| &before.graph);
        let known = Known::new(graph_again(&*desk.store, self.fw_id, before)?);
        Ok(Answer { columns: known.columns(&self.opened), known: Arc::new(known) })
    }
}
