//! Copies of whole launchpads into the database and out of it.
//!
//! Nothing stands still for a copy. Workflows are read some at a time, each with its fireworks; one
//! in which something has ended or been changed meanwhile is read again, at last under its lock. A
//! launch that runs, or has ended and whose firework does not know, is copied as it is: that is what
//! a killed worker leaves, and the copy is mended like any other launchpad.

use std::collections::{BTreeMap, HashSet};
use std::thread::sleep;
use std::time::Duration;

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};

use super::claim::journaled;
use super::commands::{Journal, LARGEST, ints};
use super::lock::{Task, Wanted};
use super::{MongoStore, view};
use crate::store::examine::holder;
use crate::store::transfer::{Batches, file_of, in_file};
use crate::store::{Batch, Give, Kind, Result, StoreError, Take, jitter};
use crate::workflow::{FwId, LaunchId, State, as_int, int, int_list};

/// Workflows that are read together, and the fireworks in them.
const WORKFLOWS: usize = 100;
const MEMBERS: usize = 2_000;

/// How often a workflow is read that changes all the time, before it is locked.
const ATTEMPTS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(40);

/// Ids that are asked for together.
const IDS: usize = 1_000;

/// Where a copy is noted while it is made.
const MARK: &str = "volley_copy";

impl MongoStore {
    pub(super) fn export_database(&self, take: &mut Take<'_>) -> Result<()> {
        let mut copied = HashSet::new();
        let all = self.workflows.find(doc! {}).sort(doc! { "_id": 1 }).projection(doc! { "_id": 1, "nodes": 1 });
        let mut group = Vec::new();
        let mut members = 0;
        for workflow in self.ask(all.run())? {
            let workflow = self.ask(workflow)?;
            members += workflow.get_array("nodes").map_or(0, Vec::len);
            group.push(view::object_id(&workflow, &self.settings.place())?);
            if group.len() == WORKFLOWS || members >= MEMBERS {
                self.export_group(std::mem::take(&mut group), &mut copied, take)?;
                members = 0;
            }
        }
        self.export_group(group, &mut copied, take)?;
        self.export_rest(&mut copied, take)?;
        let offline = self.database.collection::<Document>("offline_runs");
        self.send_found(&offline, doc! {}, Kind::OfflineRuns, take)?;
        self.send_found(&self.history(), doc! {}, Kind::Events, take)?;
        let counters = self.database.collection::<Document>("fw_id_assigner");
        self.send_found(&counters, doc! {}, Kind::Counters, take)
    }

    /// Some workflows with all that belongs to them.
    fn export_group(&self, group: Vec<ObjectId>, copied: &mut HashSet<FwId>, take: &mut Take<'_>) -> Result<()> {
        let mut nodes = HashSet::new();
        let mut moving = group;
        for attempt in 0..ATTEMPTS {
            if moving.is_empty() {
                break;
            }
            if attempt > 0 {
                sleep(jitter(PAUSE * attempt));
            }
            let before = self.send_members(&moving, &mut nodes, take)?;
            let after = self.by_id(&moving)?;
            moving.retain(|workflow| match (before.get(workflow), after.get(workflow)) {
                (Some(before), Some(after)) => !is_steady(before, after),
                // Deleted: what has been taken of it cannot be called back, and hurts nobody.
                _ => false,
            });
        }
        self.export_moving(&moving, &mut nodes, take)?;
        let fw_ids: Vec<FwId> = nodes.iter().copied().collect();
        self.send_launches(&fw_ids, take)?;
        copied.extend(nodes);
        Ok(())
    }

    /// Workflows that change all the time are read under their lock. Those that somebody else has
    /// locked for so long have been copied as they are, with the lock: the copy is mended, too.
    fn export_moving(&self, moving: &[ObjectId], nodes: &mut HashSet<FwId>, take: &mut Take<'_>) -> Result<()> {
        let (held, busy): (Vec<_>, Vec<_>) =
            self.by_id(moving)?.into_iter().partition(|(_, workflow)| workflow.contains_key("locked"));
        for (_, workflow) in held {
            let fw_id = int_list(workflow.get("nodes")).into_iter().min().unwrap_or_default();
            let by = workflow.get("locked").map(holder).unwrap_or_default();
            tracing::warn!("the workflow of firework {fw_id} is locked by {by}; it is copied as it is");
        }
        let projection = doc! { "locked": 1 };
        let wanted = busy.into_iter().map(|(workflow, _)| Wanted {
            workflow,
            task: Task::Correct,
            projection: projection.clone(),
        });
        self.with_locks(wanted.collect(), |locked| {
            for one in locked {
                let sent = self.send_members(&[one.workflow], nodes, &mut |mut batch: Batch| {
                    for document in &mut batch.documents {
                        // Ours.
                        document.remove("locked");
                    }
                    take(batch)
                });
                self.unlock(&one)?;
                sent?;
            }
            Ok(())
        })
    }

