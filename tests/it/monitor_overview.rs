//! The overview: what is drawn of what is known, where keys lead, and how seldom anything is asked.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use volley::launchpad::crew::{Crew, Member};
use volley::launchpad::errors::{Cause, Group};
use volley::launchpad::report::Period;
use volley::store::WorkerRecord;
use volley::store::counts::Counts;
use volley::store::ledger::{Daemon, Entry, Holder, JobName, Key, Ledger, Word};
use volley::tui::ask::overview::{self, Part};
use volley::tui::ask::queue::{self, Jobs, Listing};
use volley::tui::ask::{Answer, Ask, act};
use volley::tui::state::{App, Screen};
use volley::tui::{Effect, Event};
use volley::verbs::action::{Action, Basis, Outcome, Plan, Target};
use volley::workflow::{FwId, Loss, QueueJob, State};

use crate::monitor_queue::{job, pilots};
use crate::support::screen::{answer, app, asks, compare, now, picture, press};

/// What there is to be seen.
#[derive(Default)]
pub struct Facts {
    fireworks: Vec<(State, u64)>,
    workflows: Vec<(State, u64)>,
    crew: Crew,
    ledgers: Vec<(Key, Ledger)>,
    minutes: Vec<Period>,
    hours: Vec<Period>,
    failures: Vec<Group>,
    unable: Vec<WorkerRecord>,
    jobs: Option<Jobs>,
}

impl Facts {
    fn of(&self, ask: &Ask) -> Option<Answer> {
        let Ask::Overview(ask) = ask else {
            let nothing = || Ok(Listing { queue: "Slurm".into(), jobs: Vec::new() });
            return Some(Answer::Queue(Box::new(queue::Answer::Jobs(self.jobs.clone().unwrap_or_else(nothing)))));
        };
        let counts = || Counts {
            at: now(),
            fireworks: self.fireworks.iter().copied().collect(),
            workflows: self.workflows.iter().copied().collect(),
        };
        Some(Answer::Overview(Box::new(match ask.part {
            Part::Counts => overview::Answer::Counts(counts(), now()),
            Part::Crew => overview::Answer::Crew(self.crew.clone()),
            Part::Places => overview::Answer::Places(self.ledgers.clone()),
            Part::Throughput { .. } => {
                overview::Answer::Throughput { minutes: self.minutes.clone(), hours: self.hours.clone(), at: now() }
            }
            Part::Failures(_) => overview::Answer::Failures(self.failures.clone(), None),
            Part::Unable => overview::Answer::Unable(self.unable.clone()),
        })))
    }

    /// A monitor that knows all of it.
    fn shown(&self) -> App {
        let mut app = app();
        let begun = app.begin();
        self.tell(&mut app, &begun);
        app.update(Event::Clock(now() + SignedDuration::from_millis(500)));
        let first = app.update(Event::Pulse(Ok(true)));
        self.tell(&mut app, &first);
        app
    }

    /// Answers what is asked, and what is asked thereupon. Returns what was asked.
    fn tell(&self, app: &mut App, effects: &[Effect]) -> Vec<&'static str> {
        let mut told = Vec::new();
        for ask in asks(effects) {
            let Some(known) = self.of(ask) else { continue };
            told.push(ask.slot().1);
            let next = answer(app, ask, known);
            told.extend(self.tell(app, &next));
        }
        told
    }
}

fn before(seconds: i64) -> Option<Timestamp> {
    Some(now() - SignedDuration::from_secs(seconds))
}

fn member(name: &str, host: &str, id: Option<&str>, runs: std::ops::Range<FwId>, slots: usize) -> Member {
    Member {
        name: Some(name.to_owned()),
        host: Some(host.to_owned()),
        pid: Some(7),
        job: id.map(|id| QueueJob { id: id.to_owned(), cluster: Some("east".to_owned()), restarts: 0 }),
        runs: runs.collect(),
        slots: Some(slots),
        heard: before(4),
        idle: None,
    }
}

