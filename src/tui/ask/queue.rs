//! Our jobs in the queue.

use anyhow::Result;

use super::{Lane, Slot};
use crate::launchpad::jobs::{Job, jobs};
use crate::tui::Desk;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Our jobs.
    Jobs,
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Our jobs.
    Jobs(Jobs),
}

/// Our jobs, or why the queue does not show them: one that is away is no trouble of the store.
pub type Jobs = Result<Listing, String>;

/// What a queue shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    /// What people call it.
    pub queue: String,
    /// Our jobs in it.
    pub jobs: Vec<Job>,
}

impl Ask {
    pub(super) fn slot(&self) -> Slot {
        (Lane::Queue, "jobs")
    }

    /// Answers it.
    pub fn answer(&self, desk: &Desk) -> Result<Answer> {
        let listed = desk.queue().and_then(|queue| {
            let listed = queue.list().and_then(|jobs| Ok((jobs, queue.cluster()?)));
            let (jobs, home) = listed.map_err(|error| error.to_string())?;
            Ok((queue.name().to_owned(), jobs, home))
        });
        let (queue, listed, home) = match listed {
            Ok(listed) => listed,
            Err(why) => return Ok(Answer::Jobs(Err(why))),
        };
        if listed.is_empty() {
            return Ok(Answer::Jobs(Ok(Listing { queue, jobs: Vec::new() })));
        }
        let jobs = jobs(listed, &home, &desk.store.open_launches()?, &desk.store.ledgers()?);
        Ok(Answer::Jobs(Ok(Listing { queue, jobs })))
    }
}
