//! The places that jobs have, in the ledger of the launchpad.
//!
//! A place is taken before a job is handed over and given back when the job is certainly gone, so
//! there are never fewer places than jobs.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::LauncherError;
use super::daemon::Beat;
use super::intent;
use super::polled::Polled;
use crate::queue::{JobId, Queue, process};
use crate::store::ledger::{Change, Entry, Holder, JobName, Key, Ledger, Word};
use crate::store::{self, Store};

/// Whoever cannot be looked at, on another host, is dead after so long without a word of his job.
const DEAD: SignedDuration = SignedDuration::from_mins(10);

/// The group of jobs that are for fireworks that are reserved for them.
pub const RESERVED: &str = "reserved";

/// The ledger of our jobs, and the queue they are in.
pub struct Book<'a> {
    /// Where the ledger is.
    pub store: &'a dyn Store,
    /// Which ledger.
    pub key: Key,
    /// The queue.
    pub queue: &'a Polled<'a>,
    /// Says how we get on, where that is for long.
    beat: Option<&'a Beat<'a>>,
    holder: Holder,
    /// How much the clock of the store is ahead of ours: launchers on several hosts go by that one.
    ahead: SignedDuration,
}

/// The ledger of this user on a cluster.
pub fn own_key(cluster: String) -> Key {
    Key { cluster, user: rustix::process::getuid().as_raw().to_string() }
}

impl<'a> Book<'a> {
    /// A ledger, of the jobs in a queue.
    pub fn open(
        store: &'a dyn Store,
        key: Key,
        queue: &'a Polled<'a>,
        beat: Option<&'a Beat<'a>>,
    ) -> store::Result<Self> {
        let ahead = store.clock()?.duration_since(Timestamp::now());
        Ok(Book { store, key, queue, beat, holder: this_process(), ahead })
    }

    /// What time it is for all launchers.
    pub fn now(&self) -> Timestamp {
        Timestamp::now() + self.ahead
    }

    /// The ledger as it is.
    pub fn read(&self) -> Result<Ledger, LauncherError> {
        let ledger = self.store.ledger(&self.key)?;
        if let Some(beat) = self.beat {
            beat.hear(&ledger);
        }
        Ok(ledger)
    }

    /// How we get on, in words.
    pub fn say(&self, words: impl FnOnce() -> String) {
        if let Some(beat) = self.beat {
            beat.say(&words());
        }
    }

    /// A place for a job, to be taken.
    pub fn place(&self, token: &str, element: Option<u32>, group: Option<&str>) -> Entry {
        let (token, group) = (token.to_owned(), group.map(str::to_owned));
        let taken = self.now();
        Entry { token, element, holder: self.holder.clone(), taken, group, job: None, word: None, missed: None }
    }

    /// Takes places for jobs; the new revision, or nothing where others have changed the ledger, or
    /// there would be more than `most`.
    pub fn take(&self, revision: i64, places: &[Entry], most: Option<usize>) -> Result<Option<i64>, LauncherError> {
        Ok(self.store.take_places(&self.key, revision, places, most)?)
    }

    /// Says what has become of places.
    pub fn settle(&self, changes: &[Change]) -> Result<(), LauncherError> {
        Ok(self.store.settle_places(&self.key, changes)?)
    }

    /// Whether this process has taken a place.
    pub fn is_ours(&self, entry: &Entry) -> bool {
        entry.holder == self.holder
    }

    /// The name of a job for the ledger.
    pub fn name(&self, job: &JobId) -> JobName {
        JobName { id: job.id.clone(), cluster: job.cluster.clone().or_else(|| self.queue.realm()) }
    }

    /// Whether nobody is about to hand over the job of a place any more.
    pub fn is_abandoned(&self, entry: &Entry) -> bool {
        if entry.job.is_some() {
            return false;
        }
        let (holder, me) = (&entry.holder, &self.holder);
        let age = self.now().duration_since(entry.taken);
        let is_here = holder.host == me.host && holder.boot_id == me.boot_id && !me.boot_id.is_empty();
        let is_dead = match is_here {
            // Our own are those that we do not know the outcome of.
            true => holder == me || process::is_gone(holder.pid, holder.born),
            false => age > DEAD,
        };
        is_dead && !intent::is_under_way(&entry.token)
    }
}

/// Whether a listing may give back a place now: a job has said that it ends, or nobody knows whether it
/// is there.
pub fn has_news(ledger: &Ledger, now: Timestamp) -> bool {
    ledger.jobs.iter().any(|entry| match entry.word {
        // The queue is not sooner with it.
        Some(Word::Ending(at)) => ago(at, now) >= Duration::from_millis(500),
        _ => entry.job.is_none(),
    })
}

/// Gives a place back.
pub fn free(entry: &Entry) -> Change {
    let job = entry.job.as_ref().map(|job| job.id.clone());
    Change::Free { token: entry.token.clone(), element: entry.element, job }
}

/// The process that submits.
pub fn this_process() -> Holder {
    let (host, pid) = (gethostname::gethostname().to_string_lossy().into_owned(), std::process::id());
    Holder { host, boot_id: process::boot(), pid, born: process::started(pid) }
}

/// How long ago something was, by a clock that may go back.
pub fn ago(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::LaunchpadId;
    use crate::queue::local::Local;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn what_another_host_has_just_taken_is_not_left_behind_whatever_our_clock_says() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pad.db");
        let queue = Local::new(folder.path(), &LaunchpadId::of(&store::Location::Sqlite(path.clone())), vec![], vec![]);
        let polled = Polled::new(&queue, Duration::ZERO);
        for minutes in [-20, 20] {
            let store = SqliteStore::open(&path, SignedDuration::from_mins(minutes)).expect("opens");
            let book = Book::open(&store, own_key("here".into()), &polled, None).expect("opens");
            let holder = Holder { host: "elsewhere".into(), ..this_process() };
            let taken = |ago| Entry {
                taken: store.clock().expect("tells") - ago,
                holder: holder.clone(),
                ..book.place("/a", None, None)
            };
            assert!(!book.is_abandoned(&taken(SignedDuration::from_mins(1))), "{minutes}");
            assert!(book.is_abandoned(&taken(SignedDuration::from_mins(11))), "{minutes}");
        }
    }
}
