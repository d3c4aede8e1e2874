//! The worker of the jobs, as far as it is able.

use std::time::Duration;

use bson::Bson;
use jiff::Timestamp;

use crate::rocket;
use crate::store::{self, Store};
use crate::workflow::FWorker;

/// The worker of the jobs, which takes what it can: a job for what it has just found that it cannot
/// run, or that needs more time than it has, would be in vain.
pub fn able_worker(store: &dyn Store, worker: &FWorker, time: Option<Duration>) -> store::Result<FWorker> {
    let mut able = worker.clone();
    for record in store.worker_records()? {
        record.heed(&mut able, Timestamp::now());
    }
    if let Some(time) = time {
        let too_long = |walltime: &Bson| rocket::is_too_short(time, walltime);
        able.cannot.walltimes = store.claimable_walltimes(&able)?.into_iter().filter(too_long).collect();
    }
    if able.cannot != worker.cannot {
        tracing::debug!("worker {} cannot run {:?}", able.name, able.cannot);
    }
    Ok(able)
}