    /// Workflows, then their fireworks. Returns the former as they were read.
    fn send_members(
        &self,
        workflows: &[ObjectId],
        nodes: &mut HashSet<FwId>,
        take: &mut Take<'_>,
    ) -> Result<BTreeMap<ObjectId, Document>> {
        let found = self.by_id(workflows)?;
        let members: Vec<FwId> = found.values().flat_map(|workflow| int_list(workflow.get("nodes"))).collect();
        nodes.extend(&members);
        let mut batches = Batches::new(Kind::Workflows, take);
        found.values().try_for_each(|workflow| batches.push(workflow.clone()))?;
        batches.end()?;
        self.send_by_id(&self.fireworks, "fw_id", &members, Kind::Fireworks, take)?;
        Ok(found)
    }

    fn by_id(&self, workflows: &[ObjectId]) -> Result<BTreeMap<ObjectId, Document>> {
        let found = self.workflows.find(doc! { "_id": { "$in": workflows.to_vec() } });
        let found = self.collect(found.run())?.into_iter();
        found.map(|document| Ok((view::object_id(&document, &self.settings.place())?, document))).collect()
    }

    /// The launches of fireworks, and the files of those.
    fn send_launches(&self, fw_ids: &[FwId], take: &mut Take<'_>) -> Result<()> {
        let mut in_files = Vec::new();
        self.send_by_id(&self.launches, "fw_id", fw_ids, Kind::Launches, &mut |batch: Batch| {
            let actions = batch.documents.iter().filter_map(|launch| launch.get_document("action").ok());
            in_files.extend(actions.filter_map(file_of));
            take(batch)
        })?;
        let mut batches = Batches::new(Kind::Files, take);
        for id in in_files {
            let file = self.ask(self.files().find_one(doc! { "_id": id }).run())?;
            match (file, self.read_file(id)?) {
                (Some(file), Some(text)) => batches.push(doc! { "file": file, "text": text })?,
                _ => tracing::warn!("file {id} of fw_gridfs is not all there, and is not copied"),
            }
        }
        batches.end()
    }

    /// What no workflow has, and workflows that came while the others were copied.
    fn export_rest(&self, copied: &mut HashSet<FwId>, take: &mut Take<'_>) -> Result<()> {
        let mut orphans: Vec<FwId> =
            self.ids_of(&self.fireworks)?.into_iter().filter(|id| !copied.contains(id)).collect();
        for attempt in 1..=ATTEMPTS {
            for part in orphans.chunks(IDS) {
                let late = self.workflows.find(doc! { "nodes": { "$in": ints(part) } }).projection(doc! { "_id": 1 });
                let late = self.collect(late.run())?.into_iter();
                let late: Result<_> = late.map(|one| view::object_id(&one, &self.settings.place())).collect();
                self.export_group(late?, copied, take)?;
            }
            orphans.retain(|id| !copied.contains(id));
            if orphans.is_empty() {
                break;
            }
            // New ones are there before their workflow, or before it knows of them.
            sleep(jitter(PAUSE * attempt));
        }
        self.send_by_id(&self.fireworks, "fw_id", &orphans, Kind::Fireworks, take)?;
        let mut theirs: Vec<FwId> =
            self.ids_of(&self.launches)?.into_iter().filter(|id| !copied.contains(id)).collect();
        theirs.sort_unstable();
        theirs.dedup();
        self.send_launches(&theirs, take)
    }

    /// `fw_id` of every document.
    fn ids_of(&self, collection: &mongodb::sync::Collection<Document>) -> Result<Vec<FwId>> {
        let all = self.ask(collection.find(doc! {}).projection(doc! { "_id": 0, "fw_id": 1 }).run())?;
        let ids: Result<Vec<Option<FwId>>> =
            all.map(|document| Ok(self.ask(document)?.get("fw_id").and_then(as_int))).collect();
        Ok(ids?.into_iter().flatten().collect())
    }

    fn send_by_id(
        &self,
        collection: &mongodb::sync::Collection<Document>,
        key: &str,
        ids: &[i64],
        kind: Kind,
        take: &mut Take<'_>,
    ) -> Result<()> {
        ids.chunks(IDS)
            .try_for_each(|part| self.send_found(collection, doc! { key: { "$in": ints(part) } }, kind, take))
    }

    fn send_found(
        &self,
        collection: &mongodb::sync::Collection<Document>,
        filter: Document,
        kind: Kind,
        take: &mut Take<'_>,
    ) -> Result<()> {
        let mut batches = Batches::new(kind, take);
        for document in self.ask(collection.find(filter).run())? {
            batches.push(self.ask(document)?)?;
        }
        batches.end()
    }

