//! Random stories: a workflow and what happens to it. The same seed is the same story for ever.
//!
//! Not told, because FireWorks errs there and we do not follow:
//! - `defuse_workflow` together with new fireworks (its loop reuses a variable, so that they hang on
//!   the wrong parent); defusing a workflow of which something runs (what is below is reset after it
//!   has been defused, and waits again);
//! - running fireworks again that have put others into the workflow (they are doubled there, and
//!   replaced here);
//! - a list or mapping that an action puts into several children and then changes in the same
//!   action: the children share it in Python, and each is changed as often as there are children;
//! - fireworks of an action with ids that are not negative, or used twice by it: refused there;
//! - a renaming of a key to itself, which deletes it there; `_inc` of strings and lists; paths that
//!   lead through something else than a mapping;
//! - `_pull_all`, which fails there with today's monty (its `@singleton` hides `DictMods.pull`);
//! - strings that look like dates, which it rewrites.

use bson::Document;
use serde_json::{Map, Value, json};
use volley::store::Verb;

use crate::support::random::Random;

/// A story before it is told: which firework a step is about depends on how far things have come.
#[derive(Debug, Clone)]
pub struct Story {
    pub workflow: Value,
    pub steps: Vec<Step>,
}

/// One thing that happens. `pick` chooses among the fireworks to which it can happen.
#[derive(Debug, Clone)]
pub enum Step {
    Claim {
        pick: usize,
    },
    Finish {
        pick: usize,
        completed: bool,
        action: Value,
    },
    /// A verb of the user.
    Steer {
        verb: Verb,
        pick: usize,
    },
    /// A user appends a workflow below one or two fireworks.
    Append {
        picks: Vec<usize>,
        workflow: Value,
        detour: bool,
        pull: bool,
    },
    /// A user changes specs.
    Update {
        picks: Vec<usize>,
        changes: Value,
    },
    /// A launch that a rerun has put away reports all the same.
    Zombie {
        pick: usize,
        action: Value,
    },
}

impl Story {
    /// The same without one of the fireworks, unless it is the last.
    pub fn without_firework(&self, at: usize) -> Story {
        let mut story = self.clone();
        let Some(fws) = story.workflow["fws"].as_array_mut().filter(|fws| fws.len() > 1) else { return story };
        let gone = fws.remove(at)["fw_id"].clone();
        let links = story.workflow["links"].as_object_mut().expect("links");
        links.remove(&gone.to_string());
        links.values_mut().filter_map(Value::as_array_mut).for_each(|children| children.retain(|child| *child != gone));
        hold(&mut story.workflow, |state| state.cloned());
        story
    }
}

/// The story of a seed.
pub fn story(seed: u64) -> Story {
    let random = &mut Random::new(seed);
    let n = 1 + random.below(12);
    let ids: Vec<i64> =
        if random.percent(50) { (1..=n as i64).collect() } else { (1..=n as i64).map(|i| -i).collect() };
    let density = 5 + random.below(45);
    let mut workflow = workflow(random, &ids, density, "fw");
    if random.percent(25) {
        hold(&mut workflow, |_| random.percent(20).then(|| random.of(&["PAUSED", "DEFUSED"]).into()));
    }
    let steps = (0..2 + random.below(2 * n + 6)).map(|_| step(random)).collect();
    Story { workflow, steps }
}

fn step(random: &mut Random) -> Step {
    let pick = random.below(1 << 16);
    match random.below(100) {
        0..18 => Step::Claim { pick },
        18..66 => Step::Finish { pick, completed: random.percent(80), action: action(random) },
        66..76 => Step::Steer { verb: Verb::Rerun, pick },
        76..88 => Step::Steer { verb: random.of(&VERBS), pick },
        88..93 => {
            let picks = (0..1 + random.below(2)).map(|_| random.below(1 << 16)).collect();
            let ids: Vec<i64> = (1..=1 + random.below(3) as i64).map(|id| -900 - id).collect();
            let workflow = workflow(random, &ids, 50, "more");
            Step::Append { picks, workflow, detour: random.percent(40), pull: random.percent(60) }
        }
        93..96 => {
            let picks = (0..1 + random.below(3)).map(|_| random.below(1 << 16)).collect();
            let changes = random.of(&[
                json!({"n0": 9}),
                json!({"d2.x.y": [1]}),
                json!({"n1": null, "_priority": 4}),
                json!({"_tasks.0.note": "x"}),
            ]);
            Step::Update { picks, changes }
        }
        _ => Step::Zombie { pick, action: action(random) },
    }
}

