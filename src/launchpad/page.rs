//! Everything about one firework that a person wants to see at once, as data.

use bson::{Bson, Document};
use jiff::{SignedDuration, Timestamp};

use super::LaunchpadError;
use super::explain::sentence::without_directory;
use super::explain::{Facts, Parent, Subject, relatives};
use super::listing::{states, workflow_id};
use super::results::stored_data;
use super::shorten::shortened;
use super::tail::place_of;
use crate::recipes::Summary;
use crate::store::Store;
use crate::store::failures::Failure;
use crate::store::history::{Event, EventQuery};
use crate::workflow::{FwId, Launch, LaunchId, QueueJob, State, time};

/// The page of a firework.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its id.
    pub fw_id: FwId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Why it does not run, or what became of it.
    pub sentence: String,
    /// Its workflow: the id that names it, its name and state, and how many fireworks it has.
    pub workflow: Option<(FwId, String, String, usize)>,
    /// Who added that, where Volley did it.
    pub owner: Option<String>,
    /// `spec._priority`.
    pub priority: Option<String>,
    /// What it was in, and for how long.
    pub periods: Vec<Period>,
    /// Its tasks: each kind, with what it works on.
    pub tasks: Vec<String>,
    /// The fireworks above; of many some that it waits for, before those that have completed.
    pub parents: Vec<Parent>,
    /// How many are above.
    pub parent_count: usize,
    /// The fireworks below; of many some, likewise.
    pub children: Vec<Parent>,
    /// How many are below.
    pub child_count: usize,
    /// The launch that it follows.
    pub run: Option<Run>,
    /// What recipes found, a row for each structure.
    pub summaries: Vec<Summary>,
    /// What is said instead, where its results are large and have not been read.
    pub unread: Option<String>,
    /// Why it failed: the last lines of what is known.
    pub error: Option<String>,
    /// What to type next, and what that does.
    pub next: Vec<(String, &'static str)>,
}

/// A time in one state.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// The state; none before it is known.
    pub state: Option<State>,
    /// Since when.
    pub from: Timestamp,
    /// For how long, until now where it goes on.
    pub length: SignedDuration,
    /// In which launch.
    pub launch: Option<LaunchId>,
    /// What else is known: why it was lost.
    pub note: Option<String>,
}

/// Where it runs, or ran last.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The launch.
    pub launch_id: LaunchId,
    /// Its directory.
    pub dir: String,
    /// Its host.
    pub host: String,
    /// The worker's name.
    pub worker: String,
    /// The queue job it runs in.
    pub job: Option<QueueJob>,
}

/// So many parents and children are named.
const RELATIVES: usize = 8;
/// So much of an error is shown.
const ERROR_LINES: usize = 12;
/// So many characters of each line of it, and of a task: a script may be a program of its own.
const LINE: usize = 500;
const TASK: usize = 200;

/// Puts the page together; it asks the launchpad for the children and the owner.
pub fn page(store: &dyn Store, subject: &Subject, facts: &Facts) -> Result<Page, LaunchpadError> {
    let firework = &subject.firework;
    let workflow = &subject.workflow;
    let (children, below) = (subject.neighbours("links"), states(workflow));
    let child_count = children.len();
    let children = some(children, |id| below.get(id).copied());
    let named = relatives(store, children.clone())?;
    let launch = subject.followed();
    let ended = launch.filter(|launch| launch.state.is_final() && launch.state == firework.state);
    let is_failed = firework.state == State::Fizzled;
    let trace = ended.filter(|_| is_failed).and_then(|launch| Failure::of(launch).trace);
    let run = launch.map(run);
    let lowest = below.keys().next().copied();
    let owner = lowest.map(|id| Ok::<_, LaunchpadError>(store.owners(&[id])?.remove(&id))).transpose()?.flatten();
    let summaries = ended.map(|launch| Summary::all_of(&stored_data(launch))).unwrap_or_default();
    Ok(Page {
        fw_id: firework.fw_id,
        name: firework.name.clone(),
        state: firework.state,
        sentence: without_directory(facts),
        workflow: workflow_id(workflow).map(|id| {
            let text = |key: &str| workflow.get_str(key).unwrap_or_default().to_owned();
            (id, text("name"), text("state"), states(workflow).len())
        }),
        owner,
        priority: firework.spec.get("_priority").map(Bson::to_string),
        periods: periods(subject, &reruns(store, subject)?, facts.at),
        tasks: firework.tasks().map(task).collect(),
        parents: some(facts.parents.clone(), |parent| Some(parent.state)),
        parent_count: facts.parents.len(),
        child_count,
        children: children.iter().filter_map(|id| named.get(id).cloned()).collect(),
        next: next(subject, facts, run.as_ref(), !summaries.is_empty()),
        summaries,
        unread: launch.and_then(|launch| subject.unread(launch)),
        error: trace.map(|trace| {
            let lines = super::last_lines::of_bytes(trace.as_bytes(), ERROR_LINES);
            lines.lines().map(|line| shortened(line, LINE)).collect::<Vec<_>>().join("\n")
        }),
        run,
    })
}

/// Of many relatives those that are named: what has completed comes last.
fn some<T>(mut all: Vec<T>, state: impl Fn(&T) -> Option<State>) -> Vec<T> {
    if all.len() > RELATIVES {
        all.sort_by_key(|one| state(one) == Some(State::Completed));
        all.truncate(RELATIVES);
    }
    all
}

