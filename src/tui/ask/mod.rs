//! What the screens ask, and how it is answered: by verbs that exist, in threads of their own.

use std::time::Duration;

use anyhow::Result;

use super::Desk;
use crate::launchpad::LaunchpadError;
use crate::store::StoreError;

pub mod act;
pub mod files;
pub mod firework;
pub mod graph;
pub mod list;
pub mod overview;
pub mod queue;

/// A question, by the screen that asks it.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// The whole launchpad.
    Overview(overview::Ask),
    /// Rows of a list.
    List(list::Ask),
    /// A workflow as a graph.
    Graph(graph::Ask),
    /// A firework.
    Firework(firework::Ask),
    /// Its files.
    Files(files::Ask),
    /// The queue.
    Queue(queue::Ask),
    /// Something to be done.
    Act(act::Ask),
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// The whole launchpad.
    Overview(Box<overview::Answer>),
    /// Rows of a list.
    List(Box<list::Answer>),
    /// A workflow as a graph.
    Graph(Box<graph::Answer>),
    /// A firework.
    Firework(Box<firework::Answer>),
    /// Its files.
    Files(Box<files::Answer>),
    /// The queue.
    Queue(Box<queue::Answer>),
    /// What would happen, or has.
    Act(Box<act::Answer>),
}

/// Who answers: none of them waits for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// Looks into the store.
    Store,
    /// Looks there for what users filter, which may take long.
    Lists,
    /// Changes things, one after the other; nothing that was agreed to is left out.
    Act,
    /// Reads files.
    Files,
    /// Asks the queue.
    Queue,
}

/// Questions of one slot replace each other while they wait.
pub type Slot = (Lane, &'static str);

/// A question with its answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The question.
    pub ask: Ask,
    /// The answer, or why there is none.
    pub answer: Result<Answer, Trouble>,
    /// How long it took.
    pub took: Duration,
}

/// Why a question was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In words.
    pub text: String,
    /// The store does not answer at all.
    pub is_away: bool,
}

impl Trouble {
    /// What an error comes to.
    pub fn of(error: &anyhow::Error) -> Self {
        let is_away = error.chain().any(|cause| {
            let store = match cause.downcast_ref::<LaunchpadError>() {
                Some(LaunchpadError::Store(store)) => Some(store),
                _ => cause.downcast_ref::<StoreError>(),
            };
            matches!(store, Some(StoreError::Unreachable { .. }))
        });
        Trouble { text: format!("{error:#}"), is_away }
    }
}

impl Answer {
    /// The time it was by the store's clock, where that was asked.
    pub fn clock(&self) -> Option<jiff::Timestamp> {
        match self {
            Answer::Overview(answer) => answer.clock(),
            _ => None,
        }
    }
}

impl Ask {
    /// Who answers it, and which others it replaces.
    pub fn slot(&self) -> Slot {
        match self {
            Ask::Overview(ask) => ask.slot(),
            Ask::List(ask) => ask.slot(),
            Ask::Graph(ask) => ask.slot(),
            Ask::Firework(ask) => ask.slot(),
            Ask::Files(ask) => ask.slot(),
            Ask::Queue(ask) => ask.slot(),
            Ask::Act(ask) => ask.slot(),
        }
    }

    /// Answers it.
    pub fn answer(&self, desk: &Desk) -> Result<Answer> {
        Ok(match self {
            Ask::Overview(ask) => Answer::Overview(Box::new(ask.answer(desk)?)),
            Ask::List(ask) => Answer::List(Box::new(ask.answer(desk)?)),
            Ask::Graph(ask) => Answer::Graph(Box::new(ask.answer(desk)?)),
            Ask::Firework(ask) => Answer::Firework(Box::new(ask.answer(desk)?)),
            Ask::Files(ask) => Answer::Files(Box::new(ask.answer(desk)?)),
            Ask::Queue(ask) => Answer::Queue(Box::new(ask.answer(desk)?)),
            Ask::Act(ask) => Answer::Act(Box::new(ask.answer(desk)?)),
        })
    }
}