/// What users ask for, with its name in FireWorks' `LaunchPad`.
pub const NAMES: [(Verb, &str); 9] = [
    (Verb::Rerun, "rerun_fw"),
    (Verb::Defuse, "defuse_fw"),
    (Verb::Reignite, "reignite_fw"),
    (Verb::Pause, "pause_fw"),
    (Verb::Resume, "resume_fw"),
    (Verb::DefuseWorkflow, "defuse_wf"),
    (Verb::ReigniteWorkflow, "reignite_wf"),
    (Verb::PauseWorkflow, "pause_wf"),
    (Verb::ArchiveWorkflow, "archive_wf"),
];

/// Those that are told, the likely ones more often.
const VERBS: [Verb; 14] = [
    Verb::Defuse,
    Verb::Defuse,
    Verb::Reignite,
    Verb::Reignite,
    Verb::Reignite,
    Verb::Pause,
    Verb::Pause,
    Verb::Resume,
    Verb::Resume,
    Verb::DefuseWorkflow,
    Verb::ReigniteWorkflow,
    Verb::ReigniteWorkflow,
    Verb::PauseWorkflow,
    Verb::ArchiveWorkflow,
];

/// A random DAG: links go from an earlier id to a later one.
fn workflow(random: &mut Random, ids: &[i64], density: usize, name: &str) -> Value {
    let fws: Vec<Value> =
        ids.iter().map(|&id| json!({"fw_id": id, "name": format!("{name}{id}"), "spec": spec(random)})).collect();
    let mut links = Map::new();
    for (position, id) in ids.iter().enumerate() {
        let children: Vec<i64> = ids[position + 1..].iter().copied().filter(|_| random.percent(density)).collect();
        links.insert(id.to_string(), children.into());
    }
    json!({"fws": fws, "links": links, "name": "oracle", "metadata": {"seeded": true}})
}

/// Lets fireworks begin PAUSED or DEFUSED. Not roots: Python makes them READY.
fn hold(workflow: &mut Value, mut choose: impl FnMut(Option<&Value>) -> Option<Value>) {
    let links = workflow["links"].as_object().into_iter().flat_map(Map::values);
    let children: Vec<Value> = links.filter_map(Value::as_array).flatten().cloned().collect();
    for fw in workflow["fws"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        let state = choose(fw.get("state")).filter(|_| children.contains(&fw["fw_id"]));
        match state {
            Some(state) => drop(fw.insert("state".into(), state)),
            None => drop(fw.remove("state")),
        }
    }
}

fn spec(random: &mut Random) -> Value {
    // As Python writes tasks: it completes and reorders others.
    let script = || json!({"script": ["true"], "use_shell": true, "_fw_name": "ScriptTask"});
    let write = || json!({"files_to_write": [{"filename": "a", "contents": "b"}], "_fw_name": "FileWriteTask"});
    let mut spec = Map::new();
    if random.percent(20) {
        spec.insert("_priority".into(), random.of(&[json!(3), json!(-1), json!(2.5)]));
    }
    for (key, value) in [
        ("l0", json!([1, "x"])),
        ("l1", json!([])),
        ("n0", json!(5)),
        ("n1", json!(0.5)),
        ("r0", json!({"deep": [null]})),
        ("d0", json!({"x": 1, "y": {"z": "\u{e5}"}})),
    ] {
        if random.percent(40) {
            spec.insert(key.into(), value);
        }
    }
    let tasks: Vec<Value> =
        (0..1 + random.below(3)).map(|_| if random.percent(70) { script() } else { write() }).collect();
    spec.insert("_tasks".into(), tasks.into());
    if random.percent(25) {
        spec.insert("_allow_fizzled_parents".into(), true.into());
    }
    spec.into()
}

fn scalar(random: &mut Random) -> Value {
    random.of(&[
        json!(1),
        json!(1.0),
        json!(-7),
        json!(3_000_000_000_i64),
        json!(0.1),
        json!(true),
        Value::Null,
        json!("x"),
        json!("\u{e5}ngstr\u{f6}m"),
    ])
}

fn container(random: &mut Random) -> Value {
    let one = scalar(random);
    random.of(&[json!([one, 2]), json!([]), json!([[1], {"k": one}]), json!({"x": one, "a": [one]}), json!({})])
}

fn list(random: &mut Random) -> Value {
    (0..random.below(4)).map(|_| scalar(random)).collect()
}

