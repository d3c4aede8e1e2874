//! A server that was restarted. What it had acknowledged without its journal may be gone: every
//! outcome is in the journal, but not what was made of it in the fireworks and workflows. So what
//! was done last is done again, which changes nothing where it is there.
//!
//! A restarted server has another `processId`. The driver hears it whenever it looks at the server, and
//! whoever works asks for it at once after connections have broken.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bson::oid::ObjectId;
use bson::{Document, doc};
use jiff::Timestamp;
use mongodb::event::EventHandler;
use mongodb::event::sdam::SdamEvent;

use super::MongoStore;
use super::commands::{Journal, update};
use super::lock::Run;
use crate::store::Result;
use crate::workflow::time;

/// A server writes its journal ten times a second; what was done so long before is in it.
const UNSURE: Duration = Duration::from_secs(120);
/// Of so many launches at most what was made of them is done again; mending finds the others.
const MOST: usize = 2_000;

/// What is known of the process that serves us.
#[derive(Default)]
pub struct Server {
    /// Which one it was when it was last asked.
    process: Arc<Mutex<Option<ObjectId>>>,
    /// It may be another one by now.
    doubtful: Arc<AtomicBool>,
    /// Launches that were applied, and when; the latest last.
    applied: Mutex<VecDeque<(Instant, Run)>>,
}

impl Server {
    /// Hears when a connection breaks, which process serves us, and what its clock shows.
    pub fn listener(&self, showed: impl Fn(Timestamp, Duration) + Send + Sync + 'static) -> EventHandler<SdamEvent> {
        let (doubtful, process) = (Arc::clone(&self.doubtful), Arc::clone(&self.process));
        EventHandler::callback(move |event| match event {
            SdamEvent::ServerHeartbeatFailed(_) => doubtful.store(true, Ordering::Relaxed),
            SdamEvent::ServerHeartbeatSucceeded(beat) if serves_us(&beat.reply) => {
                if let Some(found) = process_of(&beat.reply) {
                    let mut known = process.lock().unwrap_or_else(PoisonError::into_inner);
                    if *known.get_or_insert(found) != found {
                        // What follows from it is done by whoever works next.
                        doubtful.store(true, Ordering::Relaxed);
                    }
                }
                // An answer that was waited for says nothing of how long it took.
                if let (false, Some(at)) = (beat.awaited, beat.reply.get("localTime").and_then(time::from_bson)) {
                    showed(at, beat.duration);
                }
            }
            _ => {}
        })
    }

    /// Notes launches whose outcomes were applied.
    pub fn note(&self, runs: impl IntoIterator<Item = Run>) {
        let mut applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        applied.extend(runs.into_iter().map(|run| (now, run)));
        while applied.len() > MOST || applied.front().is_some_and(|(at, _)| now - *at > UNSURE) {
            applied.pop_front();
        }
    }

    /// Which process has just answered. Returns whether it is another one than before.
    pub fn meet(&self, hello: &Document) -> bool {
        self.doubtful.store(false, Ordering::Relaxed);
        let Some(process) = process_of(hello) else { return false };
        let before = self.process.lock().unwrap_or_else(PoisonError::into_inner).replace(process);
        before.is_some_and(|before| before != process)
    }

    /// It may be another process than before.
    pub fn doubt(&self) {
        self.doubtful.store(true, Ordering::Relaxed);
    }

    /// What should have been done for a new process has not been: it is to be met once more.
    fn miss(&self) {
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = Some(ObjectId::new());
        self.doubt();
    }

    /// Whether it may be another process.
    pub fn is_doubtful(&self) -> bool {
        self.doubtful.load(Ordering::Relaxed)
    }
}

/// The process that gave this answer.
fn process_of(hello: &Document) -> Option<ObjectId> {
    hello.get_document("topologyVersion").ok()?.get_object_id("processId").ok()
}

/// Whether it is that of the one server that takes our writes: not another one of its replica set, and not one
/// of many routers to a cluster.
fn serves_us(hello: &Document) -> bool {
    let is_so = |key: &str| hello.get_bool(key).unwrap_or(false);
    (is_so("isWritablePrimary") || is_so("ismaster")) && !hello.get_str("msg").is_ok_and(|kind| kind == "isdbgrid")
}

impl MongoStore {
    /// Does again what a server may have forgotten that was restarted. What fails here is healed like
    /// what the dead leave behind.
    pub(super) fn heed_restart(&self) -> Result<()> {
        if !self.server.is_doubtful() {
            return Ok(());
        }
        let hello = self.ask(self.database.run_command(doc! { "hello": 1 }).run())?;
        if self.server.meet(&hello) {
            self.repeat_last()?;
        }
        Ok(())
    }

    /// Waits until the journal has what was made of the last outcomes. A write that changes nothing
    /// does so for all before it.
    pub(super) fn write_down(&self) -> Result<()> {
        self.heed_restart()?;
        if self.server.applied.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            return Ok(());
        }
        let nothing = update(doc! { "fw_id": 0 }, doc! { "$set": { "fw_id": 0 } });
        self.bulk("fireworks", vec![nothing], Journal::Yes)?;
        // The server may have been restarted in between, with its connections.
        self.heed_restart()
    }

    /// The server is another process than before.
    pub(super) fn repeat_last(&self) -> Result<()> {
        // Of these ids the server may know nothing any more, and give them to others.
        *self.launch_ids.lock().unwrap_or_else(PoisonError::into_inner) = super::ids::Block::default();
        let runs: Vec<Run> = {
            let mut applied = self.server.applied.lock().unwrap_or_else(PoisonError::into_inner);
            applied.drain(..).map(|(_, run)| run).collect()
        };
        tracing::warn!("{} was restarted: the last {} outcomes are applied again", self.settings.place(), runs.len());
        let launches = self.ended_launches(&runs)?;
        let runs: Vec<Run> = runs.into_iter().filter(|run| launches.contains_key(&run.launch_id)).collect();
        if let Err(error) = self.settle(runs.clone(), &launches, Timestamp::now()) {
            self.server.note(runs);
            self.server.miss();
            return Err(error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_process_is_another_server() {
        let server = Server::default();
        let hello =
            |id: u8| doc! { "topologyVersion": { "processId": ObjectId::from_bytes([id; 12]), "counter": 0_i64 } };
        assert!(!server.meet(&hello(1)) && !server.meet(&hello(1)));
        server.doubt();
        assert!(server.is_doubtful());
        assert!(server.meet(&hello(2)) && !server.is_doubtful());
        server.miss();
        assert!(server.is_doubtful() && server.meet(&hello(2)), "it is met once more");
        assert!(!server.meet(&doc! {}), "a server that does not say");
        server.note((0..3_000).map(|id| Run { fw_id: id, launch_id: id, spawned: None }));
        let applied = server.applied.lock().expect("is whole");
        assert_eq!((applied.len(), applied.back().map(|(_, run)| run.fw_id)), (MOST, Some(2_999)));
    }
}
