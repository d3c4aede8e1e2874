//! `explain`: why a firework does not run, or what became of it. The launchpad is asked for facts
//! here; what they amount to is said by [`sentence`], which looks at nothing else.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use bson::{Bson, Document};
use jiff::Timestamp;

use super::LaunchpadError;
use super::folder::spelled;
use super::reservation::job_of;
use crate::queue::{JobId, Standing};
use crate::store::brief::Brief;
use crate::store::failures::Failure;
use crate::store::{Fields, FireworkQuery, Store, WorkflowQuery, examine::holder};
use crate::workflow::launch::representative;
use crate::workflow::retry::NOT_BEFORE;
use crate::workflow::room::Ask;
use crate::workflow::{Firework, FwId, Launch, LaunchId, Lease, Loss, State, int_list, time};

mod advance;
pub mod sentence;
pub mod shown;

pub use advance::Advance;

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
    /// What launchers say that hand over jobs.
    pub launchers: Vec<String>,
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
    /// How far it was when it told that last.
    pub advance: Option<Advance>,
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

/// A firework with what the launchpad keeps of it elsewhere.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The firework.
    pub firework: Firework,
    /// Its workflow, as FireWorks stores it; empty where it has none.
    pub workflow: Document,
    /// Its launches, those that were put away first.
    pub launches: Vec<Launch>,
    /// The bytes of what launches have stored, where that was large and has not been read.
    pub unread: BTreeMap<LaunchId, u64>,
}

/// Reads fireworks, in the order asked for. Ids that do not exist are an error.
pub fn subjects(store: &dyn Store, ids: &[FwId]) -> Result<Vec<Subject>, LaunchpadError> {
    read(store, ids, |launches| Ok(store.find_launches(launches)?.into_iter().map(Brief::from).collect()))
}

/// The same without results that are large.
pub fn brief_subjects(store: &dyn Store, ids: &[FwId]) -> Result<Vec<Subject>, LaunchpadError> {
    read(store, ids, |launches| store.brief_launches(launches))
}

fn read(
    store: &dyn Store,
    ids: &[FwId],
    launches: impl FnOnce(&[LaunchId]) -> crate::store::Result<Vec<Brief>>,
) -> Result<Vec<Subject>, LaunchpadError> {
    let query = FireworkQuery { ids: Some(ids.to_vec()), ..FireworkQuery::default() };
    let found = store.find_fireworks(&query)?;
    let wanted: Vec<LaunchId> =
        found.iter().flat_map(|one| one.archived_launches.iter().chain(&one.launches)).copied().collect();
    let briefs = if wanted.is_empty() { Vec::new() } else { launches(&wanted)? };
    let launches: BTreeMap<LaunchId, Brief> = briefs.into_iter().map(|one| (one.launch.launch_id, one)).collect();
    let mut found: BTreeMap<FwId, Firework> = found.into_iter().map(|one| (one.fw_id, one)).collect();
    let missing: Vec<FwId> = ids.iter().copied().filter(|id| !found.contains_key(id)).collect();
    if !missing.is_empty() {
        return Err(LaunchpadError::UnknownFireworks(missing));
    }
    let of = WorkflowQuery { fw_ids: Some(ids.to_vec()), ..WorkflowQuery::default() };
    let mut workflows: Vec<Document> = store.find_workflows(&of)?;
    let place: HashMap<FwId, usize> = workflows
        .iter()
        .enumerate()
        .flat_map(|(place, workflow)| int_list(workflow.get("nodes")).into_iter().map(move |id| (id, place)))
        .collect();
    // Of a large workflow there is one copy where only one of its fireworks is asked about.
    let only = ids.len() == 1;
    let subject = |firework: Firework| {
        let workflow = place.get(&firework.fw_id).and_then(|&place| workflows.get_mut(place));
        let workflow = workflow.map(|one| if only { std::mem::take(one) } else { one.clone() });
        let ids = firework.archived_launches.iter().chain(&firework.launches);
        let (mut own, mut unread) = (Vec::new(), BTreeMap::new());
        for brief in ids.filter_map(|id| launches.get(id)) {
            own.push(brief.launch.clone());
            unread.extend(brief.large.map(|size| (brief.launch.launch_id, size)));
        }
        Subject { workflow: workflow.unwrap_or_default(), launches: own, unread, firework }
    };
    Ok(ids.iter().filter_map(|id| found.remove(id)).map(subject).collect())
}

impl Subject {
    /// The launch that it follows.
    pub fn followed(&self) -> Option<&Launch> {
        let counts = |launch: &&Launch| self.firework.launches.contains(&launch.launch_id);
        representative(self.launches.iter().filter(counts))
    }

    /// What is said in the place of results that have not been read.
    pub fn unread(&self, launch: &Launch) -> Option<String> {
        let size = spelled(*self.unread.get(&launch.launch_id)?);
        let id = self.firework.fw_id;
        Some(format!("{size} are not shown here: `lpad get_fws -i {id} -d all -o yaml` shows them"))
    }

    /// What is next to it in its workflow, by `parent_links` or `links`.
    pub fn neighbours(&self, links: &str) -> Vec<FwId> {
        let links = self.workflow.get_document(links).ok();
        links.map(|links| int_list(links.get(self.firework.fw_id.to_string()))).unwrap_or_default()
    }
}