fn group(exception: &str, message: &str, place: &str, fw_ids: std::ops::Range<FwId>, seconds: i64) -> Group {
    Group {
        number: 1,
        cause: Cause {
            exception: Some(exception.to_owned()),
            message: message.to_owned(),
            task: Some("EmtRelaxTask".to_owned()),
            place: Some(place.to_owned()),
        },
        fw_ids: fw_ids.collect(),
        hosts: [("n1".to_owned(), 1)].into(),
        newest: before(seconds),
        example: 1,
    }
}

/// Periods that end now, the newest last.
fn periods(step: SignedDuration, characters: usize, counts: &[(u64, u64)]) -> Vec<Period> {
    let period = |(back, &(completed, fizzled)): (usize, &(u64, u64))| {
        let at = now() - step * i32::try_from(back).expect("is small");
        Period {
            date_key: at.to_string()[..characters].to_owned(),
            states: vec![(State::Completed, completed), (State::Fizzled, fizzled)],
        }
    };
    counts.iter().rev().enumerate().map(period).collect()
}

fn small() -> Facts {
    Facts {
        fireworks: vec![(State::Waiting, 2), (State::Ready, 1), (State::Running, 1), (State::Completed, 3)],
        workflows: vec![(State::Running, 1), (State::Completed, 1)],
        crew: Crew { members: vec![member("laptop", "laptop", None, 4..5, 2)], lost: Vec::new() },
        minutes: periods(SignedDuration::from_mins(1), 16, &[(1, 0), (0, 0), (2, 0), (0, 0)]),
        jobs: Some(Ok(Listing { queue: "local".into(), jobs: Vec::new() })),
        ..Facts::default()
    }
}

fn large() -> Facts {
    let wave = |count: u64| -> Vec<(u64, u64)> {
        (0..count).map(|i| (i * i % 97 * 40, if i % 9 == 0 { i % 5 } else { 0 })).collect()
    };
    let mut members: Vec<Member> = (0..30)
        .map(|i| {
            member(
                "production-worker-of-the-group",
                &format!("node{i:04}"),
                Some(&format!("48211{i:02}")),
                i * 8..i * 8 + 8,
                8,
            )
        })
        .collect();
    members[3].name = Some("铜表面弛豫".to_owned());
    let daemon = Daemon {
        id: "launcher-1".into(),
        holder: Holder { host: "login2".into(), ..Holder::default() },
        command: "qlaunch rapidfire".into(),
        log: None,
        status: "32 of 40 jobs; the next one when one of them begins".into(),
        began: before(7200).expect("is before"),
        heard: now(),
        stop: false,
    };
    let idle = Entry {
        token: "/launches/31".into(),
        element: None,
        holder: Holder::default(),
        taken: now(),
        group: None,
        job: Some(JobName { id: "4821131".into(), cluster: None }),
        word: before(250).map(Word::Idle),
        missed: None,
    };
    let key = Key { cluster: "east".into(), user: "1000".into() };
    Facts {
        fireworks: vec![
            (State::Waiting, 230_187),
            (State::Ready, 41_000),
            (State::Reserved, 12),
            (State::Running, 240),
            (State::Completed, 728_431),
            (State::Fizzled, 118),
            (State::Paused, 5),
            (State::Defused, 4),
            (State::Archived, 3),
        ],
        workflows: vec![(State::Running, 9_612), (State::Completed, 40_388), (State::Fizzled, 118)],
        crew: Crew { members, lost: Vec::new() },
        ledgers: vec![(key, Ledger { jobs: vec![idle], daemons: vec![daemon], revision: 0 })],
        minutes: periods(SignedDuration::from_mins(1), 16, &wave(60)),
        hours: periods(
            SignedDuration::from_hours(1),
            13,
            &wave(24).iter().map(|(done, bad)| (done * 59, *bad)).collect::<Vec<_>>(),
        ),
        failures: vec![
            group("RuntimeError", "the cell of the slab is too small for this cutoff", "cells, emt.py", 100..214, 35),
            group("FileNotFoundError", "[Errno <n>] No such file or directory: '…'", "read, io.py", 7..11, 8000),
        ],
        jobs: Some(Ok(Listing { queue: "Slurm".into(), jobs: pilots(32) })),
        ..Facts::default()
    }
}

