//! A launchpad on its way from one store to another, in FireWorks' documents.

use bson::oid::ObjectId;
use bson::{Document, doc};

use super::Result;

/// What stands in the place of an action that is kept in a file.
const GRIDFS_ID: &str = "gridfs_id";

/// The file that an action is kept in, when it is not in the launch.
pub fn file_of(action: &Document) -> Option<ObjectId> {
    action.get_str(GRIDFS_ID).ok()?.parse().ok()
}

/// What stands in the place of an action that is in this file.
pub fn in_file(file: ObjectId) -> Document {
    doc! { GRIDFS_ID: file.to_hex() }
}

/// Documents of one kind, some of them. A store that gives everything away gives workflows before
/// their fireworks, those before their launches, files after the launches they belong to, then the
/// history, and the counters at the very end. What has changed meanwhile it gives again: the last word counts.
#[derive(Debug, Clone)]
pub struct Batch {
    /// What they are.
    pub kind: Kind,
    /// The documents.
    pub documents: Vec<Document>,
}

/// What is copied, by FireWorks' names of the collections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `workflows`
    Workflows,
    /// `fireworks`
    Fireworks,
    /// `launches`
    Launches,
    /// `fw_gridfs`: `{file, text}`, the description of a file and the action in it.
    Files,
    /// `offline_runs`
    OfflineRuns,
    /// `volley_events`, entries in the form of [`Event::to_document`](super::history::Event::to_document)
    Events,
    /// `fw_id_assigner`
    Counters,
}

/// What takes the batches.
pub type Take<'a> = dyn FnMut(Batch) -> Result<()> + 'a;

/// What gives them.
pub type Give<'a> = dyn FnMut(&mut Take<'_>) -> Result<()> + 'a;

/// How much is in one batch, at most: documents, and bytes unless one alone is larger.
const DOCUMENTS: usize = 1_000;
const BYTES: usize = 8 * 1024 * 1024;

/// Makes batches of documents of one kind.
pub struct Batches<'t, 'a> {
    kind: Kind,
    take: &'t mut Take<'a>,
    documents: Vec<Document>,
    bytes: usize,
}

impl<'t, 'a> Batches<'t, 'a> {
    /// None yet.
    pub fn new(kind: Kind, take: &'t mut Take<'a>) -> Self {
        Batches { kind, take, documents: Vec::new(), bytes: 0 }
    }

    /// One more.
    pub fn push(&mut self, document: Document) -> Result<()> {
        self.bytes += document.to_vec().map_or(0, |bytes| bytes.len());
        self.documents.push(document);
        if self.documents.len() < DOCUMENTS && self.bytes < BYTES { Ok(()) } else { self.send() }
    }

    /// That was all.
    pub fn end(mut self) -> Result<()> {
        if self.documents.is_empty() { Ok(()) } else { self.send() }
    }

    fn send(&mut self) -> Result<()> {
        self.bytes = 0;
        (self.take)(Batch { kind: self.kind, documents: std::mem::take(&mut self.documents) })
    }
}
