//! The files of a firework: its launch directory, and a file of it that is open.

use std::path::PathBuf;

use crate::launchpad::folder::{Entry, Folder};
use crate::launchpad::piece::Around;
use crate::launchpad::tail::{Place, Spot};
use crate::tui::ask::files::Text;
use crate::workflow::FwId;

/// The files of a firework.
#[derive(Debug, Clone)]
pub struct Files {
    /// Which firework.
    pub fw_id: FwId,
    /// Where it writes.
    pub place: Option<Place>,
    /// The folder of the launch directory that is seen.
    pub inside: PathBuf,
    /// What is in it.
    pub folder: Option<Folder>,
    /// What is marked there.
    pub row: usize,
    /// What is open above it.
    pub open: Option<Sheet>,
    /// The newest output opens as soon as there is one.
    pub tails: bool,
}

/// A file that is open.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Which.
    pub path: PathBuf,
    /// Its name, for people.
    pub name: String,
    /// The launchpad has it; there is no file that can be read from here.
    pub is_tracked: bool,
    /// The piece that is wanted.
    pub around: Around,
    /// What it says, or why that is not known.
    pub text: Option<Result<Text, String>>,
    /// The end is seen, also while it grows.
    pub follows: bool,
    /// The first line that is seen otherwise.
    pub top: usize,
    /// So many columns to the right.
    pub shift: usize,
    /// A relaxation is drawn; else its log is read.
    pub draws: bool,
}

impl Files {
    /// Of a firework.
    pub fn new(fw_id: FwId) -> Self {
        Files { fw_id, place: None, inside: PathBuf::new(), folder: None, row: 0, open: None, tails: false }
    }

    /// Its launch, once it has one.
    pub fn spot(&self) -> Option<&Spot> {
        self.place.as_ref()?.launch.as_ref()
    }

    /// What is there.
    pub fn entries(&self) -> &[Entry] {
        self.folder.as_ref().map_or(&[], |folder| &folder.entries)
    }
}

impl Sheet {
    /// A file, at its end.
    pub fn new(path: PathBuf, name: String) -> Self {
        Sheet {
            path,
            name,
            is_tracked: false,
            around: Around::End,
            text: None,
            follows: true,
            top: 0,
            shift: 0,
            draws: true,
        }
    }

    /// What it says.
    pub fn known(&self) -> Option<&Text> {
        self.text.as_ref()?.as_ref().ok()
    }

    /// Whether a relaxation is drawn.
    pub fn is_plot(&self) -> bool {
        self.draws && self.known().is_some_and(|text| !text.steps.is_empty())
    }

    /// The first line that is seen of so many.
    pub fn first(&self, page: usize) -> usize {
        let last = self.known().map_or(0, |text| text.piece.lines.len()).saturating_sub(page);
        if self.follows { last } else { self.top.min(last) }
    }
}
