//! New workflows, and the columns that follow from a spec.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Transaction, params};

use super::{SqlError, find, json, schema};
use crate::store::{Priority, StoreError};
use crate::workflow::draft::number_together;
use crate::workflow::firework::is_true;
use crate::workflow::{Draft, Firework, FwId, SpecChange, State, time};

/// The columns that stand beside a spec for the indexes.
pub struct SpecColumns {
    text: String,
    lenient: bool,
    priority: Option<Value>,
    category: Option<String>,
    fworker: Option<String>,
}

impl SpecColumns {
    /// Reads them off.
    pub fn of(spec: &Document) -> Self {
        let text = |key| spec.get_str(key).ok().map(str::to_owned);
        SpecColumns {
            text: json::text(spec),
            lenient: spec.get("_allow_fizzled_parents").is_some_and(is_true),
            priority: spec.get("_priority").and_then(sorted),
            category: text("_category"),
            fworker: text("_fworker"),
        }
    }

    /// Writes a changed spec.
    pub fn update(&self, tx: &Transaction<'_>, fw_id: FwId) -> Result<(), SqlError> {
        tx.prepare_cached(
            "UPDATE fireworks SET spec = ?2, lenient = ?3, priority = ?4, category = ?5, fworker = ?6 WHERE fw_id = ?1",
        )?
        .execute(params![fw_id, self.text, self.lenient, self.priority, self.category, self.fworker])?;
        Ok(())
    }
}

/// A priority as something that sorts as in MongoDB: nothing below numbers, and those below whatever
/// else. The column would take a text for a number that looks like one.
fn sorted(priority: &Bson) -> Option<Value> {
    match priority {
        Bson::Null => None,
        Bson::Int32(number) => Some(f64::from(*number).into()),
        Bson::Int64(number) => Some((*number as f64).into()),
        Bson::Double(number) => Some((*number).into()),
        Bson::String(text) => Some(format!("15 {text}").into()),
        other => Some(format!("20 {other}").into()),
    }
}

/// Stores a workflow; returns (local id, id).
pub fn workflow(tx: &Transaction<'_>, draft: &Draft, now: Timestamp) -> Result<Vec<(i64, FwId)>, SqlError> {
    let workflow = empty_workflow(tx, &draft.name, &draft.metadata, now)?;
    let first = schema::take_ids(tx, "next_fw_id", draft.fireworks().len())?;
    let ids = number_together([draft], first).swap_remove(0);
    fireworks(tx, workflow, draft, &ids, &draft.free_roots(), now)?;
    // A file may bring paused or defused fireworks.
    super::state::refresh_workflow(tx, workflow, now)?;
    Ok(ids.into_iter().collect())
}

/// Makes a workflow to put fireworks into.
pub fn empty_workflow(tx: &Transaction<'_>, name: &str, metadata: &Document, now: Timestamp) -> Result<i64, SqlError> {
    tx.prepare_cached(
        "INSERT INTO workflows (name, state, metadata, created_on, updated_on) VALUES (?1, ?2, ?3, ?4, ?4)",
    )?
    .execute(params![name, State::Ready.as_str(), json::text(metadata), time::to_iso(now)])?;
    Ok(tx.last_insert_rowid())
}

/// Stores the fireworks of a draft in a workflow, under these ids; the `ready` ones may run.
pub fn fireworks(
    tx: &Transaction<'_>,
    workflow: i64,
    draft: &Draft,
    ids: &BTreeMap<i64, FwId>,
    ready: &BTreeSet<i64>,
    now: Timestamp,
) -> Result<(), SqlError> {
    let leaves: BTreeSet<i64> = draft.leaves().collect();
    let mut insert = tx.prepare_cached(
        "INSERT INTO fireworks (fw_id, workflow, name, state, spec, created_on, updated_on, is_leaf, lenient,
                                priority, category, fworker)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for fw in draft.fireworks() {
        let free = if ready.contains(&fw.local_id) { State::Ready } else { State::Waiting };
        let columns = SpecColumns::of(&fw.spec);
        let created = time::to_iso(draft.created_on(fw, now));
        insert.execute(params![
            ids[&fw.local_id],
            workflow,
            fw.name,
            fw.held.unwrap_or(free).as_str(),
            columns.text,
            created,
            leaves.contains(&fw.local_id),
            columns.lenient,
            columns.priority,
            columns.category,
            columns.fworker,
        ])?;
    }
    for (parent, child) in draft.links() {
        link(tx, ids[&parent], ids[&child])?;
    }
    Ok(())
}

/// Links two fireworks.
pub fn link(tx: &Transaction<'_>, parent: FwId, child: FwId) -> Result<(), SqlError> {
    tx.prepare_cached("INSERT OR IGNORE INTO links VALUES (?1, ?2)")?.execute(params![parent, child])?;
    tx.prepare_cached("UPDATE fireworks SET is_leaf = 0 WHERE fw_id = ?1")?.execute(params![parent])?;
    Ok(())
}

/// Sets `_priority` in specs; returns how many there were.
pub fn set_priority(tx: &Transaction<'_>, fw_ids: &[FwId], priority: i64) -> Result<u64, SqlError> {
    let changed = tx
        .prepare_cached(
            "UPDATE fireworks SET priority = ?2, spec = json_set(spec, '$._priority', ?2)
             WHERE fw_id IN (SELECT value FROM json_each(?1))",
        )?
        .execute(params![json::ids(fw_ids), priority])?;
    Ok(changed as u64)
}

/// The same where it is what was seen. Returns the fireworks of which it was.
pub fn set_priorities(tx: &Transaction<'_>, priorities: &[Priority]) -> Result<Vec<FwId>, SqlError> {
    let mut statement = tx.prepare_cached(
        "UPDATE fireworks SET priority = ?2, spec = json_set(spec, '$._priority', ?2)
         WHERE fw_id = ?1 AND priority IS ?3",
    )?;
    let mut changed = Vec::new();
    for Priority { fw_id, seen, to } in priorities {
        if statement.execute(params![fw_id, to, sorted(seen)])? > 0 {
            changed.push(*fw_id);
        }
    }
    Ok(changed)
}

/// Sets parts of the specs of fireworks in a state that allows it; returns those.
pub fn update_specs(
    tx: &Transaction<'_>,
    fw_ids: &[FwId],
    change: &SpecChange,
    now: Timestamp,
) -> Result<Vec<FwId>, SqlError> {
    let mut changed = Vec::new();
    for &fw_id in fw_ids {
        let Some(mut firework) = find::firework(tx, fw_id)?.filter(Firework::takes_updates) else { continue };
        firework.change_spec(change).map_err(StoreError::from)?;
        SpecColumns::of(&firework.spec).update(tx, fw_id)?;
        tx.execute("UPDATE fireworks SET updated_on = ?2 WHERE fw_id = ?1", params![fw_id, time::to_iso(now)])?;
        changed.push(fw_id);
    }
    Ok(changed)
}
