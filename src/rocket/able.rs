//! What this worker can run. A firework that needs what the worker's Python has not is left to
//! others: the worker does not take it again, and says so where `lpad get_fws` finds it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tracing::{info, warn};

use super::walltime::TooLong;
use crate::firetask::{self, Interrupt, Need, Python, Stopped, Thing};
use crate::store::{Result, Store, WorkerRecord};
use crate::workflow::{FWorker, Firework, FwId};

/// Why a firework cannot be run here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// One of its tasks.
    pub task: String,
    /// What is missing for it.
    pub reason: String,
}

/// The abilities of one worker process, in all its slots.
pub struct Able<'a> {
    store: &'a dyn Store,
    host: &'a str,
    state: Mutex<State>,
}

struct State {
    fworker: FWorker,
    /// What the launchpad has been told: what is there, and what is not for which reason.
    noted: BTreeSet<(Thing, Option<String>)>,
    said: BTreeSet<String>,
    last: Option<Lack>,
}

impl<'a> Able<'a> {
    /// All is possible until it is tried.
    pub fn new(store: &'a dyn Store, fworker: FWorker, host: &'a str) -> Self {
        let (noted, said, last) = (BTreeSet::new(), BTreeSet::new(), None);
        Able { store, host, state: Mutex::new(State { fworker, noted, said, last }) }
    }

    /// The worker, which takes what it can.
    pub fn fworker(&self) -> FWorker {
        self.lock().fworker.clone()
    }

    /// Whether a firework can be run here, in this Python. One that cannot is not taken again.
    pub fn can_run(&self, firework: &Firework, python: &Python, interrupt: &Interrupt) -> Result<bool, Stopped> {
        let needs = firetask::needs(&firework.spec);
        if needs.is_empty() {
            return Ok(true);
        }
        let lacks = python.lacks(&needs, interrupt)?;
        let state = &mut *self.lock();
        if let Err(error) = self.record(state, &needs, &lacks) {
            warn!("cannot note what this worker can run: {error}");
        }
        for (need, reason) in &lacks {
            state.leave_out(&need.thing);
            let (task, reason) = (need.task.clone(), reason.clone());
            if state.said.insert(reason.clone()) {
                warn!("this worker cannot run {task}: {reason}; such fireworks are left to others");
            }
            state.last = Some(Lack { task, reason });
        }
        Ok(lacks.is_empty())
    }

    /// Does not take this firework again, nor any other that asks for as much time: `why` is said
    /// once for all of them.
    pub fn leave_for_want_of_time(&self, fw_id: FwId, why: &TooLong) {
        let cannot = &mut self.lock().fworker.cannot;
        info!("fw_id: {fw_id} is left to others: {}", why.reason);
        cannot.fw_ids.insert(fw_id);
        cannot.walltimes.extend(why.walltime.clone());
    }

    /// Takes none that asks for as much time. Returns whether that is new.
    pub fn leave_all_of(&self, why: &TooLong) -> bool {
        let cannot = &mut self.lock().fworker.cannot;
        let news = why.walltime.clone().filter(|walltime| !cannot.walltimes.contains(walltime));
        if news.is_some() {
            info!("fireworks are left to others: {}", why.reason);
        }
        cannot.walltimes.extend(news.clone());
        news.is_some()
    }

    /// Whether there was one that takes too long.
    pub fn lacks_time(&self) -> bool {
        let cannot = &self.lock().fworker.cannot;
        !cannot.fw_ids.is_empty() || !cannot.walltimes.is_empty()
    }

    /// Why the last firework that could not be run could not.
    pub fn last_lack(&self) -> Option<Lack> {
        self.lock().last.take()
    }

    /// Tells the launchpad what is new about this worker.
    fn record(&self, state: &mut State, needs: &BTreeSet<Need>, lacks: &BTreeMap<Need, String>) -> Result<()> {
        let found = |need: &Need| (need.thing.clone(), lacks.get(need).cloned());
        let news: Vec<_> = needs.iter().map(found).filter(|one| !state.noted.contains(one)).collect();
        if news.is_empty() {
            return Ok(());
        }
        // Other processes of this worker write it, too.
        let stored = self.stored_record(&state.fworker.name)?;
        let mut record = WorkerRecord { updated_on: Timestamp::now(), ..stored.clone() };
        for (thing, why) in &news {
            let (map, name) = match thing {
                Thing::Class(name) => (&mut record.cannot, name),
                Thing::Package(name) => (&mut record.lacks, name),
            };
            match why {
                Some(why) => map.insert(name.clone(), why.clone()),
                None => map.remove(name),
            };
        }
        if record.is_news(&stored) {
            self.store.record_worker(&record)?;
        }
        state.noted.extend(news);
        Ok(())
    }

    /// What is stored of this worker; a record that says nothing where nothing is.
    fn stored_record(&self, name: &str) -> Result<WorkerRecord> {
        let mut all = self.store.worker_records()?.into_iter();
        let stored = all.find(|record| record.name == name && record.host == self.host);
        let nothing = WorkerRecord {
            name: name.to_owned(),
            host: self.host.to_owned(),
            cannot: BTreeMap::new(),
            lacks: BTreeMap::new(),
            updated_on: Timestamp::MIN,
        };
        Ok(stored.unwrap_or(nothing))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn leave_out(&mut self, thing: &Thing) {
        let cannot = &mut self.fworker.cannot;
        match thing {
            Thing::Class(name) => cannot.tasks.insert(name.clone()),
            Thing::Package(name) => cannot.packages.insert(name.clone()),
        };
    }
}
