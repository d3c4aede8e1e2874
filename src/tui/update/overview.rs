//! The whole launchpad at a glance: what is asked when, and where keys lead.

use jiff::{SignedDuration, Timestamp};
use ratatui::crossterm::event::KeyCode;

use super::queue::{after_action, is_due};
use super::{Hint, Step, dialog};
use crate::launchpad::Selection;
use crate::launchpad::words::id_line;
use crate::tui::ask::overview::{self as of, Part};
use crate::tui::ask::{Answer, Ask, act, queue};
use crate::tui::state::list::Fireworks;
use crate::tui::state::overview::{Fresh, Item, Overview};
use crate::tui::state::queue::Queue;
use crate::tui::state::{Dialog, Scene, Screen};
use crate::tui::{Key, Motion};
use crate::verbs::action::Target;
use crate::workflow::{FwId, State};

/// Its keys.
pub const HINTS: &[Hint] = &[
    Hint { key: "Enter", word: "open", help: "the fireworks in a state, of a worker, with a failure; the queue" },
    Hint { key: "r", word: "rerun", help: "run the fireworks of a failure again" },
    Hint { key: "c D x …", word: "", help: "what else can be done to fireworks: as in the list of them" },
];

/// A part that may have changed is not asked for more often than this.
const COSTLY: SignedDuration = SignedDuration::from_secs(10);
/// What grows old where something runs: when workers were heard of.
const PULSE: SignedDuration = SignedDuration::from_secs(10);
/// What hardly changes, or not without anybody seeing it.
const RARELY: SignedDuration = SignedDuration::from_mins(5);
/// The places of jobs change without anybody seeing it.
const SOMETIMES: SignedDuration = SignedDuration::from_secs(60);
/// Some sites do not like the queue to be asked often.
const QUEUE: SignedDuration = SignedDuration::from_secs(30);

/// A key; nothing where it is none of this screen.
pub fn key(screen: &mut Overview, key: Key, scene: &Scene) -> Option<Vec<Step>> {
    if let Some(motion) = Motion::of(key) {
        walk(screen, motion, scene);
        return Some(Vec::new());
    }
    if key == Key::ctrl('l') {
        // Whoever wants to see it now does not ask what it costs.
        screen.asked.clear();
        screen.jobs = None;
        return None;
    }
    let item = screen.chosen()?;
    if key.code == KeyCode::Enter {
        return Some(vec![open(screen, &item)]);
    }
    let action = dialog::action(key)?;
    let fw_ids = fireworks(screen, &item);
    if fw_ids.is_empty() {
        return None;
    }
    let selection = Selection { ids: Some(fw_ids), ..Selection::default() };
    Some(vec![Step::Act(action, Target::Fireworks(Box::new(selection)))])
}

fn walk(screen: &mut Overview, motion: Motion, scene: &Scene) {
    let rows = screen.rows();
    let (row, column) = screen.place(&rows);
    let Some(columns) = rows.get(row).map(Vec::len) else { return };
    let (row, column) = match motion {
        Motion::Left => (row, column.saturating_sub(1)),
        Motion::Right => (row, (column + 1).min(columns - 1)),
        other => (other.leads(row, rows.len(), usize::from(scene.body())), column),
    };
    let to = rows.get(row).and_then(|row| row.get(column.min(row.len().saturating_sub(1))));
    screen.cursor = to.cloned();
}

/// The fireworks that an item is about, where those are known one by one.
fn fireworks(screen: &Overview, item: &Item) -> Vec<FwId> {
    match item {
        Item::State(_) | Item::Queue | Item::Unable(_) => Vec::new(),
        Item::Member(_) => {
            let member = screen.members().iter().find(|member| Item::member(member) == *item);
            member.map(|member| member.runs.clone()).unwrap_or_default()
        }
        Item::Lost(fw_id) => vec![*fw_id],
        Item::Failure(cause) => screen.group(cause).map(|group| group.fw_ids.clone()).unwrap_or_default(),
    }
}

fn open(screen: &Overview, item: &Item) -> Step {
    match item {
        Item::State(state) => Step::Show(filtered(&format!("s:{state}"))),
        Item::Queue => {
            let (jobs, at) = screen.jobs.clone().unzip();
            Step::Show(Screen::Queue(Box::new(Queue { jobs, at, again: screen.again, ..Queue::default() })))
        }
        Item::Unable(text) => Step::Dialog(Dialog::Text { text: text.clone(), from: 0 }),
        Item::Member(_) | Item::Lost(_) | Item::Failure(_) => match fireworks(screen, item)[..] {
            [] => Step::Say("it has nothing to do".to_owned()),
            [fw_id] => Step::Open(Screen::firework(fw_id)),
            ref several => Step::Show(filtered(&format!("i:{}", id_line(several.iter().copied())))),
        },
    }
}

fn filtered(text: &str) -> Screen {
    Screen::Fireworks(Box::new(Fireworks::filtered(text)))
}

