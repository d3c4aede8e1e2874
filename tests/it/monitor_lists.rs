//! The lists of the monitor: windows of any list, filters that are typed, marks, sort, and how they look.

use bson::doc;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::{Direction, SortKey};
use volley::tui::ask::{Ask, list as of};
use volley::tui::state::list::{Fireworks, Workflows, page};
use volley::tui::state::{App, Dialog, Screen};
use volley::tui::{Effect, Event};
use volley::verbs::action::{Action, Target};
use volley::workflow::{FwAction, FwId, State};

use crate::support::desk::{desk_on, settle};
use crate::support::rows::{Launchpad, firework, workflow};
use crate::support::screen::{app, asks, compare, picture, press};
use crate::support::{Launchpad as Stored, Worker, draft, outcome};

/// The fireworks of a launchpad on the screen.
fn shown(launchpad: &mut Launchpad) -> App {
    let mut app = app();
    let effects = press(&mut app, "3");
    launchpad.serve(&mut app, effects);
    app
}

fn keys(launchpad: &mut Launchpad, app: &mut App, keys: &str) {
    let effects = press(app, keys);
    launchpad.serve(app, effects);
}

/// Something has changed in the store.
fn pulse(launchpad: &mut Launchpad, app: &mut App) {
    app.update(Event::Clock(app.view.now + SignedDuration::from_secs(2)));
    let effects = app.update(Event::Pulse(Ok(true)));
    launchpad.serve(app, effects);
}

fn list(app: &App) -> &Fireworks {
    match app.screen() {
        Screen::Fireworks(list) => list,
        other => panic!("no list of fireworks: {other:?}"),
    }
}

fn at(app: &App) -> FwId {
    list(app).row().expect("a row").fw_id
}

fn ids(app: &App) -> Vec<FwId> {
    let Some(Dialog::Planning(_, Target::Fireworks(selection))) = &app.dialog else { panic!("{:?}", app.dialog) };
    selection.ids.clone().expect("ids")
}

#[test]
fn a_long_list_is_walked_from_end_to_end_with_few_rows_in_memory() {
    let mut launchpad = Launchpad::of(3000);
    let mut app = shown(&mut launchpad);
    assert_eq!((at(&app), list(&app).place(), list(&app).count), (3000, Some(1), Some(3000)));
    let mut most = 0;
    for id in (1..3000).rev() {
        keys(&mut launchpad, &mut app, "j");
        assert_eq!((at(&app), list(&app).place()), (id, Some(3001 - id as u64)));
        most = most.max(list(&app).loaded.rows.len());
    }
    assert!(most <= 5 * page(&app.view), "{most}");
    keys(&mut launchpad, &mut app, "jjj");
    assert_eq!(at(&app), 1);
    for id in 2..=3000 {
        keys(&mut launchpad, &mut app, "k");
        assert_eq!((at(&app), list(&app).place()), (id, Some(3001 - id as u64)));
    }
    // A window for every page or so, not for every row.
    assert!(launchpad.heard.len() < 6000 / page(&app.view) + 10, "{}", launchpad.heard.len());
}

#[test]
fn pages_are_there_before_one_comes_to_them() {
    let mut launchpad = Launchpad::of(3000);
    let mut app = shown(&mut launchpad);
    let page = page(&app.view);
    for pages in 1..50 {
        keys(&mut launchpad, &mut app, "<PageDown>");
        assert_eq!(list(&app).place(), Some((pages * page + 1) as u64));
    }
    for pages in (0..49).rev() {
        keys(&mut launchpad, &mut app, "<C-b>");
        assert_eq!(list(&app).place(), Some((pages * page + 1) as u64));
    }
}

