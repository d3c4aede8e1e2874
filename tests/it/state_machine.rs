//! Properties of the pure state machine: whatever happens to whatever workflow, in whatever order,
//! and however often a decision is half written and made again.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Document, doc};
use jiff::Timestamp;
use proptest::prelude::*;
use volley::workflow::decide::{self, Verb};
use volley::workflow::graph::{Edit, Graph, Node};
use volley::workflow::workflow_state::{Facts, after_inner_step, workflow_state};
use volley::workflow::{Again, Firework, FwAction, FwId, State};

use State::*;

/// A workflow as a store without any cleverness would keep it.
#[derive(Debug, Clone, PartialEq)]
struct World {
    fireworks: BTreeMap<FwId, Firework>,
    links: BTreeSet<(FwId, FwId)>,
}

#[derive(Debug, Clone)]
enum Event {
    Claim(usize),
    Finish { pick: usize, completed: bool, action: Box<FwAction> },
    Rerun(usize),
    GiveBack(usize),
}

impl World {
    fn children(&self, fw_id: FwId) -> Vec<FwId> {
        self.links.iter().filter(|&&(parent, _)| parent == fw_id).map(|&(_, child)| child).collect()
    }

    fn parents(&self, fw_id: FwId) -> Vec<FwId> {
        self.links.iter().filter(|&&(_, child)| child == fw_id).map(|&(parent, _)| parent).collect()
    }

    fn state(&self, fw_id: FwId) -> State {
        self.fireworks[&fw_id].state
    }

    fn chosen(&self, pick: usize, states: &[State]) -> Option<FwId> {
        let fits = |firework: &&Firework| states.contains(&firework.state);
        let ids: Vec<FwId> = self.fireworks.values().filter(fits).map(|firework| firework.fw_id).collect();
        (!ids.is_empty()).then(|| ids[pick % ids.len()])
    }

    fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        for (&fw_id, firework) in &self.fireworks {
            let mut node = Node::new(firework.state);
            node.children = self.children(fw_id);
            node.parents = self.parents(fw_id);
            node.firework = Some(firework.clone());
            graph.insert(fw_id, node);
        }
        graph
    }

    fn write(&mut self, edit: &Edit) {
        let firework = self.fireworks.get_mut(&edit.fw_id).expect("exists");
        assert_eq!(firework.state, edit.from);
        firework.state = edit.to;
        if let Some(spec) = &edit.spec {
            firework.spec = spec.whole.clone();
            firework.applied.extend(&spec.mark);
        }
        if let Some(archive) = &edit.archive {
            firework.launches.clear();
            firework.archived_launches.clone_from(archive);
        }
    }

    fn unmark(&mut self) {
        self.fireworks.values_mut().for_each(|firework| firework.applied.clear());
    }

    /// Decides an outcome, and writes only the first `edits` of what it changes; what it spawns when
    /// `edits` is none. Says how many edits there were.
    fn finish(&mut self, outcome: &Outcome, edits: Option<usize>) -> usize {
        let mut graph = self.graph();
        let Outcome { fw_id, launch_id, ended, action } = outcome;
        decide::finish(&mut graph, *fw_id, *launch_id, *ended, action).expect("can be applied");
        let changes = graph.changes();
        changes.edits.iter().take(edits.unwrap_or(usize::MAX)).for_each(|edit| self.write(edit));
        if edits.is_none() {
            for spawn in &changes.spawned {
                // The ids are the launch's: made again, they are the same.
                let first = 100 * (launch_id + 1);
                let ids: BTreeMap<i64, FwId> =
                    spawn.draft.fireworks().iter().map(|fw| fw.local_id).zip(first..).collect();
                for fw in spawn.draft.fireworks() {
                    let is_root = spawn.draft.roots().any(|root| root == fw.local_id);
                    let state = if is_root { Ready } else { Waiting };
                    self.fireworks.insert(ids[&fw.local_id], new(ids[&fw.local_id], fw.spec.clone(), state));
                }
                self.links.extend(spawn.draft.links().map(|(parent, child)| (ids[&parent], ids[&child])));
                for root in spawn.draft.roots() {
                    self.links.extend(spawn.parents.iter().map(|&parent| (parent, ids[&root])));
                }
                for leaf in spawn.draft.leaves() {
                    self.links.extend(spawn.children.iter().map(|&child| (ids[&leaf], child)));
                }
            }
        }
        changes.edits.len()
    }

    /// The state of the workflow, by our rule.
    fn workflow_state(&self) -> State {
        let states = self.fireworks.iter().map(|(&fw_id, firework)| (fw_id, firework.state)).collect();
        workflow_state(Facts::of(&states, |fw_id| self.children(fw_id).is_empty(), |fw_id| self.stops(fw_id)))
    }

    fn stops(&self, fw_id: FwId) -> bool {
        self.children(fw_id).iter().any(|child| !self.fireworks[child].allows_fizzled_parents())
    }
}

