//! The jobs that launchers answer for, and the launchers themselves: `volley_queue`, one document
//! for each user on each cluster.
//!
//! A launcher takes a place here before it submits the job that is to have it, and gives it back when
//! the queue says that the job is gone. So the number of places is never below that of the jobs, and
//! a launcher that dies in between leaves an entry that tells where to look for its job.

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};

use super::Result;
use crate::workflow::{as_int, int, time};

/// The variable that names the place of a job: its token.
pub const PLACE_VARIABLE: &str = "VOLLEY_PLACE";
/// The variable that names the ledger that has it: its key.
pub const LEDGER_VARIABLE: &str = "VOLLEY_LEDGER";

/// A launcher that is alive says something more often than this.
pub const SILENT: SignedDuration = SignedDuration::from_mins(10);

/// Whose jobs, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The name of the cluster, or what stands for it.
    pub cluster: String,
    /// The name of the user.
    pub user: String,
}

impl Key {
    /// As it is stored, and told to jobs: `CLUSTER/USER`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.cluster, self.user)
    }

    /// Reads it back.
    pub fn from_id(id: &str) -> Option<Self> {
        let (cluster, user) = id.rsplit_once('/')?;
        Some(Key { cluster: cluster.to_owned(), user: user.to_owned() })
    }
}

/// A process, told from a later one with the same number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    /// Its host.
    pub host: String,
    /// The boot of that host, and the process namespace.
    pub boot_id: String,
    /// Its number.
    pub pid: u32,
    /// When it began, in clock ticks since boot.
    pub born: Option<u64>,
}

/// The name of a job in its queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobName {
    /// Its id; elements of arrays are `12_3`.
    pub id: String,
    /// The cluster, where a queue has several.
    pub cluster: Option<String>,
}

/// What a job says of itself, and when by its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It has begun, and takes what is READY.
    Started(Timestamp),
    /// It has found nothing to do since.
    Idle(Timestamp),
    /// It is about to end.
    Ending(Timestamp),
}

/// A place in a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Unique for ever: the folder that was made for the job.
    pub token: String,
    /// Which element of an array; several have the token of their array.
    pub element: Option<u32>,
    /// Who submits it.
    pub holder: Holder,
    /// When the place was taken, by the clock of who did.
    pub taken: Timestamp,
    /// What resources its job has, where it takes only fireworks that ask for those.
    pub group: Option<String>,
    /// Its job, once that is known.
    pub job: Option<JobName>,
    /// The last it said.
    pub word: Option<Word>,
    /// When the queue, which was well, first did not show its job, though it had been handed over.
    pub missed: Option<Timestamp>,
}

/// A launcher that goes on for long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Daemon {
    /// Unique for ever.
    pub id: String,
    /// Its process.
    pub holder: Holder,
    /// What it was called with.
    pub command: String,
    /// Where it writes its log, if that is a file.
    pub log: Option<String>,
    /// What it is about, or why it does nothing.
    pub status: String,
    /// When it began.
    pub began: Timestamp,
    /// When it was last heard of, by the store's clock.
    pub heard: Timestamp,
    /// Somebody has asked it to stop.
    pub stop: bool,
}

/// What is known of one user's jobs on one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ledger {
    /// Grows with every place that is taken or given back.
    pub revision: i64,
    /// The places.
    pub jobs: Vec<Entry>,
    /// The launchers.
    pub daemons: Vec<Daemon>,
}

/// What becomes of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This job has it.
    Job {
        /// Whose place.
        token: String,
        /// Of an array.
        element: Option<u32>,
        /// The job.
        job: JobName,
    },
    /// The queue does not show its job.
    Missed {
        /// Whose place.
        token: String,
        /// Of an array.
        element: Option<u32>,
        /// Since when.
        at: Timestamp,
    },
    /// Nobody has it any more; unless its job is another by now.
    Free {
        /// Whose place.
        token: String,
        /// Of an array.
        element: Option<u32>,
        /// The id of the job that had it, if one had.
        job: Option<String>,
    },
    /// A job is in the queue that nobody has taken a place for.
    Found(Entry),
}

/// Keeps ledgers. Every operation is atomic.
pub trait Ledgers {
    /// The ledger of a user on a cluster; empty where there is none.
    fn ledger(&self, key: &Key) -> Result<Ledger>;

    /// All of them.
    fn ledgers(&self) -> Result<Vec<(Key, Ledger)>>;

    /// Takes places, if there are no more than `most` then, and no place has been taken or given back
    /// since `revision`: whoever has counted, has counted right. Durable. Returns the new revision.
    fn take_places(&self, key: &Key, revision: i64, places: &[Entry], most: Option<usize>) -> Result<Option<i64>>;

