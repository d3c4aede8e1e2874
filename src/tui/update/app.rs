//! What an event comes to.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use ratatui::crossterm::event::KeyCode;

use super::{Step, dialog, help, screen};
use crate::tui::ask::{Ask, Reply, Slot, Trouble, act};
use crate::tui::event::{Effect, Event};
use crate::tui::key::Key;
use crate::tui::state::{App, Health, Notice, Screen, Stack, TABS};

/// What has no watcher (heartbeats, say) is looked at so often though nothing seems to have changed.
const AGAIN: SignedDuration = SignedDuration::from_secs(10);
/// Nothing has changed for so long: it is looked less often.
const QUIET: SignedDuration = SignedDuration::from_secs(30);
/// How much less often then, or where nobody looks.
const SLOWER: u32 = 3;
/// What grows by itself is looked at so often.
const GROWS: SignedDuration = SignedDuration::from_secs(1);
/// Of so many screens the way back is known.
const DEEPEST: usize = 50;
/// So long something is said.
const SAID: SignedDuration = SignedDuration::from_secs(8);

impl App {
    /// What is asked before anything has happened.
    pub fn begin(&mut self) -> Vec<Effect> {
        self.refresh()
    }

    /// Changes as the event says.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Key(key) => self.key(key),
            Event::Paste(text) => self.paste(&text),
            Event::Resize(width, height) => {
                (self.view.width, self.view.height) = (width, height);
                self.refresh()
            }
            Event::Focus(focused) => {
                self.pace.focused = focused;
                let mut effects = if focused { self.refresh() } else { Vec::new() };
                effects.extend(self.new_pace());
                effects
            }
            Event::Clock(now) => {
                self.view.now = now;
                let is_covered = self.is_covered();
                if let Some(notice) = self.notice.as_mut().filter(|_| is_covered) {
                    notice.at = now;
                }
                self.notice.take_if(|notice| now.duration_since(notice.at) > SAID);
                let mut effects = self.look_at_what_grows();
                effects.extend(self.ask_what_is_owed());
                effects
            }
            Event::Pulse(pulse) => self.pulse(pulse),
            Event::Reply(reply) => self.reply(&reply),
            Event::Dropped(slot) => {
                self.traffic.answered(slot, Duration::ZERO, self.view.now);
                Vec::new()
            }
            Event::Log(line) => {
                self.log(&line);
                Vec::new()
            }
            Event::Continued => {
                // Nobody has waited for the store meanwhile.
                self.pace.heard = self.view.now;
                let mut effects = vec![Effect::Resume];
                effects.extend(self.refresh());
                effects
            }
            Event::End => vec![Effect::Quit],
            Event::Broken(why) => {
                self.broken = Some(why);
                vec![Effect::Quit]
            }
        }
    }

    /// Text goes where text is typed. Nobody agrees to anything by pasting.
    fn paste(&mut self, text: &str) -> Vec<Effect> {
        match &mut self.dialog {
            _ if self.view.is_too_small() => Vec::new(),
            Some(open) => {
                dialog::paste(open, text);
                Vec::new()
            }
            None => {
                let view = self.view.clone();
                let steps = screen::paste(self.screen_mut(), text, &view);
                self.steps(steps)
            }
        }
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        if key == Key::ctrl('c') {
            return self.end();
        }
        if key == Key::ctrl('z') {
            return vec![Effect::Suspend];
        }
        if self.view.is_too_small() {
            // Nobody sees what another key would do.
            return if key == Key::char('q') { self.end() } else { Vec::new() };
        }
        // Who types a text has not read yet what was said.
        if !self.is_covered() && !screen::types(self.screen()) {
            self.notice = None;
        }
        if let Some(lines) = self.help {
            self.help = help::key(self.screen(), lines, key, &self.view);
            return Vec::new();
        }
        if let Some(open) = self.dialog.take() {
            let (left, steps) = dialog::key(open, key, &self.view);
            self.dialog = left;
            return self.steps(steps);
        }
        let view = self.view.clone();
        if let Some(steps) = screen::key(self.screen_mut(), key, &view) {
            return self.steps(steps);
        }
        match (key.code, key.ctrl) {
            (KeyCode::Char(digit @ '1'..='4'), false) => {
                let tab = usize::from(digit as u8 - b'1');
                if tab == self.tab {
                    self.tabs[tab].above.clear();
                }
                self.show(tab)
            }
            (KeyCode::Tab, _) => self.show((self.tab + 1) % TABS.len()),
            (KeyCode::BackTab, _) => self.show((self.tab + TABS.len() - 1) % TABS.len()),
            (KeyCode::Char('?') | KeyCode::F(1), _) => {
                self.help = Some(0);
                Vec::new()
            }
            (KeyCode::Char('l'), true) => {
                let mut effects = vec![Effect::Redraw];
                effects.extend(self.look());
                effects
            }
            (KeyCode::Char('/'), false) => {
                self.say("there is no filter here: the lists in tabs 2 and 3 have one".to_owned(), false);
                Vec::new()
            }
            (KeyCode::Char('q'), false) => self.leave(),
            (KeyCode::Esc | KeyCode::Backspace, _) => self.steps(vec![Step::Back]),
            _ => Vec::new(),
        }
    }

    /// Back, then to the overview, then out.
    fn leave(&mut self) -> Vec<Effect> {
        match (self.tab, self.tabs[self.tab].above.is_empty()) {
            (_, false) => self.steps(vec![Step::Back]),
            (0, true) => self.end(),
            (_, true) => self.show(0),
        }
    }

    /// Whoever has agreed to something hears what came of it, or leaves all the same.
    fn end(&mut self) -> Vec<Effect> {
        if !self.traffic.is_open(&act::Ask::CARRY_OUT) || std::mem::replace(&mut self.leaves, true) {
            return vec![Effect::Quit];
        }
        self.say("an action is under way; once more to end nevertheless".to_owned(), true);
        Vec::new()
    }

    fn show(&mut self, tab: usize) -> Vec<Effect> {
        self.tab = tab;
        self.look()
    }

    /// Does what a screen wants.
    fn steps(&mut self, steps: Vec<Step>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for step in steps {
            match step {
                Step::Ask(ask) => effects.push(self.ask(ask)),
                Step::Open(screen) => {
                    let above = &mut self.tabs[self.tab].above;
                    above.push(screen);
                    // From firework to firework one may go all day.
                    above.drain(..above.len().saturating_sub(DEEPEST));
                    effects.extend(self.look());
                }
                Step::Show(screen) => {
                    self.tab = match screen {
                        Screen::Workflows(_) => 1,
                        Screen::Fireworks(_) => 2,
                        Screen::Queue(_) => 3,
                        _ => 0,
                    };
                    self.tabs[self.tab].above.clear();
                    self.tabs[self.tab].root = screen;
                    effects.extend(self.look());
                }
                Step::Back => {
                    if self.tabs[self.tab].above.pop().is_some() {
                        effects.extend(self.look());
                    }
                }
                Step::Act(..) if self.view.read_only => {
                    self.say("nothing can be changed: the monitor was started with --read-only".to_owned(), true);
                }
                Step::Act(action, target) => {
                    let (open, steps) = dialog::begin(action, target);
                    self.dialog = open;
                    effects.extend(self.steps(steps));
                }
                Step::Dialog(open) => self.dialog = Some(open),
                Step::Say(text) => self.say(text, false),
                Step::Fail(text) => self.say(text, true),
            }
        }
        effects
    }

    /// A line of the log, without its date; what is only told is no error.
    fn log(&mut self, line: &str) {
        let mut words = line.splitn(4, ' ').skip(2);
        let (level, text) = (words.next().unwrap_or_default(), words.next().unwrap_or(line));
        self.say(text.to_owned(), level != "INFO");
    }

    fn say(&mut self, text: String, is_error: bool) {
        self.notice = Some(Notice { text, is_error, at: self.view.now });
    }

    fn ask(&mut self, ask: Ask) -> Effect {
        self.traffic.asked(ask.slot(), self.view.now);
        Effect::Ask(Box::new(ask))
    }

    /// Asks for all that is seen because a user wishes to see it.
    fn look(&mut self) -> Vec<Effect> {
        self.pace.refreshed = Some(self.view.now);
        self.pace.owed.clear();
        let asks = screen::asks(self.screen(), &self.view);
        asks.into_iter().map(|ask| self.ask(ask)).collect()
    }

    /// The same where nobody has asked for it; what is under way, or rests, is owed.
    fn refresh(&mut self) -> Vec<Effect> {
        self.pace.refreshed = Some(self.view.now);
        let asks = screen::asks(self.screen(), &self.view);
        self.pace.owed = asks.iter().map(Ask::slot).collect();
        self.ask_what_is_owed()
    }

    fn ask_what_is_owed(&mut self) -> Vec<Effect> {
        let (traffic, now) = (&self.traffic, self.view.now);
        let free: BTreeSet<Slot> = self.pace.owed.extract_if(.., |slot| traffic.is_free(slot, now)).collect();
        if free.is_empty() {
            return Vec::new();
        }
        let asks = screen::asks(self.screen(), &self.view);
        asks.into_iter().filter(|ask| free.contains(&ask.slot())).map(|ask| self.ask(ask)).collect()
    }

    /// Files grow by themselves; they are looked at while somebody sees them.
    fn look_at_what_grows(&mut self) -> Vec<Effect> {
        let now = self.view.now;
        let is_due = self.pace.grown.is_none_or(|at| now.duration_since(at) >= GROWS);
        if !(is_due && self.pace.focused) {
            return Vec::new();
        }
        self.pace.grown = Some(now);
        let asks =
            screen::grows(self.screen(), &self.view).into_iter().filter(|ask| self.traffic.is_free(&ask.slot(), now));
        let asks: Vec<Ask> = asks.collect();
        asks.into_iter().map(|ask| self.ask(ask)).collect()
    }

    fn pulse(&mut self, pulse: Result<bool, Trouble>) -> Vec<Effect> {
        let now = self.view.now;
        (self.pace.heard, self.pace.patience) = (now, self.pace.told);
        let changed = match pulse {
            Ok(changed) => {
                let was_away = self.health != Health::Live;
                self.health = Health::Live;
                changed || was_away
            }
            Err(trouble) => {
                self.away(trouble);
                return Vec::new();
            }
        };
        self.view.changes += u64::from(changed);
        self.pace.quiet_since = if changed { None } else { self.pace.quiet_since.or(Some(now)) };
        let is_old = self.pace.refreshed.is_none_or(|at| now.duration_since(at) >= AGAIN);
        let mut effects = if changed || is_old { self.refresh() } else { Vec::new() };
        effects.extend(self.new_pace());
        self.pace.patience = self.pace.patience.max(self.pace.told);
        effects
    }

    /// How often the store is looked at from now on, if that is new.
    fn new_pace(&mut self) -> Option<Effect> {
        let is_quiet = self.pace.quiet_since.is_some_and(|since| self.view.now.duration_since(since) > QUIET);
        let slower = [is_quiet, !self.pace.focused].into_iter().filter(|slower| *slower).count();
        let pace = self.pace.interval.saturating_mul(SLOWER.pow(u32::try_from(slower).unwrap_or_default()));
        (std::mem::replace(&mut self.pace.told, pace) != pace).then_some(Effect::Pace(pace))
    }

    fn away(&mut self, trouble: Trouble) {
        if !trouble.is_away {
            self.say(trouble.text, true);
        } else if !matches!(self.health, Health::Away { .. }) {
            self.health = Health::Away { since: self.view.now, why: trouble.text };
        }
    }

    /// Whether the screens that have asked tell why there is no answer, for as long as there is none.
    fn is_told(&mut self, ask: &Ask, why: &str) -> bool {
        self.tabs
            .iter_mut()
            .flat_map(Stack::all)
            .filter_map(|screen| screen::fail(screen, ask, why).then_some(()))
            .count()
            > 0
    }

    fn reply(&mut self, reply: &Reply) -> Vec<Effect> {
        self.traffic.answered(reply.ask.slot(), reply.took, self.view.now);
        self.leaves &= self.traffic.is_open(&act::Ask::CARRY_OUT);
        match &reply.answer {
            Err(trouble) => {
                if let Ask::Act(ask) = &reply.ask {
                    self.dialog.take_if(|open| dialog::waits_for(open, ask));
                    self.say(trouble.text.clone(), true);
                }
                if trouble.is_away || !self.is_told(&reply.ask, &trouble.text) {
                    self.away(trouble.clone());
                }
                // Some of it may have been done.
                if reply.ask.slot() == act::Ask::CARRY_OUT { self.look() } else { Vec::new() }
            }
            Ok(answer) => {
                if let Some(at) = answer.clock() {
                    self.view.ahead = at.duration_since(self.view.now);
                }
                let is_typing = screen::types(self.screen());
                let (left, mut steps) = dialog::take(self.dialog.take(), &reply.ask, answer, is_typing);
                self.dialog = left;
                for screen in self.tabs.iter_mut().flat_map(Stack::all) {
                    steps.extend(screen::take(screen, &reply.ask, answer, &self.view));
                }
                let mut effects = self.steps(steps);
                if reply.ask.slot() == act::Ask::CARRY_OUT {
                    effects.extend(self.look());
                }
                effects
            }
        }
    }
}
