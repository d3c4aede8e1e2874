//! Trackers: files whose last lines are shown in the launch while it runs.

use bson::{Bson, Document, doc};

use super::{as_int, firework::is_true, int};

/// Where a spec names them.
pub const TRACKERS: &str = "_trackers";
/// FireWorks' number of lines for a tracker that names none, and the most it takes.
const LINES: i64 = 25;
const MOST_LINES: i64 = 1000;

/// One file.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracker {
    /// The file, relative to the launch directory.
    pub filename: String,
    nlines: i64,
    /// Whether a compressed file of that name will do.
    pub allow_zipped: bool,
    /// The last lines, when it was last looked at and there.
    pub content: String,
}

/// A tracker that FireWorks would refuse.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTracker {
    /// It is no mapping, or names no file.
    #[error("a tracker is a mapping with a `filename`")]
    NoFile,
    /// A number that is none, or too large.
    #[error("tracker of `{filename}`: `nlines` must be a number, and at most {MOST_LINES}")]
    Lines {
        /// The file.
        filename: String,
    },
}

impl Tracker {
    /// The trackers of a spec, good and bad.
    pub fn of(spec: &Document) -> Vec<Result<Self, BadTracker>> {
        match spec.get(TRACKERS) {
            None | Some(Bson::Null) => Vec::new(),
            Some(Bson::Array(items)) => items.iter().map(Tracker::from_bson).collect(),
            Some(other) => vec![Tracker::from_bson(other)],
        }
    }

    /// Reads one.
    pub fn from_bson(value: &Bson) -> Result<Self, BadTracker> {
        let document = value.as_document().ok_or(BadTracker::NoFile)?;
        let text = |key| document.get_str(key).unwrap_or_default().to_owned();
        let filename = Some(text("filename")).filter(|name| !name.is_empty()).ok_or(BadTracker::NoFile)?;
        let nlines = match document.get("nlines") {
            None | Some(Bson::Null) => Some(LINES),
            Some(number) => as_int(number).filter(|&lines| lines <= MOST_LINES),
        };
        Ok(Tracker {
            nlines: nlines.ok_or_else(|| BadTracker::Lines { filename: filename.clone() })?,
            filename,
            allow_zipped: document.get("allow_zipped").is_some_and(is_true),
            content: text("content"),
        })
    }

    /// As a launch keeps it.
    pub fn to_document(&self) -> Document {
        let mut document = doc! {
            "filename": &self.filename,
            "nlines": int(self.nlines),
            "allow_zipped": self.allow_zipped,
        };
        if !self.content.is_empty() {
            document.insert("content", &self.content);
        }
        document
    }

    /// How many lines are shown. FireWorks shows the whole file when the number is not positive.
    pub fn lines(&self) -> usize {
        let lines = if self.nlines > 0 { self.nlines } else { MOST_LINES };
        usize::try_from(lines).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trackers_are_read_with_fireworks_defaults() {
        let spec = doc! {TRACKERS: [{"filename": "a"}, {"filename": "b", "nlines": 2.0, "allow_zipped": 1}]};
        let trackers: Vec<Document> = Tracker::of(&spec).iter().flatten().map(Tracker::to_document).collect();
        assert_eq!(
            trackers,
            [
                doc! {"filename": "a", "nlines": 25, "allow_zipped": false},
                doc! {"filename": "b", "nlines": 2, "allow_zipped": true},
            ]
        );
        let whole = Tracker::from_bson(&doc! {"filename": "a", "nlines": 0}.into()).expect("is good");
        assert_eq!((whole.lines(), whole.to_document().get_i32("nlines").ok()), (1000, Some(0)));
    }

    #[test]
    fn bad_ones_say_why() {
        for (tracker, part) in [
            (Bson::from("out.log"), "a mapping with a `filename`"),
            (doc! {"nlines": 3}.into(), "`filename`"),
            (
                doc! {"filename": "a", "nlines": 1001}.into(),
                "tracker of `a`: `nlines` must be a number, and at most 1000",
            ),
            (doc! {"filename": "a", "nlines": "many"}.into(), "`nlines`"),
        ] {
            let error = Tracker::of(&doc! {TRACKERS: [tracker]}).remove(0).expect_err("is refused");
            assert!(error.to_string().contains(part), "{error}");
        }
        assert!(matches!(Tracker::of(&doc! {TRACKERS: 3})[..], [Err(BadTracker::NoFile)]));
    }
}
