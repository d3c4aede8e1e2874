//! A launcher that goes on for long says so in the ledger, and hears there that it is to stop: from any
//! host, without a port, a socket or a signal.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::book::{ago, this_process};
use crate::queue::process;
use crate::store::ledger::{Daemon, Holder, Key, Ledger, SILENT};
use crate::store::{self, Store};

/// How often it says that it goes on.
const EVERY: Duration = Duration::from_secs(30);
/// A change of what it is about is told no sooner than so long after the last.
const NEWS: Duration = Duration::from_secs(2);
/// The longest time between two looks at what it is asked.
const LOOK: Duration = Duration::from_secs(6);

/// The record of this process in the ledger, for as long as this lives.
pub struct Beat<'a> {
    store: &'a dyn Store,
    key: Key,
    /// How much the clock of the store is ahead of ours.
    ahead: SignedDuration,
    state: RefCell<State>,
}

struct State {
    daemon: Daemon,
    told: Instant,
    is_news: bool,
    heard: Instant,
    is_asked: bool,
}

impl<'a> Beat<'a> {
    /// Begins to go on, as `id`; called with `command`, with a log in a file if it has one.
    pub fn begin(store: &'a dyn Store, key: &Key, id: &str, command: &str, log: Option<String>) -> store::Result<Self> {
        let ahead = store.clock()?.duration_since(Timestamp::now());
        let now = Timestamp::now() + ahead;
        let daemon = Daemon {
            id: id.to_owned(),
            holder: this_process(),
            command: command.to_owned(),
            log,
            status: "begins".to_owned(),
            began: now,
            heard: now,
            stop: false,
        };
        let is_asked = store.note_daemon(key, &daemon)?;
        let (told, heard) = (Instant::now(), Instant::now());
        let state = RefCell::new(State { daemon, told, is_news: false, heard, is_asked });
        Ok(Beat { store, key: key.clone(), ahead, state })
    }

    /// What it is about; told with the next beat.
    pub fn say(&self, words: &str) {
        let status = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut state = self.state.borrow_mut();
        if state.daemon.status != status {
            state.daemon.status = status;
            state.is_news = true;
        }
    }

    /// What the ledger says that was read for another reason.
    pub fn hear(&self, ledger: &Ledger) {
        let mut state = self.state.borrow_mut();
        state.heard = Instant::now();
        let own = ledger.daemons.iter().find(|daemon| daemon.id == state.daemon.id);
        state.is_asked = state.is_asked || own.is_some_and(|own| own.stop);
    }

    /// Says that it goes on, where that is due, and whether it is asked to stop. To be called often.
    pub fn beat(&self) -> bool {
        let state = self.state.borrow();
        let since = state.told.elapsed();
        let (is_due, is_late) = (since >= EVERY || (state.is_news && since >= NEWS), state.heard.elapsed() >= LOOK);
        drop(state);
        if is_due {
            self.tell();
        } else if is_late {
            match self.store.ledger(&self.key) {
                Ok(ledger) => self.hear(&ledger),
                Err(error) => self.missed(&error),
            }
        }
        self.state.borrow().is_asked
    }

    fn tell(&self) {
        let mut state = self.state.borrow_mut();
        state.daemon.heard = Timestamp::now() + self.ahead;
        state.told = Instant::now();
        match self.store.note_daemon(&self.key, &state.daemon) {
            Ok(is_asked) => {
                state.heard = Instant::now();
                state.is_news = false;
                state.is_asked |= is_asked;
            }
            Err(error) => {
                drop(state);
                self.missed(&error);
            }
        }
    }

    /// The next look will tell.
    fn missed(&self, error: &store::StoreError) {
        tracing::debug!("cannot say that this launcher goes on: {error}");
        self.state.borrow_mut().heard = Instant::now();
    }
}

impl Drop for Beat<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.store.drop_daemon(&self.key, &self.state.borrow().daemon.id) {
            tracing::warn!("cannot say that this launcher has ended: {error}");
        }
    }
}

/// What is known of the process of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It was heard of lately.
    Alive,
    /// It is certainly gone.
    Dead,
    /// It was not heard of for so long.
    Silent(Duration),
}

impl Presence {
    /// By the clock of the store, as seen from this host.
    pub fn of(daemon: &Daemon, now: Timestamp) -> Self {
        Presence::seen_from(&this_process(), daemon, now)
    }

    fn seen_from(me: &Holder, daemon: &Daemon, now: Timestamp) -> Self {
        let Holder { host, boot_id, pid, born } = &daemon.holder;
        if *host == me.host && *boot_id == me.boot_id && !boot_id.is_empty() && process::is_gone(*pid, *born) {
            return Presence::Dead;
        }
        match now.duration_since(daemon.heard) {
            silent if silent > SILENT => Presence::Silent(ago(daemon.heard, now)),
            _ => Presence::Alive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Location;

    fn sqlite(folder: &tempfile::TempDir) -> Box<dyn Store> {
        store::open(&Location::Sqlite(folder.path().join("pad.db"))).expect("opens")
    }

    #[test]
    fn is_in_the_ledger_while_it_lives_and_hears_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = sqlite(&folder);
        let key = Key { cluster: "c".into(), user: "u".into() };
        let beat = Beat::begin(&*store, &key, "a1", "qlaunch rapidfire", None).expect("notes");
        let known = store.ledger(&key).expect("reads").daemons;
        assert_eq!(
            known.iter().map(|one| (one.id.as_str(), one.holder.pid)).collect::<Vec<_>>(),
            [("a1", std::process::id())]
        );
        assert_eq!(Presence::of(&known[0], Timestamp::now()), Presence::Alive);
        assert!(!beat.beat());
        assert!(store.stop_daemon(&key, "a1").expect("asks"));
        assert!(!beat.beat(), "it looks once in a while");
        beat.hear(&store.ledger(&key).expect("reads"));
        assert!(beat.beat());
        // What others have asked stays when it says something.
        beat.say("ends\nnow");
        beat.tell();
        let known = store.ledger(&key).expect("reads").daemons;
        assert_eq!((known[0].status.as_str(), known[0].stop), ("ends now", true));
        drop(beat);
        assert_eq!(store.ledger(&key).expect("reads").daemons, []);
    }

    #[test]
    fn the_dead_are_told_from_the_silent() {
        let me = Holder { host: "here".into(), boot_id: "b".into(), ..this_process() };
        let now = Timestamp::from_second(10_000).expect("in range");
        let gone = Holder { born: me.born.map(|born| born - 1), ..me.clone() };
        let elsewhere = Holder { host: "there".into(), ..gone.clone() };
        for (holder, silent, expected) in [
            (&me, 5, Presence::Alive),
            (&me, 3600, Presence::Silent(Duration::from_secs(3600))),
            (&gone, 5, Presence::Dead),
            (&elsewhere, 5, Presence::Alive),
            (&elsewhere, 3600, Presence::Silent(Duration::from_secs(3600))),
        ] {
            let heard = now - SignedDuration::from_secs(silent);
            let daemon = Daemon {
                id: "a".into(),
                holder: holder.clone(),
                command: String::new(),
                log: None,
                status: String::new(),
                began: heard,
                heard,
                stop: false,
            };
            assert_eq!(Presence::seen_from(&me, &daemon, now), expected, "{holder:?} {silent}");
        }
    }
}
