//! Ids from FireWorks' counters.

use std::ops::Range;
use std::sync::PoisonError;

use bson::{Document, doc};
use mongodb::options::ReturnDocument;

use super::{MongoStore, unreadable};
use crate::store::Result;
use crate::workflow::{LaunchId, as_int, int};

/// A worker takes launch ids by so many; those it does not use are gaps, which FireWorks has too.
const BLOCK: usize = 32;

/// Launch ids that have been taken and not used.
pub type Block = Range<LaunchId>;

impl MongoStore {
    /// Takes `count` ids from a counter; returns the first.
    pub(super) fn take_ids(&self, counter: &str, count: usize) -> Result<i64> {
        let collection = self.database.collection::<Document>("fw_id_assigner");
        let take = || {
            let update = doc! { "$inc": { counter: int(count as i64) } };
            self.ask(collection.find_one_and_update(doc! {}, update).return_document(ReturnDocument::Before).run())
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
        let mut block = self.launch_ids.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ids: Vec<LaunchId> = block.by_ref().take(count).collect();
        if ids.len() < count {
            let first = self.take_ids("next_launch_id", count.max(BLOCK))?;
            *block = first..first + count.max(BLOCK) as i64;
            ids.extend(block.by_ref().take(count - ids.len()));
        }
        Ok(ids)
    }

    /// Hands ids back that a claim did not use.
    pub(super) fn return_launch_ids(&self, unused: &[LaunchId]) {
        let mut block = self.launch_ids.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the youngest can be put back in front of the block; the others stay gaps.
        for &id in unused.iter().rev() {
            if id + 1 == block.start || block.is_empty() {
                *block = id..if block.is_empty() { id + 1 } else { block.end };
            }
        }
    }

    /// Forgets ids that a reset has made wrong.
    pub(super) fn forget_ids(&self) {
        *self.launch_ids.lock().unwrap_or_else(PoisonError::into_inner) = 0..0;
    }
}
