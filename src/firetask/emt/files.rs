//! What a relaxation leaves in its launch directory: `opt.log` with a line for each step, as ASE writes
//! it, and the trajectory `opt.extxyz`, both while it runs.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Zoned;
use tracing::warn;

use crate::recipes::RelaxStep;
use crate::science::io::extxyz::write_frame;

/// The two files, made at the first step.
pub struct Files<'a> {
    directory: &'a Path,
    state: RefCell<State>,
}

enum State {
    New,
    Open {
        log: File,
        trajectory: File,
    },
    /// One of them could not be written; the result matters more.
    Broken,
}

impl<'a> Files<'a> {
    /// In this directory.
    pub fn new(directory: &'a Path) -> Self {
        Self { directory, state: RefCell::new(State::New) }
    }

    /// Writes a step.
    pub fn write(&self, step: &RelaxStep) {
        let mut state = self.state.borrow_mut();
        if let Err((path, error)) = self.try_write(&mut state, step) {
            warn!("cannot write {}: {error}; the relaxation goes on without it", path.display());
            *state = State::Broken;
        }
    }

    fn try_write(&self, state: &mut State, step: &RelaxStep) -> Result<(), (PathBuf, io::Error)> {
        let paths = ["opt.log", "opt.extxyz"].map(|name| self.directory.join(name));
        let at = |which: usize| {
            let path = paths[which].clone();
            move |error| (path, error)
        };
        if let State::New = state {
            let log = File::create(&paths[0]).map_err(at(0))?;
            let trajectory = File::create(&paths[1]).map_err(at(1))?;
            *state = State::Open { log, trajectory };
        }
        let State::Open { log, trajectory } = state else { return Ok(()) };
        let time = Zoned::now().strftime("%H:%M:%S").to_string();
        log.write_all(step.log_line(&time).as_bytes()).map_err(at(0))?;
        let mut frame = String::new();
        write_frame(&mut frame, step.atoms, &step.properties.into()).map_err(|error| at(1)(io::Error::other(error)))?;
        trajectory.write_all(frame.as_bytes()).map_err(at(1))
    }
}
