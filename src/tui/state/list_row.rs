//! What lists of fireworks and lists of workflows do not have in common.

use jiff::Timestamp;

use crate::launchpad::Selection;
use crate::launchpad::filter::Filter;
use crate::store::SortKey;
use crate::store::window::{Anchor, FireworkRow, Window, WorkflowRow};
use crate::tui::ask::{Answer, Ask, list as of};
use crate::verbs::action::Target;
use crate::workflow::FwId;

/// What rows of both lists have.
pub trait Row: Clone {
    /// What it is called.
    const NOUN: &'static str;
    /// What can be sorted by.
    const KEYS: &'static [SortKey];

    /// The firework, or the one that names the workflow.
    fn id(&self) -> FwId;
    /// Its place.
    fn anchor(&self) -> &Anchor;
    /// What a filter selects.
    fn selection(filter: &Filter, now: Timestamp) -> Selection;
    /// What an action on them is about.
    fn target(selection: Selection) -> Target;
    /// The question for rows, or for how many there are.
    fn ask(question: of::Question) -> of::Ask;
    /// The question, if it is about such rows.
    fn asked(ask: &Ask) -> Option<&of::Question>;
    /// The answer, if it has such rows.
    fn answered(answer: &Answer) -> Option<&Window<Self>>;
}

impl Row for FireworkRow {
    const NOUN: &'static str = "firework";
    const KEYS: &'static [SortKey] = &[
        SortKey::FwId,
        SortKey::Name,
        SortKey::State,
        SortKey::Priority,
        SortKey::Size,
        SortKey::CreatedOn,
        SortKey::UpdatedOn,
    ];

    fn id(&self) -> FwId {
        self.fw_id
    }

    fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    fn selection(filter: &Filter, now: Timestamp) -> Selection {
        filter.fireworks(now)
    }

    fn target(selection: Selection) -> Target {
        Target::Fireworks(Box::new(selection))
    }

    fn ask(question: of::Question) -> of::Ask {
        of::Ask::Fireworks(question)
    }

    fn asked(ask: &Ask) -> Option<&of::Question> {
        if let Ask::List(of::Ask::Fireworks(question)) = ask { Some(question) } else { None }
    }

    fn answered(answer: &Answer) -> Option<&Window<Self>> {
        let Answer::List(answer) = answer else { return None };
        if let of::Answer::Fireworks(window) = &**answer { Some(window) } else { None }
    }
}

impl Row for WorkflowRow {
    const NOUN: &'static str = "workflow";
    const KEYS: &'static [SortKey] =
        &[SortKey::FwId, SortKey::Name, SortKey::State, SortKey::Size, SortKey::CreatedOn, SortKey::UpdatedOn];

    fn id(&self) -> FwId {
        self.id
    }

    fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    fn selection(filter: &Filter, now: Timestamp) -> Selection {
        filter.workflows(now)
    }

    fn target(selection: Selection) -> Target {
        Target::Workflows(Box::new(selection))
    }

    fn ask(question: of::Question) -> of::Ask {
        of::Ask::Workflows(question)
    }

    fn asked(ask: &Ask) -> Option<&of::Question> {
        if let Ask::List(of::Ask::Workflows(question)) = ask { Some(question) } else { None }
    }

    fn answered(answer: &Answer) -> Option<&Window<Self>> {
        let Answer::List(answer) = answer else { return None };
        if let of::Answer::Workflows(window) = &**answer { Some(window) } else { None }
    }
}
