//! Rows of lists, and a launchpad of nothing else: it answers what lists ask, by id from the last one down or
//! the other way round.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use bson::Bson;
use jiff::SignedDuration;
use volley::store::Direction;
use volley::store::window::{Anchor, FireworkRow, Start, Window, WorkflowRow};
use volley::tui::Effect;
use volley::tui::ask::{Answer, Ask, list as of};
use volley::tui::state::App;
use volley::workflow::{FwId, State, as_int, int};

use super::screen::{answer, now};

/// A firework that has changed so long ago.
pub fn firework(fw_id: FwId, state: State, name: &str, seconds: i64) -> FireworkRow {
    let changed = now() - SignedDuration::from_secs(seconds);
    FireworkRow {
        fw_id,
        name: name.to_owned(),
        state,
        priority: Bson::Null,
        launches: usize::from(state != State::Waiting && state != State::Ready),
        created_on: Some(now() - SignedDuration::from_hours(30)),
        updated_on: Some(changed),
        anchor: Anchor { key: int(fw_id), id: int(fw_id) },
    }
}

/// A workflow, with how many of its fireworks are in which state.
pub fn workflow(id: FwId, state: State, name: &str, counts: &[(State, usize)]) -> WorkflowRow {
    WorkflowRow {
        id,
        name: name.to_owned(),
        state,
        counts: counts.iter().copied().collect::<BTreeMap<_, _>>(),
        created_on: Some(now() - SignedDuration::from_hours(24 * 90)),
        updated_on: Some(now() - SignedDuration::from_mins(7)),
        anchor: Anchor { key: int(id), id: int(id) },
    }
}

/// What answers.
#[derive(Default)]
pub struct Launchpad {
    /// By id.
    pub fireworks: BTreeMap<FwId, FireworkRow>,
    /// By id.
    pub workflows: BTreeMap<FwId, WorkflowRow>,
    /// The questions that were answered.
    pub heard: Vec<Ask>,
}

impl Launchpad {
    /// One with so many COMPLETED fireworks.
    pub fn of(count: FwId) -> Self {
        let fireworks = (1..=count).map(|id| (id, firework(id, State::Completed, &format!("relax {id}"), id)));
        Launchpad { fireworks: fireworks.collect(), ..Launchpad::default() }
    }

    /// Answers the questions of lists among effects, and those that follow.
    pub fn serve(&mut self, app: &mut App, effects: Vec<Effect>) {
        let mut waiting = VecDeque::from(effects);
        while let Some(effect) = waiting.pop_front() {
            if let Effect::Ask(ask) = effect
                && let Ask::List(question) = &*ask
            {
                let given = self.answer(question);
                self.heard.push((*ask).clone());
                waiting.extend(answer(app, &ask, Answer::List(Box::new(given))));
            }
        }
    }

    /// The answer to a question.
    pub fn answer(&self, ask: &of::Ask) -> of::Answer {
        match ask {
            of::Ask::Fireworks(question) => {
                let states = &question.selection.states;
                let fits = |row: &&FireworkRow| states.is_empty() || states.contains(&row.state);
                let rows: Vec<FireworkRow> = self.fireworks.values().filter(fits).cloned().collect();
                match &question.rows {
                    Some(asked) => of::Answer::Fireworks(window(rows, |row| row.fw_id, asked)),
                    None => of::Answer::Count(rows.len() as u64),
                }
            }
            of::Ask::Workflows(question) => {
                let rows: Vec<WorkflowRow> = self.workflows.values().cloned().collect();
                match &question.rows {
                    Some(asked) => of::Answer::Workflows(window(rows, |row| row.id, asked)),
                    None => of::Answer::Count(rows.len() as u64),
                }
            }
        }
    }
}

fn window<R: Clone>(mut rows: Vec<R>, id: impl Fn(&R) -> FwId, asked: &of::Rows) -> Window<R> {
    let down = asked.sort.1 == Direction::Descending;
    if down {
        rows.reverse();
    }
    let at = |anchor: &Anchor| {
        let wanted = as_int(&anchor.id).expect("an id");
        rows.partition_point(|row| if down { id(row) > wanted } else { id(row) < wanted })
    };
    let (from, to) = match &asked.start {
        Start::First => (0, asked.size),
        Start::Last => (rows.len().saturating_sub(asked.size), rows.len()),
        Start::At(anchor) => (at(anchor), at(anchor) + asked.size),
        Start::After(anchor) => (at(anchor) + 1, at(anchor) + 1 + asked.size),
        Start::Before(anchor) => (at(anchor).saturating_sub(asked.size), at(anchor)),
    };
    let to = to.min(rows.len());
    Window { rows: rows[from.min(to)..to].to_vec(), is_first: from == 0, is_last: to == rows.len() }
}
