//! One worker process: claims, runs, reports, and leaves nothing RUNNING behind.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::thread;
use std::time::Instant;

use jiff::Timestamp;
use tracing::{info, warn};

use super::able::Able;
use super::desk::{Desk, Interrupted, Started};
use super::directory::{Directories, remove_unused};
use super::drain::drain_all;
use super::identity::Identity;
use super::keeper::Keeper;
use super::launch::Surroundings;
use super::mender::Mender;
use super::over;
use super::prepare::{Fault, Unprepared, prepare};
use super::rapidfire::{self, Rapidfire};
use super::report::{Patience, keep_aside, report};
use super::signals::Ear;
use super::walltime::{TooLong, Walltime};
use super::{RocketError, launch, spool};
use crate::config::Settings;
use crate::firetask::Python;
use crate::queue::LaunchpadId;
use crate::store::{self, Claim, ClaimRequest, Held, Outcome, Store};
use crate::workflow::limits::{Limits, WALLTIME};
use crate::workflow::{Cause, Firework, FwAction, FwId, Launch, LaunchId, Loss, State, json};

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
    with_worker(store, settings, base, |worker| {
        // What an earlier one has left here.
        drain_all(store, &worker.launchpad, spool::waiting_in(base));
        let mut mender = Mender::new(store, settings);
        let is_claimed = || Ok::<_, RocketError>(worker.claim(1, fw_id, false)? > 0);
        // What the dead have left behind is work, too: the firework of this job, when it was begun anew.
        while is_claimed()? || mender.look_last() && is_claimed()? {
            let ran = worker.run_claimed(None)?;
            let (lack, too_long) = (worker.able.last_lack(), worker.too_long.take());
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
    with_worker(store, settings, base, |worker| rapidfire::run(worker, options))
}

/// The thread that runs fireworks, and what it needs.
pub struct Worker<'a> {
    /// The launchpad.
    pub store: &'a dyn Store,
    /// What it takes, and how long leases last.
    pub settings: &'a Settings,
    /// What it holds.
    pub desk: &'a Desk,
    /// What it can run.
    pub able: Able<'a>,
    /// How long it may work.
    pub walltime: Option<&'a Walltime>,
    /// Why the last firework was not begun, where that was for want of time.
    too_long: Cell<Option<TooLong>>,
    /// Where launch directories are made.
    pub base: &'a Path,
    /// Which launchpad it is, for result files.
    pub launchpad: LaunchpadId,
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
    work: impl FnOnce(&Worker<'_>) -> Result<u64, RocketError>,
) -> Result<Done, RocketError> {
    if base.to_str().is_none() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "its name is not UTF-8, which FireWorks needs");
        return Err(RocketError::Directory { path: base.to_owned(), source });
    }
    let (desk, identity) = (Desk::default(), Identity::of_this_process());
    let walltime = Walltime::of_this_job();
    let walltime = walltime.as_ref();
    let keeper = Keeper { store, desk: &desk, identity: &identity, config: &settings.volley, base };
    thread::scope(|scope| {
        let _ear = Ear::open(scope, &desk, walltime)?;
        let _closing = Closing(&desk);
        scope.spawn(|| keeper.work());
        scope.spawn(|| desk.keep_time(walltime.map(Walltime::stop_at)));
        let python = Python::new(&settings.python, base, &settings.location, &settings.fworker);
        let able = Able::new(store, settings, python, &identity.host);
        let launchpad = LaunchpadId::of(&settings.location);
        let (desk, too_long) = (&desk, Cell::default());
        let worker = Worker { store, settings, desk, able, walltime, too_long, base, launchpad, identity: &identity };
        let result = work(&worker);
        // Also after an error: what has been done is reported, what has not goes back.
        let left = worker.leave();
        // A store that has not taken an outcome is not asked whether it has written down the others.
        if result.is_ok() && left.is_ok() {
            worker.sync();
        }
        let launched = result?;
        left?;
        Ok(Done { launched, signal: desk.stopped().and_then(|stop| stop.signal) })
    })
}

