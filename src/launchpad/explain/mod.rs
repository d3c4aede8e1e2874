//! `explain`: why a firework does not run, or what became of it. The launchpad is asked for facts
//! here; what they amount to is said by [`sentence`], which looks at nothing else.

use bson::{Bson, Document};
use jiff::Timestamp;

use super::LaunchpadError;
use super::reservation::job_of;
use crate::queue::{JobId, Standing};
use crate::store::{FireworkQuery, Store, Witness, WorkflowQuery, examine::holder};
use crate::workflow::launch::representative;
use crate::workflow::retry::NOT_BEFORE;
use crate::workflow::room::Ask;
use crate::workflow::{Firework, FwId, Launch, LaunchId, Lease, Loss, State, int_list, time};

pub mod sentence;
pub mod shown;

/// What is known of a firework.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Which.
    pub fw_id: FwId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// When that changed last.
    pub since: Option<Timestamp>,
    /// The time by the store's clock.
    pub at: Timestamp,
    /// Its parents.
    pub parents: Vec<Parent>,
    /// Whether it runs below parents that have failed.
    pub lenient: bool,
    /// Who holds the lock of its workflow.
    pub locked_by: Option<String>,
    /// Only workers of this name may run it.
    pub fworker: Option<String>,
    /// Only workers that take this category.
    pub category: Option<String>,
    /// What it asks for of a worker, when that is more than a slot or a node.
    pub asks: Option<Ask>,
    /// It is not tried before.
    pub not_before: Option<Timestamp>,
    /// Workers that run something at the moment.
    pub at_work: Vec<AtWork>,
    /// Workers that cannot run it, and why.
    pub unable: Vec<String>,
    /// The launch that it follows.
    pub launch: Option<Attempt>,
    /// Earlier attempts that ended without an outcome, oldest first.
    pub losses: Vec<(LaunchId, Loss, Option<Timestamp>)>,
}

/// A firework above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parent {
    /// Which.
    pub fw_id: FwId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
}

/// A worker that runs something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtWork {
    /// Its name.
    pub name: String,
    /// What it takes; none when it takes whatever there is.
    pub categories: Option<Vec<String>>,
}

/// The launch that a firework follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// Which.
    pub launch_id: LaunchId,
    /// Its state.
    pub state: State,
    /// Where it runs or ran.
    pub host: String,
    /// And in which directory.
    pub dir: String,
    /// When it was last heard of.
    pub heard: Option<Timestamp>,
    /// Its lease; Python's launches have none.
    pub lease: Option<Lease>,
    /// The queue job that was submitted for it, and how that stands in the queue, as far as it says.
    pub job: Option<(String, Queued)>,
    /// Why it failed, in a line.
    pub error: Option<String>,
    /// It runs without the launchpad, and is heard of when `recover_offline` asks.
    pub offline: bool,
    /// Why it is certainly lost, if this host or its queue knows.
    pub lost: Option<Loss>,
}

/// How a queue job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Queued {
    /// In the words of the queue.
    There(String),
    /// The queue does not know it.
    Gone,
    /// The queue could not be asked.
    Unknown(String),
    /// It was not asked.
    Unasked,
}

