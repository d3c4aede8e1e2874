//! What an idle monitor costs a server: real questions, answered by a real store, on a clock that is moved by hand.

use std::time::Duration;

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::Order;
use volley::tui::state::App;
use volley::tui::{Desk, Effect, Event};

use crate::support::desk::{desk_on, reply};
use crate::support::line::Line;
use crate::support::screen::app;
use crate::support::{Launchpad, Worker, draft};

/// Answers all that is asked.
fn tell(app: &mut App, desk: &Desk, effects: Vec<Effect>) {
    for effect in effects {
        if let Effect::Ask(ask) = effect {
            let next = app.update(reply(desk, &ask));
            tell(app, desk, next);
        }
    }
}

#[test]
fn an_idle_overview_costs_two_commands_per_tick_at_most() {
    let Some(pad) = Launchpad::mongo() else { return };
    let fw = json!({"spec": {"_tasks": []}});
    let drafts: Vec<_> = (0..300).map(|_| draft(fw.clone())).collect();
    pad.store.insert(&drafts, Timestamp::now()).expect("inserts");
    // Where something runs, its signs of life are asked for.
    Worker::new("big").claim_as(&*pad.store, 1, None, Order::Fifo);

    let (line, location) = Line::location(&pad);
    let folder = tempfile::tempdir().expect("a folder");
    let desk = desk_on(folder.path(), &location);
    let mut app = app();
    let begun = Timestamp::now();
    app.update(Event::Clock(begun));
    let mut watch = desk.store.watch().expect("watches");
    let first = app.begin();
    tell(&mut app, &desk, first);
    let mut tick = |number: i64| {
        app.update(Event::Clock(begun + SignedDuration::from_secs(2 * number)));
        let changed = watch.changed(Duration::from_millis(20)).expect("answers");
        let effects = app.update(Event::Pulse(Ok(changed)));
        tell(&mut app, &desk, effects);
        changed
    };
    // All that is new has been told, and nothing more is.
    let rest = (1..).find(|number| !tick(*number) && *number > 30).expect("it rests");

    const TICKS: i64 = 30;
    let database = pad.database();
    database.run_command(doc! {"profile": 2}).run().expect("profiles");
    line.asked();
    let changes = (1..=TICKS).filter(|number| tick(rest + number)).count();
    let asked: Vec<String> = line.asked().iter().filter_map(|command| command.keys().next().cloned()).collect();
    database.run_command(doc! {"profile": 0}).run().expect("stops");
    assert_eq!(changes, 0, "nothing has changed");
    assert!(asked.len() >= 30 && asked.len() <= 2 * 30, "{} commands: {asked:?}", asked.len());
    let large = doc! {"$regex": "[.](fireworks|launches|workflows)$"};
    let scans = doc! {"planSummary": {"$regex": "COLLSCAN"}, "ns": large};
    let scan = database.collection::<Document>("system.profile").find_one(scans).run().expect("finds");
    assert_eq!(scan, None);
}
