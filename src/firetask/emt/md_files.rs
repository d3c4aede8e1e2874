//! What molecular dynamics leaves in its launch directory while it runs: `md.log` as ASE writes it and the frames
//! `md.extxyz`, with momenta and to the last digit. A run that goes on takes over what the earlier one has left,
//! up to the step it starts from.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;

use tracing::warn;

pub use super::md_earlier::Earlier;
use super::md_earlier::Growing;
use super::md_records;
use crate::recipes::{MdFrame, MdJob, MdStep};
use crate::science::io::extxyz;

const LOG: &str = "md.log";
const FRAMES: &str = "md.extxyz";

/// The two files.
pub struct MdFiles<'a> {
    directory: &'a Path,
    /// None once one of them could not be written; the result matters more.
    state: RefCell<Option<State>>,
}

struct State {
    log: Records,
    frames: Records,
}

/// A file of records.
struct Records {
    file: File,
    /// Bytes of whole records.
    length: u64,
    /// Steps up to this one are in it.
    written: Option<usize>,
}

impl<'a> MdFiles<'a> {
    /// In this directory; and the frames of an earlier run that the document of `job` has.
    pub fn new(directory: &'a Path, job: &MdJob, atoms: usize, earlier: Option<Earlier>) -> (Self, Vec<MdFrame>) {
        let interval = job.loginterval;
        let log = Growing { directory, name: LOG, what: "log", head: MdStep::LOG_HEAD, interval };
        let frames = Growing { directory, name: FRAMES, what: "trajectory", head: "", interval };
        let lines = earlier.and_then(|earlier| {
            let (part, ()) = log.find(earlier, |lines| Ok((md_records::log(lines, job, earlier.step)?, ())))?;
            Some((earlier, part))
        });
        let (images, taken) = earlier
            .and_then(|earlier| {
                let scanned = frames.find(earlier, |lines| md_records::frames(lines, job, atoms, earlier.step));
                scanned.map(|(part, taken)| ((earlier, part), taken))
            })
            .unzip();
        let open = |growing: &Growing, taken: Option<_>| {
            Records::new(growing.open(taken)?, taken.map(|(earlier, _): (Earlier, _)| earlier.step))
        };
        let state = open(&log, lines).and_then(|log| Ok(State { log, frames: open(&frames, images)? }));
        let state = state.inspect_err(|error| warn_of(directory, error)).ok();
        (Self { directory, state: RefCell::new(state) }, taken.unwrap_or_default())
    }

    /// Writes a step, if it belongs to the files.
    pub fn write(&self, step: &MdStep) {
        if !step.is_logged {
            return;
        }
        self.with(|state| {
            state.log.add(step.step, || Ok(step.log_line()))?;
            state.frames.add(step.step, || {
                let frame = step.frame().map_err(io::Error::other)?;
                let mut text = String::new();
                extxyz::write_frame(&mut text, &frame.atoms, &frame.results).map_err(io::Error::other)?;
                Ok(text)
            })
        });
    }

    /// Has what was written survive even the machine.
    pub fn sync(&self) {
        self.with(|state| state.log.file.sync_data().and_then(|()| state.frames.file.sync_data()));
    }

    fn with(&self, act: impl FnOnce(&mut State) -> io::Result<()>) {
        let mut state = self.state.borrow_mut();
        if let Some(Err(error)) = state.as_mut().map(act) {
            warn_of(self.directory, &error);
            *state = None;
        }
    }
}

impl Records {
    fn new(mut file: File, written: Option<usize>) -> io::Result<Self> {
        let length = file.stream_position()?;
        Ok(Self { file, length, written })
    }

    /// Adds the record of a step; half a one is none.
    fn add(&mut self, step: usize, text: impl FnOnce() -> io::Result<String>) -> io::Result<()> {
        if self.written.is_some_and(|written| step <= written) {
            return Ok(());
        }
        let text = text()?;
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            return self.file.set_len(self.length).and(Err(error));
        }
        self.length += text.len() as u64;
        Ok(())
    }
}

fn warn_of(directory: &Path, error: &io::Error) {
    let (log, frames) = (LOG, FRAMES);
    warn!("cannot write {log} and {frames} in {}: {error}; the run goes on without them", directory.display());
}
