//! `rlaunch singleshot --offline`: runs a firework where no launchpad is reached, as FireWorks does.
//!
//! `qlaunch -r` has left `FW.json` and `FW_offline.json` in the launch directory. The latter tells
//! how far the run has come, `FW_ping.json` that it is alive; both are written whole or not at all,
//! and `lpad recover_offline` reads them.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use bson::Document;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tracing::{info, warn};

use super::RocketError;
use super::desk::{Chore, Desk, Interrupted, Started};
use super::launch::{self, Surroundings};
use super::over;
use super::prepare::{Unprepared, prepare};
use super::signals::Ear;
use super::slots::Slots;
use super::walltime::Walltime;
use super::worker::{Closing, Done};
use crate::config::Settings;
use crate::firetask::{Python, Seat};
use crate::store::Claim;
use crate::workflow::{Checkpoint, Firework, Launch, LaunchId, State, json as documents, time};

/// What the run tells.
pub const FILE: &str = "FW_offline.json";
/// That it is alive.
pub const PING: &str = "FW_ping.json";
const FIREWORK: &str = "FW.json";

/// Why a file of an offline run cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .path.display())]
pub struct BadFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

/// Reads a file with a JSON object; nothing when there is none.
pub fn read(path: &Path) -> Result<Option<Map<String, Value>>, BadFile> {
    let bad = |reason: String| BadFile { path: path.to_owned(), reason };
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|error| bad(error.to_string()))?,
    };
    serde_json::from_str(&text).map(Some).map_err(|error| bad(error.to_string()))
}

/// Replaces a file.
fn write(path: &Path, value: &Map<String, Value>) -> io::Result<()> {
    let mut file = tempfile::Builder::new()
        .prefix(".FW_offline")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(Value::Object(value.clone()).to_string().as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// What the run has told so far.
struct Story<'a> {
    directory: &'a Path,
    told: Mutex<Map<String, Value>>,
}

impl Story<'_> {
    fn tell(&self, news: impl IntoIterator<Item = (&'static str, Value)>) -> io::Result<()> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, value) in news {
            told.insert(key.to_owned(), value);
        }
        write(&self.directory.join(FILE), &told)
    }

    /// Pings and checkpoints, until the desk is closed.
    fn keep(&self, desk: &Desk, settings: &Settings) {
        let warn = |what: &str, told: io::Result<()>| {
            if let Err(error) = told {
                warn!("cannot write {what} into {}: {error}", self.directory.display());
            }
        };
        loop {
            match desk.next_chore(settings.volley.renew) {
                Chore::Renew(..) => {
                    let ping = Map::from_iter([("ping_time".to_owned(), now())]);
                    warn(PING, write(&self.directory.join(PING), &ping));
                    desk.renewed(&[], Instant::now());
                }
                Chore::Note(launch) => {
                    warn(FILE, self.tell([("checkpoint", checkpoint(&launch))]));
                    desk.noted();
                }
                Chore::Release(_) | Chore::Report(_) => {}
                Chore::Leave => return,
            }
        }
    }
}

fn now() -> Value {
    time::to_iso(Timestamp::now()).into()
}

fn checkpoint(launch: &Launch) -> Value {
    launch.checkpoint().map_or(Value::Null, |reached| Value::Object(documents::from_document(reached)))
}

/// Runs the firework of FW.json in `base` (an absolute path).
pub fn offline(settings: &Settings, base: &Path) -> Result<Done, RocketError> {
    let (claim, told) = take_up(base)?;
    if told.contains_key("fwaction") {
        info!("fw_id: {} has run here already; `lpad recover_offline` records it", claim.firework.fw_id);
        return Ok(Done { launched: 0, signal: None });
    }
    let host = gethostname::gethostname();
    let desk = Desk::new(Slots::of_this_job(1, &host.to_string_lossy()));
    let walltime = Walltime::of_this_job();
    let walltime = walltime.as_ref();
    let launch_id = Map::from_iter([("launch_id".to_owned(), json!(claim.launch.launch_id))]);
    let story = Story { directory: base, told: Mutex::new(launch_id) };
    thread::scope(|scope| {
        let _ear = Ear::open(scope, &desk, walltime)?;
        let _closing = Closing(&desk);
        scope.spawn(|| story.keep(&desk, settings));
        scope.spawn(|| desk.keep_time(walltime.map(Walltime::stop_at)));
        desk.put(vec![claim], Instant::now());
        let launched = match desk.start() {
            Some(started) => {
                run(started, &story, &desk, settings, walltime)?;
                1
            }
            None => 0,
        };
        Ok(Done { launched, signal: desk.stopped().and_then(|stop| stop.signal) })
    })
}

