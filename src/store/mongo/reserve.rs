//! Reservations: fireworks for which a queue job is submitted.
//!
//! - **reserve**: the firework is marked RESERVED with a date of the other type, as Python marks it,
//!   and with the token of the place that its job has; the launch (journaled); the firework gets it,
//!   and a date as usual; `fw_states`. A firework that stays marked is freed by the next launcher, which
//!   knows the token, or by mending.
//! - **cancel**: the firework, which decides against a job that begins at the same moment; the
//!   launch; `fw_states`, which mending corrects.

use bson::{Document, doc};
use jiff::Timestamp;
use mongodb::options::ReturnDocument;

use super::MongoStore;
use super::claim::{begin_as, claimable, journaled, not_begun, order};
use crate::store::{Claim, ClaimRequest, Held, Result};
use crate::workflow::launch::reservation_of;
use crate::workflow::{Firework, Launch, LaunchId, State, int, time};

/// What a firework is marked with while it is being reserved.
const MARK: &str = "volley_token";

impl MongoStore {
    pub(super) fn reserve_firework(&self, request: &ClaimRequest<'_>) -> Result<Option<Claim>> {
        let now = request.now;
        let filter = match request.fw_id {
            Some(fw_id) => doc! { "fw_id": int(fw_id), "state": State::Ready.as_str() },
            None => claimable(request.worker, now),
        };
        let mark = time::to_bson_date(now);
        let mut marks = doc! { "state": State::Reserved.as_str(), "updated_on": mark.clone() };
        marks.extend(request.token.map(|token| (MARK.to_owned(), token.into())));
        let taken = self
            .fireworks
            .find_one_and_update(filter, doc! { "$set": marks })
            .sort(order(request.order))
            .return_document(ReturnDocument::After);
        let Some(document) = self.ask(taken.run())? else { return Ok(None) };
        let mut firework = Firework::from_document(&document)?;
        let fw_id = firework.fw_id;
        let launch_id = self.take_ids("next_launch_id", 1)?;
        let launch = Launch::reserved(launch_id, fw_id, &request.place(&firework), now);
        self.ask(self.launches.insert_one(launch.to_document()).write_concern(journaled()).run())?;
        let marked = doc! { "fw_id": int(fw_id), "state": State::Reserved.as_str(), "updated_on": mark };
        let reserve = doc! {
            "$set": { "updated_on": time::to_iso(now) },
            "$push": { "launches": int(launch_id) },
            "$unset": { MARK: "" },
        };
        let written = self.fireworks.update_one(marked, reserve).write_concern(journaled());
        if self.ask(written.run())?.matched_count == 0 {
            // Somebody took it for left behind, or paused it.
            self.ask(self.launches.delete_one(doc! { "launch_id": int(launch_id) }).run())?;
            return Ok(None);
        }
        let waits = not_begun(doc! { "nodes": int(fw_id) }, &[fw_id]);
        self.ask(self.workflows.update_one(waits, begin_as(State::Reserved, &[fw_id], now)).run())?;
        firework.updated_on = time::to_iso(now).into();
        firework.launches.push(launch_id);
        Ok(Some(Claim { firework, launch }))
    }

    pub(super) fn cancel_begun_reservation(&self, token: &str, now: Timestamp) -> Result<bool> {
        let begun = doc! { "state": State::Reserved.as_str(), MARK: token };
        let free = doc! {
            "$set": { "state": State::Ready.as_str(), "updated_on": time::to_iso(now) },
            "$unset": { MARK: "" },
        };
        let freed = self.fireworks.find_one_and_update(begun, free).write_concern(journaled());
        let Some(document) = self.ask(freed.run())? else { return Ok(false) };
        let fw_id = Firework::from_document(&document)?.fw_id;
        self.leave_state(fw_id, State::Reserved, State::Ready, now)?;
        Ok(true)
    }

    /// Into the entry of the reservation alone: the job may have begun.
    pub(super) fn write_reservation_id(&self, launch_id: LaunchId, job: &str, cluster: Option<&str>) -> Result<bool> {
        let reserved = doc! { "launch_id": int(launch_id), "state_history.state": State::Reserved.as_str() };
        let said = reservation_of(job, cluster).into_iter();
        let set: Document = said.map(|(key, value)| (format!("state_history.$.{key}"), value)).collect();
        let written = self.launches.update_one(reserved, doc! { "$set": set }).write_concern(journaled());
        Ok(self.ask(written.run())?.matched_count == 1)
    }

    pub(super) fn cancel_reserved(&self, held: Held, now: Timestamp) -> Result<bool> {
        let Held { fw_id, launch_id } = held;
        let reserved = doc! { "fw_id": int(fw_id), "launches": int(launch_id), "state": State::Reserved.as_str() };
        let free = doc! {
            "$set": { "state": State::Ready.as_str(), "updated_on": time::to_iso(now) },
            "$pull": { "launches": int(launch_id) },
            "$addToSet": { "archived_launches": int(launch_id) },
        };
        if self.ask(self.fireworks.update_one(reserved, free).write_concern(journaled()).run())?.matched_count == 0 {
            return Ok(false);
        }
        if let Some(mut launch) = self.search_launches(&[launch_id])?.pop() {
            launch.cancel(now);
            let open = doc! { "launch_id": int(launch_id), "state": State::Reserved.as_str() };
            let mut set: Document = doc! { "state": launch.state.as_str() };
            set.extend(launch.times());
            let entry = launch.state_history.last().cloned().unwrap_or_default();
            let change = doc! { "$set": set, "$push": { "state_history": entry } };
            self.ask(self.launches.update_one(open, change).run())?;
        }
        self.leave_state(fw_id, State::Reserved, State::Ready, now)?;
        Ok(true)
    }
}
