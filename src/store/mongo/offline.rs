//! `offline_runs`, and the launches that run offline.

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use mongodb::options::ReturnDocument;
use mongodb::sync::Collection;

use super::MongoStore;
use super::claim::journaled;
use crate::store::{Claim, OfflineEnd, OfflineRun, Result};
use crate::workflow::{Firework, Launch, LaunchId, State, int, time};

impl MongoStore {
    fn runs(&self) -> Collection<Document> {
        self.database.collection("offline_runs")
    }

    pub(super) fn insert_offline_run(&self, run: &OfflineRun, now: Timestamp) -> Result<()> {
        self.ask(self.runs().insert_one(run.to_document(now)).write_concern(journaled()).run())?;
        Ok(())
    }

    pub(super) fn open_offline_runs(&self) -> Result<Vec<OfflineRun>> {
        let open = doc! { "completed": { "$ne": true }, "deprecated": { "$ne": true } };
        let found = self.collect(self.runs().find(open).sort(doc! { "launch_id": 1 }).run())?;
        Ok(found.iter().filter_map(OfflineRun::from_document).collect())
    }

    pub(super) fn end_offline_run(&self, launch_id: LaunchId, end: OfflineEnd, now: Timestamp) -> Result<bool> {
        let set = doc! { "$set": { end.field(): true, "updated_on": time::to_iso(now) } };
        let open = doc! { "launch_id": int(launch_id), end.field(): { "$ne": true } };
        Ok(self.ask(self.runs().update_one(open, set).run())?.matched_count > 0)
    }

    /// The firework first, as at a claim; when we die in between, whoever recovers next repeats it.
    pub(super) fn write_offline_launch(&self, launch: &Launch, now: Timestamp) -> Result<bool> {
        let open = [State::Reserved, State::Running].map(State::as_str).to_vec();
        let counted = doc! {
            "fw_id": int(launch.fw_id), "launches": int(launch.launch_id), "state": { "$in": open.clone() },
        };
        let run = doc! { "$set": { "state": State::Running.as_str(), "updated_on": time::to_iso(now) } };
        let started = self.fireworks.find_one_and_update(counted, run).return_document(ReturnDocument::After);
        let Some(document) = self.ask(started.run())? else { return Ok(false) };
        let own = doc! {
            "launch_id": int(launch.launch_id),
            "state": { "$in": open },
            // Somebody who reaches the launchpad runs it himself.
            "state_history.lease": { "$exists": false },
        };
        let history = launch.state_history.iter().cloned().map(Bson::Document);
        let mut set = doc! { "state": launch.state.as_str(), "state_history": history.collect::<Vec<_>>() };
        set.extend(launch.times());
        let written = self.launches.update_one(own, doc! { "$set": set }).write_concern(journaled());
        if self.ask(written.run())?.matched_count == 0 {
            return Ok(false);
        }
        let claim = Claim { firework: Firework::from_document(&document)?, launch: launch.clone() };
        self.enter_running(std::slice::from_ref(&claim), now)?;
        let touched = doc! { "$set": { "updated_on": time::to_iso(now) } };
        self.ask(self.runs().update_one(doc! { "launch_id": int(launch.launch_id) }, touched).run())?;
        Ok(true)
    }
}