/// What is asked so that it is fresh: what may have changed, as often as it is worth, and the rest now and then.
pub fn asks(screen: &Overview, scene: &Scene) -> Vec<Ask> {
    let age = |part: Part| screen.asked.get(part.name()).map(|fresh| scene.now.duration_since(fresh.at));
    let is_late = |part: Part, changed_every: SignedDuration, every: SignedDuration| {
        let changed = screen.asked.get(part.name()).is_none_or(|fresh| fresh.changes != scene.changes);
        age(part).is_none_or(|age| changed && age >= changed_every || age >= every)
    };
    let running = screen.states().iter().any(|(state, _)| *state == State::Running);
    let mut parts = Vec::new();
    if is_late(Part::Counts, SignedDuration::ZERO, RARELY) {
        parts.push(Part::Counts);
    }
    if is_late(Part::Crew, SignedDuration::ZERO, if running { PULSE } else { RARELY }) {
        parts.push(Part::Crew);
    }
    if is_late(Part::Places, COSTLY, SOMETIMES) {
        parts.push(Part::Places);
    }
    parts.extend(failures(screen, scene));
    if is_late(throughput(0, 0), COSTLY, RARELY) {
        let at = scene.store_now();
        let is_old = screen.hours.missing(at) > 1 || age(throughput(0, 0)).is_none_or(|age| age >= SOMETIMES);
        parts.push(throughput(screen.minutes.missing(at), if is_old { screen.hours.missing(at) } else { 0 }));
    }
    if is_late(Part::Unable, SOMETIMES, RARELY) {
        parts.push(Part::Unable);
    }
    let mut asks: Vec<Ask> = parts.into_iter().map(|part| ask(screen, scene, part)).collect();
    let is_old = screen.jobs.as_ref().is_none_or(|(_, at)| scene.now.duration_since(*at) >= QUEUE);
    if is_old || is_due(screen.again, scene) {
        asks.push(Ask::Queue(queue::Ask::Jobs));
    }
    asks
}

/// What is asked without any change in the store: the queue, after something was done.
pub fn grows(screen: &Overview, scene: &Scene) -> Vec<Ask> {
    if is_due(screen.again, scene) { vec![Ask::Queue(queue::Ask::Jobs)] } else { Vec::new() }
}

fn throughput(minutes: u32, hours: u32) -> Part {
    Part::Throughput { minutes, hours }
}

fn ask(screen: &Overview, scene: &Scene, part: Part) -> Ask {
    // Before the counts have come it is not known how the store's clock goes.
    let at = screen.counts.is_some().then(|| scene.store_now());
    Ask::Overview(of::Ask { part, changes: scene.changes, at })
}

/// The failures, where their number is another, or one of them may have taken another's place.
fn failures(screen: &Overview, scene: &Scene) -> Option<Part> {
    let count = screen.fizzled();
    let part = Part::Failures(count);
    let is_due = match screen.asked.get(part.name()) {
        None => count > 0,
        Some(fresh) => {
            let age = scene.now.duration_since(fresh.at);
            fresh.fizzled != count && age >= COSTLY || fresh.changes != scene.changes && age >= SOMETIMES && count > 0
        }
    };
    is_due.then_some(part)
}

/// An answer.
pub fn take(screen: &mut Overview, ask: &Ask, answer: &Answer, scene: &Scene) -> Vec<Step> {
    match (ask, answer) {
        (Ask::Overview(asked), Answer::Overview(answer)) => take_part(screen, asked, answer, scene),
        (_, Answer::Queue(answer)) => {
            let queue::Answer::Jobs(jobs) = &**answer;
            screen.jobs = Some((jobs.clone(), scene.now));
            screen.again = screen.again.filter(|_| !is_due(screen.again, scene));
            Vec::new()
        }
        (Ask::Act(act::Ask::CarryOut(_)), _) => {
            screen.again = after_action(scene);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

fn take_part(screen: &mut Overview, asked: &of::Ask, answer: &of::Answer, scene: &Scene) -> Vec<Step> {
    match answer.clone() {
        of::Answer::Counts(counts, _) => screen.counts = Some(counts),
        of::Answer::Crew(crew) => screen.crew = Some(crew),
        of::Answer::Places(ledgers) => screen.ledgers = ledgers,
        of::Answer::Throughput { minutes, hours, at } => take_throughput(screen, asked.part, &minutes, &hours, at),
        of::Answer::Failures(groups, since) => (screen.failures, screen.failures_since) = (groups, since),
        of::Answer::Unable(records) => screen.unable = records,
    }
    if let Part::Crew | Part::Places = asked.part {
        screen.crew = screen.crew.take().map(|crew| crew.with_idle(&screen.ledgers));
    }
    let fizzled = if let Part::Failures(count) = asked.part { count } else { 0 };
    screen.asked.insert(asked.part.name(), Fresh { at: scene.now, changes: asked.changes, fizzled });
    if asked.part == Part::Counts && !screen.asked.contains_key(Part::Failures(0).name()) {
        // Nobody waits for the next tick to see the first ones.
        let first = failures(screen, scene).map(|part| ask(screen, scene, part));
        return first.into_iter().map(Step::Ask).collect();
    }
    Vec::new()
}

fn take_throughput(
    screen: &mut Overview,
    asked: Part,
    minutes: &[crate::launchpad::report::Period],
    hours: &[crate::launchpad::report::Period],
    at: Timestamp,
) {
    let Part::Throughput { minutes: asked_minutes, hours: asked_hours } = asked else { return };
    if asked_minutes > 0 {
        screen.minutes.take(minutes, asked_minutes, at);
    }
    if asked_hours > 0 {
        screen.hours.take(hours, asked_hours, at);
    }
    // The minutes are asked for more often.
    screen.hours.raise(&screen.minutes);
}
