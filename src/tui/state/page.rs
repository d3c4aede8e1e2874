//! The page of a firework and its explanation, in lines as wide as the screen.

use jiff::{SignedDuration, Timestamp};

use crate::launchpad::explain::{Parent, shown};
use crate::launchpad::page::{Page, Period};
use crate::launchpad::words::{ago, number, stretch};
use crate::tui::ask::firework::Known;
use crate::tui::fit;
use crate::workflow::{FwId, State};

/// A line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// Its words.
    pub pieces: Vec<(String, Ink)>,
    /// The firework that it names.
    pub link: Option<FwId>,
}

/// How words look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// As they are.
    Plain,
    /// What a reader looks for.
    Strong,
    /// What may be passed over.
    Faint,
    /// Of a state.
    State(State),
    /// What is wrong.
    Alarm,
}

/// How wide the names before words are, with a gap.
const NAMES: usize = 11;
/// Likewise in an explanation.
const FACTS: usize = 14;
/// More lines of an error are in its data.
const TRACE: usize = 200;

/// The page, in lines of so many columns.
pub fn page(known: &Known, width: usize, now: Timestamp) -> Vec<Line> {
    let page = &known.page;
    let mut lines = Vec::new();
    wrapped(&mut lines, "", &page.sentence, width, Ink::Plain);
    lines.push(Line::default());
    if let Some((id, name, state, size)) = &page.workflow {
        let by = page.owner.as_ref().map_or_else(String::new, |owner| format!(", added by {owner}"));
        let words = format!("{id} {name}, {state}, {}{by}", number(*size, "firework"));
        wrapped(&mut lines, "workflow", &words, width, Ink::Plain);
    }
    if let Some(priority) = &page.priority {
        wrapped(&mut lines, "priority", priority, width, Ink::Plain);
    }
    family(&mut lines, "parents", &page.parents, page.parent_count, width);
    family(&mut lines, "children", &page.children, page.child_count, width);
    for (number, task) in page.tasks.iter().enumerate() {
        wrapped(&mut lines, if number == 0 { "tasks" } else { "·" }, task, width, Ink::Plain);
    }
    run(&mut lines, page, width);
    lines.push(Line::default());
    history(&mut lines, &page.periods, width, now);
    found(&mut lines, page, width);
    if let Some(trace) = &known.trace {
        lines.push(Line::default());
        let all: Vec<&str> = trace.lines().collect();
        for line in &all[all.len().saturating_sub(TRACE)..] {
            let pieces = fit::pieces(&crate::launchpad::shorten::plain(line), width.max(1));
            lines.extend(pieces.into_iter().map(|piece| one(piece, Ink::Alarm)));
        }
    }
    lines
}

/// Why it does not run, or what became of it, with all that is known.
pub fn explanation(known: &Known, width: usize, now: Timestamp) -> Vec<Line> {
    let mut lines = Vec::new();
    for (number, text) in shown::lines(&known.facts, |at| Some(ago(at, now))).iter().enumerate() {
        let (name, words) = text.trim_start().split_once(": ").filter(|_| number > 0).unwrap_or(("", text.as_str()));
        let ink = if number == 0 { Ink::Strong } else { Ink::Plain };
        wrapped_by(&mut lines, (name, FACTS), words, width, ink);
        lines.extend((number == 0).then(Line::default));
    }
    lines
}

fn one(text: String, ink: Ink) -> Line {
    Line { pieces: vec![(text, ink)], link: None }
}

/// Words behind a name, broken between them where the screen ends.
fn wrapped(lines: &mut Vec<Line>, name: &str, words: &str, width: usize, ink: Ink) {
    wrapped_by(lines, (name, NAMES), words, width, ink);
}

/// The same with more room for names.
fn wrapped_by(lines: &mut Vec<Line>, (name, room): (&str, usize), words: &str, width: usize, ink: Ink) {
    let indent = if name.is_empty() { 0 } else { room.max(fit::columns(name) + 1) };
    for (number, text) in fit::broken(words, width.saturating_sub(indent).max(1)).into_iter().enumerate() {
        let head = if number == 0 { format!("{name:<indent$}") } else { " ".repeat(indent) };
        lines.push(Line { pieces: vec![(head, Ink::Faint), (text, ink)], link: None });
    }
}

/// Each in a line that leads to it.
fn family(lines: &mut Vec<Line>, name: &str, members: &[Parent], count: usize, width: usize) {
    for (number, member) in members.iter().enumerate() {
        let head = format!("{:<NAMES$}", if number == 0 { name } else { "" });
        let state = format!(" {}", member.state);
        let room = width.saturating_sub(NAMES + fit::columns(&state));
        let words = fit::cut(&format!("{} {}", member.fw_id, member.name), room);
        let pieces = vec![(head, Ink::Faint), (words, Ink::Plain), (state, Ink::State(member.state))];
        lines.push(Line { pieces, link: Some(member.fw_id) });
    }
    let more = count.saturating_sub(members.len());
    if more > 0 {
        wrapped(lines, "·", &format!("and {more} more: o shows them all"), width, Ink::Faint);
    }
}

fn run(lines: &mut Vec<Line>, page: &Page, width: usize) {
    let Some(run) = &page.run else { return };
    wrapped(lines, "directory", &run.dir, width, Ink::Plain);
    wrapped(lines, "worker", &format!("{} on {}, launch {}", run.worker, run.host, run.launch_id), width, Ink::Plain);
    if let Some(job) = &run.job {
        let cluster = job.cluster.as_ref().map_or_else(String::new, |cluster| format!(" on {cluster}"));
        wrapped(lines, "queue job", &format!("{}{cluster}", job.id), width, Ink::Plain);
    }
}

/// What it was in, and for how long.
fn history(lines: &mut Vec<Line>, periods: &[Period], width: usize, now: Timestamp) {
    for (number, period) in periods.iter().enumerate() {
        let goes_on = number + 1 == periods.len();
        let is_over = goes_on && period.state.is_some_and(State::is_final);
        let length = if goes_on { now.duration_since(period.from).max(SignedDuration::ZERO) } else { period.length };
        let length = if is_over { String::new() } else { stretch(length) };
        let launch = period.launch.map_or_else(String::new, |id| format!("launch {id}"));
        let note = period.note.as_deref().unwrap_or_default();
        let rest = format!(" {length:<12} {:<20} {launch} {note}", ago(period.from, now));
        let (state, ink) = period.state.map_or(("waited", Ink::Faint), |state| (state.as_str(), Ink::State(state)));
        let pieces = vec![(format!("{state:<9}"), ink), (fit::cut(&rest, width.saturating_sub(9)), Ink::Plain)];
        lines.push(Line { pieces, link: None });
    }
}

/// What recipes found.
fn found(lines: &mut Vec<Line>, page: &Page, width: usize) {
    lines.extend((!page.summaries.is_empty() || page.unread.is_some()).then(Line::default));
    if let Some(words) = &page.unread {
        wrapped(lines, "found", words, width, Ink::Plain);
    }
    for summary in &page.summaries {
        wrapped(lines, "found", &summary.sentence(), width, Ink::Plain);
    }
}
