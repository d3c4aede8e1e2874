//! The thread beside the running fireworks: renews the leases of everything the worker holds, writes
//! how far those have come that run, hands back what would wait too long, and reports outcomes
//! that would.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tracing::{info, warn};

use super::desk::{Chore, Desk};
use super::directory::remove_unused;
use super::identity::Identity;
use super::report::{keep_aside, tell};
use crate::config::VolleyConfig;
use crate::store::{Claim, Held, Outcome, Seen, Store};
use crate::workflow::Launch;

/// How long it rests when the store does not answer.
const PAUSE: Duration = Duration::from_secs(5);

/// What the keeper needs to know.
pub struct Keeper<'a> {
    /// The launchpad.
    pub store: &'a dyn Store,
    /// What the worker holds.
    pub desk: &'a Desk,
    /// Whose leases they are.
    pub identity: &'a Identity,
    /// How long leases last.
    pub config: &'a VolleyConfig,
    /// Where the worker was started.
    pub base: &'a Path,
}

impl Keeper<'_> {
    /// Works until the desk is closed.
    pub fn work(&self) {
        // Claims that go back, which the store may not have heard of.
        let mut leaving = Vec::new();
        loop {
            match self.desk.next_chore(self.config.renew) {
                Chore::Renew(held, trackers) => {
                    let seen: Vec<Seen> = trackers.iter().filter_map(|trackers| trackers.look()).collect();
                    self.renew(&held, &seen);
                }
                Chore::Note(launch) => self.note(*launch),
                Chore::Release(claims) => {
                    info!("handing back {} fireworks that would have to wait", claims.len());
                    leaving.extend(claims);
                }
                Chore::Report(outcomes) => self.report(outcomes),
                Chore::Leave => return self.release(&mut leaving),
            }
            self.release(&mut leaving);
        }
    }

    fn renew(&self, held: &[Held], seen: &[Seen]) {
        let (now, at) = (Timestamp::now(), Instant::now());
        let lease = self.identity.lease(now, self.config);
        match self.store.renew(held, seen, &lease, now) {
            Ok(lost) => {
                for launch_id in &lost {
                    warn!("launch {launch_id} is no longer ours: it was rerun, deleted, or taken for lost");
                }
                let (claims, outcomes) = self.desk.renewed(&lost, at);
                for claim in claims {
                    remove_unused(self.base, Path::new(&claim.launch.launch_dir));
                }
                for Outcome { launch, .. } in outcomes {
                    warn!("firework {} was not reported{}", launch.fw_id, keep_aside(&launch));
                }
            }
            Err(error) => {
                warn!("cannot renew the lease: {error}");
                self.desk.put_back(Vec::new(), self.pause());
            }
        }
    }

    fn note(&self, launch: Launch) {
        let launch_id = launch.launch_id;
        match self.store.checkpoint(&launch, Timestamp::now()) {
            Ok(true) => {}
            // Otherwise its outcome has been faster.
            Ok(false) => {
                if self.desk.lose(launch_id) {
                    warn!("launch {launch_id} is no longer ours: it was rerun, deleted, or taken for lost");
                }
            }
            Err(error) if error.is_transient() => {
                warn!("cannot write the checkpoint of launch {launch_id} yet: {error}");
                return self.desk.put_back_note(launch, self.pause());
            }
            Err(error) => warn!("launch {launch_id} goes on without its checkpoint: {error}"),
        }
        self.desk.noted();
    }

    /// Hands claims back; those that the store may have taken back are not ours to run any more, so
    /// that only their leases can end where it does not answer.
    fn release(&self, leaving: &mut Vec<Claim>) {
        if leaving.is_empty() {
            return;
        }
        let held: Vec<Held> = leaving.iter().map(Claim::held).collect();
        match self.store.release(&held, Timestamp::now()) {
            Ok(()) => {
                for claim in leaving.drain(..) {
                    remove_unused(self.base, Path::new(&claim.launch.launch_dir));
                }
            }
            Err(error) => warn!("cannot hand them back yet: {error}"),
        }
    }

    fn report(&self, outcomes: Vec<Outcome>) {
        match self.store.finish(&outcomes, Timestamp::now()) {
            Ok(verdicts) => {
                tell(&outcomes, &verdicts);
                self.desk.sent();
            }
            Err(error) => {
                // The thread that ran them reports them in the end, and knows what to do.
                warn!("cannot report yet: {error}");
                self.desk.put_back(outcomes, self.pause());
            }
        }
    }

    fn pause(&self) -> Duration {
        PAUSE.min(self.config.renew)
    }
}
