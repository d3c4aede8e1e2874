//! What is loaded of a list: it follows what is seen.

use std::collections::HashMap;

use super::Step;
use crate::store::window::{Start, Window};
use crate::tui::ask::list::{self as of, Question, Rows};
use crate::tui::ask::{Answer, Ask};
use crate::tui::state::Scene;
use crate::tui::state::list::{Jump, List, page};
use crate::tui::state::list_row::Row;
use crate::workflow::FwId;

/// Goes to the first row of another order, or of what another filter selects.
pub fn restart<R: Row>(list: &mut List<R>, scene: &Scene) -> Vec<Step> {
    list.jump = Some(Jump::First);
    list.is_stale = true;
    list.trouble = None;
    list.before = None;
    vec![rows(list, scene)]
}

/// What is asked so that it is fresh.
pub fn asks<R: Row>(list: &List<R>, scene: &Scene) -> Vec<Ask> {
    let mut asks = vec![question(list, scene, true)];
    if is_counted(list) {
        asks.push(question(list, scene, false));
    }
    asks
}

/// The rows that belong around what is seen.
pub fn rows<R: Row>(list: &List<R>, scene: &Scene) -> Step {
    Step::Ask(question(list, scene, true))
}

/// The same, where they are running short.
pub fn more<R: Row>(list: &mut List<R>, scene: &Scene) -> Vec<Step> {
    if list.is_waiting || !list.is_short(page(scene)) {
        return Vec::new();
    }
    list.is_waiting = true;
    vec![rows(list, scene)]
}

/// How many there are, where that is not known.
pub fn count<R: Row>(list: &List<R>, scene: &Scene) -> Option<Step> {
    (list.count.is_none() && is_counted(list)).then(|| Step::Ask(question(list, scene, false)))
}

/// Rows come first, and what is still typed is not counted: that may take long.
fn is_counted<R: Row>(list: &List<R>) -> bool {
    !list.is_stale && list.prompt.is_none() && !(list.loaded.is_first && list.loaded.is_last)
}

fn question<R: Row>(list: &List<R>, scene: &Scene, for_rows: bool) -> Ask {
    let (start, size) = list.wanted(page(scene));
    Ask::List(R::ask(Question {
        filter: list.filter.text().to_owned(),
        selection: Box::new(R::selection(&list.filter, scene.store_now())),
        rows: for_rows.then(|| Box::new(Rows { sort: list.sort, start, size })),
    }))
}

/// An answer, if it is still of use.
pub fn take<R: Row>(list: &mut List<R>, ask: &Ask, answer: &Answer, scene: &Scene) -> Vec<Step> {
    let Some(question) = R::asked(ask).filter(|question| question.filter == list.filter.text()) else {
        return Vec::new();
    };
    match (&question.rows, R::answered(answer), answer) {
        (Some(rows), Some(window), _) if rows.sort == list.sort => take_rows(list, &rows.start, window, scene),
        (None, _, Answer::List(answer)) => {
            if let of::Answer::Count(count) = **answer {
                list.count = Some(count);
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// No answer. Whether it is about the rows of this list.
pub fn fail<R: Row>(list: &mut List<R>, ask: &Ask, why: &str) -> bool {
    let asked = R::asked(ask).filter(|question| question.filter == list.filter.text());
    let is_own = asked.is_some_and(|question| question.rows.as_ref().is_some_and(|rows| rows.sort == list.sort));
    if is_own {
        (list.trouble, list.is_waiting) = (Some(why.to_owned()), false);
    }
    is_own
}

fn take_rows<R: Row>(list: &mut List<R>, start: &Start, window: &Window<R>, scene: &Scene) -> Vec<Step> {
    let page = page(scene);
    (list.trouble, list.is_waiting) = (None, false);
    match list.jump {
        Some(jump) if jump.start() != *start => return Vec::new(),
        Some(jump) => {
            list.before = place(list, window);
            list.loaded = window.clone();
            (list.cursor, list.top) = match jump {
                Jump::First => (0, 0),
                Jump::Last => (window.rows.len().saturating_sub(1), window.rows.len()),
            };
            list.top = list.top(page);
        }
        None => {
            let is_seen = list.row().is_none_or(|row| window.rows.iter().any(|new| new.id() == row.id()));
            if !is_seen && *start != list.wanted(page).0 {
                // One has gone on meanwhile.
                return more(list, scene);
            }
            list.before = place(list, window);
            stay(list, window, page);
        }
    }
    list.jump = None;
    list.is_stale = false;
    if window.is_first && window.is_last {
        list.count = Some(window.rows.len() as u64);
    }
    let mut steps: Vec<Step> = count(list, scene).into_iter().collect();
    // An answer that has brought nothing new would bring nothing new again.
    if list.wanted(page).0 != *start {
        steps.extend(more(list, scene));
    }
    steps
}

/// How many rows come before these, as far as that can be told from what is known.
fn place<R: Row>(list: &List<R>, window: &Window<R>) -> Option<u64> {
    if window.is_first {
        return Some(0);
    }
    if window.is_last
        && let Some(count) = list.count
    {
        return Some(count.saturating_sub(window.rows.len() as u64));
    }
    let before = list.before?;
    let old = places(&list.loaded.rows);
    let (new, old) = window.rows.iter().enumerate().find_map(|(new, row)| Some((new, *old.get(&row.id())?)))?;
    (before + old as u64).checked_sub(new as u64)
}

/// The cursor stays on its row, or on the next one that is still there, and that on its line of the screen.
/// Where the first row is seen it remains so: what is new is seen.
fn stay<R: Row>(list: &mut List<R>, window: &Window<R>, page: usize) {
    let top = list.top(page);
    let line = list.cursor.saturating_sub(top);
    let new = places(&window.rows);
    let old = &list.loaded.rows;
    let at = list.cursor.min(old.len());
    let kept = old[at..].iter().chain(old[..at].iter().rev()).find_map(|row| new.get(&row.id()).copied());
    let from_first = top == 0 && list.loaded.is_first && window.is_first;
    list.loaded = window.clone();
    list.cursor = kept.unwrap_or(list.cursor).min(window.rows.len().saturating_sub(1));
    list.top = if from_first { 0 } else { list.cursor.saturating_sub(line) };
    list.top = list.top(page);
}

fn places<R: Row>(rows: &[R]) -> HashMap<FwId, usize> {
    rows.iter().enumerate().map(|(place, row)| (row.id(), place)).collect()
}