/// An action with FireWorks' ten keys.
pub fn action(random: &mut Random) -> Value {
    let mut update = Map::new();
    let mut mods: Vec<(&str, &str, Value)> = Vec::new();
    if random.percent(60) {
        for key in ["n0", "n1"] {
            match random.below(8) {
                0 => mods.push(("_inc", key, random.of(&[json!(1), json!(0.25), json!(2_147_483_647)]))),
                1 => mods.push(("_set", key, json!(7))),
                2 => {
                    update.insert(key.into(), json!(2.0));
                    mods.push(("_inc", key, json!(1)));
                }
                _ => {}
            }
        }
        for key in ["l0", "l1"] {
            match random.below(10) {
                0 => mods.push(("_push_all", key, list(random))),
                1 => mods.push(("_set", key, list(random))),
                2 => {
                    update.insert(key.into(), list(random));
                }
                3 | 4 => {
                    mods.push(("_push", key, scalar(random)));
                    for _ in 0..random.below(3) {
                        let change = [
                            ("_push", key, container(random)),
                            ("_pull", key, scalar(random)),
                            ("_pop", key, random.of(&[json!(1), json!(-1), json!(3)])),
                            ("_add_to_set", key, scalar(random)),
                        ];
                        mods.push(random.of(&change));
                    }
                }
                5 => mods.push(("_pull", key, scalar(random))),
                _ => {}
            }
        }
        match random.below(8) {
            0 => mods.push(("_set", "d0->x", scalar(random))),
            1 => mods.push(("_inc", "d0->y->n", json!(1))),
            2 => mods.push(("_push", "d0->l->m", scalar(random))),
            3 => {
                update.insert("d0".into(), json!({"x": scalar(random)}));
            }
            _ => {}
        }
        if random.percent(10) {
            mods.push(("_rename", "r0", json!(random.of(&["r1", "n0"]))));
        }
        if random.percent(15) {
            for key in ["zz", "u0", "aa"] {
                update.insert(key.into(), if random.percent(50) { scalar(random) } else { container(random) });
            }
        }
    }
    if random.percent(8) {
        // May not be possible, and then the firework has FIZZLED.
        let risky = [
            ("_unset", "n0", json!(true)),
            ("_unset", "d1->x", json!(1)),
            ("_pop", "l0", json!(1)),
            ("_push", "n0", json!(1)),
            ("_add_to_set", "s0", json!("x")),
            ("_pull", "n0", json!(1)),
            ("_grow", "n0", json!(1)),
        ];
        mods.push(random.of(&risky));
    }
    let mut last = -100;
    let (additions, detours) = (spawns(random, 10, &mut last), spawns(random, 10, &mut last));
    let appended: Vec<Value> = spawns(random, 8, &mut last)
        .as_array()
        .into_iter()
        .flatten()
        // Which fireworks are meant is seen when it is told.
        .map(|new| json!({"workflow": new, "parents": [random.below(1 << 16)], "detour": random.percent(30)}))
        .collect();
    let spawning = [&additions, &detours].iter().any(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    let defuse_workflow = !spawning && appended.is_empty() && random.percent(5);
    json!({
        "stored_data": {"energy": -1.5, "all": [1, null]},
        "exit": random.percent(5),
        "update_spec": update,
        "mod_spec": modifications(random, mods),
        "additions": additions,
        "detours": detours,
        "append_wfs": appended,
        "defuse_children": random.percent(6),
        "defuse_workflow": defuse_workflow,
        "propagate": random.percent(25),
    })
}

/// Verbs one by one, or several in one mapping.
fn modifications(random: &mut Random, mods: Vec<(&str, &str, Value)>) -> Value {
    let mut documents: Vec<Map<String, Value>> = Vec::new();
    for (verb, key, value) in mods {
        let settings = json!({key: value});
        match documents.last_mut() {
            Some(last) if !last.contains_key(verb) && random.percent(40) => {
                last.insert(verb.into(), settings);
            }
            _ => documents.push(Map::from_iter([(verb.to_owned(), settings)])),
        }
    }
    documents.into_iter().collect()
}

/// New workflows; ids fall as Python's do, so that no two are the same.
fn spawns(random: &mut Random, percent: usize, last: &mut i64) -> Value {
    let mut workflows = Vec::new();
    while workflows.len() < 2 && random.percent(percent) {
        let ids: Vec<i64> = (0..1 + random.below(3) as i64).map(|n| *last - n).collect();
        *last -= ids.len() as i64;
        workflows.push(workflow(random, &ids, 50, "new"));
    }
    workflows.into()
}

/// A JSON object as a document.
pub fn document(value: &Value) -> Document {
    volley::workflow::json::to_document(value.as_object().expect("an object"))
}
