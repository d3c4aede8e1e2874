//! Tasks that are written in Python run in the user's Python: one interpreter for a worker, started
//! when the first of them is met and kept for those that follow.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::interrupt::Interrupt;
use crate::store::{Location, MongoSettings};
use crate::workflow::FWorker;

mod interpreter;
mod needs;
mod task;
mod wire;

use interpreter::{Interpreter, Silence};
pub use needs::{Need, Thing, needs};
pub use task::PythonTask;

/// The user's Python, as one thread of a worker uses it.
pub struct Python {
    command: Vec<String>,
    folder: PathBuf,
    settings: Value,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    interpreter: Option<Interpreter>,
    /// What the interpreter has been asked for: why it is lacking, or that it is there.
    known: BTreeMap<Thing, Option<String>>,
}

/// We were asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

impl Python {
    /// Starts nothing yet. `command` is started in `folder`; tasks may ask for the launchpad at
    /// `location` and for the worker.
    pub fn new(command: &[String], folder: &Path, location: &Location, worker: &FWorker) -> Self {
        let launchpad = match location {
            Location::Sqlite(_) => Value::Null,
            Location::Mongo(settings) => launchpad(settings),
        };
        let worker = wire::encode_document(&worker.to_document());
        let settings = json!({"settings": {"launchpad": launchpad, "fworker": worker}});
        Python { command: command.to_owned(), folder: folder.to_owned(), settings, state: Mutex::default() }
    }

    /// The same Python for another thread, with an interpreter of its own.
    pub fn another(&self) -> Self {
        let (command, folder) = (self.command.clone(), self.folder.clone());
        Python { command, folder, settings: self.settings.clone(), state: Mutex::default() }
    }

    /// Those of the needs that cannot be met here, each with the reason. An answer is remembered.
    pub fn lacks(&self, needs: &BTreeSet<Need>, interrupt: &Interrupt) -> Result<BTreeMap<Need, String>, Stopped> {
        let mut state = self.lock();
        match self.take(&mut state, interrupt) {
            Ok(interpreter) => state.interpreter = Some(interpreter),
            Err(Silence::Interrupted) => return Err(Stopped),
            Err(silence) => return Ok(needs.iter().map(|need| (need.clone(), silence.to_string())).collect()),
        }
        let unknown: BTreeSet<&Thing> =
            needs.iter().map(|need| &need.thing).filter(|thing| !state.known.contains_key(thing)).collect();
        if !unknown.is_empty() {
            let found = self.find_out(&mut state, &unknown, interrupt)?;
            state.known.extend(found);
        }
        let lack = |need: &Need| Some((need.clone(), state.known.get(&need.thing)?.clone()?));
        Ok(needs.iter().filter_map(lack).collect())
    }

    /// Asks for all at once.
    fn find_out(
        &self,
        state: &mut State,
        things: &BTreeSet<&Thing>,
        interrupt: &Interrupt,
    ) -> Result<BTreeMap<Thing, Option<String>>, Stopped> {
        let (mut classes, mut packages) = (Vec::new(), Vec::new());
        for thing in things {
            match thing {
                Thing::Class(name) => classes.push(name),
                Thing::Package(name) => packages.push(name),
            }
        }
        let request = json!({"check": {"classes": classes, "packages": packages}});
        let answer = match self.ask(state, &request, interrupt) {
            Ok(answer) => answer,
            Err(Silence::Interrupted) => return Err(Stopped),
            Err(silence) => {
                let why = format!("{silence} while it looked for it");
                return Ok(things.iter().map(|&thing| (thing.clone(), Some(why.clone()))).collect());
            }
        };
        let why = |thing: &Thing| {
            let answer = match thing {
                Thing::Class(name) => &answer["classes"][name],
                Thing::Package(name) => &answer["packages"][name],
            };
            answer.as_str().map(str::to_owned)
        };
        Ok(things.iter().map(|&thing| (thing.clone(), why(thing))).collect())
    }

    /// One question. An interpreter that does not answer is given up.
    fn ask(&self, state: &mut State, request: &Value, interrupt: &Interrupt) -> Result<Value, Silence> {
        let mut interpreter = self.take(state, interrupt)?;
        let answer = interpreter.ask(request, interrupt)?;
        state.interpreter = Some(interpreter);
        Ok(answer)
    }

    /// The interpreter, started when there is none. It may have been killed while it was idle.
    fn take(&self, state: &mut State, interrupt: &Interrupt) -> Result<Interpreter, Silence> {
        if let Some(alive) = state.interpreter.take().filter(Interpreter::is_alive) {
            return Ok(alive);
        }
        // It must find its classes again: the first search takes time, and prints what it wants.
        state.known.clear();
        Interpreter::start(&self.command, &self.folder, &self.settings, interrupt)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic has left an interpreter that is asked in vain, and replaced then.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What FireWorks' `LaunchPad` is made from. Ours names the database also where a URI does.
fn launchpad(settings: &MongoSettings) -> Value {
    let is_uri = settings.host.contains("://") && settings.username.is_none();
    json!({
        "host": settings.host,
        "port": settings.port,
        "name": settings.name,
        "username": settings.username,
        "password": settings.password,
        "authsource": settings.authsource,
        "user_indices": settings.user_indices,
        "wf_user_indices": settings.wf_user_indices,
        "uri_mode": is_uri,
        "mongoclient_kwargs": settings.options,
    })
}
