//! A launch: one attempt to run a firework.

use std::ops::Range;

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};

use super::checkpoint::{CHECKPOINT, PROGRESS};
use super::retry::{Again, Attempts};
use super::{Checkpoint, FwAction, FwId, LaunchId, Lease, Loss, RetryPolicy, State, Tracker, as_int, int, time};

/// The keys of history entries that hold what is known of attempts, and that there is another one.
const ATTEMPTS: &str = "retry";
const AGAIN: &str = "again";

/// FireWorks' key of a history entry that names the job of a reservation.
const RESERVATION_ID: &str = "reservation_id";
/// The key of a history entry that names the cluster of the job that FireWorks' `reservation_id` names.
const RESERVATION_CLUSTER: &str = "reservation_cluster";

/// The key of a history entry that names the place in a queue of the job that is submitted for a launch.
const TOKEN: &str = "token";

/// One attempt to run a firework, as the `launches` collection stores it.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// Its id.
    pub launch_id: LaunchId,
    /// The firework that was launched.
    pub fw_id: FwId,
    /// Who ran it: name, category, query and env of the worker.
    pub fworker: Bson,
    /// Where, an absolute path.
    pub launch_dir: String,
    /// Name of the host it ran on.
    pub host: String,
    /// Address of that host.
    pub ip: String,
    /// Files that FireWorks follows while it runs.
    pub trackers: Vec<Bson>,
    /// Its outcome; null while there is none, and for lost runs.
    pub action: Option<Document>,
    /// Where it is in its life.
    pub state: State,
    /// Every state it has been in, with dates; the last entry is the present state.
    pub state_history: Vec<Document>,
    /// What else stands in its document.
    pub extra: Document,
}

/// The fields of a launch's document that a launch has, or that follow from them; and MongoDB's own.
const FIELDS: [&str; 15] = [
    "_id",
    "fworker",
    "fw_id",
    "launch_dir",
    "host",
    "ip",
    "trackers",
    "action",
    "state",
    "state_history",
    "launch_id",
    "time_start",
    "time_end",
    "runtime_secs",
    "reservedtime_secs",
];

/// The key of a history entry that says that the launch goes on whatever becomes of its firework.
pub const KEPT: &str = "kept";

impl Launch {
    /// A launch that begins now, with its lease.
    pub fn running(launch_id: LaunchId, fw_id: FwId, place: &Place, lease: &Lease, now: Timestamp) -> Self {
        let mut launch = Launch {
            launch_id,
            fw_id,
            fworker: Bson::Null,
            launch_dir: String::new(),
            host: String::new(),
            ip: String::new(),
            trackers: Vec::new(),
            action: None,
            state: State::Reserved,
            extra: Document::new(),
            state_history: Vec::new(),
        };
        launch.take_up(place, lease, now);
        launch
    }

    /// A launch that a queue job is submitted for.
    pub fn reserved(launch_id: LaunchId, fw_id: FwId, place: &Place, now: Timestamp) -> Self {
        let now = time::to_iso(now);
        let mut entry = doc! { "state": State::Reserved.as_str(), "created_on": &now, "updated_on": &now };
        entry.extend(place.token.as_ref().map(|token| (TOKEN.to_owned(), token.into())));
        Launch {
            launch_id,
            fw_id,
            fworker: Bson::Document(place.fworker.clone()),
            launch_dir: place.launch_dir.clone(),
            host: place.host.clone(),
            ip: place.ip.clone(),
            trackers: place.trackers.clone(),
            action: None,
            state: State::Reserved,
            extra: Document::new(),
            state_history: vec![entry],
        }
    }

    /// Notes the queue job that was submitted for it, and its cluster, where a queue has several. `false`
    /// when it was not reserved.
    pub fn note_job(&mut self, job: &str, cluster: Option<&str>) -> bool {
        let reserved = self.state_history.iter_mut().find(|entry| in_state(entry, State::Reserved));
        reserved.map(|entry| entry.extend(reservation_of(job, cluster))).is_some()
    }

    /// Its queue job will not come.
    pub fn cancel(&mut self, now: Timestamp) {
        self.end(State::Ready, Document::new(), time::to_iso(now));
    }