struct Outcome {
    fw_id: FwId,
    launch_id: i64,
    ended: State,
    action: FwAction,
}

/// `Workflow.state` of FireWorks 2.1.4, line by line.
fn naive_state(world: &World) -> State {
    let all: Vec<(FwId, State)> = world.fireworks.values().map(|fw| (fw.fw_id, fw.state)).collect();
    let leaves = all.iter().filter(|(fw_id, _)| world.children(*fw_id).is_empty());
    if leaves.clone().all(|&(_, state)| state == Completed) {
        return Completed;
    }
    if all.iter().all(|&(_, state)| state == Archived) {
        return Archived;
    }
    for held in [Defused, Paused] {
        if all.iter().any(|&(_, state)| state == held) {
            return held;
        }
    }
    let fizzled: Vec<FwId> = all.iter().filter(|&&(_, state)| state == Fizzled).map(|&(fw_id, _)| fw_id).collect();
    if !fizzled.is_empty() {
        for fw_id in fizzled {
            let children = world.children(fw_id);
            let allowed = |child: &FwId| world.fireworks[child].allows_fizzled_parents();
            if children.is_empty() || !children.iter().all(allowed) {
                return Fizzled;
            }
        }
        return Running;
    }
    if all.iter().any(|&(_, state)| matches!(state, Completed | Running)) {
        return Running;
    }
    if all.iter().any(|&(_, state)| state == Reserved) { Reserved } else { Ready }
}

fn new(fw_id: FwId, spec: Document, state: State) -> Firework {
    Firework::new(fw_id, "fw", spec, state, Timestamp::UNIX_EPOCH)
}

/// No firework is READY too early, nor WAITING for nothing.
fn check_states(world: &World) {
    for firework in world.fireworks.values() {
        let done = |&parent: &FwId| match world.state(parent) {
            Completed => true,
            Fizzled => firework.allows_fizzled_parents(),
            _ => false,
        };
        let free = world.parents(firework.fw_id).iter().all(done);
        let fits = match firework.state {
            Ready | Running | Completed => free,
            Waiting => !free,
            _ => true,
        };
        assert!(fits, "{firework:?} in {world:#?}");
    }
}

/// Half written after every edit, and decided again: the same as in one go.
fn check_repetition(before: &World, outcome: &Outcome) -> World {
    let mut whole = before.clone();
    let edits = whole.finish(outcome, None);
    let mut clean = whole.clone();
    clean.unmark();
    for written in 0..=edits {
        let mut half = before.clone();
        half.finish(outcome, Some(written));
        if written == edits {
            half.unmark();
        }
        half.finish(outcome, None);
        half.unmark();
        assert_eq!(half, clean, "written {written} of {edits}");
    }
    let mut again = clean.clone();
    if !outcome.action.spawns() {
        assert_eq!(again.finish(outcome, None), 0, "nothing is left to do");
        assert_eq!(again, clean);
    }
    clean
}