    /// Takes another launchpad.
    pub(super) fn import_database(&self, give: &mut Give<'_>) -> Result<()> {
        let mark = self.database.collection::<Document>(MARK);
        self.check_empty(self.ask(mark.find_one(doc! {}).run())?.is_some())?;
        // What is empty may have a history of what was there, with the ids of what comes.
        self.refuse_newer()?;
        self.ask(self.history().drop().run())?;
        self.initialise_database()?;
        self.ask(mark.insert_one(doc! { "_id": MARK }).run())?;
        let taken = give(&mut |batch| self.take(batch));
        if let Err(error) = taken {
            return Err(match self.empty_database() {
                Ok(()) => error,
                Err(undo) => StoreError::HalfCopied { source: Box::new(error), reason: undo.to_string() },
            });
        }
        // The journal is one: when this is durable, so is all that was copied.
        self.ask(mark.delete_many(doc! {}).write_concern(journaled()).run())?;
        self.ask(mark.drop().run())
    }

    fn check_empty(&self, is_half_copied: bool) -> Result<()> {
        for what in ["workflows", "fireworks", "launches", "offline_runs"] {
            let count = self.ask(self.database.collection::<Document>(what).count_documents(doc! {}).run())?;
            if count > 0 {
                let place = format!("MongoDB {}", self.settings.place());
                return Err(StoreError::NotEmpty { place, what, count, half: is_half_copied });
            }
        }
        if is_half_copied {
            // Before anything was copied; or somebody has just begun.
            let place = format!("MongoDB {}", self.settings.place());
            return Err(StoreError::NotEmpty { place, what: "the mark", count: 1, half: true });
        }
        Ok(())
    }

    fn take(&self, batch: Batch) -> Result<()> {
        let (collection, key) = match batch.kind {
            Kind::Workflows => ("workflows", "nodes"),
            Kind::Fireworks => ("fireworks", "fw_id"),
            Kind::Launches => ("launches", "launch_id"),
            Kind::OfflineRuns => ("offline_runs", "launch_id"),
            Kind::Files => return batch.documents.iter().try_for_each(|file| self.take_file(file)),
            Kind::Counters => return batch.documents.iter().try_for_each(|counters| self.take_counters(counters)),
            Kind::Events => return self.take_events(batch.documents),
        };
        let mut statements = Vec::with_capacity(batch.documents.len());
        for mut document in batch.documents {
            if batch.kind == Kind::Launches {
                self.spill_copied(&mut document)?;
            }
            // What comes from another store may have no _id yet.
            let this = match (document.get("_id"), document.get(key)) {
                (Some(id), _) => doc! { "_id": id.clone() },
                (None, Some(Bson::Array(nodes))) => doc! { key: nodes.first() },
                (None, own) => doc! { key: own },
            };
            statements.push(doc! { "q": this, "u": document, "upsert": true });
        }
        self.bulk(collection, statements, Journal::No)?;
        Ok(())
    }

    /// A launch that another store could hold and this one cannot.
    fn spill_copied(&self, launch: &mut Document) -> Result<()> {
        let fits = launch.to_vec().is_ok_and(|bytes| bytes.len() <= LARGEST);
        let launch_id = launch.get("launch_id").and_then(as_int);
        if let (false, Some(launch_id), Ok(action)) = (fits, launch_id, launch.get_document("action")) {
            self.delete_files(&[launch_id])?;
            let file = self.write_action(launch_id, action)?;
            launch.insert("action", in_file(file));
        }
        Ok(())
    }

    fn take_file(&self, document: &Document) -> Result<()> {
        let (Ok(file), Ok(text)) = (document.get_document("file"), document.get_str("text")) else { return Ok(()) };
        let launch_id =
            file.get_document("metadata").ok().and_then(|metadata| metadata.get("launch_id")).and_then(as_int);
        self.delete_files(&launch_id.into_iter().collect::<Vec<LaunchId>>())?;
        self.write_file(file.clone(), text)?;
        Ok(())
    }

    fn take_events(&self, mut events: Vec<Document>) -> Result<()> {
        // What comes from another store may have an _id of its own, and needs none.
        events.iter_mut().for_each(|event| drop(event.remove("_id")));
        self.ask(self.history().insert_many(events).run())?;
        Ok(())
    }

    fn take_counters(&self, counters: &Document) -> Result<()> {
        let next = ["next_fw_id", "next_launch_id"].into_iter();
        let highest: Document =
            next.filter_map(|key| Some((key.to_owned(), int(counters.get(key).and_then(as_int)?)))).collect();
        let own = self.database.collection::<Document>("fw_id_assigner");
        self.ask(own.update_one(doc! {}, doc! { "$max": highest }).run())?;
        Ok(())
    }
}

/// Whether a workflow and its fireworks, which were read in between, belong together: nobody held
/// it, and nothing has been added, has ended, or has been held or released.
fn is_steady(before: &Document, after: &Document) -> bool {
    let active = [State::Ready, State::Reserved, State::Running];
    let stages = |workflow: &Document| {
        let states = view::cached_states(workflow).into_iter();
        // Claims change nothing but the firework and its launch.
        states
            .map(|(fw_id, state)| (fw_id, if active.contains(&state) { State::Running } else { state }))
            .collect::<Vec<_>>()
    };
    !before.contains_key("locked")
        && !after.contains_key("locked")
        && before.get("nodes") == after.get("nodes")
        && stages(before) == stages(after)
}
