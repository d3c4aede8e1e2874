//! What workers say of themselves: the documents of `volley_workers`, one for each worker and host.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};

use crate::workflow::{FWorker, time};

/// A worker that says the same again does so this often at most.
const FRESH: SignedDuration = SignedDuration::from_mins(30);

/// What a worker on one host cannot run, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerRecord {
    /// Name of the worker.
    pub name: String,
    /// Its host.
    pub host: String,
    /// Tasks by their `_fw_name`, each with the reason.
    pub cannot: BTreeMap<String, String>,
    /// Packages of Python that it lacks, each with the reason.
    pub lacks: BTreeMap<String, String>,
    /// When it last said so.
    pub updated_on: Timestamp,
}

impl WorkerRecord {
    /// Whether storing this adds something to what is stored.
    pub fn is_news(&self, stored: &WorkerRecord) -> bool {
        let is_old = self.updated_on.duration_since(stored.updated_on) > FRESH;
        (&self.cannot, &self.lacks) != (&stored.cannot, &stored.lacks) || is_old && !self.is_empty()
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.cannot.is_empty() && self.lacks.is_empty()
    }

    /// Has `worker` leave out what it has found that it cannot run, on whichever host, as long as
    /// that is not so long ago that it should be tried again.
    pub fn heed(&self, worker: &mut FWorker, now: Timestamp) {
        if self.name == worker.name && now.duration_since(self.updated_on) < FRESH * 2 {
            worker.cannot.tasks.extend(self.cannot.keys().cloned());
            worker.cannot.packages.extend(self.lacks.keys().cloned());
        }
    }

    /// As it is stored.
    pub(super) fn to_document(&self) -> Document {
        let map = |reasons: &BTreeMap<String, String>| -> Document {
            reasons.iter().map(|(name, why)| (name.clone(), Bson::from(why.as_str()))).collect()
        };
        doc! {
            "name": &self.name,
            "host": &self.host,
            "cannot": map(&self.cannot),
            "lacks": map(&self.lacks),
            "updated_on": time::to_iso(self.updated_on),
        }
    }

    /// Reads a stored one; none where it is something else.
    pub(super) fn from_document(document: &Document) -> Option<Self> {
        let text = |key: &str| document.get_str(key).ok().map(str::to_owned);
        let map = |key: &str| -> BTreeMap<String, String> {
            let reasons = document.get_document(key).into_iter().flatten();
            reasons.filter_map(|(name, why)| Some((name.clone(), why.as_str()?.to_owned()))).collect()
        };
        Some(WorkerRecord {
            name: text("name")?,
            host: text("host")?,
            cannot: map("cannot"),
            lacks: map("lacks"),
            updated_on: time::from_text(document.get_str("updated_on").ok()?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::fworker::Cannot;

    #[test]
    fn a_record_comes_back_and_is_news_when_it_says_more() {
        let at = Timestamp::UNIX_EPOCH;
        let cannot = BTreeMap::from([("{{a.B}}".to_owned(), "No module named 'a'".to_owned())]);
        let lacks = BTreeMap::from([("q".to_owned(), "No module named 'q'".to_owned())]);
        let record = WorkerRecord { name: "w".into(), host: "h".into(), cannot, lacks, updated_on: at };
        assert_eq!(WorkerRecord::from_document(&record.to_document()).as_ref(), Some(&record));
        let able = WorkerRecord { cannot: BTreeMap::new(), lacks: BTreeMap::new(), ..record.clone() };
        assert!(able.is_news(&record) && record.is_news(&able));
        assert!(!able.is_news(&able) && !record.is_news(&record));
        let later = WorkerRecord { updated_on: at + SignedDuration::from_mins(31), ..record.clone() };
        assert!(later.is_news(&record));
        let mut worker = FWorker { name: "w".into(), ..FWorker::default() };
        record.heed(&mut worker, at + SignedDuration::from_mins(61));
        assert_eq!(worker.cannot, Cannot::default());
        record.heed(&mut worker, later.updated_on);
        assert_eq!((worker.cannot.tasks.len(), worker.cannot.packages.len()), (1, 1));
    }
}
