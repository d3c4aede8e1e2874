//! The monitor's page of a firework, its data and its explanation.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};
use volley::launchpad::explain::{Facts, Parent};
use volley::launchpad::page::{Page, Period, Run};
use volley::recipes::Summary;
use volley::tui::Event;
use volley::tui::ask::firework::{self, Known};
use volley::tui::ask::{Answer, Ask};
use volley::tui::state::SMALLEST;
use volley::tui::state::firework::Pane;
use volley::tui::state::{App, Screen};
use volley::workflow::{FwAction, State};

use crate::cli_errors::mixed;
use crate::support::cli::Cli;
use crate::support::desk::{desk_on, settle};
use crate::support::screen::{answer, app, asks, compare, now, picture, press};
use crate::support::{Launchpad, Worker, draft, outcome};

fn parent(fw_id: i64, name: &str, state: State) -> Parent {
    Parent { fw_id, name: name.to_owned(), state }
}

fn facts(state: State) -> Facts {
    Facts {
        fw_id: 17,
        name: "relax slab".into(),
        state,
        since: Some(now() - SignedDuration::from_mins(5)),
        at: now(),
        parents: Vec::new(),
        lenient: false,
        locked_by: None,
        fworker: None,
        category: None,
        asks: None,
        not_before: None,
        at_work: Vec::new(),
        launchers: Vec::new(),
        unable: Vec::new(),
        launch: None,
        losses: Vec::new(),
    }
}

fn page(state: State) -> Page {
    let period = |state, minutes, launch, note: Option<&str>| Period {
        state,
        from: now() - SignedDuration::from_mins(minutes),
        length: SignedDuration::from_mins(20),
        launch,
        note: note.map(str::to_owned),
    };
    Page {
        fw_id: 17,
        name: "relax slab".to_owned(),
        state,
        sentence: "Firework 17 `relax slab` waits for its parent 16 `relax bulk`, which is RUNNING.".to_owned(),
        workflow: Some((12, "Cu slabs".to_owned(), "RUNNING".to_owned(), 5)),
        owner: Some("maria".to_owned()),
        priority: Some("5".to_owned()),
        periods: vec![
            period(None, 65, None, Some("added")),
            period(Some(State::Running), 45, Some(31), None),
            period(Some(state), 25, Some(31), None),
        ],
        tasks: vec!["EmtRelaxTask: bulk Cu".to_owned()],
        parents: vec![parent(16, "relax bulk", State::Running)],
        parent_count: 1,
        children: vec![parent(18, "static", State::Waiting), parent(19, "report of all that there is", State::Waiting)],
        child_count: 40,
        run: None,
        summaries: Vec::new(),
        unread: None,
        error: None,
        next: Vec::new(),
    }
}

fn shown(known: Known) -> App {
    let mut app = app();
    app.tabs[0].above.push(Screen::firework(17));
    let known = Arc::new(known);
    let ask = Ask::Firework(firework::Ask { fw_id: 17 });
    answer(&mut app, &ask, Answer::Firework(Box::new(firework::Answer { known })));
    app
}

fn spec() -> Value {
    json!({
        "_priority": 5,
        "_tasks": [{"_fw_name": "EmtRelaxTask", "opt_params": {"fmax": 0.01, "optimizer": "BFGS"}}],
        "script": "#!/bin/sh\nmodule load emt\nemt < in > out\n",
        "structure": {"numbers": vec![29; 1000], "positions": vec![[0.0, 1.805, 1.805]; 1000], "pbc": [true, true, false]},
    })
}

fn waiting() -> Known {
    let facts = Facts { parents: vec![parent(16, "relax bulk", State::Running)], ..facts(State::Waiting) };
    Known { page: page(State::Waiting), facts, data: vec![("spec", spec())], trace: None }
}

fn failed() -> Known {
    let trace = "Traceback (most recent call last):\n  File \"/opt/site/relax.py\", line 12, in run\n    \
        raise ValueError(\"the cell is not positive: a very long message that goes on beyond the end of every line of a terminal, whatever it is like, and is to be read to its end\")\n\
        ValueError: the cell is not positive\u{1b}[31m";
    let run = Run {
        launch_id: 31,
        dir: "/scratch/maria/launchpad/block_2026-11-26-10-02-11-123456/launcher_2026-11-26-11-15-00-654321".to_owned(),
        host: "node17.cluster.example.org".to_owned(),
        worker: "large nodes".to_owned(),
        job: None,
    };
    let sentence = "Firework 17 `relax slab` has failed: ValueError: the cell is not positive (`lpad rerun_fws -i 17` runs it again)."
        .to_owned();
    let page = Page { sentence, run: Some(run), ..page(State::Fizzled) };
    Known { page, facts: facts(State::Fizzled), data: vec![("spec", spec())], trace: Some(trace.to_owned()) }
}