    /// Says what has become of places.
    fn settle_places(&self, key: &Key, changes: &[Change]) -> Result<()>;

    /// The word of a job, which thereby has its place, too. `false` when it has none.
    fn tell_place(
        &self,
        key: &Key,
        token: &str,
        element: Option<u32>,
        job: Option<&JobName>,
        word: Word,
    ) -> Result<bool>;

    /// The same of a pilot that has nothing to do and would end; `false` when it is to stay, for no more
    /// than `least` pilots are there that do not end, and a launcher that wants so many.
    fn leave_place(&self, key: &Key, token: &str, element: Option<u32>, least: usize, now: Timestamp) -> Result<bool>;

    /// Records what a launcher says of itself. Returns whether it is to stop.
    fn note_daemon(&self, key: &Key, daemon: &Daemon) -> Result<bool>;

    /// Forgets a launcher.
    fn drop_daemon(&self, key: &Key, id: &str) -> Result<()>;

    /// Asks a launcher to stop. `false` when there is none.
    fn stop_daemon(&self, key: &Key, id: &str) -> Result<bool>;
}

impl Ledger {
    /// Takes places; the new revision.
    pub(super) fn take(&mut self, revision: i64, places: &[Entry], most: Option<usize>) -> Option<i64> {
        let fits = most.is_none_or(|most| self.jobs.len() + places.len() <= most);
        if self.revision != revision || !fits {
            return None;
        }
        self.jobs.extend_from_slice(places);
        self.revision += 1;
        Some(self.revision)
    }

    /// Says what has become of a place.
    pub(super) fn settle(&mut self, change: &Change) {
        match change {
            Change::Job { token, element, job } => {
                if let Some(entry) = self.entry(token, *element) {
                    entry.job = Some(job.clone());
                }
            }
            Change::Missed { token, element, at } => {
                if let Some(entry) = self.entry(token, *element) {
                    entry.missed = Some(*at);
                }
            }
            Change::Free { token, element, job } => {
                let is_it =
                    |entry: &Entry| entry.is(token, *element) && entry.job.as_ref().map(|job| &job.id) == job.as_ref();
                self.jobs.retain(|entry| !is_it(entry));
                self.revision += 1;
            }
            Change::Found(found) => {
                if !self.jobs.iter().any(|entry| entry.is(&found.token, found.element)) {
                    self.jobs.push(found.clone());
                    self.revision += 1;
                }
            }
        }
    }

    /// Hears the word of a job.
    pub(super) fn tell(&mut self, token: &str, element: Option<u32>, job: Option<&JobName>, word: Word) -> bool {
        let Some(entry) = self.entry(token, element) else { return false };
        entry.word = Some(word);
        if let Some(job) = job {
            entry.job = Some(job.clone());
        }
        true
    }

    /// Whether a pilot may end that has nothing to do: more than `least` pilots go on, or there is no
    /// launcher any more that wants so many.
    pub(super) fn can_spare(&self, least: usize, now: Timestamp) -> bool {
        let goes_on = |entry: &&Entry| entry.group.is_some() && !matches!(entry.word, Some(Word::Ending(_)));
        let is_heard_of = |daemon: &Daemon| now.duration_since(daemon.heard) <= SILENT;
        self.jobs.iter().filter(goes_on).count() > least || !self.daemons.iter().any(is_heard_of)
    }

    fn entry(&mut self, token: &str, element: Option<u32>) -> Option<&mut Entry> {
        self.jobs.iter_mut().find(|entry| entry.is(token, element))
    }

    /// As it is stored, without its key.
    pub(super) fn to_document(&self) -> Document {
        let jobs: Vec<Document> = self.jobs.iter().map(Entry::to_document).collect();
        let daemons: Document = self.daemons.iter().map(|one| (one.id.clone(), one.to_document().into())).collect();
        doc! { "revision": self.revision, "jobs": jobs, "daemons": daemons }
    }

    /// Reads a stored one; entries that are something else are left out.
    pub(super) fn from_document(document: &Document) -> Self {
        let jobs = document.get_array("jobs").into_iter().flatten().filter_map(Bson::as_document);
        let daemons = document.get_document("daemons").into_iter().flatten();
        Ledger {
            revision: document.get("revision").and_then(as_int).unwrap_or_default(),
            jobs: jobs.filter_map(Entry::from_document).collect(),
            daemons: daemons.filter_map(|(id, daemon)| Daemon::from_document(id, daemon.as_document()?)).collect(),
        }
    }
}

