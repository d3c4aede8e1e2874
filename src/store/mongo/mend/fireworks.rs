//! Fireworks that are RESERVED or RUNNING for nobody.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::super::MongoStore;
use super::super::commands::ints;
use super::super::correct::Brief;
use super::super::lock::Run;
use super::Round;
use crate::store::mend::{Case, DEAD, followed, judge, losses};
use crate::store::{Mend, Result};
use crate::workflow::{FwId, Launch, LaunchId, State, as_int, int, int_list, time};

/// Fireworks that are looked at in one round, of either kind.
const FIREWORKS: i64 = 2_000;

/// Fireworks with which something is wrong.
pub(super) type Cases = BTreeMap<FwId, (Case, Brief)>;

impl MongoStore {
    /// Python marks a firework RESERVED with a date of the other type before it makes the launch.
    pub(super) fn free_reserved(&self, round: &mut Round<'_>) -> Result<()> {
        let marked = round.within(doc! {
            "state": State::Reserved.as_str(),
            "updated_on": { "$lt": time::to_bson_date(round.at - DEAD) },
        });
        let briefs = self.briefs(marked, Some(FIREWORKS))?;
        let listed: Vec<LaunchId> = briefs.values().flat_map(|brief| brief.launches.iter().copied()).collect();
        let launches = self.launch_heads(&listed)?;
        for (fw_id, brief) in briefs {
            let open = |id: &LaunchId| launches.get(id).is_some_and(|launch| !launch.state.is_final());
            if !brief.launches.iter().any(open)
                && self.free(fw_id, State::Reserved, &brief.updated_on, &[], round.now)?
            {
                round.note(fw_id, Mend::Freed(State::Reserved));
            }
        }
        Ok(())
    }

    /// Makes a firework READY that is as it was seen, and takes launches off its list.
    fn free(
        &self,
        fw_id: FwId,
        state: State,
        updated_on: &Bson,
        launches: &[LaunchId],
        now: Timestamp,
    ) -> Result<bool> {
        let as_seen = doc! { "fw_id": int(fw_id), "state": state.as_str(), "updated_on": updated_on.clone() };
        let free = doc! {
            "$set": { "state": State::Ready.as_str(), "updated_on": time::to_iso(now) },
            "$pullAll": { "launches": ints(launches) },
        };
        let freed = self.ask(self.fireworks.update_one(as_seen, free).run())?.matched_count == 1;
        if freed && state == State::Running {
            self.leave_state(fw_id, State::Running, State::Ready, now)?;
        }
        Ok(freed)
    }

    /// The next fireworks that are RUNNING or RESERVED, as far as something is wrong with them, and
    /// their launches.
    pub(super) fn judge_active(&self, round: &mut Round<'_>) -> Result<(Cases, BTreeMap<LaunchId, Launch>)> {
        let states = [State::Running, State::Reserved].map(State::as_str).to_vec();
        let mut active = round.within(doc! { "state": { "$in": states } });
        if let Some(last) = round.fireworks {
            active.insert("_id", doc! { "$gt": last });
        }
        let projection = doc! { "fw_id": 1, "state": 1, "updated_on": 1, "launches": 1 };
        let found = self.fireworks.find(active).sort(doc! { "_id": 1 }).limit(FIREWORKS).projection(projection);
        let found = self.collect(found.run())?;
        // From the beginning again when the end has been reached.
        let whole = i64::try_from(found.len()).is_ok_and(|count| count == FIREWORKS);
        round.fireworks = found.last().filter(|_| whole).and_then(|last| last.get_object_id("_id").ok());
        let briefs: BTreeMap<FwId, Brief> = found.iter().filter_map(Brief::of).collect();
        let listed: Vec<LaunchId> = briefs.values().flat_map(|brief| brief.launches.iter().copied()).collect();
        let launches = self.launch_heads(&listed)?;
        let mut losses = losses(round.mending.witness, &launches);
        let judged = briefs.into_iter().filter_map(|(fw_id, brief)| {
            let launch = followed(&brief.launches, &launches);
            let loss = launch.and_then(|launch| losses.remove(&launch.launch_id));
            if brief.state == State::Reserved && loss.is_none() {
                return None;
            }
            Some((fw_id, (judge(&brief.updated_on, launch, loss, round.at)?, brief)))
        });
        Ok((judged.collect(), launches))
    }

