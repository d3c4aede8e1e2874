//! A launch: one attempt to run a firework, and the lease its worker holds on it.

use std::ops::Range;

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::checkpoint::CHECKPOINT;
use super::{Checkpoint, FwAction, FwId, LaunchId, State, Tracker, as_int, int, time};

/// What a worker promises while it runs a launch: to renew before `until`. It lives inside the
/// RUNNING entry of the launch's history, where Python FireWorks keeps what it does not know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The worker process, unique for ever.
    pub owner: String,
    /// Its host.
    pub host: String,
    /// That host's boot, so that a pid is never mistaken for one of an earlier boot.
    pub boot_id: String,
    /// Its process id.
    pub pid: u32,
    /// When the lease ends unless it is renewed.
    pub until: Timestamp,
}

impl Lease {
    /// As it is stored.
    pub fn to_document(&self) -> Document {
        doc! {
            "owner": &self.owner,
            "host": &self.host,
            "boot_id": &self.boot_id,
            "pid": int(i64::from(self.pid)),
            "until": time::to_iso(self.until),
        }
    }

    /// Reads a stored lease.
    pub fn from_document(document: &Document) -> Option<Self> {
        let text = |key| document.get_str(key).ok().map(str::to_owned);
        Some(Lease {
            owner: text("owner")?,
            host: text("host")?,
            boot_id: text("boot_id").unwrap_or_default(),
            pid: document.get("pid").and_then(as_int).and_then(|pid| u32::try_from(pid).ok())?,
            until: document.get("until").and_then(time::from_bson)?,
        })
    }
}

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

    /// Begins to run a launch that has been reserved; its history goes on.
    pub fn take_up(&mut self, place: &Place, lease: &Lease, now: Timestamp) {
        let now = time::to_iso(now);
        self.fworker = Bson::Document(place.fworker.clone());
        self.launch_dir.clone_from(&place.launch_dir);
        self.host.clone_from(&place.host);
        self.ip.clone_from(&place.ip);
        self.state = State::Running;
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
        if let Some((reserved, start)) = self.entered(|state| state == State::Reserved).zip(start) {
            times.insert("reservedtime_secs", seconds(reserved, start));
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
        self.end(state, doc! { "owner": owner }, stamp);
        self.action = Some(action.to_document());
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

    /// Whether this worker has given it its outcome.
    pub fn was_ended_by(&self, owner: &str) -> bool {
        let last = self.state_history.last().and_then(|entry| entry.get_str("owner").ok());
        self.state.is_final() && last == Some(owner)
    }

    /// Ends a launch that was interrupted or lost: FIZZLED without an action, as FireWorks does,
    /// and the reason in the history entry.
    pub fn lose(&mut self, reason: &str, now: Timestamp) {
        self.end(State::Fizzled, doc! { "lost": reason }, time::to_iso(now));
    }

    /// Whether it was ended so.
    pub fn was_lost(&self) -> bool {
        self.state_history.last().is_some_and(|entry| entry.contains_key("lost"))
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

    /// The lease its worker holds, or held last; Python's launches have none.
    pub fn lease(&self) -> Option<Lease> {
        let entry = &self.state_history[self.lease_index()?];
        Lease::from_document(entry.get_document("lease").ok()?)
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

    /// When it began to run.
    pub fn started(&self) -> Option<Timestamp> {
        self.entered(|state| state == State::Running)
    }
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
    /// Where it starts.
    pub checkpoint: Option<Document>,
}

impl Place {
    /// With what the spec of the firework asks for.
    pub fn for_spec(mut self, spec: &Document) -> Self {
        self.trackers = Tracker::of(spec).iter().flatten().map(|tracker| tracker.to_document().into()).collect();
        self.checkpoint = Checkpoint::first(spec).ok().map(|first| first.to_document());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch {
        launch_of(&doc! {})
    }

    fn launch_of(spec: &Document) -> Launch {
        let at = Timestamp::from_second(1_000).expect("in range");
        let lease = Lease { owner: "me".into(), host: "h".into(), boot_id: "b".into(), pid: 7, until: at };
        let (fworker, launch_dir) = (doc! {"name": "w"}, "/d".to_owned());
        let place = Place { fworker, launch_dir, host: "h".into(), ip: "127.0.0.1".into(), ..Place::default() };
        Launch::running(3, 5, &place.for_spec(spec), &lease, at)
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
        lost.lose("SIGTERM", at);
        assert!(last(&launch).is_some() && last(&completed).is_none());
        assert_eq!((last(&fizzled), last(&lost)), (last(&launch), last(&launch)));
    }

    #[test]
    fn fields_stand_in_fireworks_order() {
        let keys: Vec<String> = launch().to_document().keys().cloned().collect();
        let expected = "fworker fw_id launch_dir host ip trackers action state state_history launch_id time_start time_end runtime_secs";
        assert_eq!(keys.join(" "), expected);
    }
}
