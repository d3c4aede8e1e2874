//! A filter that is typed over a list: each key is applied at once.

use ratatui::crossterm::event::KeyCode;

use super::list::move_by;
use super::{Step, list_window};
use crate::launchpad::filter::Filter;
use crate::tui::state::Scene;
use crate::tui::state::list::{List, Prompt};
use crate::tui::state::list_row::Row;
use crate::tui::{Key, Motion};

/// Begins with the filter that there is.
pub fn open<R: Row>(list: &mut List<R>) {
    let mut text = list.filter.text().to_owned();
    if !text.is_empty() {
        text.push(' ');
    }
    list.prompt = Some(Prompt { text, old: list.filter.clone(), error: None });
}

/// A key while it is typed.
pub fn key<R: Row>(list: &mut List<R>, key: Key, scene: &Scene) -> Vec<Step> {
    let Some(prompt) = &mut list.prompt else { return Vec::new() };
    match (key.code, key.ctrl) {
        (KeyCode::Enter, _) if prompt.error.is_some() => return Vec::new(),
        (KeyCode::Enter, _) => {
            // What is marked would be acted on, though nobody sees it any more.
            if prompt.old.text() != list.filter.text() {
                list.marks.clear();
            }
            list.prompt = None;
            return list_window::count(list, scene).into_iter().collect();
        }
        (KeyCode::Esc, _) => {
            let old = std::mem::take(&mut prompt.old);
            list.prompt = None;
            let mut steps = apply(list, old, scene);
            steps.extend(list_window::count(list, scene));
            return steps;
        }
        (KeyCode::Backspace, _) | (KeyCode::Char('h'), true) => drop(prompt.text.pop()),
        (KeyCode::Char('u'), true) => prompt.text.clear(),
        (KeyCode::Char('w'), true) => {
            let kept = prompt.text.trim_end();
            let kept = kept.rfind(' ').map_or(0, |space| space + 1);
            prompt.text.truncate(kept);
        }
        (KeyCode::Char(letter), false) => prompt.text.push(letter),
        _ => return Motion::of(key).map(|motion| move_by(list, motion, scene)).unwrap_or_default(),
    }
    read(list, scene)
}

/// Text that is pasted. What is longer was not meant for a filter.
pub fn paste<R: Row>(list: &mut List<R>, text: &str, scene: &Scene) -> Vec<Step> {
    const LONGEST: usize = 10_000;
    let Some(prompt) = &mut list.prompt else { return Vec::new() };
    prompt.text.extend(text.chars().filter(|letter| !letter.is_control()).take(LONGEST));
    read(list, scene)
}

/// What is typed is applied, if it is a filter.
fn read<R: Row>(list: &mut List<R>, scene: &Scene) -> Vec<Step> {
    let Some(prompt) = &mut list.prompt else { return Vec::new() };
    match Filter::read(&prompt.text) {
        Ok(filter) => {
            prompt.error = None;
            apply(list, filter, scene)
        }
        Err(error) => {
            prompt.error = Some(error.to_string());
            Vec::new()
        }
    }
}

fn apply<R: Row>(list: &mut List<R>, filter: Filter, scene: &Scene) -> Vec<Step> {
    if filter.text() == list.filter.text() {
        return Vec::new();
    }
    list.filter = filter;
    list.count = None;
    list.all = false;
    list_window::restart(list, scene)
}