fn failing() -> Facts {
    let groups = (0..12).map(|i| {
        group("ValueError", &format!("cause {i} of many\u{1b}[2J"), "f, g.py", i * 10..i * 10 + 9 - i / 2, 60 * i)
    });
    let loss = |fw_id: FwId| {
        let text = "the lease of process 7 on n1 ended 3 min ago";
        (fw_id, Loss::new(volley::workflow::Cause::Unexplained, text))
    };
    Facts {
        fireworks: vec![(State::Waiting, 40), (State::Fizzled, 90)],
        workflows: vec![(State::Fizzled, 30)],
        crew: Crew { members: Vec::new(), lost: vec![loss(7), loss(9)] },
        minutes: periods(SignedDuration::from_mins(1), 16, &[(0, 40), (0, 3)]),
        failures: groups.collect(),
        unable: vec![WorkerRecord {
            name: "big".into(),
            host: "n1".into(),
            cannot: [("VaspTask".to_owned(), "there is no Python".to_owned())].into(),
            lacks: [].into(),
            updated_on: now(),
        }],
        jobs: Some(Err("`squeue` did not answer within 60 s".into())),
        ..Facts::default()
    }
}

#[test]
fn what_is_known_is_drawn() {
    compare(&mut app(), "overview-unknown");
    compare(&mut Facts::default().shown(), "overview-empty");
    compare(&mut small().shown(), "overview-small");
    compare(&mut large().shown(), "overview-large");
    compare(&mut failing().shown(), "overview-failing");
}

#[test]
fn rows_are_scrolled_to_the_chosen_one() {
    let mut app = large().shown();
    press(&mut app, "G");
    assert!(picture(&mut app, (60, 15)).contains("FileNotFoundError"));
    press(&mut app, "gj<C-d>");
    let shown = picture(&mut app, (60, 15));
    assert!(shown.contains("4821107") && !shown.contains("4821100"), "{shown}");
}

#[test]
fn enter_opens_what_is_chosen() {
    let mut app = failing().shown();
    press(&mut app, "l");
    press(&mut app, "<Enter>");
    assert_eq!(app.tab, 2, "the fireworks in a state");
    press(&mut app, "1j<Enter>");
    assert!(matches!(app.screen(), Screen::Firework(one) if one.fw_id == 7), "a lost one");
    press(&mut app, "<Esc>jjj<Enter>");
    assert_eq!(app.tab, 3, "the queue");
    press(&mut app, "1j<Enter>");
    assert_eq!(app.tab, 2, "the fireworks of a failure");
    let mut app = small().shown();
    press(&mut app, "j<Enter>");
    assert!(matches!(app.screen(), Screen::Firework(one) if one.fw_id == 4), "what a worker runs");
}

#[test]
fn failures_are_run_again() {
    let mut app = large().shown();
    let effects = press(&mut app, "Gr");
    let [Ask::Act(volley::tui::ask::act::Ask::Plan(Action::Rerun { .. }, Target::Fireworks(selection)))] =
        asks(&effects)[..]
    else {
        panic!("{effects:?}")
    };
    assert_eq!(selection.ids, Some((7..11).collect()));
}

#[test]
fn the_cursor_stays_with_what_it_is_on() {
    let mut facts = failing();
    let mut app = facts.shown();
    press(&mut app, "l");
    facts.fireworks.insert(0, (State::Ready, 3));
    app.update(Event::Clock(now() + SignedDuration::from_secs(2)));
    let effects = app.update(Event::Pulse(Ok(true)));
    facts.tell(&mut app, &effects);
    let Screen::Overview(one) = app.screen() else { panic!("the overview") };
    assert_eq!(one.chosen(), Some(volley::tui::state::overview::Item::State(State::Fizzled)));
}

#[test]
fn the_cursor_stays_with_its_worker() {
    let mut facts = small();
    let mut app = facts.shown();
    press(&mut app, "j");
    facts.crew.members.insert(0, member("another", "laptop", None, 7..9, 2));
    facts.crew.members[1].runs = vec![5];
    app.update(Event::Clock(now() + SignedDuration::from_secs(2)));
    let effects = app.update(Event::Pulse(Ok(true)));
    facts.tell(&mut app, &effects);
    press(&mut app, "<Enter>");
    assert!(matches!(app.screen(), Screen::Firework(one) if one.fw_id == 5), "what it runs by now");
}

