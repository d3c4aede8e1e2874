//! The monitor's graph: how it looks, where the keys lead, and that it is read from both stores.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use volley::launchpad::graph::Graph;
use volley::tui::Event;
use volley::tui::ask::graph::{self, Known};
use volley::tui::ask::{Answer, Ask, act};
use volley::tui::state::{App, Screen};
use volley::verbs::action::{Action, Target};
use volley::workflow::{FwId, State};

use crate::cli_errors::mixed;
use crate::support::cli::Cli;
use crate::support::desk::{desk_on, settle};
use crate::support::screen::{answer, app, asks, compare, now, picture, press};

type Node<'a> = (FwId, &'a str, State);

fn graph_of(name: &str, nodes: &[Node<'_>], edges: &[(FwId, FwId)]) -> Graph {
    let mut children: BTreeMap<FwId, Vec<FwId>> = BTreeMap::new();
    edges.iter().for_each(|(parent, child)| children.entry(*parent).or_default().push(*child));
    let nodes = nodes.iter().map(|(id, name, state)| (*id, ((*name).to_owned(), *state)));
    Graph { name: name.to_owned(), state: "RUNNING".to_owned(), ..Graph::new(nodes, children) }
}

/// A monitor that shows the graph.
fn shown(graph: &Graph) -> App {
    let mut app = app();
    app.tabs[0].above.push(Screen::graph(graph.id));
    told(&mut app, graph);
    app
}

/// The graph is read again.
fn told(app: &mut App, graph: &Graph) {
    let Screen::Graph(one) = app.screen() else { panic!("no graph") };
    let ask = graph::Ask { fw_id: one.fw_id, opened: one.opened.clone(), before: one.known.clone() };
    let known = Arc::new(Known::new(graph.clone()));
    let columns = known.columns(&ask.opened);
    answer(app, &Ask::Graph(ask), Answer::Graph(Box::new(graph::Answer { known, columns })));
}

fn marked(app: &App) -> Vec<FwId> {
    let Screen::Graph(one) = app.screen() else { panic!("no graph") };
    one.marked().map(|place| place.members.clone()).unwrap_or_default()
}

fn small() -> Graph {
    graph_of(
        "Cu slabs",
        &[
            (1, "relax bulk Cu", State::Completed),
            (2, "slab (1 1 1)", State::Running),
            (3, "slab (1 0 0)", State::Fizzled),
            (4, "slab (1 1 0)", State::Ready),
            (5, "collect the surface energies of all slabs", State::Waiting),
        ],
        &[(1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5)],
    )
}

/// Relaxations of very many structures, of some a calculation after that, one report.
fn large(count: FwId) -> Graph {
    let state = |id: FwId| match id % 100 {
        0..=79 => State::Completed,
        80..=95 => State::Running,
        96 if id == 96 => State::Fizzled,
        _ => State::Ready,
    };
    let mut graph_nodes: Vec<(FwId, String, State)> = vec![(1, "generate structures".to_owned(), State::Completed)];
    let mut edges = Vec::new();
    for id in 2..=count {
        graph_nodes.push((id, format!("relax {id} 硫化銅"), state(id)));
        graph_nodes.push((id + count, format!("static {id}"), State::Waiting));
        edges.extend([(1, id), (id, id + count), (id + count, 2 * count + 1)]);
    }
    graph_nodes.push((2 * count + 1, "report".to_owned(), State::Waiting));
    let nodes: Vec<Node<'_>> = graph_nodes.iter().map(|(id, name, state)| (*id, name.as_str(), *state)).collect();
    graph_of("screening of all there is", &nodes, &edges)
}

#[test]
fn a_graph_that_is_not_known_yet_says_so() {
    let mut app = app();
    app.tabs[0].above.push(Screen::graph(7));
    compare(&mut app, "graph-empty");
}

#[test]
fn a_small_graph() {
    let mut app = shown(&small());
    compare(&mut app, "graph-small");
    press(&mut app, "lj");
    compare(&mut app, "graph-small-moved");
}

#[test]
fn a_large_graph_is_counted() {
    let mut app = shown(&large(5000));
    compare(&mut app, "graph-large");
    press(&mut app, "l<Enter>jj");
    compare(&mut app, "graph-large-opened");
}

#[test]
fn what_cannot_be_drawn_shows_its_neighbours() {
    let nodes = [(1, "a", State::Completed), (2, "b", State::Running), (3, "c", State::Waiting)];
    let mut app = shown(&graph_of("a circle", &nodes, &[(1, 2), (2, 3), (3, 2)]));
    compare(&mut app, "graph-circle");
}

#[test]
fn keys_lead_along_the_lines() {
    let mut app = shown(&small());
    for (keys, fw_id) in [
        ("", 1),
        ("l", 3),
        ("j", 4),
        ("<Down>", 4),
        ("k<Up><Up>", 2),
        ("G", 4),
        ("g", 2),
        ("<Right>", 5),
        ("l", 5),
        ("h", 3),
        ("hh", 1),
        ("n", 3),
        ("n", 3),
        ("N", 3),
    ] {
        press(&mut app, keys);
        assert_eq!(marked(&app), [fw_id], "after {keys}");
    }
    press(&mut app, "<Enter>");
    assert!(matches!(app.screen(), Screen::Firework(one) if one.fw_id == 3));
    app.update(Event::Clock(now() + SignedDuration::from_secs(1)));
    let effects = press(&mut app, "<Esc>");
    assert!(matches!(asks(&effects)[..], [Ask::Graph(_)]), "{effects:?}");
}

#[test]
fn those_that_are_counted_open_and_close() {
    let mut app = shown(&large(50));
    press(&mut app, "l");
    let several = marked(&app);
    assert!(several.len() > 2, "{several:?}");
    press(&mut app, "e");
    assert!(app.notice.as_ref().is_some_and(|notice| notice.is_error && notice.text.contains("Enter shows them")));
    let effects = press(&mut app, "r");
    let Some(Ask::Act(act::Ask::Plan(Action::Rerun { task_level: false }, Target::Fireworks(chosen)))) =
        asks(&effects).first().copied()
    else {
        panic!("nothing is planned: {effects:?}")
    };
    assert_eq!(chosen.ids.as_ref(), Some(&several));
    press(&mut app, "<Esc>z");
    assert_eq!(marked(&app), several[..1]);
    let effects = press(&mut app, "D");
    assert!(matches!(asks(&effects)[..], [Ask::Act(act::Ask::Plan(Action::Delete, Target::Workflows(_)))]));
    press(&mut app, "<Esc>");
    press(&mut app, "z");
    assert_eq!(marked(&app), several);
}

#[test]
fn what_is_marked_stays_marked_when_states_change() {
    let mut graph = large(50);
    let mut app = shown(&graph);
    press(&mut app, "l");
    let several = marked(&app);
    let state = graph.nodes[&several[0]].state;
    graph.nodes.get_mut(&several[0]).expect("a node").state = State::Fizzled;
    told(&mut app, &graph);
    assert_eq!(marked(&app), several[1..], "those that are {state} still");
    graph.nodes.retain(|id, _| !several.contains(id));
    told(&mut app, &graph);
    assert!(!marked(&app).is_empty());
}

#[test]
fn a_graph_is_read_from_the_store() {
    for cli in Cli::everywhere() {
        mixed(&cli);
        let desk = desk_on(cli.folder(), &cli.location());
        let mut app = app();
        app.tabs[0].above.push(Screen::graph(4));
        let effects = press(&mut app, "<C-l>");
        settle(&mut app, &desk, effects);
        assert_eq!(marked(&app), [4]);
        let seen = picture(&mut app, (140, 40));
        for part in ["1 mixed FIZZLED", "COM 1 prepare", "FIZ 4", "WAI 5 report", "1 parent, 1 child"] {
            assert!(seen.contains(part), "no {part} in\n{seen}");
        }
        cli.lpad(&["rerun_fws", "-i", "4"]).done();
        let effects = press(&mut app, "<C-l>");
        assert!(matches!(asks(&effects)[..], [Ask::Graph(graph::Ask { before: Some(_), .. })]));
        settle(&mut app, &desk, effects);
        assert!(picture(&mut app, (140, 40)).contains("REA 4"), "{}", picture(&mut app, (140, 40)));
    }
}

#[test]
fn every_size_of_terminal_is_drawn_on() {
    let mut app = shown(&large(300));
    for (width, height) in [(60, 15), (61, 15), (80, 24), (300, 100), (60, 400)] {
        for keys in ["", "l", "z", "G", "l", "l", "h", "gz"] {
            press(&mut app, keys);
            let seen = picture(&mut app, (width, height));
            // The state and the id of what is marked are always to be seen.
            let fw_id = marked(&app)[0].to_string();
            assert!(
                seen.lines()
                    .skip(2)
                    .take(usize::from(height) - 5)
                    .any(|line| line.contains(&fw_id) || line.contains('×'))
            );
        }
    }
}
