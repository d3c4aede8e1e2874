//! A firework, in several panes.

use std::sync::Arc;

use super::Scene;
use super::files::Files;
use super::tree::Tree;
use crate::tui::ask::firework::Known;
use crate::workflow::FwId;

/// A firework.
#[derive(Debug, Clone)]
pub struct Firework {
    /// Which.
    pub fw_id: FwId,
    /// What is seen of it.
    pub pane: Pane,
    /// What is known of it.
    pub known: Option<Arc<Known>>,
    /// Why it could not be read when it was last asked for: it may have been deleted.
    pub trouble: Option<String>,
    /// The line of its page that is marked, and the first one that is seen.
    pub page: Window,
    /// What is stored of it.
    pub data: Tree,
    /// Likewise of its explanation.
    pub explanation: Window,
    /// Its files.
    pub files: Files,
}

/// Which lines of many are seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// The one that is marked.
    pub row: usize,
    /// The first one that is seen.
    pub top: usize,
}

/// What is seen of a firework.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// Its page.
    Page,
    /// Its spec and what it found, as a tree.
    Data,
    /// Why it does not run, or what became of it.
    Explanation,
    /// Its launch directory, and the files in it.
    Files,
}

impl Pane {
    /// All of them, from left to right.
    pub const ALL: [Pane; 4] = [Pane::Page, Pane::Data, Pane::Explanation, Pane::Files];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Pane::Page => "Page",
            Pane::Data => "Data",
            Pane::Explanation => "Explanation",
            Pane::Files => "Files",
        }
    }
}

/// The lines above a pane: the firework, and the names of the panes.
pub const ABOVE: u16 = 2;

impl Firework {
    /// As it begins.
    pub fn new(fw_id: FwId) -> Self {
        Firework {
            fw_id,
            pane: Pane::Page,
            known: None,
            trouble: None,
            page: Window::default(),
            data: Tree::default(),
            explanation: Window::default(),
            files: Files::new(fw_id),
        }
    }

    /// How many lines a pane has.
    pub fn rows(scene: &Scene) -> usize {
        usize::from(scene.body().saturating_sub(ABOVE)).max(1)
    }
}

impl Window {
    /// The same where there are only so many lines, and so many of them are seen.
    pub fn within(self, count: usize, room: usize) -> Self {
        let row = self.row.min(count.saturating_sub(1));
        Window { row, top: crate::tui::fit::shifted(self.top.min(count.saturating_sub(room)), row, room) }
    }
}
