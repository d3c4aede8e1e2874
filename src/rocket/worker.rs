//! One worker process: claims, runs, reports, and leaves nothing RUNNING behind.
//!
//! One thread claims and reports, and one for each slot runs fireworks.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use bson::Bson;
use jiff::Timestamp;
use tracing::{info, warn};

use super::RocketError;
use super::able::Able;
use super::desk::Desk;
use super::directory::{Directories, remove_unused};
use super::drain::drain_all;
use super::identity::Identity;
use super::keeper::Keeper;
use super::mender::Mender;
use super::place::QueuePlace;
use super::rapidfire::{self, Rapidfire};
use super::report::{Patience, report};
use super::signals::Ear;
use super::slots::Slots;
use super::spool;
use super::walltime::{TooLong, Walltime};
use crate::config::Settings;
use crate::firetask::Python;
use crate::queue::LaunchpadId;
use crate::store::ledger::Word;
use crate::store::{Claim, ClaimRequest, Held, Store, StoreError};
use crate::workflow::limits::{Limits, WALLTIME};
use crate::workflow::{FwId, json};

/// A slot's thread may meet specs as deep as the main thread may.
const STACK: usize = 8 * 1024 * 1024;

/// What a worker did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// How many fireworks it started.
    pub launched: u64,
    /// The signal that stopped it.
    pub signal: Option<i32>,
}

/// Runs one firework in `base` (an absolute path): the one asked for, or the best.
pub fn singleshot(
    store: &dyn Store,
    settings: &Settings,
    base: &Path,
    fw_id: Option<FwId>,
) -> Result<Done, RocketError> {
    let crew = Crew { slots: 1, nodes: None, resources: None };
    with_worker(store, settings, base, &crew, |worker| {
        // What an earlier one has left here.
        drain_all(store, &worker.launchpad, spool::waiting_in(base));
        let mut mender = Mender::new(store, settings);
        let is_run = || {
            let vacated = worker.desk.vacated();
            let is_claimed = worker.claim(1, fw_id, false)? > 0;
            if is_claimed {
                worker.desk.wait_for_room(vacated, None);
                worker.leave()?;
                worker.failure()?;
            }
            Ok::<_, RocketError>(is_claimed)
        };
        // What the dead have left behind is work, too: the firework of this job, when it was begun anew.
        while is_run()? || mender.look_last() && is_run()? {
            let (ran, lack, too_long) = (worker.desk.begun(), worker.able.last_lack(), worker.take_too_long());
            match (fw_id, lack, too_long) {
                (Some(fw_id), Some(lack), _) => return Err(RocketError::Cannot { fw_id, lack }),
                (Some(fw_id), _, Some(TooLong { reason, .. })) => return Err(RocketError::NoTime { fw_id, reason }),
                // The next best, perhaps.
                (None, Some(_), _) | (None, _, Some(_)) if ran == 0 && worker.desk.stopped().is_none() => {}
                _ => return Ok(ran),
            }
        }
        let query = match fw_id {
            Some(fw_id) => format!("{{\"fw_id\": {fw_id}}}"),
            None => serde_json::Value::Object(json::from_document(&settings.fworker.query)).to_string(),
        };
        info!("No FireWorks are ready to run and match query! {query}");
        Ok(0)
    })
}

/// Runs fireworks in directories of their own below `base` (an absolute path).
pub fn rapidfire(
    store: &dyn Store,
    settings: &Settings,
    base: &Path,
    options: &Rapidfire,
) -> Result<Done, RocketError> {
    let crew = Crew { slots: options.slots, nodes: options.nodes.clone(), resources: options.resources.clone() };
    with_worker(store, settings, base, &crew, |worker| rapidfire::run(worker, options))
}

/// How many run side by side, and of which kind.
struct Crew {
    slots: usize,
    nodes: Option<Vec<String>>,
    /// Only those whose `spec._queueadapter` is this one; null for those that have none.
    resources: Option<Bson>,
}