/// Asks the launchpad for all facts, and the queue for the job that a reservation waits for.
pub fn facts(
    store: &dyn Store,
    fw_id: FwId,
    unable: impl FnOnce(&Firework) -> Result<Vec<String>, LaunchpadError>,
    ask_queue: impl FnOnce(&JobId) -> Result<Option<Standing>, String>,
    witness: &dyn Witness,
) -> Result<Facts, LaunchpadError> {
    let by_id = |ids: Vec<FwId>| FireworkQuery { ids: Some(ids), ..FireworkQuery::default() };
    let firework = store.find_fireworks(&by_id(vec![fw_id]))?.pop();
    let firework = firework.ok_or(LaunchpadError::UnknownFireworks(vec![fw_id]))?;
    let of = WorkflowQuery { fw_ids: Some(vec![fw_id]), ..WorkflowQuery::default() };
    let workflow = store.find_workflows(&of)?.pop().unwrap_or_default();
    let links = workflow.get_document("parent_links").ok();
    let parents = links.map(|links| int_list(links.get(fw_id.to_string()))).unwrap_or_default();
    let parents = if parents.is_empty() { Vec::new() } else { store.find_fireworks(&by_id(parents))? };
    let launches = store.find_launches(&[&firework.archived_launches[..], &firework.launches].concat())?;
    let followed = representative(launches.iter().filter(|launch| firework.launches.contains(&launch.launch_id)));
    let text = |key: &str| firework.spec.get_str(key).ok().map(str::to_owned);
    Ok(Facts {
        fw_id,
        name: firework.name.clone(),
        state: firework.state,
        since: time::from_bson(&firework.updated_on),
        at: store.clock()?,
        parents: parents.into_iter().map(|one| Parent { fw_id: one.fw_id, name: one.name, state: one.state }).collect(),
        lenient: firework.allows_fizzled_parents(),
        locked_by: workflow.get("locked").map(holder),
        fworker: text("_fworker"),
        category: text("_category"),
        asks: Ask::of(&firework.spec).ok().filter(|asks| !matches!(asks, Ask::Slots(1) | Ask::Nodes(1))),
        not_before: firework.spec.get(NOT_BEFORE).and_then(time::from_bson),
        at_work: if firework.state == State::Ready { at_work(store)? } else { Vec::new() },
        unable: if firework.state == State::Ready { unable(&firework)? } else { Vec::new() },
        launch: match followed {
            Some(launch) => {
                let mut attempt = attempt(launch, &firework, ask_queue);
                if !launch.state.is_final() {
                    attempt.offline = store.offline_runs()?.iter().any(|run| run.launch_id == launch.launch_id);
                    attempt.lost = witness.losses(&[launch]).pop().flatten();
                }
                Some(attempt)
            }
            None => None,
        },
        losses: launches.iter().filter_map(loss).collect(),
    })
}

/// The workers of all launches that run.
fn at_work(store: &dyn Store) -> Result<Vec<AtWork>, LaunchpadError> {
    let mut workers: Vec<AtWork> = Vec::new();
    for launch in store.open_launches()?.iter().filter(|launch| launch.state == State::Running) {
        let Some(worker) = launch.fworker.as_document().map(worker) else { continue };
        if !workers.contains(&worker) {
            workers.push(worker);
        }
    }
    Ok(workers)
}

/// A worker as its launches show it. `__none__` is a category that nothing has.
fn worker(document: &Document) -> AtWork {
    let categories = match document.get("category") {
        Some(Bson::String(one)) if !one.is_empty() => Some(vec![one.clone()]),
        Some(Bson::Array(several)) => Some(several.iter().filter_map(Bson::as_str).map(str::to_owned).collect()),
        _ => None,
    };
    AtWork { name: document.get_str("name").unwrap_or_default().to_owned(), categories }
}

fn attempt(
    launch: &Launch,
    firework: &Firework,
    ask_queue: impl FnOnce(&JobId) -> Result<Option<Standing>, String>,
) -> Attempt {
    let job = job_of(launch).map(|job| {
        let queued = if firework.state != State::Reserved {
            Queued::Unasked
        } else {
            match ask_queue(&job) {
                Ok(Some(standing)) => Queued::There(standing.words),
                Ok(None) => Queued::Gone,
                Err(why) => Queued::Unknown(why),
            }
        };
        (job.id, queued)
    });
    Attempt {
        launch_id: launch.launch_id,
        state: launch.state,
        host: launch.host.clone(),
        dir: launch.launch_dir.clone(),
        heard: launch.last_heard(),
        lease: launch.lease(),
        job,
        error: error(launch),
        offline: false,
        lost: None,
    }
}

/// The last line of what went wrong.
fn error(launch: &Launch) -> Option<String> {
    if launch.state != State::Fizzled {
        return None;
    }
    let data = launch.action.as_ref().and_then(|action| action.get_document("stored_data").ok());
    let trace = data.and_then(|data| data.get_document("_exception").ok()?.get_str("_stacktrace").ok());
    let message = data.and_then(|data| data.get_str("_message").ok());
    let last = trace.and_then(|trace| trace.lines().map(str::trim).rfind(|line| !line.is_empty()));
    last.or(message).map(str::to_owned).or_else(|| launch.loss().map(|loss| loss.text))
}

/// Why a launch ended without an outcome, and when.
fn loss(launch: &Launch) -> Option<(LaunchId, Loss, Option<Timestamp>)> {
    Some((launch.launch_id, launch.loss()?, launch.last_heard()))
}