    /// Runs, or ran, where the launchpad is not reached, since `started`, heard of at `heard`.
    pub fn run_offline(&mut self, started: Timestamp, heard: Timestamp, checkpoint: Option<Document>) {
        if self.state != State::Running {
            self.state_history.push(doc! { "state": State::Running.as_str() });
            self.state = State::Running;
        }
        if let Some(entry) = self.state_history.last_mut() {
            entry.insert("created_on", time::to_iso(started));
            entry.insert("updated_on", time::to_iso(heard));
            entry.extend(checkpoint.map(|checkpoint| (CHECKPOINT.to_owned(), checkpoint.into())));
        }
    }

    /// Begins to run a launch that has been reserved; its history goes on.
    pub fn take_up(&mut self, place: &Place, lease: &Lease, now: Timestamp) {
        let now = time::to_iso(now);
        self.fworker = Bson::Document(place.fworker.clone());
        self.launch_dir.clone_from(&place.launch_dir);
        self.host.clone_from(&place.host);
        self.ip.clone_from(&place.ip);
        self.state = State::Running;
        if let (Some(reserved), Some(job)) = (self.state_history.last_mut(), &lease.job)
            && reserved.contains_key(TOKEN)
            && !reserved.contains_key(RESERVATION_ID)
        {
            // Faster than whoever has submitted it.
            reserved.extend(reservation_of(&job.id, job.cluster.as_deref()));
        }
        self.state_history.push(doc! {
            "state": State::Running.as_str(),
            "created_on": &now,
            "updated_on": &now,
            "lease": lease.to_document(),
        });
        self.trackers.clone_from(&place.trackers);
        if let Some(first) = &place.checkpoint {
            self.reach(first.clone());
        }
        if let Some((attempts, running)) = place.attempts.to_document().zip(self.state_history.last_mut()) {
            running.insert(ATTEMPTS, attempts);
        }
    }

    /// Has come to a checkpoint.
    pub fn reach(&mut self, checkpoint: Document) {
        if let Some(running) = self.state_history.last_mut() {
            running.insert(CHECKPOINT, checkpoint);
        }
    }

    /// Begins now: a launch may have been claimed some time before, together with others.
    pub fn begin(&mut self, now: Timestamp) {
        if let Some(running) = self.state_history.last_mut() {
            running.insert("created_on", time::to_iso(now));
        }
    }

    /// Reads a stored launch; fields that a broken writer left out are empty.
    pub fn from_document(document: &Document) -> Option<Self> {
        let text = |key| document.get_str(key).unwrap_or_default().to_owned();
        let list = |key| document.get_array(key).cloned().unwrap_or_default();
        let own = |(key, value): (&String, &Bson)| (key.clone(), value.clone());
        Some(Launch {
            launch_id: document.get("launch_id").and_then(as_int)?,
            fw_id: document.get("fw_id").and_then(as_int)?,
            fworker: document.get("fworker").cloned().unwrap_or(Bson::Null),
            launch_dir: text("launch_dir"),
            host: text("host"),
            ip: text("ip"),
            trackers: list("trackers"),
            action: document.get_document("action").ok().cloned(),
            state: document.get_str("state").ok()?.parse().ok()?,
            state_history: list("state_history").into_iter().filter_map(|entry| entry.as_document().cloned()).collect(),
            extra: document.iter().filter(|(key, _)| !FIELDS.contains(&key.as_str())).map(own).collect(),
        })
    }

    /// The document FireWorks would write, in its order of fields; what else stood in it comes last.
    pub fn to_document(&self) -> Document {
        let mut document = self.to_dictionary();
        document.extend(self.times());
        document.extend(self.extra.clone());
        document
    }

    /// The launch as FireWorks writes it inside a firework: without what follows from the history.
    pub fn to_dictionary(&self) -> Document {
        doc! {
            "fworker": self.fworker.clone(),
            "fw_id": int(self.fw_id),
            "launch_dir": &self.launch_dir,
            "host": &self.host,
            "ip": &self.ip,
            "trackers": self.trackers.clone(),
            "action": self.action.clone().map_or(Bson::Null, Bson::Document),
            "state": self.state.as_str(),
            "state_history": self.state_history.clone(),
            "launch_id": int(self.launch_id),
        }
    }