/// What the threads of a worker have in common.
pub struct Worker<'a> {
    /// The launchpad.
    pub store: &'a dyn Store,
    /// What it takes, and how long leases last.
    pub settings: &'a Settings,
    /// What it holds.
    pub desk: &'a Desk,
    /// What it can run.
    pub able: Able<'a>,
    /// What runs tasks that are not native, for each slot.
    pub pythons: Vec<Python>,
    /// How long it may work.
    pub walltime: Option<&'a Walltime>,
    /// Why the last firework was not begun, where that was for want of time.
    too_long: Mutex<Option<TooLong>>,
    /// What has ended a slot.
    failure: Mutex<Option<RocketError>>,
    /// Where launch directories are made.
    pub base: &'a Path,
    /// Which launchpad it is, for result files.
    pub launchpad: LaunchpadId,
    /// The place of its job in a queue.
    pub place: Option<QueuePlace>,
    identity: &'a Identity,
}

/// Closes the desk whatever happens; its keeper would wait for ever.
pub struct Closing<'a>(pub &'a Desk);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn with_worker(
    store: &dyn Store,
    settings: &Settings,
    base: &Path,
    crew: &Crew,
    work: impl FnOnce(&Worker<'_>) -> Result<u64, RocketError>,
) -> Result<Done, RocketError> {
    if base.to_str().is_none() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8, which FireWorks needs");
        return Err(RocketError::Directory { path: base.to_owned(), source });
    }
    let identity = Identity::of_this_process().with_slots(crew.slots);
    let desk = Desk::new(match &crew.nodes {
        Some(nodes) => Slots::new(nodes.clone(), crew.slots),
        None => Slots::of_this_job(crew.slots, &identity.host),
    });
    let walltime = Walltime::of_this_job();
    let walltime = walltime.as_ref();
    let keeper = Keeper { store, desk: &desk, identity: &identity, config: &settings.volley, base };
    let mut fworker = settings.fworker.clone();
    fworker.cannot.beyond = Some(desk.room());
    fworker.cannot.other_than = crew.resources.clone();
    let python = Python::new(&settings.python, base, &settings.location, &settings.fworker);
    let worker = Worker {
        store,
        settings,
        desk: &desk,
        able: Able::new(store, fworker, &identity.host),
        pythons: (1..crew.slots).map(|_| python.another()).chain([python.another()]).collect(),
        walltime,
        too_long: Mutex::default(),
        failure: Mutex::default(),
        base,
        launchpad: LaunchpadId::of(&settings.location),
        place: QueuePlace::of_this_job(&identity),
        identity: &identity,
    };
    let worker = &worker;
    thread::scope(|scope| {
        let _ear = Ear::open(scope, &desk, walltime)?;
        let _closing = Closing(&desk);
        scope.spawn(|| keeper.work());
        scope.spawn(|| desk.keep_time(walltime.map(Walltime::stop_at)));
        for _ in 0..crew.slots {
            let slot = thread::Builder::new().stack_size(STACK);
            slot.spawn_scoped(scope, || worker.serve()).map_err(RocketError::Threads)?;
        }
        worker.say(Word::Started);
        let result = work(worker);
        // Also after an error: what runs comes to its end, what has been done is reported, and what
        // has not goes back.
        desk.halt();
        desk.wait_for_all();
        let left = worker.leave();
        // A store that has not taken an outcome is not asked whether it has written down the others.
        if result.is_ok() && left.is_ok() {
            worker.sync();
        }
        // Nor is it told the end of the job, which a queue may be about to kill.
        if !result.as_ref().err().into_iter().chain(left.as_ref().err()).any(RocketError::is_away) {
            worker.say(Word::Ending);
        }
        let launched = result?;
        left?;
        worker.failure()?;
        Ok(Done { launched, signal: desk.stopped().and_then(|stop| stop.signal) })
    })
}

