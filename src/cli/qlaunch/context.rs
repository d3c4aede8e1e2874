//! What verbs that launch work with: the queue, the launchpad, and the launcher between them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;

use super::able::able_worker;
use super::jobs::Jobs;
use super::signal::Caught;
use super::suits::check_hosts;
use super::{Options, detach, signal};
use crate::cli::common::open_store;
use crate::config::qadapter::QueueType;
use crate::launcher::{Beat, Book, Launcher, LauncherError, MEND, Polled, Presence, Reserve, own_key, walltime};
use crate::launchpad::mend::mend_beside;
use crate::launchpad::witness::Watcher;
use crate::queue::Queue;
use crate::rocket::Rescuer;
use crate::rocket::identity::Identity;
use crate::store::Store;
use crate::store::ledger::{Daemon, Key};

/// Longest time between two listings of a queue that others use, too.
const POLL: Duration = Duration::from_secs(60);

/// The queue, the launchpad, and who wants us to stop.
pub struct Context {
    /// The queue.
    pub jobs: Jobs,
    /// The launchpad.
    pub store: Box<dyn Store>,
    signal: Caught,
    poll: Duration,
    reserve: bool,
    fill: bool,
    record: Option<Record>,
}

/// What a launcher that goes on for long says of itself.
struct Record {
    id: String,
    command: String,
    log: Option<String>,
    is_detached: bool,
}

impl Record {
    fn new(options: &Options) -> Result<Self> {
        let id = options.in_session.clone().unwrap_or_else(detach::new_id);
        let is_detached = options.in_session.is_some();
        let log = is_detached.then(|| detach::log_file(options, &id)).transpose()?;
        let log = log.map(|log| log.to_string_lossy().into_owned());
        Ok(Record { id, command: detach::command_line(), log, is_detached })
    }
}

impl Context {
    /// Opens everything; `lasts` says that what is asked for goes on until it is stopped.
    pub fn open(options: &Options, lasts: bool) -> Result<Self> {
        let jobs = Jobs::open(options)?;
        check_hosts(&jobs, options)?;
        let store = open_store(&jobs.settings)?;
        let poll = match jobs.adapter.queue {
            QueueType::Slurm => options.poll.unwrap_or(POLL),
            // These are files.
            QueueType::Local => Duration::ZERO,
        };
        let (reserve, fill) = (options.reserve, options.fill_mode);
        let is_recorded = lasts || !options.daemon.is_zero() || options.in_session.is_some();
        let record = is_recorded.then(|| Record::new(options)).transpose()?;
        Ok(Context { jobs, store, signal: signal::catch()?, poll, reserve, fill, record })
    }

    /// Launches.
    pub fn launch<T>(&self, act: impl FnOnce(&Launcher<'_>) -> Result<T>) -> Result<T> {
        let Context { jobs, store, .. } = self;
        let settings = &jobs.settings;
        let time = self.walltime();
        let identity = Identity::of_this_process();
        let refused = RefCell::new(BTreeSet::new());
        // What is reserved for a job is run there, whatever it asks for.
        let room = (!self.reserve).then(|| jobs.room());
        let slots = room.map_or(1, |room| if room.slots == usize::MAX { 1 } else { room.slots as u64 });
        let worker = || {
            let mut able = settings.fworker.clone();
            able.cannot.beyond = room;
            able.cannot.unless_own_walltime = self.reserve;
            able.cannot.fw_ids.extend(refused.borrow().iter().copied());
            able_worker(&**store, &able, time)
        };
        let reserve = Reserve {
            store: &**store,
            worker: &worker,
            refused: &refused,
            order: settings.fw_config.order,
            host: (&identity.host, &identity.ip),
            command: &|own| jobs.command(own),
        };
        let queue = Polled::new(jobs.queue.as_ref(), self.poll);
        let cluster = queue.cluster().map_err(|source| jobs.coded(LauncherError::Queue { submitted: 0, source }))?;
        let key = own_key(cluster);
        let beat = self.record.as_ref().map(|record| self.begin(record, &key)).transpose()?;
        let book = Book::open(&**store, key, &queue, beat.as_ref())?;
        let watcher = Watcher::new(&queue);
        let witness = Rescuer::new(&**store, &jobs.launchpad, &watcher);
        act(&Launcher {
            book: &book,
            script: &jobs.script,
            claimable: &|limit| {
                // A job takes as many at once as it has slots.
                let count = store.count_claimable(&worker()?, Timestamp::now(), limit.saturating_mul(slots))?;
                Ok(count.div_ceil(slots))
            },
            mend: &|| mend_beside(&**store, &witness, MEND, settings.volley.max_lost),
            stop: &|| self.signal.is_there() || beat.as_ref().is_some_and(Beat::beat),
            reserve: self.reserve.then_some(&reserve),
            fill: self.fill,
            checked: Cell::new(false),
        })
    }

    /// Says that a launcher goes on. Two that were detached with the same words are one too many.
    fn begin(&self, record: &Record, key: &Key) -> Result<Beat<'_>> {
        if record.is_detached {
            let (ledger, now) = (self.store.ledger(key)?, self.store.clock()?);
            let twin = ledger.daemons.iter().find(|daemon| {
                daemon.command == record.command && !daemon.stop && Presence::of(daemon, now) == Presence::Alive
            });
            if let Some(Daemon { id, holder, .. }) = twin {
                let place = format!("process {} on {}", holder.pid, holder.host);
                anyhow::bail!("launcher {id} ({place}) does the same already; `qlaunch stop {id}` ends it");
            }
        }
        Ok(Beat::begin(&*self.store, key, &record.id, &record.command, record.log.clone())?)
    }

    /// How long a job may run. Jobs of this machine have no limit.
    pub fn walltime(&self) -> Option<Duration> {
        let adapter = &self.jobs.adapter;
        let limited = adapter.keys.get("walltime").filter(|_| adapter.queue == QueueType::Slurm);
        limited.and_then(|text| walltime(text))
    }

    /// The code of a program that was stopped.
    pub fn stopped(&self) -> ExitCode {
        self.signal.code()
    }
}
