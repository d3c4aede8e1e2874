//! The monitor as a whole: tabs, help, notices, a store that is away.

use std::time::Duration;

use jiff::SignedDuration;
use volley::tui::ask::{Reply, Trouble};
use volley::tui::state::{Screen, Traffic};
use volley::tui::{Effect, Event};

use crate::support::screen::{app, asks, compare, now, picture, press};

#[test]
fn tabs_are_shown_by_their_numbers() {
    let mut app = app();
    for (key, tab) in [("2", 1), ("3", 2), ("4", 3), ("1", 0), ("<Tab>", 1), ("<BackTab>", 0), ("<BackTab>", 3)] {
        press(&mut app, key);
        assert_eq!(app.tab, tab, "{key}");
    }
}

#[test]
fn a_store_that_is_away_is_told() {
    let mut app = app();
    let trouble = Trouble { text: "no answer from db.example.org".to_owned(), is_away: true };
    app.update(Event::Pulse(Err(trouble)));
    app.update(Event::Clock(now() + SignedDuration::from_secs(75)));
    assert!(picture(&mut app, (140, 40)).contains("the store is away for 75 s: no answer from db.example.org"));
    app.update(Event::Pulse(Ok(false)));
    assert!(!picture(&mut app, (140, 40)).contains("away"));
}

#[test]
fn a_quiet_launchpad_is_looked_at_less_often() {
    let mut app = app();
    app.begin();
    let mut paces = Vec::new();
    for second in 0..40 {
        app.update(Event::Clock(now() + SignedDuration::from_secs(second)));
        let effects = app.update(Event::Pulse(Ok(second == 0)));
        paces.extend(effects.into_iter().filter(|effect| matches!(effect, Effect::Pace(_))));
    }
    assert_eq!(paces, [Effect::Pace(Duration::from_secs(6))]);
    assert_eq!(app.update(Event::Focus(false)), [Effect::Pace(Duration::from_secs(18))]);
}

#[test]
fn a_store_that_hangs_is_told() {
    let mut app = app();
    app.update(Event::Pulse(Ok(true)));
    app.update(Event::Clock(now() + SignedDuration::from_secs(1)));
    assert!(!picture(&mut app, (140, 40)).contains("waiting"));
    app.update(Event::Clock(now() + SignedDuration::from_secs(9)));
    assert!(picture(&mut app, (140, 40)).contains("waiting for an answer"), "{}", picture(&mut app, (140, 40)));
}

#[test]
fn what_could_not_be_asked_is_asked_later() {
    let mut app = app();
    let begun = app.begin();
    let first = asks(&begun)[0].clone();
    assert!(app.update(Event::Pulse(Ok(true))).is_empty(), "all of that is under way");
    let late = Trouble { text: "late".to_owned(), is_away: false };
    app.update(Event::Reply(Box::new(Reply {
        ask: first.clone(),
        answer: Err(late),
        took: Duration::from_millis(300),
    })));
    assert!(app.update(Event::Clock(now() + SignedDuration::from_secs(1))).is_empty(), "it took long");
    let again = app.update(Event::Clock(now() + SignedDuration::from_secs(2)));
    assert_eq!(asks(&again).iter().map(|ask| ask.slot()).collect::<Vec<_>>(), [first.slot()]);
}

#[test]
fn the_log_is_shown_below() {
    let mut app = app();
    app.update(Event::Log("2026-11-26 12:00:00,000 WARNING a clock is late".to_owned()));
    assert!(picture(&mut app, (80, 24)).ends_with(" a clock is late\n"));
    app.update(Event::Clock(now() + SignedDuration::from_secs(10)));
    assert!(!picture(&mut app, (80, 24)).contains("late"));
}

#[test]
fn a_terminal_that_is_too_small_is_told() {
    assert!(picture(&mut app(), (40, 10)).contains("at least 60x15 is needed"));
}

