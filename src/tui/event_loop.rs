//! Events come in, the state changes, the screen is drawn.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::{Context, Result};
use jiff::{SignedDuration, Timestamp};
use ratatui::crossterm::event::{self, Event as Input};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::event::Effect;
use super::heart::{self, Pace};
use super::lanes::Lanes;
use super::state::{App, Scene};
use super::terminal::Screen;
use super::view::{Look, draw};
use super::{Desk, Event, Key, threads};

/// How the monitor was called.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Nothing may be changed.
    pub read_only: bool,
    /// How often the store is looked at.
    pub interval: Duration,
    /// Whether there are colours.
    pub colours: bool,
}

/// What is shown grows older by itself.
const SECOND: Duration = Duration::from_secs(1);

/// Runs until the user ends it. `log` has the lines of the log, which must not be written over the screen.
pub fn run(desk: Desk, options: Options, log: Receiver<String>) -> Result<()> {
    let desk = Arc::new(desk);
    let (sender, events) = channel();
    let lanes = Lanes::start(&desk, &sender);
    let pace = Pace::new(options.interval);
    let signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCONT]).context("cannot listen for signals")?;
    let mut screen = Screen::open().context("cannot draw on this terminal")?;
    let size = screen.terminal.size().context("cannot tell the size of this terminal")?;
    let scene = Scene {
        place: desk.store.describe(),
        width: size.width,
        height: size.height,
        now: Timestamp::now(),
        ahead: SignedDuration::ZERO,
        changes: 0,
        read_only: options.read_only,
    };
    let mut app = App::new(scene, options.interval);
    let look = Look { colours: options.colours };
    let mut effects = app.begin();
    heart::start(desk, pace.clone(), sender.clone());
    listen(signals, log, &sender);
    loop {
        for effect in effects {
            match effect {
                Effect::Ask(ask) => lanes.ask(&ask),
                Effect::Pace(every) => pace.set(every),
                Effect::Suspend => screen.suspend().context("cannot come back to the terminal")?,
                Effect::Resume => screen.resume().context("cannot come back to the terminal")?,
                Effect::Redraw => screen.redraw().context("cannot draw on this terminal")?,
                Effect::Quit => return end(screen, &app),
            }
        }
        screen.terminal.draw(|frame| draw(frame, &app, &look)).context("cannot draw on this terminal")?;
        effects = match events.recv_timeout(SECOND) {
            Ok(event) => take(&mut app, event, &events),
            Err(RecvTimeoutError::Timeout) => app.update(Event::Clock(Timestamp::now())),
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        };
    }
}

/// The event, and those that have come with it: one drawing is enough for all of them.
fn take(app: &mut App, event: Event, events: &Receiver<Event>) -> Vec<Effect> {
    const TOGETHER: usize = 1000;
    let mut effects = app.update(Event::Clock(Timestamp::now()));
    for event in std::iter::once(event).chain(events.try_iter().take(TOGETHER)) {
        effects.extend(app.update(event));
    }
    effects
}

/// The terminal is as it was; what has gone wrong last stays to be read.
fn end(screen: Screen, app: &App) -> Result<()> {
    drop(screen);
    match &app.broken {
        Some(why) => Err(anyhow::anyhow!("{why}")),
        None => Ok(()),
    }
}

/// Keys, signals and the log, each in a thread that ends with this process.
fn listen(mut signals: Signals, log: Receiver<String>, events: &Sender<Event>) {
    let of_signals = events.clone();
    threads::start(events, move || {
        let event = |signal| if signal == SIGCONT { Event::Continued } else { Event::End };
        signals.forever().take_while(|signal| of_signals.send(event(*signal)).is_ok()).count();
    });
    let of_log = events.clone();
    threads::start(events, move || {
        log.into_iter().take_while(|line| of_log.send(Event::Log(line.clone())).is_ok()).count();
    });
    let of_keys = events.clone();
    threads::start(events, move || {
        loop {
            let input = event::read();
            let ends = input.is_err();
            let come = match input {
                Ok(Input::Key(key)) => Key::of(key).into_iter().map(Event::Key).collect(),
                Ok(Input::Paste(text)) => vec![Event::Paste(text)],
                Ok(Input::Resize(width, height)) => vec![Event::Resize(width, height)],
                Ok(Input::FocusGained) => vec![Event::Focus(true)],
                Ok(Input::FocusLost) => vec![Event::Focus(false)],
                Ok(Input::Mouse(_)) => Vec::new(),
                Err(_) => vec![Event::End],
            };
            if come.into_iter().any(|event| of_keys.send(event).is_err()) || ends {
                return;
            }
        }
    });
}