fn completed() -> Known {
    let summary = Summary {
        name: "EMT Relax".to_owned(),
        formula: "Cu36".to_owned(),
        natoms: 36,
        energy: Some(-0.212_345_678),
        max_force: Some(0.008_912),
        steps: Some(23),
        converged: Some(true),
        miller_index: Some([1, 1, 1]),
        shift: Some(0.25),
        surface_energy: Some(0.081),
        ..Summary::default()
    };
    let sentence = "Firework 17 `relax slab` has completed, on node17.cluster.example.org.".to_owned();
    let page = Page { sentence, summaries: vec![summary], ..page(State::Completed) };
    let data = vec![("spec", spec()), ("result", json!({"energy": -0.2, "trajectory": vec![json!({"a": 1}); 24]}))];
    Known { page, facts: facts(State::Completed), data, trace: None }
}

#[test]
fn a_firework_that_is_not_known_yet_says_so() {
    let mut app = app();
    app.tabs[0].above.push(Screen::firework(17));
    compare(&mut app, "firework-empty");
}

#[test]
fn the_page_of_a_firework() {
    compare(&mut shown(waiting()), "firework-waiting");
    compare(&mut shown(completed()), "firework-completed");
    let mut app = shown(failed());
    compare(&mut app, "firework-failed");
    app.view.height = 15;
    press(&mut app, "G");
    compare(&mut app, "firework-failed-end");
}

#[test]
fn the_data_of_a_firework_is_a_tree() {
    let mut app = shown(completed());
    press(&mut app, "<Tab>");
    compare(&mut app, "firework-data");
    // Into the structure, and among the first hundred of its positions.
    press(&mut app, "jjjjjjj<Enter>jj<Enter>j<Enter>jj");
    compare(&mut app, "firework-data-opened");
    press(&mut app, "hhhh");
    compare(&mut app, "firework-data-closed");
}

#[test]
fn why_it_does_not_run() {
    let mut app = shown(waiting());
    press(&mut app, "e");
    compare(&mut app, "firework-explanation");
}

#[test]
fn parents_and_children_open() {
    let mut app = shown(waiting());
    (app.view.width, app.view.height) = (80, 24);
    let Screen::Firework(one) = app.screen() else { panic!("no firework") };
    let known = one.known.clone().expect("is known");
    let lines = volley::tui::state::page::page(&known, 78, now());
    let rows: Vec<usize> = (0..lines.len()).filter(|row| lines[*row].link.is_some()).collect();
    assert_eq!(rows.len(), 3);
    press(&mut app, "<Enter>");
    assert_eq!(app.tabs[0].above.len(), 1, "the first line leads nowhere");
    press(&mut app, &"j".repeat(rows[1]));
    app.update(Event::Clock(now() + SignedDuration::from_secs(1)));
    let effects = press(&mut app, "<Enter>");
    assert_eq!(asks(&effects), [&Ask::Firework(firework::Ask { fw_id: 18 })]);
    press(&mut app, "<Esc>");
    let effects = press(&mut app, "o");
    assert!(matches!(asks(&effects)[..], [Ask::Graph(ask)] if ask.fw_id == 17), "{effects:?}");
}

#[test]
fn panes_follow_each_other() {
    let mut app = shown(waiting());
    for pane in [Pane::Data, Pane::Explanation, Pane::Files, Pane::Page] {
        press(&mut app, "<Tab>");
        assert!(matches!(app.screen(), Screen::Firework(one) if one.pane == pane), "{pane:?}");
    }
    press(&mut app, "<BackTab>");
    assert!(matches!(app.screen(), Screen::Firework(one) if one.pane == Pane::Files));
    press(&mut app, "e");
    assert!(matches!(app.screen(), Screen::Firework(one) if one.pane == Pane::Explanation));
}