fn run(launch: &Launch) -> Run {
    let worker = launch.fworker.as_document().and_then(|worker| worker.get_str("name").ok());
    Run {
        launch_id: launch.launch_id,
        dir: launch.launch_dir.clone(),
        host: launch.host.clone(),
        worker: worker.unwrap_or_default().to_owned(),
        job: launch.queue_job(),
    }
}

/// `ScriptTask: ls -l`
fn task(task: &Document) -> String {
    let name = task.get_str("_fw_name").unwrap_or("?").trim_matches(['{', '}']);
    let about = ["script", "func", "structure", "mode", "template_file"].iter().find_map(|key| task.get(key));
    let about = about.map(|about| match about {
        Bson::String(text) => text.clone(),
        Bson::Array(several) => several.iter().filter_map(Bson::as_str).collect::<Vec<_>>().join("; "),
        Bson::Document(one) if one.len() == 1 => {
            one.iter().map(|(key, value)| format!("{key} {}", value.as_str().unwrap_or("…"))).collect()
        }
        _ => String::new(),
    });
    match about.filter(|about| !about.is_empty()) {
        Some(about) => shortened(&format!("{name}: {about}"), TASK),
        None => name.to_owned(),
    }
}

/// Who has had it run again; asked for only where it was.
fn reruns(store: &dyn Store, subject: &Subject) -> Result<Vec<Event>, LaunchpadError> {
    if subject.firework.archived_launches.is_empty() {
        return Ok(Vec::new());
    }
    let about = Some((vec![subject.firework.fw_id], Vec::new()));
    let mut events = store.events(&EventQuery { about, ..EventQuery::default() })?;
    events.retain(|event| event.deed.what == "rerun_fws");
    Ok(events)
}

/// What it was in since it was added, and for how long.
fn periods(subject: &Subject, reruns: &[Event], now: Timestamp) -> Vec<Period> {
    let firework = &subject.firework;
    let mut marks: Vec<Period> = Vec::new();
    let mark = |state, from, launch, note| Period { state, from, length: SignedDuration::ZERO, launch, note };
    marks.extend(time::from_bson(&firework.created_on).map(|at| mark(None, at, None, Some("added".to_owned()))));
    // What has never been changed tells nothing but its present state.
    if subject.launches.is_empty() && firework.created_on == firework.updated_on {
        marks.clear();
    }
    for launch in &subject.launches {
        for entry in &launch.state_history {
            let Some(at) = entry.get("created_on").and_then(time::from_bson) else { continue };
            let state = entry.get_str("state").ok().and_then(|state| state.parse().ok());
            let note = entry.get_str("lost").ok().map(|why| format!("lost: {why}"));
            marks.push(mark(state, at, Some(launch.launch_id), note));
        }
    }
    for event in reruns {
        marks.push(mark(Some(State::Ready), event.at, None, Some(format!("rerun by {}", event.user))));
    }
    marks.sort_by_key(|period| period.from);
    let is_told = marks.last().is_some_and(|last| last.state == Some(firework.state));
    if !is_told && let Some(since) = time::from_bson(&firework.updated_on) {
        let since = marks.last().map_or(since, |last| last.from.max(since));
        marks.push(mark(Some(firework.state), since, None, None));
    }
    let ends: Vec<Timestamp> = marks.iter().skip(1).map(|period| period.from).chain([now]).collect();
    for (period, end) in marks.iter_mut().zip(ends) {
        period.length = end.duration_since(period.from).max(SignedDuration::ZERO);
    }
    marks
}

/// What somebody who looks at it may want to do.
fn next(subject: &Subject, facts: &Facts, run: Option<&Run>, has_found: bool) -> Vec<(String, &'static str)> {
    let (firework, parents) = (&subject.firework, &facts.parents);
    let has_output = || place_of(subject).launch.is_some_and(|spot| spot.newest().is_some() || !spot.seen.is_empty());
    let id = firework.fw_id;
    let mut next = Vec::new();
    let mut say = |command: String, does: &'static str| next.push((command, does));
    match firework.state {
        State::Fizzled => {
            say(format!("lpad rerun_fws -i {id}"), "run it again");
            if has_output() {
                say(format!("lpad tail --no-follow -i {id}"), "the end of its output");
            }
        }
        State::Running => {
            say(format!("lpad tail -i {id}"), "follow its output");
        }
        State::Completed => {
            if has_found {
                say(format!("lpad results -i {id}"), "what its workflow found");
            }
        }
        State::Ready => {
            if facts.unable.is_empty() {
                say(format!("rlaunch singleshot -f {id}"), "run it here");
            }
            say("qlaunch rapidfire".to_owned(), "submit queue jobs for what is READY");
        }
        State::Reserved => {
            if let Some(job) = run.and_then(|run| run.job.as_ref()) {
                say(format!("lpad cancel_qid --qid {}", job.id), "cancel its queue job");
            }
        }
        State::Paused => say(format!("lpad resume_fws -i {id}"), "let it go on"),
        State::Defused => say(format!("lpad reignite_fws -i {id}"), "bring it back"),
        State::Waiting => {
            if let Some(parent) = parents.iter().find(|parent| parent.state != State::Completed) {
                say(format!("lpad explain -i {}", parent.fw_id), "what it waits for");
            }
        }
        State::Archived => {}
    }
    say(format!("lpad graph -i {id}"), "its workflow");
    say(format!("lpad get_fws -i {id} -d all -o yaml"), "everything that is stored");
    next
}