/// What is asked of the store in so many ticks of two seconds in which nothing changes, after a while.
fn asked_while_idle(facts: &Facts, ticks: i64) -> Vec<&'static str> {
    const WHILE: i64 = 40;
    let mut app = facts.shown();
    let mut asked = Vec::new();
    for tick in 1..=WHILE + ticks {
        app.update(Event::Clock(now() + SignedDuration::from_secs(2 * tick)));
        let effects = app.update(Event::Pulse(Ok(false)));
        let told = facts.tell(&mut app, &effects);
        asked.extend(told.into_iter().filter(|_| tick > WHILE));
    }
    asked.retain(|name| *name != "jobs");
    asked
}

#[test]
fn an_idle_launchpad_is_hardly_asked() {
    let facts = Facts { fireworks: vec![(State::Completed, 1_000_000)], ..Facts::default() };
    let asked = asked_while_idle(&facts, 100);
    assert!(asked.len() <= 4 && asked.iter().all(|name| *name == "places"), "{asked:?}");
    // Where something runs, its signs of life are looked at.
    let asked = asked_while_idle(&small(), 100);
    assert!(asked.len() <= 24 && asked.iter().all(|name| ["places", "crew"].contains(name)), "{asked:?}");
}

#[test]
fn the_queue_is_asked_seldom() {
    let facts = small();
    let mut app = facts.shown();
    let mut asked = 0;
    for second in 1..=120 {
        app.update(Event::Clock(now() + SignedDuration::from_secs(second)));
        let effects = app.update(Event::Pulse(Ok(true)));
        asked += facts.tell(&mut app, &effects).iter().filter(|name| **name == "jobs").count();
    }
    assert_eq!(asked, 4);
    app.update(Event::Clock(now() + SignedDuration::from_secs(121)));
    assert!(!asks(&press(&mut app, "<C-l>")).is_empty(), "whoever wants it now has it now");
}

#[test]
fn walltime_and_heartbeats_go_on_between_answers() {
    let mut facts = small();
    facts.crew.members[0].job = Some(QueueJob { id: "12".into(), cluster: Some("east".into()), restarts: 0 });
    let left = Some(Duration::from_secs(3600));
    facts.jobs = Some(Ok(Listing { queue: "Slurm".into(), jobs: vec![job("12", "RUNNING", left)] }));
    let mut app = facts.shown();
    app.update(Event::Clock(now() + SignedDuration::from_secs(60)));
    let shown = picture(&mut app, (80, 24));
    assert!(shown.contains("59 min left") && shown.contains("1 min ago") && shown.contains("1/2 busy"), "{shown}");
}

#[test]
fn what_is_taken_ahead_is_not_busy() {
    let mut facts = small();
    facts.crew.members[0].runs = (1..24).collect();
    facts.crew.members[0].slots = Some(6);
    let mut app = facts.shown();
    let shown = picture(&mut app, (80, 24));
    assert!(shown.contains("1 on 1 host, 6 of 6 slots busy, 17 taken ahead"), "{shown}");
    assert!(shown.contains("6/6 busy +17 ahead"), "{shown}");
    assert!(picture(&mut app, (60, 15)).contains("6/6 +17"), "{shown}");
}

#[test]
fn a_day_is_no_less_than_its_hour() {
    let mut facts = small();
    facts.hours = periods(SignedDuration::from_hours(1), 13, &[(5, 0), (3, 0)]);
    let mut app = facts.shown();
    facts.minutes = periods(SignedDuration::from_mins(1), 16, &[(400, 0), (9_000, 2), (20_000, 1)]);
    app.update(Event::Clock(now() + SignedDuration::from_secs(20)));
    let effects = app.update(Event::Pulse(Ok(true)));
    facts.tell(&mut app, &effects);
    let shown = picture(&mut app, (140, 40));
    let line = |name: &str| shown.lines().find(|line| line.contains(name)).map(str::to_owned).unwrap_or_default();
    let sum = |line: &str, per: &str| -> u64 {
        let before = line.split(per).next().and_then(|text| text.rsplit(' ').next()).unwrap_or_default();
        before.parse().expect("a number")
    };
    let completed = line(" completed");
    assert!(sum(&completed, "/d") >= sum(&completed, "/h") && sum(&completed, "/h") >= 20_000, "{completed}");
}