#[test]
fn large_results_are_not_read() {
    for pad in [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten() {
        let (store, now) = (&*pad.store, jiff::Timestamp::now());
        let task = json!({"_fw_name": "ScriptTask", "script": "true"});
        let fw = |id: i64| json!({"fw_id": id, "name": "big", "spec": {"_tasks": [task]}});
        store.insert(&[draft(json!({"fws": [fw(1), fw(2)], "links": {}}))], now).expect("adds");
        let worker = Worker::new("w");
        let text = "x".repeat(5_000_000);
        for state in [State::Completed, State::Fizzled] {
            let stored_data =
                bson::doc! { "positions": &text, "_exception": { "_stacktrace": "ValueError: far\n", "_details": 1 } };
            let claim = worker.claim(store, 1).remove(0);
            let action = FwAction { stored_data, ..FwAction::default() };
            store.finish(&[outcome(&claim, state, action)], now).expect("ends");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let desk = desk_on(folder.path(), &pad.location);
        for (fw_id, parts) in [(1, ["big COMPLETED", "5.0 MB are not shown"]), (2, ["big FIZZLED", "ValueError: far"])]
        {
            let brief = &store.brief_launches(&[fw_id]).expect("reads")[0];
            let stored = format!("{:?}", brief.launch.action);
            assert!(brief.large.is_some_and(|size| size > 5_000_000) && stored.len() < 1000, "{stored}");
            let mut app = app();
            app.tabs[0].above.push(Screen::firework(fw_id));
            let effects = press(&mut app, "<C-l>");
            settle(&mut app, &desk, effects);
            let seen = picture(&mut app, (140, 40));
            parts.iter().for_each(|part| assert!(seen.contains(part), "no {part} in\n{seen}"));
            press(&mut app, "<Tab>");
            let seen = picture(&mut app, (140, 40));
            assert!(seen.contains("result: 5.0 MB are not shown here: `lpad get_fws -i"), "{seen}");
        }
    }
}

#[test]
fn of_many_parents_those_that_it_waits_for_are_named() {
    for pad in [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten() {
        let firework = |id: i64| {
            let task = json!({"_fw_name": "ScriptTask", "script": "true"});
            json!({"fw_id": id, "name": format!("part {id}"), "spec": {"_tasks": [task], "_priority": -id}})
        };
        let links: serde_json::Map<String, Value> = (1..=20).map(|id| (id.to_string(), json!([21]))).collect();
        let fws: Vec<Value> = (1..=21).map(firework).collect();
        let (store, now) = (&*pad.store, jiff::Timestamp::now());
        store.insert(&[draft(json!({"name": "many", "fws": fws, "links": links}))], now).expect("adds");
        for claim in Worker::new("w").claim(store, 12) {
            store.finish(&[outcome(&claim, State::Completed, FwAction::default())], now).expect("ends");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let desk = desk_on(folder.path(), &pad.location);
        let mut app = app();
        app.tabs[0].above.push(Screen::firework(21));
        let effects = press(&mut app, "<C-l>");
        settle(&mut app, &desk, effects);
        let seen = picture(&mut app, (80, 24));
        for part in ["13 part 13 READY", "20 part 20 READY", "and 12 more", "ScriptTask: true"] {
            assert!(seen.contains(part), "no {part} in\n{seen}");
        }
        assert!(!seen.contains("COMPLETED"), "{seen}");
    }
}

#[test]
fn a_firework_is_read_from_the_store() {
    for cli in Cli::everywhere() {
        mixed(&cli);
        let desk = desk_on(cli.folder(), &cli.location());
        let mut app = app();
        app.tabs[0].above.push(Screen::firework(4));
        let effects = press(&mut app, "<C-l>");
        settle(&mut app, &desk, effects);
        let seen = picture(&mut app, (140, 40));
        for part in ["4 odd FIZZLED", "Return code", "5 report WAITING", "1 prepare COMPLETED", "ScriptTask: exit 7"] {
            assert!(seen.contains(part), "no {part} in\n{seen}");
        }
        press(&mut app, "<Tab>");
        assert!(picture(&mut app, (140, 40)).contains("script: exit 7"), "{}", picture(&mut app, (140, 40)));
        press(&mut app, "<Tab>");
        assert!(picture(&mut app, (140, 40)).contains("runs it again"), "{}", picture(&mut app, (140, 40)));
        let mut app = crate::support::screen::app();
        app.tabs[0].above.push(Screen::firework(99));
        let effects = press(&mut app, "<C-l>");
        settle(&mut app, &desk, effects);
        assert!(picture(&mut app, SMALLEST).contains("there is no firework 99"));
    }
}
