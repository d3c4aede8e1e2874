//! A firework: one node of a workflow, as the `fireworks` collection stores it.

use bson::{Bson, Document};
use jiff::Timestamp;

use super::paths::PathError;
use super::spec_change::SpecChange;
use super::{FwId, Launch, LaunchId, State, as_int, int, int_list, time};

/// One firework with everything the launchpad knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Firework {
    /// Its id.
    pub fw_id: FwId,
    /// Its name.
    pub name: String,
    /// What to do (`_tasks`), how (reserved keys) and with what (the user's own keys).
    pub spec: Document,
    /// Where it is in its life.
    pub state: State,
    /// When it was added; a string, in old databases a date.
    pub created_on: Bson,
    /// When its state last changed; a string or a date. Kept as read: writers compare with it.
    pub updated_on: Bson,
    /// Launches that count, oldest first.
    pub launches: Vec<LaunchId>,
    /// Launches that a rerun has put away.
    pub archived_launches: Vec<LaunchId>,
    /// Launches of parents whose changes of this spec must not be made again, while those launches
    /// are being written; empty otherwise.
    pub applied: Vec<LaunchId>,
}

/// A stored firework that cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("firework {fw_id} has no usable `{field}`")]
pub struct BadFirework {
    /// Its id, or what stands in its place.
    pub fw_id: String,
    /// The field in question.
    pub field: &'static str,
}

/// A change of a spec that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("firework {fw_id}: {source}")]
pub struct BadUpdate {
    /// Which firework.
    pub fw_id: FwId,
    /// Why not.
    pub source: PathError,
}

/// FireWorks' name for a firework that was given none.
pub const DEFAULT_NAME: &str = "Unnamed FW";

/// The states in which a user may change a spec.
pub const UPDATABLE: [State; 5] = [State::Ready, State::Waiting, State::Fizzled, State::Defused, State::Paused];

/// The field of [`Firework::applied`], present only while an outcome is being written.
pub const APPLIED: &str = "volley_applied";

impl Firework {
    /// A firework as it is first stored.
    pub fn new(fw_id: FwId, name: &str, spec: Document, state: State, now: Timestamp) -> Self {
        let now = Bson::String(time::to_iso(now));
        Firework {
            fw_id,
            name: name.to_owned(),
            spec,
            state,
            created_on: now.clone(),
            updated_on: now,
            launches: Vec::new(),
            archived_launches: Vec::new(),
            applied: Vec::new(),
        }
    }

    /// Reads a stored document.
    pub fn from_document(document: &Document) -> Result<Self, BadFirework> {
        let fw_id = document.get("fw_id");
        let bad = |field| BadFirework { fw_id: fw_id.map_or("?".to_owned(), Bson::to_string), field };
        Ok(Firework {
            fw_id: fw_id.and_then(as_int).ok_or_else(|| bad("fw_id"))?,
            name: document.get_str("name").unwrap_or(DEFAULT_NAME).to_owned(),
            spec: document.get_document("spec").map_err(|_| bad("spec"))?.clone(),
            state: document.get_str("state").ok().and_then(|s| s.parse().ok()).ok_or_else(|| bad("state"))?,
            created_on: document.get("created_on").cloned().unwrap_or(Bson::Null),
            updated_on: document.get("updated_on").cloned().unwrap_or(Bson::Null),
            launches: int_list(document.get("launches")),
            archived_launches: int_list(document.get("archived_launches")),
            applied: int_list(document.get(APPLIED)),
        })
    }

    /// The document FireWorks would write, in its order of fields.
    pub fn to_document(&self) -> Document {
        let ids = |list: &[LaunchId]| Bson::Array(list.iter().copied().map(int).collect());
        bson::doc! {
            "spec": self.spec.clone(),
            "fw_id": int(self.fw_id),
            "created_on": self.created_on.clone(),
            "updated_on": self.updated_on.clone(),
            "name": &self.name,
            "launches": ids(&self.launches),
            "archived_launches": ids(&self.archived_launches),
            "state": self.state.as_str(),
        }
    }

    /// The firework as FireWorks writes it into files and into other documents: with its launches
    /// in full, and without what is empty.
    pub fn to_dictionary(&self, launches: &[Launch]) -> Document {
        let mut document = bson::doc! {
            "spec": self.spec.clone(),
            "fw_id": int(self.fw_id),
            "created_on": self.created_on.clone(),
            "updated_on": self.updated_on.clone(),
        };
        for (key, ids) in [("launches", &self.launches), ("archived_launches", &self.archived_launches)] {
            let of = launches.iter().filter(|launch| ids.contains(&launch.launch_id));
            let full: Vec<Document> = of.map(Launch::to_dictionary).collect();
            if !full.is_empty() {
                document.insert(key, full);
            }
        }
        if self.state != State::Waiting {
            document.insert("state", self.state.as_str());
        }
        document.insert("name", &self.name);
        document
    }

    /// Its tasks, in order.
    pub fn tasks(&self) -> impl Iterator<Item = &Document> {
        self.spec.get_array("_tasks").into_iter().flatten().filter_map(Bson::as_document)
    }

    /// Whether a user may change its spec: not while it runs or is reserved, and not once it counts.
    pub fn takes_updates(&self) -> bool {
        UPDATABLE.contains(&self.state)
    }

    /// Changes parts of the spec.
    pub fn change_spec(&mut self, change: &SpecChange) -> Result<(), BadUpdate> {
        change.apply(&mut self.spec).map_err(|source| BadUpdate { fw_id: self.fw_id, source })
    }

    /// Whether other fireworks may follow its launches, or it those of others (`_dupefinder`).
    pub fn looks_for_duplicates(&self) -> bool {
        self.spec.contains_key("_dupefinder")
    }

    /// Whether it does so by FireWorks' `DupeFinderExact`: same spec, same firework.
    pub fn looks_for_exact_duplicates(&self) -> bool {
        let finder = self.spec.get_document("_dupefinder").and_then(|finder| finder.get_str("_fw_name"));
        matches!(finder, Ok("DupeFinderExact" | "Dupe Finder Exact"))
    }

    /// Whether it may run although a parent has failed (`_allow_fizzled_parents`).
    pub fn allows_fizzled_parents(&self) -> bool {
        self.spec.get("_allow_fizzled_parents").is_some_and(is_true)
    }
}

/// Python's truth of a flag: whatever is not empty, zero, false or null.
pub fn is_true(value: &Bson) -> bool {
    match value {
        Bson::Null | Bson::Undefined => false,
        Bson::Boolean(b) => *b,
        Bson::Int32(i) => *i != 0,
        Bson::Int64(i) => *i != 0,
        Bson::Double(d) => *d != 0.0,
        Bson::String(s) => !s.is_empty(),
        Bson::Array(items) => !items.is_empty(),
        Bson::Document(document) => !document.is_empty(),
        _ => true,
    }
}
