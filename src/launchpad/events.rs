//! `events`: who did what, when. What people did is in the history; what workers did is in the launches.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::LaunchpadError;
use super::explain::{Subject, subjects};
use crate::store::Store;
use crate::store::history::{Event, EventQuery};
use crate::workflow::{FwId, LaunchId, State, int_list, time};

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// The user, or the worker.
    pub who: String,
    /// Whether that is a worker.
    pub is_worker: bool,
    /// On which host.
    pub host: String,
    /// What: a verb, or the state that the launch came to.
    pub what: String,
    /// To which fireworks.
    pub fw_ids: Vec<FwId>,
    /// To which workflows as wholes, by the lowest id in each.
    pub workflows: Vec<FwId>,
    /// In which launch.
    pub launch: Option<LaunchId>,
    /// What else is known.
    pub note: Option<String>,
}

/// What was done, the oldest first; of fireworks (`ids`) also what workers did with them, unless one
/// user is asked about. `limit` is for the newest; 0 for all.
pub fn events(
    store: &dyn Store,
    ids: Option<&[FwId]>,
    user: Option<&str>,
    since: Option<Timestamp>,
    limit: usize,
) -> Result<Vec<Entry>, LaunchpadError> {
    let subjects = ids.map(|ids| subjects(store, ids)).transpose()?;
    let about = subjects.as_ref().map(|subjects| {
        let lowest = |subject: &Subject| int_list(subject.workflow.get("nodes")).into_iter().min();
        let workflows: BTreeSet<FwId> = subjects.iter().filter_map(lowest).collect();
        (subjects.iter().map(|subject| subject.firework.fw_id).collect(), workflows.into_iter().collect())
    });
    let query = EventQuery { about, user: user.map(str::to_owned), since, limit };
    let mut entries: Vec<Entry> = store.events(&query)?.into_iter().map(deed).collect();
    if user.is_none() {
        let launched = subjects.iter().flatten().flat_map(launches);
        entries.extend(launched.filter(|entry| since.is_none_or(|since| entry.at >= since)));
    }
    entries.sort_by_key(|entry| entry.at);
    if limit > 0 && entries.len() > limit {
        entries.drain(..entries.len() - limit);
    }
    Ok(entries)
}

fn deed(event: Event) -> Entry {
    Entry {
        at: event.at,
        who: event.user,
        is_worker: false,
        host: event.host,
        what: event.deed.what,
        fw_ids: event.deed.fw_ids,
        workflows: event.deed.workflows,
        launch: None,
        note: event.deed.note,
    }
}

/// What workers did with a firework.
fn launches(subject: &Subject) -> Vec<Entry> {
    let mut entries = Vec::new();
    for launch in &subject.launches {
        let worker = launch.fworker.as_document().and_then(|worker| worker.get_str("name").ok());
        for stored in &launch.state_history {
            let Some(at) = stored.get("created_on").and_then(time::from_bson) else { continue };
            let text = |key: &str| stored.get_str(key).ok();
            let state: Option<State> = text("state").and_then(|state| state.parse().ok());
            let lost = text("lost");
            let what = match (state, lost) {
                (_, Some(_)) => "lost",
                (Some(State::Reserved), _) => "reserved",
                (Some(State::Running), _) => "claimed",
                (Some(State::Completed), _) => "completed",
                (Some(State::Fizzled), _) => "fizzled",
                (Some(State::Ready), _) => "reservation cancelled",
                (Some(other), _) => other.as_str(),
                (None, _) => continue,
            };
            let job = text("reservation_id").map(|job| format!("queue job {job}"));
            entries.push(Entry {
                at,
                who: worker.unwrap_or_default().to_owned(),
                is_worker: true,
                host: launch.host.clone(),
                what: what.to_owned(),
                fw_ids: vec![subject.firework.fw_id],
                workflows: Vec::new(),
                launch: Some(launch.launch_id),
                note: lost.map(str::to_owned).or(job),
            });
        }
    }
    entries
}
