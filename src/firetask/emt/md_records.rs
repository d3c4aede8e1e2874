//! The records in the files of molecular dynamics: which step each is of, and which part has no hole.

use std::io;

use super::md_lines::Lines;
use crate::recipes::{MdFrame, MdJob, MdStep};
use crate::science::io::extxyz;

/// The last part of a file that has every record.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part {
    /// Where it begins, bytes.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// The step of its last record; none after something that is no record.
    pub last: Option<usize>,
}

impl Part {
    /// Whether there is no more to come up to a step. What follows then does not matter, half a record say.
    fn is_at(&self, upto: usize, interval: usize) -> bool {
        self.last.is_some_and(|last| last + interval > upto)
    }

    /// Adds a record; says whether it follows the one before.
    fn add(&mut self, step: usize, start: u64, end: u64, interval: usize) -> bool {
        let follows = self.last.is_some_and(|last| last + interval == step);
        if !follows {
            self.start = start;
        }
        (self.end, self.last) = (end, Some(step));
        follows
    }
}

/// Frames up to a step, and those of the part that the document of `job` has.
pub fn frames(lines: &mut Lines, job: &MdJob, atoms: usize, upto: usize) -> io::Result<(Part, Vec<MdFrame>)> {
    let interval = job.trajectory_interval(atoms);
    let (mut part, mut taken) = (Part::default(), Vec::new());
    while !part.is_at(upto, job.loginterval)
        && let Some(line) = lines.next()?
    {
        let is_head = line.trim().parse() == Ok(atoms);
        let (mut text, start) = (line.to_owned(), lines.start);
        let step = if is_head { rest(lines, atoms, &mut text)? } else { None };
        let Some(step) = step else {
            part.last = None;
            continue;
        };
        if step > upto {
            break;
        }
        let is_wanted = step.is_multiple_of(interval);
        let frame = if is_wanted { read(&text) } else { None };
        if is_wanted && frame.is_none() {
            part.last = None;
            continue;
        }
        if !part.add(step, start, lines.end, job.loginterval) {
            taken.clear();
        }
        taken.extend(frame);
    }
    Ok((part, taken))
}

/// Reads the comment and the rows of a frame; returns its step.
fn rest(lines: &mut Lines, atoms: usize, text: &mut String) -> io::Result<Option<usize>> {
    let Some(comment) = lines.next()? else { return Ok(None) };
    text.push_str(comment);
    let Some(step) = extxyz::notes(comment).and_then(|notes| MdFrame::step_in(&notes)) else { return Ok(None) };
    for _ in 0..atoms {
        let Some(row) = lines.next()? else { return Ok(None) };
        text.push_str(row);
    }
    Ok(Some(step))
}

fn read(text: &str) -> Option<MdFrame> {
    MdFrame::of(extxyz::read(text).ok()?.pop()?)
}

/// Lines of the log up to a step. They have no more than the time, to 0.1 fs.
pub fn log(lines: &mut Lines, job: &MdJob, upto: usize) -> io::Result<Part> {
    let mut part = Part::default();
    while !part.is_at(upto, job.loginterval)
        && let Some(line) = lines.next()?
    {
        if line == MdStep::LOG_HEAD {
            continue;
        }
        let time = line.split_whitespace().next().filter(|_| line.split_whitespace().count() == 5);
        let Some(step) = time.and_then(|time| step_at(time, part.last, job)) else {
            part.last = None;
            continue;
        };
        if step > upto {
            break;
        }
        part.add(step, lines.start, lines.end, job.loginterval);
    }
    Ok(part)
}

/// The step that has this time: the next one, if that may be.
fn step_at(time: &str, before: Option<usize>, job: &MdJob) -> Option<usize> {
    let has_it = |step: &usize| format!("{:.4}", job.picoseconds(*step)) == time;
    let next = before.map(|before| before + job.loginterval).filter(has_it);
    let nearest = || {
        let intervals = time.parse::<f64>().ok()? / job.picoseconds(job.loginterval);
        // A number below 0 or none at all is 0 then.
        Some(intervals.round() as usize * job.loginterval).filter(has_it)
    };
    next.or_else(nearest)
}
