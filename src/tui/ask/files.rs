//! The files of a firework's launch.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Lane, Slot};
use crate::launchpad::folder::{Folder, folder};
use crate::launchpad::piece::{Around, Piece, Stamp, end, piece};
use crate::launchpad::tail::{Place, Spot, place};
use crate::recipes::LoggedStep;
use crate::tui::Desk;
use crate::workflow::FwId;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Where a firework writes.
    Place(FwId),
    /// What is in its launch directory.
    Folder {
        /// Of which launch.
        spot: Box<Spot>,
        /// In which folder of the directory.
        inside: PathBuf,
    },
    /// What a file says.
    File {
        /// Which.
        path: PathBuf,
        /// Where in it.
        around: Around,
        /// What it was like when it was read last: unless it has changed nothing is read.
        seen: Option<Stamp>,
    },
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Where this firework writes.
    Place(FwId, Place),
    /// What is in its launch directory.
    Folder(Folder),
    /// What a file says, or why it cannot be read; none where it is as before.
    File(Option<Result<Text, String>>),
}

/// What a file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// As lines.
    pub piece: Piece,
    /// As a relaxation, where it is the log of one.
    pub steps: Vec<LoggedStep>,
}

impl Ask {
    pub(super) fn slot(&self) -> Slot {
        match self {
            Ask::Place(_) => (Lane::Store, "place"),
            Ask::Folder { .. } => (Lane::Files, "folder"),
            Ask::File { .. } => (Lane::Files, "file"),
        }
    }

    pub(super) fn answer(&self, desk: &Desk) -> Result<Answer> {
        Ok(match self {
            Ask::Place(fw_id) => Answer::Place(*fw_id, place(&*desk.store, *fw_id)?),
            Ask::Folder { spot, inside } => Answer::Folder(folder(spot, inside)),
            Ask::File { path, around, seen } => {
                let is_same = seen.is_some() && Stamp::of(path).ok() == *seen;
                Answer::File((!is_same).then(|| text(path, *around)))
            }
        })
    }
}

fn text(path: &Path, around: Around) -> Result<Text, String> {
    /// Twenty thousand steps.
    const LOG: u64 = 1024 * 1024;
    let read = || {
        let piece = piece(path, around)?;
        let is_log = piece.is_text && piece.lines.iter().any(|line| LoggedStep::of(&line.text).is_some());
        let steps = if is_log { LoggedStep::all(&end(path, LOG)?) } else { Vec::new() };
        Ok(Text { piece, steps })
    };
    read().map_err(|error: std::io::Error| error.to_string())
}

impl Text {
    /// What the launchpad has of a file.
    pub fn tracked(content: &str) -> Self {
        Text { piece: Piece::of_text(content), steps: LoggedStep::all(content) }
    }
}