#[test]
fn keys_are_explained() {
    let mut app = app();
    press(&mut app, "?");
    compare(&mut app, "help");
    press(&mut app, "<Esc>");
    assert!(app.help.is_none());
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn why_there_is_nothing_to_see_stays_to_be_read() {
    let mut app = app();
    let lists = press(&mut app, "3");
    app.tabs[0].above.push(Screen::firework(7));
    app.tabs[1].above.push(Screen::graph(7));
    let (page, graph) = (press(&mut app, "1"), press(&mut app, "2"));
    for (tab, ask) in [("3", asks(&lists)[0]), ("1", asks(&page)[0]), ("2", asks(&graph)[0])] {
        let why = Trouble { text: "there is no firework 7".to_owned(), is_away: false };
        app.update(Event::Reply(Box::new(Reply { ask: ask.clone(), answer: Err(why), took: Duration::ZERO })));
        press(&mut app, tab);
        app.update(Event::Clock(now() + SignedDuration::from_secs(60)));
        for size in [(60, 15), (80, 24)] {
            let seen = picture(&mut app, size);
            let is_right = seen.contains("there is no firework 7\n");
            assert!(is_right && !seen.contains("looking") && !seen.contains("being read"), "{seen}");
        }
    }
}

#[test]
fn what_is_wrong_is_read_on_a_small_terminal() {
    let mut app = app();
    let trouble = Trouble { text: "no answer from db.example.org".to_owned(), is_away: true };
    app.update(Event::Pulse(Err(trouble)));
    app.update(Event::Log("2026-11-26 12:00:00,000 ERROR ".to_owned() + &"words that are many ".repeat(6) + "end"));
    let seen = picture(&mut app, (60, 15));
    assert!(seen.contains("the store is away for 0 s: no") && seen.contains(" end\n ? help"), "{seen}");
}

#[test]
fn the_way_back_has_an_end() {
    let mut app = app();
    app.tabs[0].above.push(Screen::firework(7));
    for _ in 0..1000 {
        press(&mut app, "o");
        app.tabs[0].above.push(Screen::firework(7));
    }
    assert!(app.tabs[0].above.len() < 100, "{} screens", app.tabs[0].above.len());
}

#[test]
fn who_comes_back_to_a_quiet_launchpad_is_not_told_that_it_hangs() {
    let mut app = app();
    let later = |seconds| Event::Clock(now() + SignedDuration::from_secs(seconds));
    app.update(Event::Pulse(Ok(true)));
    app.update(Event::Pulse(Ok(false)));
    app.update(later(40));
    app.update(Event::Focus(false));
    app.update(Event::Pulse(Ok(false)));
    assert_eq!(app.pace.told, Duration::from_secs(18));
    app.update(later(55));
    // All that was asked is answered.
    app.traffic = Traffic::default();
    app.update(Event::Focus(true));
    assert_eq!(app.waits(), None, "whoever looks for changes has still to wait");
    app.update(later(61));
    assert!(app.waits().is_some());
}

#[test]
fn the_help_is_scrolled_as_far_as_it_goes() {
    let mut app = app();
    press(&mut app, "3");
    picture(&mut app, (60, 15));
    press(&mut app, "?G");
    let end = picture(&mut app, (60, 15));
    press(&mut app, "jjjjk");
    assert_ne!(picture(&mut app, (60, 15)), end, "one line up from the end");
    press(&mut app, "g<C-d>");
    assert!(app.help.is_some());
    press(&mut app, "x");
    assert!(app.help.is_none() && app.dialog.is_none());
}

#[test]
fn what_cannot_be_seen_answers_no_key() {
    let mut app = app();
    press(&mut app, "3?");
    app.update(Event::Resize(59, 15));
    press(&mut app, "2j<Esc>r");
    assert_eq!((app.tab, app.help), (2, Some(0)));
    assert!(app.update(Event::Paste("q".to_owned())).is_empty());
    assert_eq!(press(&mut app, "<C-c>"), [Effect::Quit]);
    assert_eq!(press(&mut app, "<C-z>"), [Effect::Suspend]);
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
    app.update(Event::Resize(60, 15));
    press(&mut app, "<Esc>2");
    assert_eq!((app.tab, app.help), (1, None));
}

#[test]
fn q_leads_to_the_overview_and_out_and_esc_back_only() {
    let mut app = app();
    for tab in ["2", "3", "4"] {
        press(&mut app, tab);
        press(&mut app, "<Esc>");
        assert_ne!(app.tab, 0);
        assert!(!press(&mut app, "q").contains(&Effect::Quit));
        assert_eq!(app.tab, 0, "{tab}");
    }
    assert!(press(&mut app, "<Esc>").is_empty());
    assert_eq!(press(&mut app, "q"), [Effect::Quit]);
}

#[test]
fn the_number_of_a_tab_leads_back_to_its_first_screen() {
    let mut app = app();
    press(&mut app, "3");
    app.tabs[2].above.push(Screen::firework(7));
    press(&mut app, "2");
    press(&mut app, "3");
    assert!(matches!(app.screen(), Screen::Firework(_)), "it is where it was left");
    press(&mut app, "3");
    assert!(matches!(app.screen(), Screen::Fireworks(_)));
}

#[test]
fn where_there_is_no_filter_that_is_said() {
    let mut app = app();
    app.tabs[2].above.extend([Screen::firework(7), Screen::graph(7)]);
    for key in ["1", "4", "3", "<Esc>"] {
        press(&mut app, key);
        press(&mut app, "/");
        let said = app.notice.as_ref().map(|notice| notice.text.as_str()).unwrap_or_default();
        assert!(said.contains("no filter here"), "{key}: {said}");
    }
}

#[test]
fn what_was_said_goes_with_the_next_key() {
    let mut app = app();
    press(&mut app, "/");
    assert!(picture(&mut app, (80, 24)).contains("no filter here"));
    press(&mut app, "2");
    assert!(!picture(&mut app, (80, 24)).contains("no filter here"));
    // It is not lost below the help.
    press(&mut app, "?");
    app.update(Event::Log("2026-11-26 12:00:00,000 WARNING a clock is late".to_owned()));
    app.update(Event::Clock(now() + SignedDuration::from_secs(100)));
    assert!(!picture(&mut app, (80, 24)).contains("a clock is late"));
    press(&mut app, "<Esc>");
    assert!(picture(&mut app, (80, 24)).contains("a clock is late"));
}

#[test]
fn what_is_long_is_said_in_lines() {
    let mut app = app();
    let words = (1..=40).map(|number| format!("word{number}")).collect::<Vec<_>>().join(" ");
    app.update(Event::Log(format!("2026-11-26 12:00:00,000 WARNING {words}")));
    compare(&mut app, "notice-long");
    assert!(picture(&mut app, (80, 24)).contains("word40"));
    assert!(picture(&mut app, (80, 24)).contains("? help"));
    app.update(Event::Log(format!("2026-11-26 12:00:00,000 WARNING {words} {words} {words}")));
    assert!(picture(&mut app, (60, 15)).contains('…'));
}

#[test]
fn who_only_reads_sees_no_keys_that_act() {
    let mut app = app();
    app.view.read_only = true;
    press(&mut app, "3");
    compare(&mut app, "read-only");
    for tab in ["1", "2", "3", "4"] {
        press(&mut app, tab);
        assert!(picture(&mut app, (140, 40)).lines().next().is_some_and(|line| line.contains("read-only")));
        press(&mut app, "?");
        let help = picture(&mut app, (140, 40));
        assert!(
            !["rerun", "run again", "cancel", "delete", "priority"].iter().any(|word| help.contains(word)),
            "{help}"
        );
        press(&mut app, "<Esc>");
    }
}
