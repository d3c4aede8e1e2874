//! Fireworks that leave their workflow for one of their own: what a rerun replaces.

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::MongoStore;
use super::commands::ints;
use super::lock::Locked;
use crate::store::{Result, replaced_in, replaced_name};
use crate::workflow::graph::Detached;
use crate::workflow::{FwId, State, int, int_list, time};

impl MongoStore {
    /// Makes the workflow that they go to, unless an earlier attempt has done so. To be called
    /// before the old one forgets them: fireworks in two workflows can be seen, lost ones cannot.
    pub(super) fn keep_apart(&self, locked: &Locked, detached: &Detached, now: Timestamp) -> Result<()> {
        let Some(&first) = detached.members.keys().next() else { return Ok(()) };
        let made = doc! { "nodes": int(first), "_id": { "$ne": locked.workflow } };
        if self.ask(self.workflows.find_one(made).projection(doc! { "_id": 1 }).run())?.is_some() {
            return Ok(());
        }
        let old = self.workflows.find_one(doc! { "_id": locked.workflow }).projection(doc! { "name": 1, "nodes": 1 });
        let old = self.ask(old.run())?.unwrap_or_default();
        let stays = int_list(old.get("nodes")).into_iter().filter(|id| !detached.members.contains_key(id)).min();
        let mut parent_links = Document::new();
        for (&parent, children) in &detached.members {
            for child in children {
                let parents = parent_links.entry(child.to_string()).or_insert_with(|| Bson::Array(Vec::new()));
                if let Bson::Array(parents) = parents {
                    parents.push(int(parent));
                }
            }
        }
        let each = |of: &dyn Fn(&FwId, &Vec<FwId>) -> Bson| -> Document {
            detached.members.iter().map(|(fw_id, children)| (fw_id.to_string(), of(fw_id, children))).collect()
        };
        let date = time::to_bson_date(now);
        let apart = doc! {
            "links": each(&|_, children| ints(children).into()),
            "parent_links": parent_links,
            "nodes": detached.members.keys().copied().map(int).collect::<Vec<_>>(),
            "metadata": replaced_in(stays),
            "state": State::Archived.as_str(),
            "name": replaced_name(old.get_str("name").unwrap_or_default()),
            "created_on": date.clone(),
            "updated_on": date,
            "fw_states": each(&|_, _| State::Archived.as_str().into()),
        };
        self.ask(self.workflows.insert_one(apart).run())?;
        Ok(())
    }
}

/// The change of the old workflow that makes it forget them.
pub fn forget(detached: &Detached, change: &mut Document) {
    if detached.members.is_empty() {
        return;
    }
    let gone = doc! { "$in": ints(&detached.members.keys().copied().collect::<Vec<_>>()) };
    let mut pull = doc! { "nodes": gone.clone() };
    for (parent, child) in &detached.cut {
        if detached.members.contains_key(child) {
            pull.insert(format!("links.{parent}"), gone.clone());
        } else {
            pull.insert(format!("parent_links.{child}"), gone.clone());
        }
    }
    let mut unset = change.get_document("$unset").cloned().unwrap_or_default();
    for fw_id in detached.members.keys() {
        for map in ["links", "parent_links", "fw_states"] {
            unset.insert(format!("{map}.{fw_id}"), "");
        }
    }
    change.insert("$pull", pull);
    change.insert("$unset", unset);
}
