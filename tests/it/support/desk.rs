//! What the questions of the monitor are answered with.

use std::collections::VecDeque;
use std::path::Path;

use volley::config::{Flags, Surroundings, load};
use volley::store::{self, Location};
use volley::tui::ask::{Ask, Lane, Reply, Trouble};
use volley::tui::state::App;
use volley::tui::{Desk, Effect, Event};

/// A desk in a folder, on a launchpad of its own there.
pub fn desk(folder: &Path) -> Desk {
    desk_on(folder, &Location::Sqlite(folder.join("launchpad.db")))
}

/// On a given launchpad.
pub fn desk_on(folder: &Path, location: &Location) -> Desk {
    let path = folder.to_owned();
    let around = Surroundings {
        cwd: path.clone(),
        home: path.clone(),
        data: path.join("data"),
        config: path.join("config"),
        launchpad: Some(path.join("launchpad.db").display().to_string()),
        fw_config_file: None,
    };
    let mut settings = load(&Flags::default(), &around).expect("loads").settings;
    settings.location = location.clone();
    Desk::new(settings, store::open(location).expect("opens"))
}

/// Answers a question as a lane does.
pub fn reply(desk: &Desk, ask: &Ask) -> Event {
    let answer = ask.answer(desk).map_err(|error| Trouble::of(&error));
    Event::Reply(Box::new(Reply { ask: ask.clone(), answer, took: std::time::Duration::from_millis(2) }))
}

/// Answers what is asked, and what is asked then, until nothing is.
pub fn settle(app: &mut App, desk: &Desk, effects: Vec<Effect>) {
    let mut waiting = VecDeque::from(effects);
    while let Some(effect) = waiting.pop_front() {
        if let Effect::Ask(ask) = effect
            && matches!(ask.slot().0, Lane::Store | Lane::Lists | Lane::Files | Lane::Act)
        {
            waiting.extend(app.update(reply(desk, &ask)));
        }
    }
}
