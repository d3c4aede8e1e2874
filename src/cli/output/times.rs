//! Moments, as it suits who reads them.

use jiff::Timestamp;

use crate::launchpad::words::{ago, date};

/// A moment as it suits the reader: a program, or a later reader of a file, does not know what time it was.
pub fn moment(at: Timestamp) -> String {
    if super::is_terminal() { ago(at, Timestamp::now()) } else { date(at) }
}
