//! The state machine, case by case; `tests/it/state_machine.rs` has its properties.

use jiff::Timestamp;

use super::*;
use crate::workflow::graph::{Changes, Node};
use crate::workflow::{Again, Firework};
use bson::{Document, doc};

/// A graph of the given (id, state, parents), with documents.
fn graph(fireworks: &[(FwId, State, &[FwId])]) -> Graph {
    let mut graph = Graph::default();
    for &(fw_id, state, parents) in fireworks {
        let mut node = Node::new(state);
        node.parents = parents.to_vec();
        node.children =
            fireworks.iter().filter(|(_, _, parents)| parents.contains(&fw_id)).map(|&(id, ..)| id).collect();
        node.firework = Some(Firework::new(fw_id, "fw", doc! {"_tasks": []}, state, Timestamp::UNIX_EPOCH));
        graph.insert(fw_id, node);
    }
    graph
}

fn states(changes: &Changes) -> Vec<(FwId, State)> {
    changes.edits.iter().map(|edit| (edit.fw_id, edit.to)).collect()
}

fn finished(mut graph: Graph, fw_id: FwId, action: &FwAction) -> Changes {
    finish(&mut graph, fw_id, 9, State::Completed, action).expect("applies");
    graph.changes()
}

fn spec_set(changes: &Changes, fw_id: FwId) -> Document {
    let edit = changes.edits.iter().find(|edit| edit.fw_id == fw_id).expect("is edited");
    edit.spec.as_ref().map(|spec| spec.set.clone()).unwrap_or_default()
}

use State::*;

#[test]
fn a_child_becomes_ready_when_all_its_parents_have_completed() {
    let diamond = |two, three| graph(&[(1, Completed, &[]), (2, two, &[1]), (3, three, &[1]), (4, Waiting, &[2, 3])]);
    let none = FwAction::default();
    assert_eq!(states(&finished(diamond(Running, Ready), 2, &none)), [(2, Completed)]);
    assert_eq!(states(&finished(diamond(Running, Completed), 2, &none)), [(4, Ready), (2, Completed)]);
    assert_eq!(states(&finished(diamond(Running, Fizzled), 2, &none)), [(2, Completed)]);
}

#[test]
fn a_fizzled_parent_counts_where_it_is_allowed() {
    let mut graph = graph(&[(1, Running, &[]), (2, Waiting, &[1]), (3, Waiting, &[1])]);
    let lenient = graph.nodes.get_mut(&3).and_then(|node| node.firework.as_mut()).expect("loaded");
    lenient.spec.insert("_allow_fizzled_parents", true);
    finish(&mut graph, 1, 9, Fizzled, &FwAction::default()).expect("applies");
    let one = graph.nodes[&1].firework.clone().expect("loaded");
    show_fizzled_parents(&mut graph, Timestamp::UNIX_EPOCH, |ids| {
        assert_eq!(ids, [1]);
        Ok::<_, ()>(vec![(one.clone(), Vec::new())])
    })
    .expect("reads");
    let changes = graph.changes();
    assert_eq!(states(&changes), [(3, Ready), (1, Fizzled)]);
    let set = spec_set(&changes, 3);
    let shown = set.get_array("_fizzled_parents").expect("is shown")[0].as_document().expect("a firework");
    assert_eq!((shown.get_str("state").ok(), shown.get_str("name").ok()), (Some("FIZZLED"), Some("fw")));
}

#[test]
fn the_other_parents_tell_whether_specs_must_be_read() {
    let of = |other| graph(&[(1, Running, &[]), (2, other, &[]), (3, Waiting, &[1, 2])]);
    assert!(lenience_matters(&of(Fizzled), 1));
    assert!(!lenience_matters(&of(Completed), 1));
}

#[test]
fn specs_of_children_change_once() {
    let chain = graph(&[(1, Running, &[]), (2, Waiting, &[1]), (3, Waiting, &[2])]);
    let action =
        FwAction { update_spec: doc! {"a": 1}, mod_spec: vec![doc! {"_push": {"l": 2}}], ..FwAction::default() };
    let changes = finished(chain.clone(), 1, &action);
    assert_eq!(states(&changes), [(2, Ready), (1, Completed)]);
    assert_eq!(spec_set(&changes, 2), doc! {"a": 1, "l": [2]});
    assert_eq!(changes.edits[0].spec.as_ref().map(|spec| spec.mark.clone()), Some(vec![9]));

    let mut again = chain.clone();
    again.nodes.get_mut(&2).expect("loaded").applied = vec![9];
    assert_eq!(spec_set(&finished(again, 1, &action), 2), doc! {}, "a marked change is not made again");

    let mut begun = chain.clone();
    begun.nodes.get_mut(&2).expect("loaded").state = Running;
    assert_eq!(states(&finished(begun, 1, &action)), [(1, Completed)], "a child that has begun is left alone");

    let propagate = FwAction { propagate: true, ..action };
    assert_eq!(spec_set(&finished(chain, 1, &propagate), 3), doc! {"a": 1, "l": [2]});
}