    /// `time_start`, `time_end`, `runtime_secs` and, for a launch that was reserved first,
    /// `reservedtime_secs`: all follow from the history.
    pub fn times(&self) -> Document {
        let start = self.started();
        let end = self.entered(State::is_final);
        let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs_f64();
        let text = |at: Option<Timestamp>| at.map_or(Bson::Null, |at| Bson::String(time::to_iso(at)));
        let mut times = doc! {
            "time_start": text(start),
            "time_end": text(end),
            "runtime_secs": start.zip(end).map_or(Bson::Null, |(start, end)| Bson::Double(seconds(start, end))),
        };
        // One that has not begun has waited until it was last heard of.
        let waited = start.or_else(|| self.last_heard());
        if let Some((reserved, until)) = self.entered(|state| state == State::Reserved).zip(waited) {
            times.insert("reservedtime_secs", seconds(reserved, until));
        }
        times
    }

    /// When it first entered a state that `which` accepts.
    fn entered(&self, which: impl Fn(State) -> bool) -> Option<Timestamp> {
        let entry = self
            .state_history
            .iter()
            .find(|entry| entry.get_str("state").ok().and_then(|state| state.parse().ok()).is_some_and(&which))?;
        entry.get("created_on").and_then(time::from_bson)
    }

    /// Gives it its outcome. `owner` is kept in the history entry, so that a worker whose write
    /// went unanswered can tell its own outcome from somebody else's.
    pub fn finish(&mut self, state: State, action: &FwAction, owner: &str, now: Timestamp) {
        let stamp = time::to_iso(now);
        if let Some(running) = self.state_history.last_mut() {
            running.insert("updated_on", stamp.clone());
        }
        // Python's launches, and those that ran offline, have no owner.
        let mut entry = Document::new();
        if !owner.is_empty() {
            entry.insert("owner", owner);
        }
        let again = (state == State::Fizzled).then(|| self.attempts().after_failure(action.timed_out(), now)).flatten();
        if let Some(again) = again {
            entry.insert(AGAIN, again.to_document());
        }
        self.end(state, entry, stamp);
        self.action = Some(action.to_document());
    }

    /// What its firework has behind it, and may have ahead.
    fn attempts(&self) -> Attempts {
        let stored = self.state_history.iter().rev().find_map(|entry| entry.get_document(ATTEMPTS).ok());
        stored.map(Attempts::from_document).unwrap_or_default()
    }

    /// Remembers which fireworks its outcome puts into the workflow: `count` of them, from `first` on.
    pub fn record_spawned(&mut self, first: FwId, count: usize) {
        if let Some(last) = self.state_history.last_mut() {
            last.insert("spawned", doc! { "first": int(first), "count": int(count as i64) });
        }
    }

    /// The fireworks that its outcome has put into the workflow, where a Volley worker recorded it.
    pub fn spawned(&self) -> Option<Range<FwId>> {
        let spawned = self.state_history.iter().rev().find_map(|entry| entry.get_document("spawned").ok())?;
        let first = spawned.get("first").and_then(as_int)?;
        Some(first..first + spawned.get("count").and_then(as_int)?)
    }

    /// The task that it had come to, and what those before it had left.
    pub fn checkpoint(&self) -> Option<&Document> {
        self.state_history.iter().rev().find_map(|entry| entry.get_document(CHECKPOINT).ok())
    }

    /// How far a task had come that did not come to its end, and which one, from 0.
    pub fn progress(&self) -> Option<(usize, &Document)> {
        let checkpoint = self.state_history.last()?.get_document(CHECKPOINT).ok()?;
        let task = checkpoint.get("_task_n").and_then(as_int)?;
        Some((usize::try_from(task).ok()?, checkpoint.get_document(PROGRESS).ok()?))
    }

    /// Whether this worker has given it its outcome.
    pub fn was_ended_by(&self, owner: &str) -> bool {
        let last = self.state_history.last().and_then(|entry| entry.get_str("owner").ok());
        self.state.is_final() && last == Some(owner)
    }

    /// Ends a launch that was interrupted or lost: FIZZLED without an action, as FireWorks does,
    /// and the reason in the history entry. Its firework runs again, unless this is the last of
    /// `max_lost` losses in a row that count: then the action says so.
    pub fn lose(&mut self, loss: &Loss, max_lost: u64, now: Timestamp) {
        let mut entry = loss.to_document();
        match self.attempts().after_loss(loss.cause, max_lost, now) {
            Some(again) if again == Again::default() => {}
            Some(again) => drop(entry.insert(AGAIN, again.to_document())),
            None => self.action = Some(FwAction::fizzled(None, &last_straw(loss, max_lost), Bson::Null).to_document()),
        }
        self.end(State::Fizzled, entry, time::to_iso(now));
    }