impl Worker<'_> {
    /// Claims up to `limit` fireworks. Returns how many.
    pub fn claim(&self, limit: usize, fw_id: Option<FwId>, separate: bool) -> Result<usize, RocketError> {
        let directories = Directories::new(self.base, separate);
        let (now, leased) = (Timestamp::now(), Instant::now());
        let request = ClaimRequest {
            worker: &self.able.fworker(),
            fw_id,
            retry: self.settings.volley.retry.as_ref(),
            order: self.settings.fw_config.order,
            lease: &self.identity.lease(now, &self.settings.volley),
            host: (&self.identity.host, &self.identity.ip),
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

    /// Runs what has been claimed, and reports it. Nothing is begun after `deadline`. Returns how
    /// many fireworks were begun.
    pub fn run_claimed(&self, deadline: Option<Instant>) -> Result<u64, RocketError> {
        let mut count = 0;
        while deadline.is_none_or(|deadline| Instant::now() < deadline)
            && let Some(started) = self.desk.start()
        {
            count += u64::from(self.run_one(started)?);
        }
        self.leave()?;
        Ok(count)
    }

    /// Runs one; `false` when it cannot be run here.
    fn run_one(&self, Started { mut claim, interrupt, trackers }: Started) -> Result<bool, RocketError> {
        if self.able.can_run(&claim.firework, &interrupt) == Ok(false) {
            self.desk.interrupted();
            self.release(vec![claim]);
            return Ok(false);
        }
        let limits = Limits::of(&claim.firework.spec);
        if let Some(why) = self.lacks_time(&claim.firework, limits.as_ref().ok()) {
            self.desk.interrupted();
            self.able.leave_for_want_of_time(claim.firework.fw_id, &why);
            self.release(vec![claim]);
            self.too_long.set(Some(why));
            return Ok(false);
        }
        claim.launch.begin(Timestamp::now());
        info!("Launching Rocket");
        info!("RUNNING fw_id: {} in directory: {}", claim.firework.fw_id, claim.launch.launch_dir);
        let others = self.settings.fw_config.print_fw_json.then(|| self.other_launches(&claim));
        let prepared = limits.map_err(|error| Fault::from(error).into()).and_then(|limits| {
            if let Some(at) = limits.max_runtime.and_then(|limit| Instant::now().checked_add(limit)) {
                self.desk.limit(at);
            }
            prepare(&claim, others.as_deref(), &interrupt)
        });
        let result = match prepared {
            Ok(start) => {
                let archived = claim.firework.archived_launches.clone();
                let around = Surroundings {
                    previous: &|| self.previous(&archived),
                    worker: &self.settings.fworker,
                    python: &self.able.python,
                    template_dir: self.settings.fw_config.template_dir.as_deref(),
                    interrupt: &interrupt,
                    trackers: &trackers,
                    note: &|launch| self.desk.note(launch.clone()),
                };
                launch::run(&mut claim, start, &around)
            }
            Err(Unprepared::Interrupted) => None,
            Err(Unprepared::Firework(fault)) => {
                warn!("fw_id: {}: {fault}", claim.firework.fw_id);
                Some((State::Fizzled, fault.fizzled(&claim)))
            }
            Err(Unprepared::Disk { path, source }) => {
                self.desk.interrupted();
                self.give_back(&claim, &Loss::new(Cause::Disk, format!("cannot write {}: {source}", path.display())));
                return Err(RocketError::Directory { path, source });
            }
        };
        let Some((state, action)) = result.or_else(|| self.interrupted(&claim)) else { return Ok(true) };
        let followed = claim.firework.looks_for_duplicates();
        let outcome = Outcome { launch: claim.launch, state, action, ended: Timestamp::now(), followed };
        if let Err(error) = spool::write(&outcome, &self.launchpad) {
            warn!("cannot write {}: {error}; the store is told all the same", spool::path(&outcome).display());
        }
        match self.desk.finish(outcome) {
            Ok(()) => info!("Rocket finished"),
            Err(outcome) => {
                let kept = keep_aside(&outcome.launch);
                warn!("fw_id: {} is somebody else's by now, and is not reported{kept}", claim.firework.fw_id);
            }
        }
        Ok(true)
    }

    /// Why a firework cannot be done in the time that is left, if it cannot.
    fn lacks_time(&self, firework: &Firework, limits: Option<&Limits>) -> Option<TooLong> {
        let (walltime, limits) = (self.walltime?, limits?);
        let earlier = match firework.archived_launches.as_slice() {
            [] => Vec::new(),
            ids => self.store.find_launches(ids).unwrap_or_else(|error| {
                warn!("cannot tell how long fw_id {} has run before: {error}", firework.fw_id);
                Vec::new()
            }),
        };
        walltime.forbids(limits, firework.spec.get(WALLTIME), &earlier)
    }

    /// What becomes of a run that was interrupted: it has an outcome only when it took too long.
    fn interrupted(&self, claim: &Claim) -> Option<(State, FwAction)> {
        let firework = &claim.firework;
        match self.desk.interrupted() {
            Interrupted::Over => {
                return Some((State::Fizzled, over::over(claim)));
            }
            Interrupted::Stopped(stop) => self.give_back(claim, &stop.loss(self.walltime)),
            Interrupted::Lost => warn!("fw_id: {} was stopped, and is not reported", firework.fw_id),
        }
        None
    }

    /// The launches of the firework besides this one, for FW.json; which is not worth waiting for.
    fn other_launches(&self, claim: &Claim) -> Vec<Launch> {
        let firework = &claim.firework;
        let mut ids = [&firework.archived_launches[..], &firework.launches].concat();
        ids.retain(|&id| id != claim.launch.launch_id);
        if ids.is_empty() {
            return Vec::new();
        }
        let found = self.store.find_launches(&ids);
        found.inspect_err(|error| warn!("FW.json is without earlier launches: {error}")).unwrap_or_default()
    }

    /// The last run of the firework that came to an end, or was interrupted and has left how far it
    /// had come. A task may go on from there, or begin anew: so a store that does not answer is no
    /// hindrance.
    fn previous(&self, archived: &[LaunchId]) -> Option<Launch> {
        let launch = |id| {
            let found = self.store.find_launches(&[id]);
            found.inspect_err(|error| warn!("cannot read launch {id}: {error}")).ok()?.pop()
        };
        let newest_first = archived.iter().rev();
        newest_first.filter_map(|id| launch(*id)).find(|launch| launch.action.is_some() || launch.progress().is_some())
    }

    /// Hands back what was not begun, and reports what is done.
    fn leave(&self) -> Result<(), RocketError> {
        self.release(self.desk.take_waiting());
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

    fn release(&self, claims: Vec<Claim>) {
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

    /// The firework is READY again; how far it has come is kept.
    fn give_back(&self, claim: &Claim, loss: &Loss) {
        let fw_id = claim.firework.fw_id;
        let mut patience = Patience::new(self.desk);
        loop {
            match self.keep_progress(claim).and_then(|()| self.store.give_back(claim.held(), loss, Timestamp::now())) {
                Ok(true) => info!("fw_id: {fw_id} given back ({loss}): it is READY again"),
                Ok(false) => warn!("fw_id: {fw_id} was somebody else's already"),
                Err(error) if patience.wait("cannot give back", &error) => continue,
                Err(error) => warn!("cannot give back firework {fw_id}: {error}; its lease ends by itself"),
            }
            break;
        }
        remove_unused(self.base, Path::new(&claim.launch.launch_dir));
    }

    fn keep_progress(&self, claim: &Claim) -> store::Result<()> {
        if claim.launch.progress().is_some() {
            // Somebody else's launch is not given back, either.
            self.store.checkpoint(&claim.launch, Timestamp::now())?;
        }
        Ok(())
    }
}
