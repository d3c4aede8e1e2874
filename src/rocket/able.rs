//! What this worker can run. A firework that needs what the worker's Python has not is left to
//! others: the worker does not take it again, and says so where `lpad get_fws` finds it.

use std::cell::{Ref, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tracing::{info, warn};

use super::walltime::TooLong;
use crate::config::Settings;
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

/// The abilities of one worker process.
pub struct Able<'a> {
    /// Runs what is not native.
    pub python: Python,
    store: &'a dyn Store,
    host: &'a str,
    fworker: RefCell<FWorker>,
    /// What the launchpad has been told: what is there, and what is not for which reason.
    noted: RefCell<BTreeSet<(Thing, Option<String>)>>,
    said: RefCell<BTreeSet<String>>,
    last: RefCell<Option<Lack>>,
}

impl<'a> Able<'a> {
    /// All is possible until it is tried.
    pub fn new(store: &'a dyn Store, settings: &Settings, python: Python, host: &'a str) -> Self {
        let fworker = RefCell::new(settings.fworker.clone());
        let (noted, said, last) = (RefCell::default(), RefCell::default(), RefCell::default());
        Able { python, store, host, fworker, noted, said, last }
    }

    /// The worker, which takes what it can.
    pub fn fworker(&self) -> Ref<'_, FWorker> {
        self.fworker.borrow()
    }

    /// Whether a firework can be run here. One that cannot is not taken again.
    pub fn can_run(&self, firework: &Firework, interrupt: &Interrupt) -> Result<bool, Stopped> {
        let needs = firetask::needs(&firework.spec);
        if needs.is_empty() {
            return Ok(true);
        }
        let lacks = self.python.lacks(&needs, interrupt)?;
        if let Err(error) = self.record(&needs, &lacks) {
            warn!("cannot note what this worker can run: {error}");
        }
        for (need, reason) in &lacks {
            self.leave_out(&need.thing);
            let (task, reason) = (need.task.clone(), reason.clone());
            if self.said.borrow_mut().insert(reason.clone()) {
                warn!("this worker cannot run {task}: {reason}; such fireworks are left to others");
            }
            self.last.replace(Some(Lack { task, reason }));
        }
        Ok(lacks.is_empty())
    }

    /// Does not take this firework again, nor any other that asks for as much time: `why` is said
    /// once for all of them.
    pub fn leave_for_want_of_time(&self, fw_id: FwId, why: &TooLong) {
        let cannot = &mut self.fworker.borrow_mut().cannot;
        info!("fw_id: {fw_id} is left to others: {}", why.reason);
        cannot.fw_ids.insert(fw_id);
        cannot.walltimes.extend(why.walltime.clone());
    }

    /// Whether there was one that takes too long.
    pub fn lacks_time(&self) -> bool {
        !self.fworker.borrow().cannot.fw_ids.is_empty()
    }

    /// Why the last firework that could not be run could not.
    pub fn last_lack(&self) -> Option<Lack> {
        self.last.take()
    }

    fn leave_out(&self, thing: &Thing) {
        let cannot = &mut self.fworker.borrow_mut().cannot;
        match thing {
            Thing::Class(name) => cannot.tasks.insert(name.clone()),
            Thing::Package(name) => cannot.packages.insert(name.clone()),
        };
    }

    /// Tells the launchpad what is new about this worker.
    fn record(&self, needs: &BTreeSet<Need>, lacks: &BTreeMap<Need, String>) -> Result<()> {
        let found = |need: &Need| (need.thing.clone(), lacks.get(need).cloned());
        let noted = &mut *self.noted.borrow_mut();
        let news: Vec<_> = needs.iter().map(found).filter(|one| !noted.contains(one)).collect();
        if news.is_empty() {
            return Ok(());
        }
        // Other processes of this worker write it, too.
        let stored = self.stored_record()?;
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
        noted.extend(news);
        Ok(())
    }

    /// What is stored of this worker; a record that says nothing where nothing is.
    fn stored_record(&self) -> Result<WorkerRecord> {
        let name = self.fworker().name.clone();
        let mut all = self.store.worker_records()?.into_iter();
        let stored = all.find(|record| record.name == name && record.host == self.host);
        let nothing = WorkerRecord {
            name,
            host: self.host.to_owned(),
            cannot: BTreeMap::new(),
            lacks: BTreeMap::new(),
            updated_on: Timestamp::MIN,
        };
        Ok(stored.unwrap_or(nothing))
    }
}