    /// That its firework runs again although it has ended, if that is so.
    pub fn again(&self) -> Option<Again> {
        let last = self.state_history.last()?;
        let again = last.get_document(AGAIN).ok().map(Again::from_document);
        // Earlier versions ran again whatever was lost, and said nothing of it.
        again.or_else(|| (self.action.is_none() && last.contains_key("lost")).then(Again::default))
    }

    /// Why it was ended so, if it was.
    pub fn loss(&self) -> Option<Loss> {
        Loss::from_document(self.state_history.last()?)
    }

    fn end(&mut self, state: State, extra: Document, stamp: String) {
        let mut entry = doc! { "state": state.as_str(), "created_on": stamp };
        let reached = self.state_history.last().and_then(|last| last.get(CHECKPOINT));
        if let Some(checkpoint) = reached.filter(|_| state != State::Completed) {
            entry.insert(CHECKPOINT, checkpoint.clone());
        }
        entry.extend(extra);
        self.state_history.push(entry);
        self.state = state;
    }

    /// Position of the RUNNING entry that carries the lease.
    pub fn lease_index(&self) -> Option<usize> {
        self.state_history.iter().rposition(|entry| entry.contains_key("lease"))
    }

    /// That lease as it is stored.
    pub fn lease_mut(&mut self) -> Option<&mut Document> {
        let index = self.lease_index()?;
        self.state_history[index].get_document_mut("lease").ok()
    }

    /// The lease its worker holds, or held last; Python's launches have none.
    pub fn lease(&self) -> Option<Lease> {
        let entry = &self.state_history[self.lease_index()?];
        Lease::from_document(entry.get_document("lease").ok()?)
    }

    /// The queue job that was submitted for it, and for nothing else.
    pub fn reservation(&self) -> Option<&str> {
        self.state_history.iter().rev().find_map(|entry| entry.get_str(RESERVATION_ID).ok())
    }

    /// The place in a queue that was taken for its job.
    pub fn token(&self) -> Option<&str> {
        self.state_history.iter().rev().find_map(|entry| entry.get_str(TOKEN).ok())
    }

    /// The cluster of that job, where a queue has several.
    pub fn reservation_cluster(&self) -> Option<&str> {
        self.state_history.iter().rev().find_map(|entry| entry.get_str(RESERVATION_CLUSTER).ok())
    }

    /// Whether it goes on to its end when what it runs for is reset.
    pub fn is_kept(&self) -> bool {
        self.state_history.last().is_some_and(|entry| entry.get_bool(KEPT).unwrap_or(false))
    }

    /// Has it go on to its end, or no longer, when what it runs for is reset.
    pub fn set_kept(&mut self, kept: bool) {
        match self.state_history.last_mut() {
            Some(entry) if kept => drop(entry.insert(KEPT, true)),
            Some(entry) => drop(entry.remove(KEPT)),
            None => {}
        }
    }

    /// When it was first reserved or began to run.
    pub fn began(&self) -> Option<Timestamp> {
        self.entered(|state| matches!(state, State::Reserved | State::Running))
    }

    /// The date of its last sign of life: a ping, or its end.
    pub fn last_heard(&self) -> Option<Timestamp> {
        let last = self.state_history.last()?;
        ["created_on", "updated_on"].iter().filter_map(|key| last.get(key).and_then(time::from_bson)).max()
    }

    /// For how long it ran, as far as its worker was heard: a lost run is found later.
    pub fn heard_for(&self) -> Option<SignedDuration> {
        let running = |entry: &&Document| entry.get_str("state").ok() == Some(State::Running.as_str());
        let heard = self.state_history.iter().rfind(running)?.get("updated_on").and_then(time::from_bson)?;
        Some(heard.duration_since(self.started()?))
    }

    /// When it began to run.
    pub fn started(&self) -> Option<Timestamp> {
        self.entered(|state| state == State::Running)
    }
}

/// Why a firework is not tried again.
fn last_straw(loss: &Loss, max_lost: u64) -> String {
    match max_lost {
        0 => format!("given up: {loss}"),
        _ => format!("given up after repeated losses; the last one: {loss}"),
    }
}

/// What an entry says of the job that was submitted for a launch.
pub fn reservation_of(job: &str, cluster: Option<&str>) -> Document {
    let mut entry = doc! { RESERVATION_ID: job };
    entry.extend(cluster.map(|cluster| (RESERVATION_CLUSTER.to_owned(), cluster.into())));
    entry
}

fn in_state(entry: &Document, state: State) -> bool {
    entry.get_str("state").is_ok_and(|name| name == state.as_str())
}

