//! Putting right what dead workers have left behind, in rounds: one worker of the fleet at a time,
//! so many documents in each, going on where the last round ended.
//!
//! Every query is served by an index of FireWorks: RESERVED and RUNNING fireworks, and workflows
//! that have not ended, by `{state: -1, _id: -1}`, launches by `launch_id`, members by `fw_id`,
//! workflows of fireworks by `nodes`. `volley_mend` holds the one document of the rounds.

use std::collections::BTreeMap;

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use jiff::Timestamp;
use mongodb::error::ErrorKind;
use mongodb::options::ReturnDocument;

use super::MongoStore;
use super::commands::ints;
use crate::store::{Mend, Mended, Mending, Result};
use crate::workflow::{FwId, int_list, time};

mod fireworks;
mod workflows;

/// MongoDB's error code for a second document of one `_id`.
const DUPLICATE: i32 = 11000;

/// A round, and what the one before left for it.
struct Round<'a> {
    mending: &'a Mending<'a>,
    /// The fireworks of the workflows that are looked at; all without.
    members: Option<Vec<FwId>>,
    /// The server's clock.
    at: Timestamp,
    now: Timestamp,
    /// Where the look at fireworks and at workflows goes on.
    fireworks: Option<ObjectId>,
    workflows: Option<ObjectId>,
    /// Locked workflows whose holders may be dead, with `updated_on` and when that was first seen.
    suspects: BTreeMap<ObjectId, (Bson, Timestamp)>,
    still_suspect: BTreeMap<ObjectId, (Bson, Timestamp)>,
    done: Vec<Mended>,
}

impl Round<'_> {
    /// A condition for fireworks, for those that this round is about.
    fn within(&self, mut condition: Document) -> Document {
        if let Some(members) = &self.members {
            condition.insert("fw_id", doc! { "$in": ints(members) });
        }
        condition
    }

    fn note(&mut self, fw_id: FwId, what: Mend) {
        self.done.push(Mended { fw_id, what });
    }
}

impl MongoStore {
    pub(super) fn mend_some(&self, mending: &Mending<'_>, now: Timestamp) -> Result<Vec<Mended>> {
        let turn = match mending.only {
            Some(fw_ids) => Some(self.visit(mending, fw_ids, now)?),
            None => self.take_turn(mending, now)?,
        };
        let Some(mut round) = turn else { return Ok(Vec::new()) };
        self.free_reserved(&mut round)?;
        let cases = self.judge_active(&mut round)?;
        self.close_cases(cases, &mut round)?;
        self.look_at_suspects(&mut round)?;
        self.look_at_workflows(&mut round)?;
        if round.members.is_none() {
            self.end_turn(&round)?;
        }
        Ok(round.done)
    }

    /// A look at some workflows, whoever has looked at them.
    fn visit<'a>(&self, mending: &'a Mending<'a>, fw_ids: &[FwId], now: Timestamp) -> Result<Round<'a>> {
        let found = self.workflows.find(doc! { "nodes": { "$in": ints(fw_ids) } }).projection(doc! { "nodes": 1 });
        let members = self.collect(found.run())?.iter().flat_map(|document| int_list(document.get("nodes"))).collect();
        Ok(Round {
            mending,
            members: Some(members),
            at: self.server_time()?,
            now,
            fireworks: None,
            workflows: None,
            suspects: BTreeMap::new(),
            still_suspect: BTreeMap::new(),
            done: Vec::new(),
        })
    }

    /// The next round, if it is time for one.
    fn take_turn<'a>(&self, mending: &'a Mending<'a>, now: Timestamp) -> Result<Option<Round<'a>>> {
        let at = self.server_time()?;
        let due = doc! { "_id": "round", "last": { "$lte": time::to_bson_date(at - mending.every) } };
        let next = doc! { "$set": { "last": time::to_bson_date(at) } };
        let rounds = self.database.collection::<Document>("volley_mend");
        let taken = rounds.find_one_and_update(due, next).upsert(true).return_document(ReturnDocument::After).run();
        let document = match taken {
            // There is the document, and it is not due.
            Err(error) if is_duplicate(&error) => return Ok(None),
            taken => self.ask(taken)?.unwrap_or_default(),
        };
        let place = |key| document.get_object_id(key).ok();
        let suspects = document.get_array("suspects").into_iter().flatten().filter_map(Bson::as_document);
        let suspect = |one: &Document| {
            let since = one.get("since").and_then(time::from_bson)?;
            Some((one.get_object_id("workflow").ok()?, (one.get("updated_on")?.clone(), since)))
        };
        Ok(Some(Round {
            mending,
            members: None,
            at,
            now,
            fireworks: place("fireworks"),
            workflows: place("workflows"),
            suspects: suspects.filter_map(suspect).collect(),
            still_suspect: BTreeMap::new(),
            done: Vec::new(),
        }))
    }

    fn end_turn(&self, round: &Round<'_>) -> Result<()> {
        let suspects = round.still_suspect.iter().map(|(workflow, (updated_on, since))| {
            doc! { "workflow": workflow, "updated_on": updated_on.clone(), "since": time::to_bson_date(*since) }
        });
        let set = doc! {
            "fireworks": round.fireworks,
            "workflows": round.workflows,
            "suspects": suspects.collect::<Vec<_>>(),
        };
        let rounds = self.database.collection::<Document>("volley_mend");
        self.ask(rounds.update_one(doc! { "_id": "round" }, doc! { "$set": set }).run())?;
        Ok(())
    }
}

pub(super) fn is_duplicate(error: &mongodb::error::Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(command) if command.code == DUPLICATE)
}
