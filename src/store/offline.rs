//! Runs on machines that do not reach the launchpad: `offline_runs`, as FireWorks has them.

use bson::{Document, doc};
use jiff::Timestamp;

use crate::workflow::{FwId, LaunchId, as_int, int, time};

/// A launch that runs offline: what it does is in files of its launch directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfflineRun {
    /// The firework.
    pub fw_id: FwId,
    /// The launch, reserved before.
    pub launch_id: LaunchId,
    /// The firework's name.
    pub name: String,
}

/// How an offline run is over, for the launchpad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfflineEnd {
    /// Its outcome is recorded.
    Completed,
    /// It is not asked about again.
    Forgotten,
}

impl OfflineRun {
    /// As FireWorks stores it at first.
    pub fn to_document(&self, now: Timestamp) -> Document {
        doc! {
            "fw_id": int(self.fw_id),
            "launch_id": int(self.launch_id),
            "name": &self.name,
            "created_on": time::to_iso(now),
            "updated_on": time::to_iso(now),
            "deprecated": false,
            "completed": false,
        }
    }

    /// Reads one; nothing when it is over.
    pub fn from_document(document: &Document) -> Option<Self> {
        let id = |key| document.get(key).and_then(as_int);
        let is_over = [OfflineEnd::Completed, OfflineEnd::Forgotten];
        if is_over.iter().any(|end| document.get_bool(end.field()).unwrap_or(false)) {
            return None;
        }
        let name = document.get_str("name").unwrap_or_default().to_owned();
        Some(OfflineRun { fw_id: id("fw_id")?, launch_id: id("launch_id")?, name })
    }
}

impl OfflineEnd {
    /// FireWorks' field.
    pub fn field(self) -> &'static str {
        match self {
            OfflineEnd::Completed => "completed",
            OfflineEnd::Forgotten => "deprecated",
        }
    }
}
