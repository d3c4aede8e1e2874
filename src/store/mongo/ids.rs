//! Ids from FireWorks' counters.

use std::ops::Range;
use std::sync::PoisonError;

use bson::{Document, doc};
use mongodb::options::ReturnDocument;

use super::claim::journaled;
use super::{MongoStore, unreadable};
use crate::store::Result;
use crate::workflow::{LaunchId, as_int, int};

/// A worker takes as many launch ids at a time as it has taken before, at most so many: a single
/// launch leaves no gap, and many ask seldom. Ids that are not used are gaps, which FireWorks has too.
const MOST: usize = 32;

/// Launch ids that this process has taken.
#[derive(Default)]
pub struct Block {
    unused: Range<LaunchId>,
    taken: usize,
}

impl MongoStore {
    /// Takes `count` ids from a counter; returns the first. They are written down before they are
    /// used: a server that is killed would give them to others again, and an id of a launch is what
    /// tells whose it is.
    pub(super) fn take_ids(&self, counter: &str, count: usize) -> Result<i64> {
        let collection = self.database.collection::<Document>("fw_id_assigner");
        let take = || {
            let update = doc! { "$inc": { counter: int(count as i64) } };
            let taken = collection.find_one_and_update(doc! {}, update).return_document(ReturnDocument::Before);
            self.ask(taken.write_concern(journaled()).run())
        };
        let before = match take()? {
            Some(document) => Some(document),
            None => {
                // A launchpad that nobody has initialised: do what `lpad reset` would, bar deleting.
                self.initialise_database()?;
                take()?
            }
        };
        before
            .and_then(|document| document.get(counter).and_then(as_int))
            .ok_or_else(|| unreadable(&self.settings.place(), "the collection fw_id_assigner"))
    }

    /// Launch ids, mostly without a round trip.
    pub(super) fn take_launch_ids(&self, count: usize) -> Result<Vec<LaunchId>> {
        let block = &mut *self.launch_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ids: Vec<LaunchId> = block.unused.by_ref().take(count).collect();
        if ids.len() < count {
            let size = block.taken.min(MOST).max(count);
            let first = self.take_ids("next_launch_id", size)?;
            *block = Block { unused: first..first + size as i64, taken: block.taken + size };
            ids.extend(block.unused.by_ref().take(count - ids.len()));
        }
        Ok(ids)
    }

    /// Hands ids back that a claim did not use.
    pub(super) fn return_launch_ids(&self, unused: &[LaunchId]) {
        let block = &mut self.launch_ids.lock().unwrap_or_else(PoisonError::into_inner).unused;
        // Only the youngest can be put back in front of the block; the others stay gaps.
        for &id in unused.iter().rev() {
            if id + 1 == block.start || block.is_empty() {
                *block = id..if block.is_empty() { id + 1 } else { block.end };
            }
        }
    }

    /// Forgets ids that a reset has made wrong.
    pub(super) fn forget_ids(&self) {
        self.launch_ids.lock().unwrap_or_else(PoisonError::into_inner).unused = 0..0;
    }
}