/// The launch that a firework follows: the first of those that have come farthest.
pub fn representative<'l>(launches: impl Iterator<Item = &'l Launch>) -> Option<&'l Launch> {
    launches
        .filter(|launch| launch.state != State::Archived)
        .reduce(|best, next| if next.state.rank() > best.state.rank() { next } else { best })
}

/// Who runs a launch, and where.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Place {
    /// The worker, as FireWorks stores it.
    pub fworker: Document,
    /// The directory, an absolute path.
    pub launch_dir: String,
    /// Name of the host.
    pub host: String,
    /// Address of the host.
    pub ip: String,
    /// The files to follow there.
    pub trackers: Vec<Bson>,
    /// The place in a queue that was taken for its job.
    pub token: Option<String>,
    /// Where it starts.
    pub checkpoint: Option<Document>,
    /// What its firework has behind it.
    pub attempts: Attempts,
}

impl Place {
    /// With what the spec of the firework asks for; `retry` is what its worker does otherwise.
    pub fn for_spec(mut self, spec: &Document, retry: Option<&RetryPolicy>) -> Self {
        self.attempts = Attempts::of(spec, retry);
        self.trackers = Tracker::of(spec).iter().flatten().map(|tracker| tracker.to_document().into()).collect();
        self.checkpoint = Checkpoint::first(spec).ok().map(|first| first.to_document());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Cause;

    fn launch() -> Launch {
        launch_of(&doc! {})
    }

    fn launch_of(spec: &Document) -> Launch {
        let at = Timestamp::from_second(1_000).expect("in range");
        let lease = Lease { owner: "me".into(), pid: 7, until: at, ..Lease::default() };
        let (fworker, launch_dir) = (doc! {"name": "w"}, "/d".to_owned());
        let place = Place { fworker, launch_dir, host: "h".into(), ip: "127.0.0.1".into(), ..Place::default() };
        Launch::running(3, 5, &place.for_spec(spec, None), &lease, at)
    }

    #[test]
    fn documents_round_trip() {
        let mut launch = launch();
        assert_eq!(Launch::from_document(&launch.to_document()), Some(launch.clone()));
        launch.finish(State::Completed, &FwAction::default(), "me", Timestamp::from_second(1_002).expect("in range"));
        let document = launch.to_document();
        assert_eq!(document.get("runtime_secs"), Some(&Bson::Double(2.0)));
        assert_eq!(document.get_str("time_end").ok(), Some("1970-01-01T00:16:42.000000+00:00"));
        assert_eq!(Launch::from_document(&document), Some(launch.clone()));
        assert_eq!(launch.lease().map(|lease| lease.pid), Some(7));
    }

    #[test]
    fn checkpoints_survive_failures_only() {
        let spec = doc! {"_trackers": [{"filename": "out", "nlines": 2}], "_recovery": {"_task_n": 4}};
        let at = Timestamp::UNIX_EPOCH;
        let launch = launch_of(&spec);
        assert_eq!(launch.trackers, [doc! {"filename": "out", "nlines": 2, "allow_zipped": false}.into()]);
        let last = |launch: &Launch| launch.state_history.last().and_then(|last| last.get(CHECKPOINT)).cloned();
        let (mut completed, mut fizzled, mut lost) = (launch.clone(), launch.clone(), launch.clone());
        completed.finish(State::Completed, &FwAction::default(), "me", at);
        fizzled.finish(State::Fizzled, &FwAction::default(), "me", at);
        lost.lose(&Loss::new(Cause::Stopped, "SIGTERM"), 5, at);
        assert!(last(&launch).is_some() && last(&completed).is_none());
        assert!(launch.progress().is_none());
        let mut stopped = launch.clone();
        stopped.reach(doc! {"_task_n": 4, "_progress": {"steps": 7}});
        stopped.lose(&Loss::new(Cause::Stopped, "SIGTERM"), 5, at);
        assert_eq!(stopped.progress(), Some((4, &doc! {"steps": 7})));
        assert_eq!((last(&fizzled), last(&lost)), (last(&launch), last(&launch)));
    }

    #[test]
    fn fields_stand_in_fireworks_order() {
        let keys: Vec<String> = launch().to_document().keys().cloned().collect();
        let expected = "fworker fw_id launch_dir host ip trackers action state state_history launch_id time_start time_end runtime_secs";
        assert_eq!(keys.join(" "), expected);
    }
}