    /// Launches without their actions and trackers.
    pub(in super::super) fn launch_heads(&self, ids: &[LaunchId]) -> Result<BTreeMap<LaunchId, Launch>> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let found = self.launches.find(doc! { "launch_id": { "$in": ints(ids) } });
        let found = self.collect(found.projection(doc! { "action": 0, "trackers": 0 }).run())?;
        let launches = found.iter().filter_map(Launch::from_document);
        Ok(launches.map(|launch| (launch.launch_id, launch)).collect())
    }

    /// Does what is to be done about fireworks, where nobody holds the workflow.
    pub(super) fn close_cases(
        &self,
        (mut cases, launches): (Cases, BTreeMap<LaunchId, Launch>),
        round: &mut Round<'_>,
    ) -> Result<()> {
        let fw_ids: Vec<FwId> = cases.keys().copied().collect();
        if fw_ids.is_empty() {
            return Ok(());
        }
        let of = doc! { "nodes": { "$in": ints(&fw_ids) } };
        let locked = doc! { "name": 1, "locked": 1, "updated_on": 1, "nodes": 1 };
        for document in self.collect(self.workflows.find(of).projection(locked).run())? {
            if document.contains_key("locked") {
                self.look_at_holder(&document, round)?;
                for fw_id in int_list(document.get("nodes")) {
                    // Another round will find it, or the holder will see to it.
                    cases.remove(&fw_id);
                }
            }
        }
        self.leave_offline(&mut cases)?;
        for (fw_id, (case, brief)) in cases {
            let done = self.close_case(fw_id, case, &brief, &launches, round);
            match done {
                Ok(Some(what)) => round.note(fw_id, what),
                Ok(None) => {}
                // It must not keep the others waiting.
                Err(error) if !error.is_transient() => tracing::warn!("fw_id {fw_id} cannot be mended: {error}"),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn close_case(
        &self,
        fw_id: FwId,
        case: Case,
        brief: &Brief,
        launches: &BTreeMap<LaunchId, Launch>,
        round: &Round<'_>,
    ) -> Result<Option<Mend>> {
        let now = round.now;
        // What is known of its workflow may be of long ago.
        self.places().remove(&fw_id);
        match case {
            Case::Ended(launch_id) => {
                let launches = self.ended_launches(&[Run { fw_id, launch_id, spawned: None }])?;
                let Some(launch) = launches.get(&launch_id) else { return Ok(None) };
                let spawned = launch.spawned().map(|spawned| spawned.start);
                let lost = self.settle(vec![Run { fw_id, launch_id, spawned }], &launches, now)?;
                Ok(lost.is_empty().then_some(Mend::Settled(launch_id)))
            }
            Case::Suspect(launch_id) => {
                let suspected = self.suspect(&launches[&launch_id], round.at)?;
                Ok(suspected.then_some(Mend::Suspected(launch_id)))
            }
            Case::Lost(launch_id, loss) | Case::Silent(launch_id, loss) => {
                let launch = launches[&launch_id].clone();
                if round.mending.witness.rescue(&launch) {
                    return Ok(Some(Mend::Settled(launch_id)));
                }
                let given = self.lose_launch(fw_id, launch, &loss, round.mending.max_lost, now)?;
                Ok(given.then_some(Mend::Lost(launch_id, loss)))
            }
            Case::Unlaunched => {
                let freed = self.free(fw_id, State::Running, &brief.updated_on, &brief.launches, now)?;
                Ok(freed.then_some(Mend::Freed(State::Running)))
            }
        }
    }

    /// Notes that a lease has ended, unless it has been renewed since it was read.
    fn suspect(&self, launch: &Launch, at: Timestamp) -> Result<bool> {
        let Some((index, lease)) = launch.lease_index().zip(launch.lease()) else { return Ok(false) };
        let lease_key = format!("state_history.{index}.lease");
        let as_read = doc! {
            "launch_id": int(launch.launch_id),
            "state": State::Running.as_str(),
            format!("{lease_key}.owner"): lease.owner,
            format!("{lease_key}.until"): time::to_iso(lease.until),
        };
        let note = doc! { "$set": { format!("{lease_key}.suspected"): time::to_iso(at) } };
        Ok(self.ask(self.launches.update_one(as_read, note).run())?.matched_count == 1)
    }

    /// Leaves out the silent launches that run offline: those are heard of when `recover_offline`
    /// asks. FireWorks has no index on them; they are few, and looked for only where some are silent.
    fn leave_offline(&self, cases: &mut Cases) -> Result<()> {
        let silent: Vec<LaunchId> = cases.values().filter_map(|(case, _)| case.silent()).collect();
        let offline = self.offline_launches(&silent)?;
        cases.retain(|_, (case, _)| case.silent().is_none_or(|launch_id| !offline.contains(&launch_id)));
        Ok(())
    }

    /// Those of the launches that run offline.
    pub(in super::super) fn offline_launches(&self, launches: &[LaunchId]) -> Result<BTreeSet<LaunchId>> {
        if launches.is_empty() {
            return Ok(BTreeSet::new());
        }
        let open = doc! { "launch_id": { "$in": ints(launches) }, "completed": { "$ne": true }, "deprecated": { "$ne": true } };
        let runs = self.database.collection::<Document>("offline_runs");
        let found = self.collect(runs.find(open).projection(doc! { "_id": 0, "launch_id": 1 }).run())?;
        Ok(found.iter().filter_map(|run| run.get("launch_id").and_then(as_int)).collect())
    }
}
