//! Fireworks that follow the launch of a duplicate (`_dupefinder`), instead of running.

use bson::{Bson, doc};
use jiff::Timestamp;

use super::MongoStore;
use super::commands::{Journal, ints, update};
use super::lock::Run;
use crate::store::{Claim, Result};
use crate::workflow::launch::representative;
use crate::workflow::{FwId, Launch, LaunchId, State, as_int, int, int_list, time};

impl MongoStore {
    /// Drops the claims of fireworks that a duplicate runs, or has run: those follow its launch.
    pub(super) fn without_duplicates(&self, claims: Vec<Claim>, now: Timestamp) -> Result<Vec<Claim>> {
        let mut kept = Vec::with_capacity(claims.len());
        for claim in claims {
            if !claim.firework.looks_for_exact_duplicates() || !self.follow_duplicate(&claim, now)? {
                kept.push(claim);
            }
        }
        Ok(kept)
    }

    /// Two that are claimed at once see each other: the launch that began later gives way.
    fn follow_duplicate(&self, claim: &Claim, now: Timestamp) -> Result<bool> {
        let (fw_id, own) = (claim.firework.fw_id, claim.launch.launch_id);
        // FireWorks' own condition; no index serves it.
        let same = doc! {
            "launches": { "$ne": Bson::Array(Vec::new()) },
            "spec": claim.firework.spec.clone(),
            "fw_id": { "$ne": int(fw_id) },
        };
        let found = self.fireworks.find(same).projection(doc! { "_id": 0, "fw_id": 1, "launches": 1 });
        let same = self.collect(found.sort(doc! { "fw_id": 1 }).run())?;
        let ids: Vec<LaunchId> = same.iter().flat_map(|document| int_list(document.get("launches"))).collect();
        let began = |launch: &Launch| (launch.began(), launch.launch_id);
        let follows = |launch: &Launch| launch.state != State::Running || began(launch) < began(&claim.launch);
        let mut theirs = self.search_launches(&ids)?;
        theirs.retain(|launch| follows(launch) && !claim.firework.launches.contains(&launch.launch_id));
        if theirs.is_empty() {
            return Ok(false);
        }
        let mine = doc! {
            "fw_id": int(fw_id),
            "state": State::Running.as_str(),
            "launches": ints(&claim.firework.launches),
        };
        let kept = claim.firework.launches.iter().copied().filter(|&id| id != own);
        let launches: Vec<LaunchId> = kept.chain(theirs.iter().map(|launch| launch.launch_id)).collect();
        let set = doc! { "launches": ints(&launches), "updated_on": time::to_iso(now) };
        if self.ask(self.fireworks.update_one(mine, doc! { "$set": set }).run())?.matched_count == 0 {
            // Somebody has rerun or deleted it meanwhile; our launch is lost either way.
            return Ok(false);
        }
        let unused = doc! { "launch_id": int(own), "state": State::Running.as_str() };
        self.ask(self.launches.delete_one(unused).run())?;
        for other in same.iter().filter_map(|document| document.get("fw_id").and_then(as_int)) {
            tracing::info!("Duplicate found! fwids {fw_id} and {other}");
        }
        self.follow(fw_id, &launches, now)?;
        Ok(true)
    }

    /// Gives a firework that is RUNNING the state of its launches.
    fn follow(&self, fw_id: FwId, launches: &[LaunchId], now: Timestamp) -> Result<()> {
        let stored = self.launches_to_apply(launches)?;
        match representative(stored.iter()) {
            Some(launch) if launch.state.is_final() => {
                let run = self.run_of(fw_id, launch)?;
                self.settle(vec![run], &[(launch.launch_id, launch.clone())].into(), now)?;
            }
            Some(launch) if launch.state != State::Running => {
                self.leave_state(fw_id, State::Running, launch.state, now)?;
                let running = doc! { "fw_id": int(fw_id), "state": State::Running.as_str() };
                let set = doc! { "state": launch.state.as_str(), "updated_on": time::to_iso(now) };
                self.ask(self.fireworks.update_one(running, doc! { "$set": set }).run())?;
            }
            _ => {}
        }
        Ok(())
    }

    /// An ended launch on its way to one of the fireworks that follow it; the ids of what it spawns
    /// there are new, unless it is the launch's own firework.
    pub(super) fn run_of(&self, fw_id: FwId, launch: &Launch) -> Result<Run> {
        let spawned = match launch.spawned().filter(|_| launch.fw_id == fw_id) {
            Some(spawned) => Some(spawned.start),
            None => self.take_ids_for(launch)?.map(|(first, _)| first),
        };
        Ok(Run { fw_id, launch_id: launch.launch_id, spawned })
    }

    /// Ended launches on their way to the other fireworks that follow them.
    pub(super) fn runs_of_followers<'l>(&self, launches: impl Iterator<Item = &'l Launch>) -> Result<Vec<Run>> {
        let launches: Vec<&Launch> = launches.collect();
        if launches.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<LaunchId> = launches.iter().map(|launch| launch.launch_id).collect();
        let found = self.fireworks.find(doc! { "launches": { "$in": ints(&ids) } });
        let mut runs = Vec::new();
        for document in self.collect(found.projection(doc! { "_id": 0, "fw_id": 1, "launches": 1 }).run())? {
            let Some(fw_id) = document.get("fw_id").and_then(as_int) else { continue };
            let listed = int_list(document.get("launches"));
            for launch in launches.iter().filter(|one| listed.contains(&one.launch_id) && one.fw_id != fw_id) {
                runs.push(self.run_of(fw_id, launch)?);
            }
        }
        Ok(runs)
    }

    /// Duplicates of a firework that was reserved begin with it.
    pub(super) fn start_followers(&self, claim: &Claim, now: Timestamp) -> Result<()> {
        if !claim.firework.looks_for_duplicates() {
            return Ok(());
        }
        let idle = [State::Waiting, State::Ready, State::Reserved, State::Fizzled].map(State::as_str).to_vec();
        let idle = doc! { "launches": int(claim.launch.launch_id), "state": { "$in": idle } };
        let found = self.fireworks.find(idle.clone()).projection(doc! { "_id": 0, "fw_id": 1 });
        let ids: Vec<FwId> =
            self.collect(found.run())?.iter().filter_map(|document| document.get("fw_id").and_then(as_int)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let running = doc! { "$set": { "state": State::Running.as_str(), "updated_on": time::to_iso(now) } };
        self.ask(self.fireworks.update_many(idle, running).run())?;
        let statements = ids.into_iter().map(|fw_id| {
            let free = doc! { "nodes": int(fw_id), "locked": { "$exists": false } };
            update(free, doc! { "$set": { format!("fw_states.{fw_id}"): State::Running.as_str() } })
        });
        self.bulk("workflows", statements.collect(), Journal::No)?;
        Ok(())
    }
}
