//! One firework on its way: from its claim to its outcome, which waits on the desk to be reported.

use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use tracing::{info, warn};

use super::desk::{Interrupted, Started};
use super::directory::remove_unused;
use super::launch::Surroundings;
use super::prepare::{Fault, Unprepared, prepare};
use super::report::{Patience, keep_aside};
use super::walltime::TooLong;
use super::worker::Worker;
use super::{RocketError, launch, over, spool};
use crate::firetask::Seat;
use crate::store::{self, Claim, Outcome};
use crate::workflow::limits::{Limits, WALLTIME};
use crate::workflow::room::Ask;
use crate::workflow::{Cause, Firework, FwAction, Launch, LaunchId, Loss, State};

impl Worker<'_> {
    /// Runs one.
    pub fn run(&self, started: Started<'_>) {
        let Started { mut claim, interrupt, trackers, share, occupied } = started;
        let launch_id = claim.launch.launch_id;
        let first = share.slots.first().copied().unwrap_or_default();
        let python = &self.pythons[first];
        // Where several run side by side, each line of the log says whose it is.
        let several = self.pythons.len() > 1;
        let _whose = several.then(|| tracing::error_span!("slot", fw_id = claim.firework.fw_id).entered());
        if self.able.can_run(&claim.firework, python, &interrupt) == Ok(false) {
            self.desk.interrupted(launch_id);
            self.release(vec![claim]);
            return occupied.in_vain();
        }
        let limits = Limits::of(&claim.firework.spec);
        if let Some(why) = self.lacks_time(&claim.firework, limits.as_ref().ok()) {
            self.desk.interrupted(launch_id);
            self.able.leave_for_want_of_time(claim.firework.fw_id, &why);
            self.release(vec![claim]);
            self.note_too_long(why);
            return occupied.in_vain();
        }
        claim.launch.begin(Timestamp::now());
        info!("Launching Rocket");
        info!("RUNNING fw_id: {} in directory: {}", claim.firework.fw_id, claim.launch.launch_dir);
        let others = self.settings.fw_config.print_fw_json.then(|| self.other_launches(&claim));
        let asked = Ask::of(&claim.firework.spec).and(limits);
        let prepared = asked.map_err(|error| Fault::from(error).into()).and_then(|limits| {
            if let Some(at) = limits.max_runtime.and_then(|limit| Instant::now().checked_add(limit)) {
                self.desk.limit(launch_id, at);
            }
            prepare(&claim, others.as_deref(), &interrupt)
        });
        let result = match prepared {
            Ok(start) => {
                let archived = claim.firework.archived_launches.clone();
                let seat = Seat::new(first, share.nodes, &self.settings.wrap);
                let around = Surroundings {
                    previous: &|| self.previous(&archived),
                    worker: &self.settings.fworker,
                    python,
                    seat: &seat,
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
                self.desk.interrupted(launch_id);
                self.give_back(&claim, &Loss::new(Cause::Disk, format!("cannot write {}: {source}", path.display())));
                return self.fail(RocketError::Directory { path, source });
            }
        };
        let Some((state, action)) = result.or_else(|| self.interrupted(&claim)) else { return };
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
        match self.desk.interrupted(claim.launch.launch_id) {
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