impl Entry {
    /// Whether it is this place.
    pub fn is(&self, token: &str, element: Option<u32>) -> bool {
        self.token == token && self.element == element
    }

    /// As it is stored.
    pub(super) fn to_document(&self) -> Document {
        let mut document = doc! { "token": &self.token };
        document.extend(self.element.map(|element| ("element".to_owned(), int(element.into()))));
        document.insert("holder", self.holder.to_document());
        document.insert("taken", time::to_bson_date(self.taken));
        document.extend(self.group.as_ref().map(|group| ("group".to_owned(), group.into())));
        document.extend(self.job.as_ref().map(|job| ("job".to_owned(), job.to_document().into())));
        document.extend(self.word.map(|word| ("word".to_owned(), word.to_document().into())));
        document.extend(self.missed.map(|at| ("missed".to_owned(), time::to_bson_date(at))));
        document
    }

    fn from_document(document: &Document) -> Option<Self> {
        Some(Entry {
            token: document.get_str("token").ok()?.to_owned(),
            element: document.get("element").and_then(as_int).and_then(|element| element.try_into().ok()),
            holder: document.get_document("holder").map(Holder::from_document).unwrap_or_default(),
            taken: document.get("taken").and_then(time::from_bson)?,
            group: document.get_str("group").ok().map(str::to_owned),
            job: document.get_document("job").ok().and_then(JobName::from_document),
            word: document.get_document("word").ok().and_then(Word::from_document),
            missed: document.get("missed").and_then(time::from_bson),
        })
    }
}

impl JobName {
    /// As it is stored.
    pub(super) fn to_document(&self) -> Document {
        let mut document = doc! { "id": &self.id };
        document.extend(self.cluster.as_ref().map(|cluster| ("cluster".to_owned(), cluster.into())));
        document
    }

    fn from_document(document: &Document) -> Option<Self> {
        let cluster = document.get_str("cluster").ok().map(str::to_owned);
        Some(JobName { id: document.get_str("id").ok()?.to_owned(), cluster })
    }
}

impl Word {
    /// As it is stored.
    pub(super) fn to_document(self) -> Document {
        let (says, at) = match self {
            Word::Started(at) => ("started", at),
            Word::Idle(at) => ("idle", at),
            Word::Ending(at) => ("ending", at),
        };
        doc! { "says": says, "at": time::to_bson_date(at) }
    }

    fn from_document(document: &Document) -> Option<Self> {
        let at = document.get("at").and_then(time::from_bson)?;
        match document.get_str("says").ok()? {
            "started" => Some(Word::Started(at)),
            "idle" => Some(Word::Idle(at)),
            "ending" => Some(Word::Ending(at)),
            _ => None,
        }
    }
}

impl Holder {
    fn to_document(&self) -> Document {
        let mut document = doc! { "host": &self.host, "boot_id": &self.boot_id, "pid": int(self.pid.into()) };
        let born = self.born.and_then(|born| i64::try_from(born).ok());
        document.extend(born.map(|born| ("born".to_owned(), int(born))));
        document
    }

    fn from_document(document: &Document) -> Self {
        let text = |key: &str| document.get_str(key).unwrap_or_default().to_owned();
        let number = |key: &str| document.get(key).and_then(as_int);
        Holder {
            host: text("host"),
            boot_id: text("boot_id"),
            pid: number("pid").and_then(|pid| pid.try_into().ok()).unwrap_or_default(),
            born: number("born").and_then(|born| born.try_into().ok()),
        }
    }
}

impl Daemon {
    /// As it is stored, without its id, and without what others have asked of it.
    pub(super) fn to_document(&self) -> Document {
        let mut document = doc! { "holder": self.holder.to_document(), "command": &self.command };
        document.extend(self.log.as_ref().map(|log| ("log".to_owned(), log.into())));
        document.insert("status", &self.status);
        document.insert("began", time::to_bson_date(self.began));
        document.insert("heard", time::to_bson_date(self.heard));
        document.extend(self.stop.then(|| ("stop".to_owned(), true.into())));
        document
    }

    fn from_document(id: &str, document: &Document) -> Option<Self> {
        let text = |key: &str| document.get_str(key).ok().map(str::to_owned);
        let at = |key: &str| document.get(key).and_then(time::from_bson);
        Some(Daemon {
            id: id.to_owned(),
            holder: document.get_document("holder").map(Holder::from_document).unwrap_or_default(),
            command: text("command")?,
            log: text("log"),
            status: text("status").unwrap_or_default(),
            began: at("began")?,
            heard: at("heard")?,
            stop: document.get_bool("stop").unwrap_or(false),
        })
    }
}