impl Worker<'_> {
    /// Runs what is claimed, one after the other, until the desk is closed.
    fn serve(&self) {
        while let Some(started) = self.desk.next() {
            self.run(started);
        }
    }

    /// Ends the worker, when what runs in the other slots has come to its end.
    pub fn fail(&self, error: RocketError) {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.desk.halt();
    }

    /// What has ended a slot.
    pub fn failure(&self) -> Result<(), RocketError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    /// Remembers why a firework was not begun.
    pub fn note_too_long(&self, why: TooLong) {
        *self.too_long.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    fn take_too_long(&self) -> Option<TooLong> {
        self.too_long.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Tells the ledger that has the place of this job.
    pub fn say(&self, word: fn(Timestamp) -> Word) {
        if let Some(place) = &self.place {
            place.tell(self.store, word);
        }
    }

    /// Claims up to `limit` fireworks, each of which has room beside those that run. Returns how many.
    pub fn claim(&self, limit: usize, fw_id: Option<FwId>, separate: bool) -> Result<usize, RocketError> {
        let directories = Directories::new(self.base, separate);
        let (now, leased) = (Timestamp::now(), Instant::now());
        let mut fworker = self.able.fworker();
        fworker.cannot.beyond = Some(self.desk.free_room());
        let request = ClaimRequest {
            worker: &fworker,
            fw_id,
            retry: self.settings.volley.retry.as_ref(),
            order: self.settings.fw_config.order,
            lease: &self.identity.lease(now, &self.settings.volley),
            host: (&self.identity.host, &self.identity.ip),
            token: None,
            directory: &|spec| directories.name(spec),
            now,
        };
        let result = self.store.claim(&request, limit);
        let claims: &[Claim] = result.as_deref().unwrap_or_default();
        let used: Vec<&str> = claims.iter().map(|claim| claim.launch.launch_dir.as_str()).collect();
        let settled = directories.settle(&used);
        let claims = result?;
        if let Err(error) = settled {
            self.release(claims);
            return Err(error);
        }
        let count = claims.len();
        self.desk.put(claims, leased);
        Ok(count)
    }

    /// Whether the best that this worker could run has no room beside what runs now. Others do not
    /// overtake it, or it would wait for ever.
    pub fn best_lacks_room(&self) -> Result<bool, StoreError> {
        let (store, order) = (self.store, self.settings.fw_config.order);
        loop {
            let best = store.best_claimable(&self.able.fworker(), order, Timestamp::now())?;
            let Some(asks) = best.filter(|asks| !self.desk.free_room().fits(asks)) else { return Ok(false) };
            // By the time that there is room for it, there is even less time.
            let limits = self.walltime.zip(Limits::of(&asks).ok());
            let too_long = limits.and_then(|(walltime, limits)| walltime.forbids(&limits, asks.get(WALLTIME), &[]));
            if !too_long.is_some_and(|why| self.able.leave_all_of(&why)) {
                return Ok(true);
            }
        }
    }

    /// Hands back what was not begun, and reports what is done.
    pub fn leave(&self) -> Result<(), RocketError> {
        self.release(self.desk.take_waiting());
        self.report()
    }

    /// Reports what is done.
    pub fn report(&self) -> Result<(), RocketError> {
        let outcomes = self.desk.take_done();
        let result = report(self.store, self.desk, outcomes);
        self.desk.sent();
        result
    }

    /// Waits until a server that is killed would not forget what was done.
    fn sync(&self) {
        let mut patience = Patience::new(self.desk);
        while let Err(error) = self.store.sync() {
            if !patience.wait("cannot tell whether all is written down", &error) {
                warn!("cannot tell whether all is written down: {error}");
                break;
            }
        }
    }

    /// Hands claims back.
    pub fn release(&self, claims: Vec<Claim>) {
        if claims.is_empty() {
            return;
        }
        let held: Vec<Held> = claims.iter().map(Claim::held).collect();
        let mut patience = Patience::new(self.desk);
        while let Err(error) = self.store.release(&held, Timestamp::now()) {
            if !patience.wait("cannot hand back", &error) {
                warn!("cannot hand back {} fireworks: {error}; their leases end by themselves", held.len());
                break;
            }
        }
        for claim in claims {
            remove_unused(self.base, Path::new(&claim.launch.launch_dir));
        }
    }
}