#[test]
fn both_ends_are_a_key_away() {
    let mut launchpad = Launchpad::of(3000);
    let mut app = shown(&mut launchpad);
    let effects = press(&mut app, "G");
    assert_eq!(at(&app), 3000, "nothing moves before the answer");
    launchpad.serve(&mut app, effects);
    assert_eq!((at(&app), list(&app).place()), (1, Some(3000)));
    assert_eq!(list(&app).seen(page(&app.view)).last().map(|row| row.fw_id), Some(1));
    keys(&mut launchpad, &mut app, "kkg");
    assert_eq!((at(&app), list(&app).place()), (3000, Some(1)));
}

#[test]
fn the_cursor_stays_on_its_firework() {
    let mut launchpad = Launchpad::of(300);
    let mut app = shown(&mut launchpad);
    keys(&mut launchpad, &mut app, "<C-d><C-d><C-d>");
    let (id, line) = (at(&app), list(&app).cursor - list(&app).top);
    launchpad.fireworks.insert(301, firework(301, State::Ready, "new", 0));
    launchpad.fireworks.remove(&299);
    launchpad.fireworks.remove(&298);
    pulse(&mut launchpad, &mut app);
    assert_eq!((at(&app), list(&app).cursor - list(&app).top), (id, line));
    assert_eq!(list(&app).place(), Some(300 - id as u64));
    // Where it is gone, the next one is meant.
    launchpad.fireworks.remove(&id);
    pulse(&mut launchpad, &mut app);
    assert_eq!((at(&app), list(&app).cursor - list(&app).top), (id - 1, line));
}

#[test]
fn who_looks_at_the_first_rows_sees_new_ones() {
    let mut launchpad = Launchpad::of(300);
    let mut app = shown(&mut launchpad);
    launchpad.fireworks.insert(301, firework(301, State::Ready, "new", 0));
    pulse(&mut launchpad, &mut app);
    assert_eq!((at(&app), list(&app).top, list(&app).loaded.rows[0].fw_id), (300, 0, 301));
}

#[test]
fn a_filter_is_applied_while_it_is_typed() {
    let mut launchpad = Launchpad::of(300);
    for id in [7, 50, 200] {
        launchpad.fireworks.insert(id, firework(id, State::Fizzled, "relax", 60));
    }
    let mut app = shown(&mut launchpad);
    let effects = press(&mut app, "/s:FI");
    let asked: Vec<_> = asks(&effects).into_iter().cloned().collect();
    let of::Ask::Fireworks(first) = (match &asked[0] {
        Ask::List(ask) => ask,
        other => panic!("{other:?}"),
    }) else {
        panic!("{asked:?}")
    };
    assert_eq!((asked.len(), first.filter.as_str()), (4, "s"));
    // Only the answer to the newest one counts.
    let mut backwards = effects;
    backwards.reverse();
    launchpad.serve(&mut app, backwards);
    assert_eq!(list(&app).loaded.rows.iter().map(|row| row.fw_id).collect::<Vec<_>>(), [200, 50, 7]);
    assert_eq!(list(&app).count, Some(3));
    compare(&mut app, "fireworks-typing");
    // What is wrong is said in place, and the last good filter stays.
    assert!(press(&mut app, ",X").iter().all(|effect| !matches!(effect, Effect::Quit)));
    assert_eq!(list(&app).filter.text(), "s:FI,");
    press(&mut app, "<Enter>");
    assert!(list(&app).prompt.is_some());
    compare(&mut app, "fireworks-bad-filter");
    keys(&mut launchpad, &mut app, "<C-w>s:FIZZLED<Enter>");
    assert_eq!((list(&app).filter.text(), list(&app).count), ("s:FIZZLED", Some(3)));
    // Esc has the one before.
    keys(&mut launchpad, &mut app, "/<C-u>mine<Esc>");
    assert_eq!(list(&app).filter.text(), "s:FIZZLED");
    assert_eq!(list(&app).loaded.rows.len(), 3);
}

