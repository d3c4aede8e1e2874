//! The whole launchpad at a glance, in parts: each is asked for when it may have changed.

use anyhow::Result;
use jiff::Timestamp;

use super::{Lane, Slot};
use crate::launchpad::crew::{Crew, crew};
use crate::launchpad::errors::Group;
use crate::launchpad::report::Period;
use crate::launchpad::status::failures;
use crate::launchpad::throughput::{Step, periods};
use crate::store::WorkerRecord;
use crate::store::counts::Counts;
use crate::store::ledger::{Key, Ledger};
use crate::tui::Desk;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Which part.
    pub part: Part,
    /// How often something had changed by then.
    pub changes: u64,
    /// The time by the store's clock, where that is known.
    pub at: Option<Timestamp>,
}

/// A part of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    /// How many are in which state.
    Counts,
    /// Who is at work.
    Crew,
    /// The places of jobs in queues, and the launchers.
    Places,
    /// So many of the last minutes and hours.
    Throughput {
        /// Minutes.
        minutes: u32,
        /// Hours.
        hours: u32,
    },
    /// The newest of so many failures.
    Failures(u64),
    /// What workers cannot run.
    Unable,
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// How many are in which state, and the time by the store's clock.
    Counts(Counts, Timestamp),
    /// Who is at work.
    Crew(Crew),
    /// The places of jobs in queues, and the launchers.
    Places(Vec<(Key, Ledger)>),
    /// What was completed and what failed, and until when.
    Throughput {
        /// By minutes.
        minutes: Vec<Period>,
        /// By hours.
        hours: Vec<Period>,
        /// Until then.
        at: Timestamp,
    },
    /// The newest failures, and since when they were looked for.
    Failures(Vec<Group>, Option<Timestamp>),
    /// What workers cannot run.
    Unable(Vec<WorkerRecord>),
}

impl Part {
    /// Its name, by which a newer question replaces an older one.
    pub fn name(self) -> &'static str {
        match self {
            Part::Counts => "counts",
            Part::Crew => "crew",
            Part::Places => "places",
            Part::Throughput { .. } => "throughput",
            Part::Failures(_) => "failures",
            Part::Unable => "unable",
        }
    }
}

impl Answer {
    /// The time by the store's clock, where that was asked.
    pub fn clock(&self) -> Option<Timestamp> {
        match self {
            Answer::Counts(_, at) => Some(*at),
            _ => None,
        }
    }
}

impl Ask {
    pub(super) fn slot(&self) -> Slot {
        (Lane::Store, self.part.name())
    }

    /// Answers it.
    pub fn answer(&self, desk: &Desk) -> Result<Answer> {
        let store = &*desk.store;
        let at = || self.at.map_or_else(|| store.clock(), Ok);
        Ok(match self.part {
            Part::Counts => Answer::Counts(store.counts()?, store.clock()?),
            Part::Crew => Answer::Crew(crew(&store.open_launches()?, at()?)),
            Part::Places => Answer::Places(store.ledgers()?),
            Part::Throughput { minutes, hours } => {
                let at = at()?;
                let of = |step, count| if count == 0 { Ok(Vec::new()) } else { periods(store, step, count, at) };
                Answer::Throughput { minutes: of(Step::Minutes, minutes)?, hours: of(Step::Hours, hours)?, at }
            }
            Part::Failures(count) => {
                let (groups, since) = failures(store, count, at()?)?;
                Answer::Failures(groups, since)
            }
            Part::Unable => Answer::Unable(store.worker_records()?),
        })
    }
}
