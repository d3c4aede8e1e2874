//! Our jobs in the queue: what they do, why they wait, how long they may run, and which fireworks they run.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Wrap};

use super::Look;
use super::fit::{columns, fit};
use super::overview_parts::summary;
use crate::launchpad::jobs::Job;
use crate::launchpad::shorten::plain;
use crate::launchpad::words::{ago, id_line, stretch};
use crate::queue::JobState;
use crate::store::examine::age;
use crate::store::ledger::Word;
use crate::tui::state::{Scene, queue::Queue};
use crate::workflow::State;

/// The columns, from left to right, and which of them go first where there is no room.
const HEADS: [&str; 8] = ["JOB", "STATE", "WHERE OR WHY NOT", "RAN", "LEFT", "PARTITION", "LAUNCHER", "FIREWORKS"];
const DISPENSABLE: [usize; 3] = [5, 6, 3];
/// Reasons and lists of hosts may be long: they may take so much for sure.
const WHERE: usize = 2;
const SURE: usize = 20;
/// The last one takes what is left, this at least.
const LAST: usize = 14;

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, area: Rect, one: &Queue, scene: &Scene, look: &Look) {
    let listing = match &one.jobs {
        None => return frame.render_widget(Line::styled(" asking the queue …", look.faint()), area),
        Some(Err(why)) => {
            let text = format!("the queue does not answer: {}", plain(why));
            let at = one.at.map(|at| format!("asked {}", ago(at, scene.now))).unwrap_or_default();
            let text = Text::from(vec![Line::styled(text, look.alarm()), Line::styled(at, look.faint())]);
            return frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        }
        Some(Ok(listing)) => listing,
    };
    let width = usize::from(area.width);
    let asked = one.at.map(|at| format!("  asked {}", ago(at, scene.now))).unwrap_or_default();
    let marked = if one.marks.is_empty() { String::new() } else { format!("  {} marked", one.marks.len()) };
    let words = fit(
        &format!(" {}: {}", listing.queue, summary(&listing.jobs)),
        width.saturating_sub(columns(&marked) + columns(&asked)),
    );
    let heading =
        [Span::styled(words, look.strong()), Span::styled(marked, look.strong()), Span::styled(asked, look.faint())];
    let mut lines = vec![Line::from(heading.to_vec())];
    if !listing.jobs.is_empty() {
        let height = usize::from(area.height).saturating_sub(2);
        let from = (one.row() + 1).saturating_sub(height);
        let shown = &listing.jobs[from..listing.jobs.len().min(from + height)];
        // As wide as all need, so that nothing moves when one scrolls; the last column is made for what is seen.
        let all: Vec<[String; 8]> = listing.jobs.iter().map(|job| cells(one, job, scene)).collect();
        let widths = widths(&all, width);
        let line = |mark: char, cells: &[String; 8]| {
            let text = cells.iter().zip(&widths).filter(|(_, width)| **width > 0);
            format!("{mark}{}", text.map(|(cell, width)| fit(cell, *width)).collect::<Vec<_>>().join("  "))
        };
        lines.push(Line::styled(line(' ', &HEADS.map(str::to_owned)), look.faint()));
        for (place, job) in (from..).zip(shown) {
            let style = look.state(colour(job));
            let style = if place == one.row() { style.patch(look.selected()) } else { style };
            let mark = if one.marks.contains(&job.queued.id.id) { '*' } else { ' ' };
            lines.push(Line::styled(fit(&line(mark, &all[place]), width), style));
        }
    }
    frame.render_widget(Text::from(lines), area);
}

/// As fireworks of that kind look.
fn colour(job: &Job) -> State {
    match job.queued.state {
        JobState::Running => State::Running,
        JobState::Ending => State::Completed,
        JobState::Waiting | JobState::Unknown | JobState::Finished => State::Waiting,
    }
}

fn cells(one: &Queue, job: &Job, scene: &Scene) -> [String; 8] {
    let details = &job.queued.details;
    let time = |length: Option<jiff::SignedDuration>| length.map(stretch).unwrap_or_default();
    [
        job.queued.id.to_string(),
        details.state.clone(),
        details.hosts.clone().or_else(|| details.reason.clone()).unwrap_or_default(),
        time(one.running_for(job, scene.now)),
        time(one.time_left(job, scene.now)),
        details.partition.clone().unwrap_or_default(),
        job.launcher.clone().unwrap_or_default(),
        fireworks(job, scene.store_now()),
    ]
}

/// What a job runs, or is for, or that it has nothing to do.
fn fireworks(job: &Job, now: Timestamp) -> String {
    let of = |wanted: State| id_line(job.runs.iter().filter(|(_, state)| *state == wanted).map(|(fw_id, _)| *fw_id));
    let (running, reserved) = (of(State::Running), of(State::Reserved));
    match (running.as_str(), reserved.as_str(), job.word) {
        ("", "", Some(Word::Idle(since))) => format!("idle for {}", age(now, since)),
        ("", "", Some(Word::Ending(_))) => "about to end".to_owned(),
        ("", "", _) => String::new(),
        ("", reserved, _) => format!("for {reserved}"),
        (running, _, _) => running.to_owned(),
    }
}

/// As wide as the widest cell; nothing for a column that is empty, or that there is no room for.
fn widths(all: &[[String; 8]], width: usize) -> [usize; 8] {
    let mut widths = [0; 8];
    for cells in all {
        for (width, cell) in widths.iter_mut().zip(cells) {
            *width = (*width).max(columns(cell));
        }
    }
    for (width, head) in widths.iter_mut().zip(HEADS).filter(|(width, _)| **width > 0) {
        *width = (*width).max(columns(head));
    }
    widths[HEADS.len() - 1] = LAST;
    let used = |widths: &[usize; 8]| widths.iter().filter(|width| **width > 0).map(|width| width + 2).sum::<usize>();
    let shrink = |widths: &mut [usize; 8], least: usize| {
        let over = used(widths).saturating_sub(width);
        widths[WHERE] = widths[WHERE].saturating_sub(over).max(least.min(widths[WHERE]));
    };
    shrink(&mut widths, SURE);
    for column in DISPENSABLE {
        if used(&widths) > width {
            widths[column] = 0;
        }
    }
    shrink(&mut widths, 0);
    widths[HEADS.len() - 1] += width.saturating_sub(used(&widths) + 1);
    widths
}