#[test]
fn letters_that_are_typed_are_no_keys() {
    let mut launchpad = Launchpad::of(30);
    let mut app = shown(&mut launchpad);
    keys(&mut launchpad, &mut app, "/qDr1?");
    assert_eq!(list(&app).filter.text(), "qDr1?");
    assert!(app.dialog.is_none() && app.help.is_none() && app.tab == 2);
    keys(&mut launchpad, &mut app, "<Backspace><Backspace>");
    assert_eq!(list(&app).filter.text(), "qDr");
    app.update(Event::Paste("x y\n".to_owned()));
    assert_eq!(list(&app).filter.text(), "qDrx y");
}

#[test]
fn nobody_waits_for_a_filter_that_takes_long() {
    let mut app = app();
    let (rows, page) = (press(&mut app, "3"), press(&mut app, "1"));
    let lane = |effects: &[Effect]| asks(effects)[0].slot().0;
    assert_ne!(lane(&rows), lane(&page));
}

#[test]
fn what_is_pasted_is_asked_for_once() {
    let mut launchpad = Launchpad::of(30);
    let mut app = shown(&mut launchpad);
    keys(&mut launchpad, &mut app, "/");
    let effects = app.update(Event::Paste("水".repeat(5000)));
    assert_eq!(asks(&effects).len(), 1);
    assert!(picture(&mut app, (60, 15)).contains(&"水".repeat(27)));
}

#[test]
fn columns_are_sorted_by_one_after_the_other() {
    let mut launchpad = Launchpad::of(30);
    let mut app = shown(&mut launchpad);
    let mut orders = vec![list(&app).sort];
    for _ in 0..7 {
        keys(&mut launchpad, &mut app, "s");
        orders.push(list(&app).sort);
    }
    let keys_of: Vec<SortKey> = orders.iter().map(|order| order.0).collect();
    assert_eq!(keys_of[..3], [SortKey::FwId, SortKey::Name, SortKey::State]);
    assert_eq!(keys_of[7], SortKey::FwId);
    assert_eq!((orders[0].1, orders[1].1), (Direction::Descending, Direction::Ascending));
    keys(&mut launchpad, &mut app, "S");
    assert_eq!((list(&app).sort, at(&app)), ((SortKey::FwId, Direction::Ascending), 1));
}

#[test]
fn an_action_is_for_the_row_or_the_marked_ones_or_all() {
    let mut launchpad = Launchpad::of(300);
    let mut app = shown(&mut launchpad);
    keys(&mut launchpad, &mut app, "jr");
    assert_eq!(ids(&app), [299]);
    keys(&mut launchpad, &mut app, "<Esc> j ");
    keys(&mut launchpad, &mut app, "<PageDown><PageDown><PageDown><PageDown>P");
    assert_eq!(ids(&app), [297, 299]);
    compare(&mut app, "fireworks-marked");
    keys(&mut launchpad, &mut app, "<Esc>A");
    assert!(picture(&mut app, (80, 24)).contains("the next action is for ALL 300 fireworks"));
    compare(&mut app, "fireworks-all");
    keys(&mut launchpad, &mut app, "c");
    let Some(Dialog::Planning(Action::Cancel, Target::Fireworks(all))) = &app.dialog else { panic!() };
    assert_eq!(all.ids, None);
    // Once only.
    keys(&mut launchpad, &mut app, "<Esc>r");
    assert_eq!(ids(&app), [297, 299]);
    keys(&mut launchpad, &mut app, "<Esc>a");
    assert!(list(&app).marks.is_empty());
    keys(&mut launchpad, &mut app, "a");
    assert_eq!(list(&app).marks.len(), page(&app.view));
}