fn run(
    started: Started<'_>,
    story: &Story<'_>,
    desk: &Desk,
    settings: &Settings,
    walltime: Option<&Walltime>,
) -> Result<(), RocketError> {
    let base = story.directory;
    let unwritable = |path: PathBuf| move |source| RocketError::Directory { path, source };
    let failed = || unwritable(base.join(FILE));
    let Started { mut claim, interrupt, trackers, share, occupied: _occupied } = started;
    let fw_id = claim.firework.fw_id;
    info!("Launching Rocket");
    info!("RUNNING fw_id: {fw_id} in directory: {}", base.display());
    let first = Checkpoint::first(&claim.firework.spec).ok().map(|first| first.to_document());
    claim.launch.run_offline(Timestamp::now(), Timestamp::now(), first);
    let begun = [("started_on", now()), ("checkpoint", checkpoint(&claim.launch))];
    story.tell(begun).map_err(failed())?;
    let result = match prepare(&claim, None, &interrupt) {
        Ok(start) => {
            let python = Python::new(&settings.python, base, &settings.location, &settings.fworker);
            let around = Surroundings {
                previous: &|| None,
                worker: &settings.fworker,
                python: &python,
                seat: &Seat::new(0, share.nodes, &settings.wrap),
                template_dir: settings.fw_config.template_dir.as_deref(),
                interrupt: &interrupt,
                trackers: &trackers,
                note: &|launch| desk.note(launch.clone()),
            };
            launch::run(&mut claim, start, &around)
        }
        Err(Unprepared::Interrupted) => None,
        Err(Unprepared::Firework(fault)) => {
            warn!("fw_id: {fw_id}: {fault}");
            Some((State::Fizzled, fault.fizzled(&claim)))
        }
        Err(Unprepared::Disk { path, source }) => return Err(unwritable(path)(source)),
    };
    let interrupted = desk.interrupted(claim.launch.launch_id);
    let over = || (interrupted == Interrupted::Over).then(|| (State::Fizzled, over::over(&claim)));
    let Some((state, action)) = result.or_else(over) else {
        let Interrupted::Stopped(stop) = interrupted else { return Ok(()) };
        let loss = stop.loss(walltime);
        info!("fw_id: {fw_id} is given back ({loss}) when `lpad recover_offline` hears of it");
        let lost = [("lost", Value::from(loss.text.clone())), ("cause", loss.cause.as_str().into())];
        return story.tell(lost).map_err(failed());
    };
    let action = Value::Object(documents::from_document(&action.to_document()));
    let news = [
        ("checkpoint", checkpoint(&claim.launch)),
        ("fwaction", action),
        ("state", state.as_str().into()),
        ("completed_on", now()),
    ];
    story.tell(news).map_err(failed())?;
    let ping = Map::from_iter([("ping_time".to_owned(), now())]);
    write(&base.join(PING), &ping).map_err(unwritable(base.join(PING)))?;
    info!("Rocket finished");
    Ok(())
}

/// The firework and the launch in the files, and what an earlier attempt has told.
fn take_up(base: &Path) -> Result<(Claim, Map<String, Value>), RocketError> {
    let bad = |name: &str, reason: &str| RocketError::Offline(BadFile { path: base.join(name), reason: reason.into() });
    let there = |name: &str| {
        let found = read(&base.join(name)).map_err(RocketError::Offline)?;
        found.ok_or_else(|| bad(name, "there is none; `qlaunch -r` makes it, with --offline in rocket_launch"))
    };
    let (told, firework) = (there(FILE)?, documents::to_document(&there(FIREWORK)?));
    let launch_id: LaunchId =
        told.get("launch_id").and_then(Value::as_i64).ok_or_else(|| bad(FILE, "it has no `launch_id`"))?;
    let launches = firework.get_array("launches").into_iter().flatten().filter_map(|one| one.as_document());
    let own = |document: &Document| Launch::from_document(document).filter(|launch| launch.launch_id == launch_id);
    let mut launch =
        launches.filter_map(own).next().ok_or_else(|| bad(FIREWORK, "it has not the launch of the run"))?;
    let firework = Firework::from_document(&firework).map_err(|error| bad(FIREWORK, &error.to_string()))?;
    launch.launch_dir = base.to_string_lossy().into_owned();
    Ok((Claim { firework, launch }, told))
}