fn live(mut world: World, events: Vec<Event>) {
    check_states(&world);
    for (launch_id, event) in (1..).zip(events) {
        let before = world.clone();
        let mut rerun = false;
        match event {
            Event::Claim(pick) => {
                let Some(fw_id) = world.chosen(pick, &[Ready]) else { continue };
                let firework = world.fireworks.get_mut(&fw_id).expect("exists");
                firework.state = Running;
                firework.launches.push(launch_id);
            }
            Event::Finish { pick, completed, action } => {
                let Some(fw_id) = world.chosen(pick, &[Running]) else { continue };
                let launch_id = world.fireworks[&fw_id].launches[0];
                let ended = if completed { Completed } else { Fizzled };
                let was = world.workflow_state();
                let outcome = Outcome { fw_id, launch_id, ended, action: *action };
                world = check_repetition(&world, &outcome);
                if !before.children(fw_id).is_empty() {
                    let mut inner = after_inner_step(was, ended, before.stops(fw_id));
                    if before
                        .children(fw_id)
                        .iter()
                        .any(|&child| world.state(child) != before.state(child) && world.state(child) == Defused)
                    {
                        inner = Defused;
                    }
                    assert_eq!(inner, world.workflow_state(), "{was} {ended} {world:#?}");
                }
            }
            Event::Rerun(pick) => {
                let Some(fw_id) = world.chosen(pick, &State::ALL) else { continue };
                let mut graph = world.graph();
                rerun = true;
                if Verb::Rerun.decide(&mut graph, fw_id).is_err() {
                    assert!(matches!(world.state(fw_id), Defused | Archived));
                    continue;
                }
                graph.changes().edits.iter().for_each(|edit| world.write(edit));
            }
            Event::GiveBack(pick) => {
                let Some(fw_id) = world.chosen(pick, &[Running]) else { continue };
                let mut graph = world.graph();
                decide::give_back(&mut graph, fw_id, &Again::default()).expect("it runs");
                graph.changes().edits.iter().for_each(|edit| world.write(edit));
            }
        }
        check_states(&world);
        assert_eq!(world.workflow_state(), naive_state(&world), "{world:#?}");
        for (fw_id, firework) in before.fireworks.iter().filter(|(_, firework)| firework.state == Completed) {
            assert!(rerun || world.state(*fw_id) == Completed, "{firework:?} changed");
        }
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let firework = (any::<bool>(), prop_oneof![8 => Just(None), 1 => Just(Some(Paused)), 1 => Just(Some(Defused))]);
    (proptest::collection::vec(firework, 1..9), proptest::collection::vec(any::<bool>(), 36)).prop_map(
        |(fireworks, pairs)| {
            let mut world = World { fireworks: BTreeMap::new(), links: BTreeSet::new() };
            let mut linked = pairs.into_iter();
            for (child, (lenient, held)) in (1..).zip(fireworks) {
                let parents = (1..child).filter(|_| linked.next().unwrap_or(false));
                world.links.extend(parents.map(|parent| (parent, child)));
                let begin = if world.parents(child).is_empty() { Ready } else { held.unwrap_or(Waiting) };
                let spec = doc! {"_tasks": [], "_allow_fizzled_parents": lenient};
                world.fireworks.insert(child, new(child, spec, begin));
            }
            world
        },
    )
}

fn actions() -> impl Strategy<Value = FwAction> {
    let specs = prop_oneof![
        Just(vec![]),
        Just(vec![doc! {"_set": {"k": 1}}]),
        Just(vec![doc! {"_push": {"list": 1}}]),
        Just(vec![doc! {"_inc": {"n": 1}}, doc! {"_set": {"k": 2}}]),
    ];
    (specs, 0..10, any::<bool>(), 0..10).prop_map(|(mod_spec, spawns, propagate, defuse)| {
        let fw = |id: i64| doc! {"fw_id": id, "spec": {"_tasks": [{"_fw_name": "x"}]}};
        let extra = vec![doc! {"fws": [fw(-1), fw(-2)], "links": {"-1": [-2]}}];
        let (detours, additions) = match spawns {
            0 => (extra, vec![]),
            1 => (vec![], extra),
            _ => (vec![], vec![]),
        };
        FwAction { mod_spec, detours, additions, propagate, defuse_children: defuse == 0, ..FwAction::default() }
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => any::<usize>().prop_map(Event::Claim),
        6 => (any::<usize>(), prop::bool::weighted(0.8), actions())
            .prop_map(|(pick, completed, action)| Event::Finish { pick, completed, action: action.into() }),
        1 => any::<usize>().prop_map(Event::Rerun),
        1 => any::<usize>().prop_map(Event::GiveBack),
    ];
    proptest::collection::vec(event, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_happens_the_rules_hold(world in worlds(), events in events()) {
        live(world, events);
    }
}