#[test]
fn marks_do_not_outlive_what_was_shown() {
    let mut launchpad = Launchpad::of(300);
    let mut app = shown(&mut launchpad);
    keys(&mut launchpad, &mut app, "  /relax<Esc>");
    assert_eq!(list(&app).marks.len(), 2, "it is the filter from before");
    keys(&mut launchpad, &mut app, "/s:COMPLETED<Enter>");
    assert!(list(&app).marks.is_empty());
    let row = at(&app);
    keys(&mut launchpad, &mut app, "x");
    assert_eq!(ids(&app), [row]);
    // Esc takes marks away before it leads back.
    keys(&mut launchpad, &mut app, "<Esc> ");
    assert!(picture(&mut app, (60, 15)).contains("1 marked"));
    keys(&mut launchpad, &mut app, "<Esc>");
    assert!(list(&app).marks.is_empty());
}

#[test]
fn who_finds_nothing_learns_how_to_ask() {
    let mut empty = Launchpad::default();
    let mut app = shown(&mut empty);
    keys(&mut empty, &mut app, "/step 0<Enter>");
    assert!(picture(&mut app, (60, 15)).contains(r#""step 0" finds these words side by side"#));
    keys(&mut empty, &mut app, "/<C-u>7<Enter>");
    assert!(picture(&mut app, (60, 15)).contains("n:7 finds it in names"));
    keys(&mut empty, &mut app, "/<C-u>zz:1<Enter>");
    assert!(picture(&mut app, (140, 40)).contains("no key `zz:`"));
}

#[test]
fn rows_open_as_screens() {
    let mut launchpad = Launchpad::of(30);
    launchpad.workflows.insert(4, workflow(4, State::Running, "bulk", &[(State::Running, 2)]));
    for (key, kind) in
        [("<Enter>", "firework"), ("e", "firework"), ("f", "firework"), ("o", "graph"), ("w", "workflows")]
    {
        let mut app = shown(&mut launchpad);
        press(&mut app, key);
        let opened = match app.screen() {
            Screen::Firework(one) if one.fw_id == 30 => "firework",
            Screen::Graph(one) if one.fw_id == 30 => "graph",
            Screen::Workflows(one) if one.filter.text() == "w:30" => "workflows",
            other => panic!("{other:?}"),
        };
        assert_eq!(opened, kind, "{key}");
    }
    let mut app = app();
    keys(&mut launchpad, &mut app, "2");
    press(&mut app, "w");
    assert!(matches!(app.screen(), Screen::Fireworks(list) if list.filter.text() == "w:4"));
    press(&mut app, "<Esc>");
    press(&mut app, "<Enter>");
    assert!(matches!(app.screen(), Screen::Graph(graph) if graph.fw_id == 4));
}

#[test]
fn other_screens_can_show_a_filter() {
    assert_eq!(Fireworks::filtered("s:FIZZLED e:memory").filter.text(), "s:FIZZLED e:memory");
    let wrong = Workflows::filtered("s:DONE").prompt.expect("a prompt");
    assert!(wrong.error.is_some_and(|error| error.contains("no state begins with")));
}

#[test]
fn an_idle_list_asks_for_what_is_seen_only() {
    let mut launchpad = Launchpad::of(3000);
    let mut app = shown(&mut launchpad);
    launchpad.heard.clear();
    pulse(&mut launchpad, &mut app);
    assert_eq!(launchpad.heard.len(), 2, "the rows, and how many there are: {:?}", launchpad.heard);
}

#[test]
fn lists_of_all_kinds() {
    let mut empty = Launchpad::default();
    let mut app = shown(&mut empty);
    compare(&mut app, "fireworks-empty");
    keys(&mut empty, &mut app, "/s:RUNNING<Enter>");
    compare(&mut app, "fireworks-no-match");

    let mut mixed = Launchpad::default();
    let rows = [
        (State::Completed, "relax Cu fcc (conventional cell, 500 eV, fixed shape)", 3),
        (State::Running, "static Cu", 40),
        (State::Fizzled, "铜 表面 bulk to slabs Cu(111) 铜 表面 bulk to slabs Cu(111)", 400),
        (State::Waiting, "", 90_000),
        (State::Ready, "line\nbreak\tand \u{1b}[31mred", 900_000),
        (State::Paused, "é", 7000),
        (State::Defused, "x", 7300),
        (State::Reserved, "reserved", 1),
    ];
    for (number, (state, name, seconds)) in rows.into_iter().enumerate() {
        let id = 1_234_567 + number as FwId;
        let mut row = firework(id, state, name, seconds);
        row.priority = if number % 2 == 0 { volley::workflow::int(number as i64 * 100) } else { bson::Bson::Null };
        mixed.fireworks.insert(id, row);
    }
    let mut app = shown(&mut mixed);
    press(&mut app, "jj jj");
    compare(&mut app, "fireworks-mixed");

    let mut app = crate::support::screen::app();
    let mut workflows = Launchpad::default();
    for (id, state, name, counts) in [
        (1, State::Completed, "relax then static", vec![(State::Completed, 2)]),
        (
            3,
            State::Running,
            "screening of binary alloys, volume scan, 2026-11",
            vec![
                (State::Completed, 123_456),
                (State::Running, 480),
                (State::Fizzled, 17),
                (State::Waiting, 100_000),
                (State::Ready, 20_000),
            ],
        ),
        (250_000, State::Fizzled, "surface", vec![(State::Fizzled, 1), (State::Waiting, 3)]),
        (250_004, State::Paused, "held", vec![(State::Paused, 1), (State::Defused, 2)]),
    ] {
        workflows.workflows.insert(id, workflow(id, state, name, &counts));
    }
    keys(&mut workflows, &mut app, "2");
    compare(&mut app, "workflows-mixed");

    let mut large = Launchpad::of(20_000);
    let mut app = shown(&mut large);
    keys(&mut large, &mut app, "G<C-b>");
    compare(&mut app, "fireworks-large");
    press(&mut app, "?");
    compare(&mut app, "fireworks-help");
}

/// Two workflows of two fireworks: 1 -> 2, of which 1 has FIZZLED, and 3 -> 4.
fn stored() -> Vec<Stored> {
    let pads: Vec<Stored> = [Some(Stored::sqlite()), Stored::mongo()].into_iter().flatten().collect();
    for pad in &pads {
        let fw = |id: i64, name: &str| json!({"fw_id": id, "name": name, "spec": {"_tasks": [], "el": name}});
        let pair = |name: &str, names: [&str; 2]| {
            let fws = [fw(1, names[0]), fw(2, names[1])];
            draft(json!({"fws": fws, "links": {"1": [2]}, "name": name, "metadata": {}}))
        };
        let drafts = [pair("copper", ["Relax (Cu)", "static Cu"]), pair("silver", ["Relax (Ag)", "static Ag"])];
        pad.store.insert(&drafts, Timestamp::now()).expect("inserts");
        let worker = Worker::new("w");
        let claim = worker.claim_as(&*pad.store, 1, Some(1), volley::store::Order::Fifo).remove(0);
        let trace = doc! {"_exception": {"_stacktrace": "MemoryError: out of memory"}};
        let action = FwAction { stored_data: trace, ..FwAction::default() };
        pad.store.finish(&[outcome(&claim, State::Fizzled, action)], Timestamp::now()).expect("finishes");
    }
    pads
}

#[test]
fn filters_find_what_they_say_in_both_stores() {
    for pad in stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = desk_on(folder.path(), &pad.location);
        let mut app = app();
        app.update(Event::Clock(Timestamp::now()));
        let effects = press(&mut app, "3");
        settle(&mut app, &desk, effects);
        let effects = press(&mut app, "S");
        settle(&mut app, &desk, effects);
        for (filter, found) in [
            ("", vec![1, 2, 3, 4]),
            ("s:fizz", vec![1]),
            ("relax (", vec![1, 3]),
            ("n:CU n:relax", vec![1]),
            ("n:re:^static", vec![2, 4]),
            ("2-3", vec![2, 3]),
            ("w:4", vec![3, 4]),
            ("w:4 i:1,3", vec![3]),
            ("2 4", vec![2, 4]),
            ("cu 1", vec![]),
            ("e:\"OUT of MEM\"", vec![1]),
            ("e:segfault", vec![]),
            ("j:123", vec![]),
            ("since:1h", vec![1, 2, 3, 4]),
            ("since:2020-01-01 s:WAITING", vec![2, 4]),
            ("q:{'spec.el': 'static Ag'}", vec![4]),
            ("relax q:{'fw_id': {'$gt': 2}}", vec![3]),
        ] {
            let effects = press(&mut app, &format!("/<C-u>{filter}<Enter>"));
            settle(&mut app, &desk, effects);
            let ids: Vec<FwId> = list(&app).loaded.rows.iter().map(|row| row.fw_id).collect();
            assert_eq!((ids, list(&app).count), (found.clone(), Some(found.len() as u64)), "{filter}");
        }
        let effects = press(&mut app, "2S");
        settle(&mut app, &desk, effects);
        for (filter, found) in [
            ("", vec![1, 3]),
            ("copper", vec![1]),
            ("w:4", vec![3]),
            ("w:1 i:2", vec![1]),
            ("e:memory", vec![1]),
            ("4", vec![3]),
        ] {
            let effects = press(&mut app, &format!("/<C-u>{filter}<Enter>"));
            settle(&mut app, &desk, effects);
            let Screen::Workflows(list) = app.screen() else { panic!() };
            assert_eq!(list.loaded.rows.iter().map(|row| row.id).collect::<Vec<_>>(), found, "{filter}");
        }
    }
}

#[test]
fn the_priority_of_a_row_follows_the_key() {
    for pad in stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = desk_on(folder.path(), &pad.location);
        let mut app = app();
        for (keys, priority) in [("3", None), ("+", Some(1)), ("+", Some(2)), ("-", Some(1))] {
            let effects = press(&mut app, keys);
            settle(&mut app, &desk, effects);
            assert!(app.dialog.is_none(), "{keys}");
            let found = pad.store.find_fireworks(&volley::store::FireworkQuery::default()).expect("finds");
            let stored = found.iter().find(|one| one.fw_id == at(&app)).expect("the row");
            assert_eq!(stored.spec.get("_priority").and_then(volley::workflow::as_int), priority, "{keys}");
        }
        let said = app.notice.as_ref().map(|notice| notice.text.as_str());
        assert_eq!(said, Some("changed the priority of 1 firework by -1"));
    }
}

