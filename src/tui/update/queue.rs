//! Our jobs in the queue: a list that is asked for seldom, and can be cancelled.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ratatui::crossterm::event::KeyCode;

use super::{Hint, Step, dialog};
use crate::launchpad::Selection;
use crate::launchpad::jobs::Job;
use crate::tui::ask::{Answer, Ask, act, queue as of};
use crate::tui::state::list::Fireworks;
use crate::tui::state::queue::Queue;
use crate::tui::state::{Scene, Screen};
use crate::tui::{Key, Motion};
use crate::verbs::action::{Action, Target, jobs_named};
use crate::workflow::FwId;

/// Its keys.
pub const HINTS: &[Hint] = &[
    Hint { key: "Enter", word: "open", help: "the firework that a job runs, or all that it has run" },
    Hint { key: "c", word: "cancel", help: "cancel the job, or all that are marked; what it runs is READY again" },
    Hint { key: "Space", word: "mark", help: "mark this job, or no longer" },
    Hint { key: "a", word: "", help: "mark all jobs, or none any more" },
    Hint { key: "r p x …", word: "", help: "what else can be done to its fireworks: as in the list of them" },
];

/// The queue is not asked more often by itself.
const EVERY: SignedDuration = SignedDuration::from_secs(10);

/// After something was done the queue is asked again: until then it has done it, too.
const SOON: SignedDuration = SignedDuration::from_secs(3);

/// When the queue is asked again after something was done.
pub fn after_action(scene: &Scene) -> Option<Timestamp> {
    scene.now.checked_add(SOON).ok()
}

/// Whether it is time for that.
pub fn is_due(again: Option<Timestamp>, scene: &Scene) -> bool {
    again.is_some_and(|at| at <= scene.now)
}

/// A key; nothing where it is none of this screen.
pub fn key(screen: &mut Queue, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    if let Some(motion) = Motion::of(key) {
        let count = screen.listed().len();
        // A line is the heading.
        let row = motion.leads(screen.row(), count, usize::from(scene.body()).saturating_sub(2));
        screen.cursor = screen.listed().get(row).map(|job| job.queued.id.id.clone());
        return Some(Vec::new());
    }
    if key == Key::ctrl('l') {
        screen.is_stale = true;
        return None;
    }
    let job = screen.chosen()?;
    match (key.code, key.ctrl) {
        (KeyCode::Enter, _) => return Some(vec![open(job)]),
        (KeyCode::Char(' '), _) => {
            let id = job.queued.id.id.clone();
            if !screen.marks.remove(&id) {
                screen.marks.insert(id);
            }
            let next = screen.listed().get(screen.row() + 1).map(|job| job.queued.id.id.clone());
            screen.cursor = next.or_else(|| screen.cursor.take());
            return Some(Vec::new());
        }
        (KeyCode::Char('a'), false) => {
            let all = screen.listed().iter().map(|job| job.queued.id.id.clone()).collect();
            screen.marks = if screen.marks.is_empty() { all } else { BTreeSet::new() };
            return Some(Vec::new());
        }
        _ => {}
    }
    let action = dialog::action(key)?;
    let jobs = screen.meant();
    let names = || jobs.iter().map(|job| job.queued.id.id.clone()).collect::<Vec<String>>();
    let ids: Vec<FwId> = jobs.iter().flat_map(|job| &job.runs).map(|(fw_id, _)| *fw_id).collect();
    let target = match action {
        Action::Cancel => Target::Jobs(names()),
        _ if ids.is_empty() => {
            let verb = if jobs.len() == 1 { "runs" } else { "run" };
            return Some(vec![Step::Say(format!("{} {verb} nothing", jobs_named(&names())))]);
        }
        _ => Target::Fireworks(Box::new(Selection { ids: Some(ids), ..Selection::default() })),
    };
    Some(vec![Step::Act(action, target)])
}

fn open(job: &Job) -> Step {
    match job.runs[..] {
        [(fw_id, _)] => Step::Open(Screen::firework(fw_id)),
        _ => Step::Show(Screen::Fireworks(Box::new(Fireworks::filtered(&format!("j:{}", job.queued.id.id))))),
    }
}

/// What is asked so that it is fresh.
pub fn asks(screen: &Queue, scene: &Scene) -> Vec<Ask> {
    let is_old = screen.at.is_none_or(|at| scene.now.duration_since(at) >= EVERY);
    let is_due = is_old || screen.is_stale || is_due(screen.again, scene);
    if is_due { vec![Ask::Queue(of::Ask::Jobs)] } else { Vec::new() }
}

/// What is asked without any change in the store: the same, after something was done.
pub fn grows(screen: &Queue, scene: &Scene) -> Vec<Ask> {
    if is_due(screen.again, scene) { vec![Ask::Queue(of::Ask::Jobs)] } else { Vec::new() }
}

/// An answer.
pub fn take(screen: &mut Queue, ask: &Ask, answer: &Answer, scene: &Scene) -> Vec<Step> {
    match answer {
        Answer::Queue(answer) => {
            let of::Answer::Jobs(jobs) = &**answer;
            let row = screen.row();
            (screen.jobs, screen.at, screen.is_stale) = (Some(jobs.clone()), Some(scene.now), false);
            screen.again = screen.again.filter(|_| !is_due(screen.again, scene));
            if let Ok(listing) = jobs {
                let still = |id: &String| listing.jobs.iter().any(|job| job.queued.id.id == *id);
                screen.marks.retain(still);
            }
            let is_it = screen.chosen().is_some_and(|job| Some(&job.queued.id.id) == screen.cursor.as_ref());
            if !is_it && !screen.listed().is_empty() {
                // The job has gone: another one has come to its place, and the cursor stays with that.
                let row = row.min(screen.listed().len() - 1);
                screen.cursor = screen.listed().get(row).map(|job| job.queued.id.id.clone());
            }
        }
        // Jobs may have been cancelled: at once, or in a moment.
        Answer::Act(_) => {
            let Ask::Act(act::Ask::CarryOut(plan)) = ask else { return Vec::new() };
            (screen.is_stale, screen.again) = (true, after_action(scene));
            if let Target::Jobs(names) = &plan.target {
                screen.marks.retain(|id| !names.contains(id));
            }
        }
        _ => {}
    }
    Vec::new()
}
