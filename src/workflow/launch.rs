//! A launch: one attempt to run a firework, and the lease its worker holds on it.

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::{FwAction, FwId, LaunchId, State, as_int, int, time};

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
}

impl Launch {
    /// A launch that begins now, with its lease.
    pub fn running(launch_id: LaunchId, fw_id: FwId, place: &Place, lease: &Lease, now: Timestamp) -> Self {
        let now = time::to_iso(now);
        Launch {
            launch_id,
            fw_id,
            fworker: Bson::Document(place.fworker.clone()),
            launch_dir: place.launch_dir.clone(),
            host: place.host.clone(),
            ip: place.ip.clone(),
            trackers: Vec::new(),
            action: None,
            state: State::Running,
            state_history: vec![doc! {
                "state": State::Running.as_str(),
                "created_on": &now,
                "updated_on": &now,
                "lease": lease.to_document(),
            }],
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
        })
    }

    /// The document FireWorks would write, in its order of fields.
    pub fn to_document(&self) -> Document {
        let mut document = self.to_dictionary();
        document.extend(self.times());
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

    fn end(&mut self, state: State, extra: Document, stamp: String) {
        let mut entry = doc! { "state": state.as_str(), "created_on": stamp };
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

    /// When it began to run.
    pub fn started(&self) -> Option<Timestamp> {
        self.entered(|state| state == State::Running)
    }
}

/// Who runs a launch, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The worker, as FireWorks stores it.
    pub fworker: Document,
    /// The directory, an absolute path.
    pub launch_dir: String,
    /// Name of the host.
    pub host: String,
    /// Address of the host.
    pub ip: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch {
        let at = Timestamp::from_second(1_000).expect("in range");
        let lease = Lease { owner: "me".into(), host: "h".into(), boot_id: "b".into(), pid: 7, until: at };
        let place =
            Place { fworker: doc! {"name": "w"}, launch_dir: "/d".into(), host: "h".into(), ip: "127.0.0.1".into() };
        Launch::running(3, 5, &place, &lease, at)
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
    fn fields_stand_in_fireworks_order() {
        let keys: Vec<String> = launch().to_document().keys().cloned().collect();
        let expected = "fworker fw_id launch_dir host ip trackers action state state_history launch_id time_start time_end runtime_secs";
        assert_eq!(keys.join(" "), expected);
    }
}