#[test]
fn a_fizzled_firework_is_run_again_from_its_row() {
    for pad in stored() {
        let folder = tempfile::tempdir().expect("a folder");
        let desk = desk_on(folder.path(), &pad.location);
        let mut app = app();
        let effects = press(&mut app, "3/s:FIZZLED<Enter>");
        settle(&mut app, &desk, effects);
        assert_eq!(at(&app), 1);
        let effects = press(&mut app, " r");
        settle(&mut app, &desk, effects);
        let Some(Dialog::Confirm { plan, .. }) = &app.dialog else { panic!("{:?} {:?}", app.dialog, app.notice) };
        assert_eq!(plan.seen.iter().map(|seen| (seen.fw_id, seen.state)).collect::<Vec<_>>(), [(1, State::Fizzled)]);
        let effects = press(&mut app, "y");
        settle(&mut app, &desk, effects);
        let effects = app.update(Event::Clock(app.view.now + SignedDuration::from_secs(2)));
        settle(&mut app, &desk, effects);
        assert!(app.notice.as_ref().is_some_and(|notice| !notice.is_error), "{:?}", app.notice);
        assert_eq!(
            pad.store.find_fireworks(&volley::store::FireworkQuery::default()).expect("finds")[0].state,
            State::Ready
        );
        // It is none of those any more that the filter shows, and is not marked.
        assert!(list(&app).loaded.rows.is_empty() && list(&app).marks.is_empty());
    }
}