/// Fireworks by id, without their specs.
pub fn relatives(store: &dyn Store, mut ids: Vec<FwId>) -> Result<BTreeMap<FwId, Parent>, LaunchpadError> {
    ids.sort_unstable();
    ids.dedup();
    let mut found = BTreeMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let query = FireworkQuery { ids: Some(ids), ..FireworkQuery::default() };
    store.each_firework(&query, Fields::Head, &mut |some| {
        found.extend(
            some.into_iter().map(|one| (one.fw_id, Parent { fw_id: one.fw_id, name: one.name, state: one.state })),
        );
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

/// Who knows more than the launchpad.
pub trait Others {
    /// Which workers cannot run which of these fireworks, and why.
    fn unable(&self, fireworks: &[Firework]) -> Result<Vec<(FwId, String)>, LaunchpadError>;

    /// How these jobs stand in their queue, or why it does not say.
    fn standings(&self, jobs: &[JobId]) -> Result<BTreeMap<JobId, Standing>, String>;

    /// Which of these launches are certainly lost, and why.
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>>;
}

/// Asks for all facts about fireworks: the launchpad, and the queue for the jobs that reservations wait
/// for; each of them once, however many fireworks there are.
pub fn facts(store: &dyn Store, subjects: &[Subject], others: &dyn Others) -> Result<Vec<Facts>, LaunchpadError> {
    let parents = subjects.iter().flat_map(|subject| subject.neighbours("parent_links")).collect();
    let parents = relatives(store, parents)?;
    let is = |state: State| move |subject: &&Subject| subject.firework.state == state;
    let ready: Vec<Firework> = subjects.iter().filter(is(State::Ready)).map(|one| one.firework.clone()).collect();
    let (at_work, unable, launchers) = if ready.is_empty() {
        (Vec::new(), Vec::new(), Vec::new())
    } else {
        (at_work(store)?, others.unable(&ready)?, launchers(store)?)
    };
    let jobs: Vec<JobId> =
        subjects.iter().filter(is(State::Reserved)).filter_map(|one| job_of(one.followed()?)).collect();
    let standings = if jobs.is_empty() { Ok(BTreeMap::new()) } else { others.standings(&jobs) };
    let open: Vec<&Launch> =
        subjects.iter().filter_map(Subject::followed).filter(|launch| !launch.state.is_final()).collect();
    let offline = if open.is_empty() { Vec::new() } else { store.offline_runs()? };
    let losses: HashMap<LaunchId, Loss> =
        open.iter().zip(others.losses(&open)).filter_map(|(launch, loss)| Some((launch.launch_id, loss?))).collect();
    let at = store.clock()?;
    let about = |subject: &Subject| {
        let Subject { firework, workflow, launches, .. } = subject;
        let text = |key: &str| firework.spec.get_str(key).ok().map(str::to_owned);
        let is_ready = firework.state == State::Ready;
        let above = subject.neighbours("parent_links");
        let unable = unable.iter().filter(|(id, _)| *id == firework.fw_id).map(|(_, why)| why.clone());
        let launch = subject.followed().map(|launch| Attempt {
            offline: offline.iter().any(|run| run.launch_id == launch.launch_id),
            lost: losses.get(&launch.launch_id).cloned(),
            ..attempt(launch, firework, &standings)
        });
        Facts {
            fw_id: firework.fw_id,
            name: firework.name.clone(),
            state: firework.state,
            since: time::from_bson(&firework.updated_on),
            at,
            parents: above.iter().filter_map(|id| parents.get(id).cloned()).collect(),
            lenient: firework.allows_fizzled_parents(),
            locked_by: workflow.get("locked").map(holder),
            fworker: text("_fworker"),
            category: text("_category"),
            asks: Ask::of(&firework.spec).ok().filter(|asks| !matches!(asks, Ask::Slots(1) | Ask::Nodes(1))),
            not_before: firework.spec.get(NOT_BEFORE).and_then(time::from_bson),
            at_work: if is_ready { at_work.clone() } else { Vec::new() },
            launchers: if is_ready { launchers.clone() } else { Vec::new() },
            unable: unable.collect(),
            launch,
            losses: launches.iter().filter_map(loss).collect(),
        }
    };
    Ok(subjects.iter().map(about).collect())
}

/// What the launchers say that go on: also what they cannot submit, and why.
fn launchers(store: &dyn Store) -> Result<Vec<String>, LaunchpadError> {
    let ledgers = store.ledgers()?;
    let daemons = ledgers.iter().flat_map(|(_, ledger)| &ledger.daemons).filter(|daemon| !daemon.status.is_empty());
    Ok(daemons.map(|daemon| format!("{} on {}: {}", daemon.id, daemon.holder.host, daemon.status)).collect())
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

fn attempt(launch: &Launch, firework: &Firework, standings: &Result<BTreeMap<JobId, Standing>, String>) -> Attempt {
    let job = job_of(launch).map(|job| {
        let queued = if firework.state != State::Reserved {
            Queued::Unasked
        } else {
            match standings.as_ref().map(|standings| standings.get(&job)) {
                Ok(Some(standing)) => Queued::There(standing.words.clone()),
                Ok(None) => Queued::Gone,
                Err(why) => Queued::Unknown(why.clone()),
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
        advance: Advance::of(launch),
        lost: None,
    }
}

/// The last line of what went wrong.
fn error(launch: &Launch) -> Option<String> {
    if launch.state != State::Fizzled {
        return None;
    }
    let trace = Failure::of(launch).trace?;
    trace.lines().map(str::trim).rfind(|line| !line.is_empty()).map(str::to_owned)
}

/// Why a launch ended without an outcome, and when.
fn loss(launch: &Launch) -> Option<(LaunchId, Loss, Option<Timestamp>)> {
    Some((launch.launch_id, launch.loss()?, launch.last_heard()))
}
