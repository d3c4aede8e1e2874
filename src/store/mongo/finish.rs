//! Outcomes, runs that are given back, and the verbs of users: the commit, and what is done under
//! the lock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::commands::{Journal, ints, update};
use super::gridfs;
use super::insert::check_size;
use super::load::action_of;
use super::lock::{Run, Task, Wanted};
use super::retire::Kept;
use super::{MongoStore, Place, view};
use crate::store::transfer::{file_of, in_file};
use crate::store::{Held, Outcome, Result, Verdict, jitter};
use crate::workflow::checkpoint::CHECKPOINT;
use crate::workflow::retry::MAX_LOST;
use crate::workflow::{Cause, FwAction, FwId, Launch, LaunchId, Loss, State, decide, int, time};

/// How long a workflow may take to learn of a firework that has run already, and how often we look.
const PATIENCE: Duration = Duration::from_secs(20);
const FIRST_LOOK: Duration = Duration::from_millis(4);
const LAST_LOOK: Duration = Duration::from_millis(250);

impl MongoStore {
    pub(super) fn finish_launches(&self, outcomes: &[Outcome], now: Timestamp) -> Result<Vec<Verdict>> {
        self.heed_restart()?;
        let mut ended = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            let mut launch = outcome.ended_launch();
            if let Some((first, count)) = self.take_ids_for(&launch)? {
                launch.record_spawned(first, count);
            }
            ended.push(launch);
        }
        let launches = self.commit(ended, outcomes)?;
        let mut runs = Vec::with_capacity(launches.len());
        for launch in launches.values() {
            let spawned = launch.spawned().map(|spawned| spawned.start);
            runs.push(Run { fw_id: launch.fw_id, launch_id: launch.launch_id, spawned });
        }
        let followed = outcomes.iter().filter(|outcome| outcome.followed).map(|outcome| outcome.launch.launch_id);
        runs.extend(self.runs_of_followers(followed.filter_map(|id| launches.get(&id)))?);
        let lost = self.settle(runs.clone(), &launches, now)?;
        self.server.note(runs);
        let apart: Vec<LaunchId> =
            launches.values().filter(|launch| lost.contains(&launch.fw_id)).map(|launch| launch.launch_id).collect();
        // They have what they should have: an outcome of their own.
        let kept = self.kept_launches(&apart, Kept::All)?;
        let mut places = self.places();
        Ok(outcomes
            .iter()
            .map(|Outcome { launch, .. }| {
                places.remove(&launch.fw_id);
                let counts = !lost.contains(&launch.fw_id) || kept.contains(&launch.launch_id);
                let is_recorded = launches.contains_key(&launch.launch_id) && counts;
                if is_recorded { Verdict::Recorded } else { Verdict::LeaseLost }
            })
            .collect())
    }

    /// Ids for the fireworks that an outcome spawns, the first and how many; none where it spawns
    /// nothing, or is refused when it is decided.
    pub(super) fn take_ids_for(&self, launch: &Launch) -> Result<Option<(FwId, usize)>> {
        let action = action_of(launch);
        let attached = match decide::spawned(&action) {
            Ok(attached) if launch.state == State::Completed => attached,
            _ => return Ok(None),
        };
        let count = attached.iter().map(|one| one.draft.fireworks().len()).sum();
        if count == 0 { Ok(None) } else { Ok(Some((self.take_ids("next_fw_id", count)?, count))) }
    }

    /// Writes the outcomes into the launches that still run: from then on they cannot be lost, and
    /// nobody else can write another. Returns the launches that have got theirs.
    fn commit(&self, ended: Vec<Launch>, outcomes: &[Outcome]) -> Result<BTreeMap<LaunchId, Launch>> {
        let mut statements = Vec::with_capacity(ended.len());
        let mut spilled = BTreeMap::new();
        for launch in &ended {
            let mut action = launch.action.clone();
            if gridfs::is_too_large(launch) {
                action = self.spill(launch)?.map(|file| {
                    spilled.insert(launch.launch_id, file);
                    in_file(file)
                });
            }
            let mut set = doc! {
                "action": action.map_or(Bson::Null, Bson::Document),
                "state": launch.state.as_str(),
            };
            set.extend(launch.times());
            if let Some(index) = launch.lease_index() {
                for key in ["created_on", "updated_on", CHECKPOINT] {
                    if let Some(value) = launch.state_history[index].get(key) {
                        set.insert(format!("state_history.{index}.{key}"), value.clone());
                    }
                }
            }
            if !launch.trackers.is_empty() {
                set.insert("trackers", launch.trackers.clone());
            }
            // By position: MongoDB does not push to a list and change one of its items together.
            if let Some((last, entry)) = launch.state_history.iter().enumerate().next_back() {
                set.insert(format!("state_history.{last}"), entry.clone());
            }
            // The server would refuse all of them together, or hang up.
            check_size(|| format!("the outcome of firework {}", launch.fw_id), &set)?;
            let running = doc! { "launch_id": int(launch.launch_id), "state": State::Running.as_str() };
            statements.push(update(running, doc! { "$set": set }));
        }
        let all: Vec<LaunchId> = ended.iter().map(|launch| launch.launch_id).collect();
        if self.bulk("launches", statements, Journal::Yes)?.matched == all.len() {
            return Ok(ended.into_iter().map(|launch| (launch.launch_id, launch)).collect());
        }
        // Some were not running. Ours all the same, if an earlier attempt went unanswered.
        let is_ours = |stored: &Launch| {
            let outcome = outcomes.iter().find(|outcome| outcome.launch.launch_id == stored.launch_id);
            let lease = outcome.and_then(|outcome| outcome.launch.lease());
            lease.is_some_and(|lease| stored.was_ended_by(&lease.owner))
        };
        let mut stored = self.search_launches(&all)?;
        stored.retain(is_ours);
        self.review_files(spilled, &stored)?;
        let ours: Vec<LaunchId> = stored.iter().map(|launch| launch.launch_id).collect();
        let ours = self.launches_to_apply(&ours)?;
        Ok(ours.into_iter().map(|launch| (launch.launch_id, launch)).collect())
    }

    /// Applies ended launches to their workflows. Returns the fireworks that no longer count theirs.
    pub(super) fn settle(
        &self,
        runs: Vec<Run>,
        launches: &BTreeMap<LaunchId, Launch>,
        now: Timestamp,
    ) -> Result<BTreeSet<FwId>> {
        let mut lost = BTreeSet::new();
        self.look_up_places(&runs)?;
        let mut groups: BTreeMap<ObjectId, Vec<(Run, Place)>> = BTreeMap::new();
        for run in runs {
            let place = self.places().get(&run.fw_id).cloned();
            match place {
                Some(place) => groups.entry(place.workflow).or_default().push((run, place)),
                None => {
                    // No workflow has it: deleted, or an orphan of a half-written addition.
                    tracing::warn!("fw_id {}: no workflow has it; its outcome changes nothing", run.fw_id);
                    lost.insert(run.fw_id);
                }
            }
        }
        let wanted = groups.into_iter().map(|(workflow, members)| {
            let projection = view::surroundings(members.iter().map(|(run, place)| (run.fw_id, place)));
            let runs = members.into_iter().map(|(run, _)| run).collect();
            Wanted { workflow, task: Task::Outcomes(runs), projection }
        });
        self.with_locks(wanted.collect(), |locked| {
            lost.extend(self.apply(locked, launches, now)?);
            Ok(())
        })?;
        Ok(lost)
    }

    /// Finds the places that the claim could not note. Python stores new fireworks before their
    /// workflow knows them, and by then one may have been run: it is waited for.
    fn look_up_places(&self, runs: &[Run]) -> Result<()> {
        let begun = Instant::now();
        let mut pause = FIRST_LOOK;
        loop {
            let unknown: Vec<Held> = {
                let places = self.places();
                let unknown = runs.iter().filter(|run| !places.contains_key(&run.fw_id));
                unknown.map(|run| Held { fw_id: run.fw_id, launch_id: run.launch_id }).collect()
            };
            if unknown.is_empty() {
                return Ok(());
            }
            let found: usize = self.find_places(&unknown)?.iter().map(|(_, members)| members.len()).sum();
            if found == unknown.len() || begun.elapsed() > PATIENCE {
                return Ok(());
            }
            let ids: Vec<FwId> = unknown.iter().map(|held| held.fw_id).collect();
            let exist = self.fireworks.count_documents(doc! { "fw_id": { "$in": ints(&ids) } });
            // Deleted, with their workflow.
            if self.ask(exist.run())? <= found as u64 {
                return Ok(());
            }
            std::thread::sleep(jitter(pause * 2));
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// Ends an interrupted launch without an outcome (the commit), then frees its firework.
    pub(super) fn give_launch_back(&self, held: Held, loss: &Loss, now: Timestamp) -> Result<bool> {
        let Some(launch) = self.search_launches(&[held.launch_id])?.pop() else { return Ok(false) };
        self.lose_launch(held.fw_id, launch, loss, MAX_LOST, now)
    }

    /// Ends a launch that is lost, if it still is as it was read (the commit), then frees its
    /// firework.
    pub(super) fn lose_launch(
        &self,
        fw_id: FwId,
        mut launch: Launch,
        loss: &Loss,
        max_lost: u64,
        now: Timestamp,
    ) -> Result<bool> {
        let is_open = matches!(launch.state, State::Running | State::Reserved);
        if !is_open || self.end_launches(std::slice::from_mut(&mut launch), loss, max_lost, now)? == 0 {
            return Ok(false);
        }
        let launch_id = launch.launch_id;
        let mut runs = vec![Run { fw_id, launch_id, spawned: None }];
        runs.extend(self.runs_of_followers([&launch].into_iter())?);
        let lost = self.settle(runs, &BTreeMap::from([(launch_id, launch)]), now)?;
        self.places().remove(&fw_id);
        Ok(!lost.contains(&fw_id))
    }

    /// Ends launches that run or are reserved, without an outcome, as far as they are as they were
    /// read: a lease that has been renewed meanwhile is alive.
    pub(super) fn end_launches(
        &self,
        launches: &mut [Launch],
        loss: &Loss,
        max_lost: u64,
        now: Timestamp,
    ) -> Result<usize> {
        let statements = launches.iter_mut().map(|launch| {
            let mut as_read = doc! { "launch_id": int(launch.launch_id), "state": launch.state.as_str() };
            if loss.cause != Cause::User
                && let Some((index, lease)) = launch.lease_index().zip(launch.lease())
            {
                as_read.insert(format!("state_history.{index}.lease.until"), time::to_iso(lease.until));
                as_read.insert(format!("state_history.{index}.lease.owner"), lease.owner);
            }
            launch.lose(loss, max_lost, now);
            let mut set = doc! { "state": launch.state.as_str() };
            if let Some(action) = &launch.action {
                set.insert("action", action.clone());
            }
            set.extend(launch.times());
            let entry = launch.state_history.last().cloned().unwrap_or_default();
            update(as_read, doc! { "$set": set, "$push": { "state_history": entry } })
        });
        Ok(self.bulk("launches", statements.collect(), Journal::Yes)?.matched)
    }

    /// The launches that a lock speaks of, as they are stored, as far as they have ended and are all
    /// there.
    pub(super) fn ended_launches(&self, runs: &[Run]) -> Result<BTreeMap<LaunchId, Launch>> {
        let ids: Vec<LaunchId> = runs.iter().map(|run| run.launch_id).collect();
        let mut launches = BTreeMap::new();
        for mut launch in self.launches_with_actions(&ids)? {
            if launch.again().is_none() {
                // Python's `detect_lostruns --fizzle` ends launches without an action.
                launch.action.get_or_insert_with(|| FwAction::default().to_document());
            }
            let is_whole = launch.action.as_ref().and_then(file_of).is_none();
            if launch.state.is_final() && is_whole {
                launches.insert(launch.launch_id, launch);
            }
        }
        Ok(launches)
    }

    /// Fireworks by id.
    pub(super) fn fireworks_by_id(&self, ids: &[FwId]) -> Result<Vec<crate::workflow::Firework>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<Document> = self.collect(self.fireworks.find(doc! { "fw_id": { "$in": ints(ids) } }).run())?;
        found.iter().map(|document| Ok(crate::workflow::Firework::from_document(document)?)).collect()
    }
}