#[test]
fn the_queue_is_asked_soon_after_an_action_and_says_how_old_it_is() {
    let facts = small();
    let mut app = facts.shown();
    assert!(!picture(&mut app, (80, 24)).contains("asked"), "it is new");
    app.update(Event::Clock(now() + SignedDuration::from_secs(8)));
    assert!(picture(&mut app, (80, 24)).contains("no jobs of this launchpad, asked "), "it is older");
    acted(&mut app, Target::Fireworks(Box::default()));
    let mut asked_at = None;
    for second in 9..16 {
        let effects = app.update(Event::Clock(now() + SignedDuration::from_secs(second)));
        if facts.tell(&mut app, &effects).contains(&"jobs") && asked_at.is_none() {
            asked_at = Some(second);
        }
    }
    assert!(asked_at.is_some_and(|second| (10..=13).contains(&second)), "{asked_at:?}");
}

/// Something was cancelled.
pub fn acted(app: &mut App, target: Target) -> Vec<Effect> {
    let plan = Plan {
        action: Action::Cancel,
        target,
        what: String::new(),
        seen: Vec::new(),
        basis: Basis::States,
        preview: Vec::new(),
    };
    let outcome = Outcome { done: vec!["done".to_owned()], refused: Vec::new() };
    answer(app, &Ask::Act(act::Ask::CarryOut(Box::new(plan))), Answer::Act(Box::new(act::Answer::Outcome(outcome))))
}

#[test]
fn shares_are_named_where_there_is_room() {
    let mut app = large().shown();
    for size in [(60, 15), (80, 24), (140, 40)] {
        let shown = picture(&mut app, size);
        let bar = shown.lines().find(|line| line.contains(" WAITING ") && line.contains('▏')).unwrap_or_default();
        for label in bar.split(['▏', ' ']).filter(|label| !label.is_empty()) {
            assert!(
                State::ALL.iter().any(|state| [state.as_str(), state.letters()].contains(&label)),
                "{label:?} in {bar:?}"
            );
        }
        assert_eq!(bar.matches('▏').count(), 8, "{shown}");
    }
}

#[test]
fn a_forecast_tells_what_it_does_not_know() {
    let mut facts = small();
    facts.minutes = periods(SignedDuration::from_mins(1), 16, &[(20, 0), (20, 0)]);
    let forecast = |facts: &Facts| {
        let shown = picture(&mut facts.shown(), (140, 40));
        shown.lines().find(|line| line.contains(" forecast")).map(str::to_owned).unwrap_or_default()
    };
    assert!(forecast(&facts).starts_with(" forecast  4 fireworks to go at "), "{}", forecast(&facts));
    facts.fireworks.push((State::Fizzled, 1));
    let held = "; those that wait for what has failed or is held will not end";
    assert!(forecast(&facts).starts_with(" forecast  up to 4 to go at "), "{}", forecast(&facts));
    assert!(forecast(&facts).ends_with(held), "{}", forecast(&facts));
    facts.fireworks.pop();
    facts.unable = failing().unable;
    assert!(forecast(&facts).ends_with("; those that no worker can run will not end"), "{}", forecast(&facts));
}

#[test]
fn what_is_cut_is_read_in_full() {
    let mut facts = failing();
    let why = format!("there is no Python: {}", "tried one folder after another ".repeat(9));
    facts.unable[0].cannot = [("VaspTask".to_owned(), why.clone())].into();
    let why: Vec<&str> = why.split_whitespace().collect();
    for read_only in [false, true] {
        let mut app = facts.shown();
        app.view.read_only = read_only;
        assert!(picture(&mut app, (60, 15)).lines().any(|line| line.contains("VaspTask") && line.ends_with('…')));
        press(&mut app, "jjj<Enter>");
        let shown = picture(&mut app, (80, 24)).replace(['│', '┌', '└', '─', '┐', '┘'], " ");
        let words: Vec<&str> = shown.split_whitespace().collect();
        assert!(words.windows(why.len()).any(|some| some == why), "{shown}");
        press(&mut app, "<Enter>");
        assert!(app.dialog.is_none());
    }
}