#[test]
fn children_can_be_defused() {
    let action = FwAction { defuse_children: true, ..FwAction::default() };
    let changes = finished(graph(&[(1, Running, &[]), (2, Waiting, &[1]), (3, Waiting, &[2])]), 1, &action);
    assert_eq!(states(&changes), [(2, Defused), (1, Completed)]);
}

#[test]
fn children_wait_for_detours_and_not_for_additions() {
    let extra = doc! {"fws": [{"fw_id": -1, "spec": {"_tasks": []}}]};
    let base = || graph(&[(1, Running, &[]), (2, Waiting, &[1])]);
    let detour = finished(base(), 1, &FwAction { detours: vec![extra.clone()], ..FwAction::default() });
    assert_eq!(states(&detour), [(1, Completed)]);
    assert_eq!((&detour.spawned[0].parents, &detour.spawned[0].children), (&vec![1], &vec![2]));
    let addition = finished(base(), 1, &FwAction { additions: vec![extra], ..FwAction::default() });
    assert_eq!(states(&addition), [(2, Ready), (1, Completed)]);
    assert!(addition.spawned[0].children.is_empty());
}

#[test]
fn another_parent_that_ends_together_does_not_pass_a_detour_by() {
    let extra = doc! {"fws": [{"fw_id": -1, "spec": {"_tasks": []}}]};
    let mut both = graph(&[(1, Running, &[]), (2, Running, &[]), (3, Waiting, &[1, 2])]);
    let detour = FwAction { detours: vec![extra], ..FwAction::default() };
    finish(&mut both, 1, 9, Completed, &detour).expect("applies");
    finish(&mut both, 2, 10, Completed, &FwAction::default()).expect("applies");
    assert_eq!(states(&both.changes()), [(1, Completed), (2, Completed)]);
}

#[test]
fn a_rerun_starts_from_the_far_end() {
    let mut chain = graph(&[(1, Completed, &[]), (2, Completed, &[1]), (3, Fizzled, &[2]), (4, Waiting, &[3])]);
    Verb::Rerun.decide(&mut chain, 1).expect("applies");
    let changes = chain.changes();
    assert_eq!(states(&changes), [(3, Waiting), (2, Waiting), (1, Ready)]);
    assert!(changes.edits.iter().all(|edit| edit.archive.is_some()));
}

#[test]
fn a_rerun_reaches_what_is_held_and_nothing_behind_what_waits() {
    let mut chain =
        graph(&[(1, Completed, &[]), (2, Defused, &[1]), (3, Paused, &[2]), (4, Waiting, &[1]), (5, Defused, &[4])]);
    Verb::Rerun.decide(&mut chain, 1).expect("applies");
    assert_eq!(states(&chain.changes()), [(3, Waiting), (2, Waiting), (1, Ready)]);
    let mut waiting = graph(&[(1, Running, &[]), (2, Waiting, &[1])]);
    Verb::Rerun.decide(&mut waiting, 2).expect("nothing to do");
    assert_eq!(states(&waiting.changes()), []);
}

#[test]
fn a_rerun_below_an_unfinished_parent_waits() {
    let mut chain = graph(&[(1, Running, &[]), (2, Fizzled, &[1])]);
    Verb::Rerun.decide(&mut chain, 2).expect("applies");
    assert_eq!(states(&chain.changes()), [(2, Waiting)]);
}

#[test]
fn what_cannot_be_run_again_is_refused() {
    for state in [Archived, Defused] {
        assert!(matches!(Verb::Rerun.decide(&mut graph(&[(1, state, &[])]), 1), Err(Refusal::State { .. })));
    }
    assert_eq!(Verb::Rerun.decide(&mut Graph::default(), 5), Err(Refusal::Unknown(5)));
}

#[test]
fn giving_back_leaves_the_rest_alone() {
    let mut chain = graph(&[(1, Completed, &[]), (2, Running, &[1]), (3, Waiting, &[2])]);
    give_back(&mut chain, 2, &Again::default()).expect("applies");
    assert_eq!(states(&chain.changes()), [(2, Ready)]);
    assert!(give_back(&mut graph(&[(1, Completed, &[])]), 1, &Again::default()).is_err());
}
