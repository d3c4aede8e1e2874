//! `lpad recover_offline`: tells the launchpad what offline runs have written (see
//! [`super::offline`]), those of Python FireWorks as well.

use std::path::Path;

use bson::Document;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::offline::{BadFile, FILE, PING, read};
use super::report::refused;
use crate::store::{FireworkQuery, Held, OfflineEnd, OfflineRun, Outcome, Store, StoreError, Verdict};
use crate::workflow::{Cause, FwAction, Launch, Loss, State, json, time};

/// What became of an offline run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovered {
    /// It has not begun.
    Waiting,
    /// It runs.
    Running,
    /// It has ended so.
    Ended(State),
    /// It was told to end; its firework is READY again.
    GivenBack,
    /// Its launch is not open any more: rerun, cancelled or deleted. It is not asked about again.
    Gone,
}

/// Why an offline run cannot be recovered.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// The launchpad.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error(transparent)]
    File(#[from] BadFile),
}

/// Tells the launchpad how far an offline run has come. With `worker` only that of this worker is
/// looked at; `None` when it is another's.
pub fn recover(
    store: &dyn Store,
    run: &OfflineRun,
    worker: Option<&str>,
    now: Timestamp,
) -> Result<Option<Recovered>, RecoverError> {
    let gone = || {
        store.close_offline_run(run.launch_id, OfflineEnd::Forgotten, now)?;
        Ok(Some(Recovered::Gone))
    };
    let Some(launch) = store.find_launches(&[run.launch_id])?.pop() else { return gone() };
    let name = launch.fworker.as_document().and_then(|fworker| fworker.get_str("name").ok());
    if worker.is_some_and(|worker| name != Some(worker)) {
        return Ok(None);
    }
    if launch.state == State::Completed || launch.state == State::Fizzled && launch.action.is_some() {
        // Somebody has done so, and did not live to say it.
        store.close_offline_run(run.launch_id, OfflineEnd::Completed, now)?;
        return Ok(Some(Recovered::Ended(launch.state)));
    }
    let directory = Path::new(&launch.launch_dir).to_owned();
    let file = directory.join(FILE);
    let missing = || BadFile { path: file.clone(), reason: "it is not on this machine, or is gone".to_owned() };
    let told = read(&file)?.ok_or_else(missing)?;
    let wrong = |key: &str| BadFile { path: file.clone(), reason: format!("`{key}` is missing or wrong") };
    if told.get("launch_id").and_then(Value::as_i64) != Some(run.launch_id) {
        return Err(wrong("launch_id").into());
    }
    if !told.contains_key("started_on") {
        return Ok(Some(Recovered::Waiting));
    }
    let started = date(&told, "started_on").ok_or_else(|| wrong("started_on"))?;
    let ping = read(&directory.join(PING))?.and_then(|ping| date(&ping, "ping_time"));
    let mut launch = launch;
    launch.run_offline(started, ping.map_or(started, |ping| ping.max(started)), object(&told, "checkpoint"));
    if !store.show_offline(&launch, now)? {
        return gone();
    }
    let held = Held { fw_id: launch.fw_id, launch_id: launch.launch_id };
    if let Some(text) = told.get("lost").and_then(Value::as_str) {
        let cause = told.get("cause").and_then(Value::as_str).and_then(Cause::from_name).unwrap_or(Cause::Stopped);
        store.give_back(held, &Loss::new(cause, text), now)?;
        store.close_offline_run(run.launch_id, OfflineEnd::Completed, now)?;
        return Ok(Some(Recovered::GivenBack));
    }
    let Some(action) = object(&told, "fwaction") else { return Ok(Some(Recovered::Running)) };
    let action = FwAction::from_document(&action).map_err(|_| wrong("fwaction"))?;
    let state = told.get("state").and_then(Value::as_str).and_then(|state| state.parse().ok());
    let state: State = state.filter(|state: &State| state.is_final()).ok_or_else(|| wrong("state"))?;
    let ended = date(&told, "completed_on").ok_or_else(|| wrong("completed_on"))?;
    finish(store, launch, state, action, ended, now).map(Some)
}

fn finish(
    store: &dyn Store,
    launch: Launch,
    state: State,
    action: FwAction,
    ended: Timestamp,
    now: Timestamp,
) -> Result<Recovered, RecoverError> {
    let launch_id = launch.launch_id;
    let one = FireworkQuery { ids: Some(vec![launch.fw_id]), ..FireworkQuery::default() };
    let followed = store.find_fireworks(&one)?.iter().any(|firework| firework.looks_for_duplicates());
    let mut outcome = Outcome { launch, state, action, ended, followed };
    let verdicts = match store.finish(std::slice::from_ref(&outcome), now) {
        Err(error) if refused(&mut outcome, &error) => store.finish(std::slice::from_ref(&outcome), now)?,
        verdicts => verdicts?,
    };
    if verdicts != [Verdict::Recorded] {
        store.close_offline_run(launch_id, OfflineEnd::Forgotten, now)?;
        return Ok(Recovered::Gone);
    }
    store.close_offline_run(launch_id, OfflineEnd::Completed, now)?;
    Ok(Recovered::Ended(outcome.state))
}

fn date(map: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    time::from_text(map.get(key)?.as_str()?)
}

fn object(map: &Map<String, Value>, key: &str) -> Option<Document> {
    map.get(key)?.as_object().map(json::to_document)
}
