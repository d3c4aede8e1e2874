//! Our state machine and both stores against Python FireWorks: random workflows live through the
//! same random steps on all three, and after every step they must look the same.
//!
//! `VOLLEY_TEST_SEEDS=FIRST..END` chooses the stories; `scripts/conformance` runs many.

mod sides;
mod story;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::ops::Range;

use serde_json::{Value, json};
use volley::store::{Verb, Verdict};
use volley::workflow::{FwId, State};

use crate::support::{Launchpad, seeds};
use sides::{Oracle, Ours, View};
use story::{NAMES, Step, Story, story};

/// What `cargo test` tells: about 20 s.
const DEFAULT: Range<u64> = 0..20;

#[test]
fn stories_end_as_in_python() {
    let Some(oracle) = Oracle::start() else { return };
    let Some(mongo) = Launchpad::mongo() else { return };
    let stores = vec![Ours::new("SQLite", Launchpad::sqlite()), Ours::new("MongoDB", mongo)];
    let mut theatre = Theatre { oracle, stores, steps: 0, refused: 0 };
    for seed in seeds(DEFAULT) {
        let story = story(seed);
        if let Err(tale) = theatre.tell(&story) {
            let short = theatre.shorten(story);
            let tale = theatre.tell(&short).err().unwrap_or(tale);
            panic!("seed {seed}:\n{tale}");
        }
    }
    eprintln!("{} steps like Python's, of them {} refused by it", theatre.steps, theatre.refused);
}

/// Where stories are told.
struct Theatre {
    oracle: Oracle,
    stores: Vec<Ours>,
    /// Steps that were compared.
    steps: usize,
    /// Outcomes that FireWorks could not apply.
    refused: usize,
}

/// Launches that have not ended yet, as FireWorks numbers them.
#[derive(Default)]
struct Open {
    running: Vec<(FwId, i64)>,
    put_away: Vec<i64>,
    /// Fireworks that have put others into the workflow.
    spawning: BTreeSet<FwId>,
    /// After an outcome that it cannot apply FireWorks calls the workflow FIZZLED without a look at
    /// its rule, until it next writes the workflow; we follow the rule.
    forced: bool,
}

impl Theatre {
    /// Tells a story on all sides. The error is the story up to where they differ, and how.
    fn tell(&mut self, story: &Story) -> Result<(), String> {
        let mut tale = cast(&story.workflow);
        self.oracle.begin(&story.workflow);
        for ours in &mut self.stores {
            ours.begin(&story.workflow);
        }
        let mut open = Open::default();
        self.compare(&tale, false)?;
        for step in &story.steps {
            if !self.step(step, &mut open, &mut tale)? {
                break;
            }
        }
        Ok(())
    }

    /// Takes a step, if it can be taken. False when the story cannot go on.
    fn step(&mut self, step: &Step, open: &mut Open, tale: &mut String) -> Result<bool, String> {
        let before = self.oracle.view();
        let chosen =
            |candidates: &[FwId], pick: usize| (!candidates.is_empty()).then(|| candidates[pick % candidates.len()]);
        match step {
            Step::Claim { pick } => {
                let Some(fw_id) = chosen(&before.in_state(&[State::Ready]), *pick) else { return Ok(true) };
                self.claim(fw_id, open, tale);
            }
            Step::Finish { pick, completed, action } => {
                let mut candidates = before.in_state(&[State::Ready, State::Running]);
                // What was defused while it ran still comes to its end.
                for &(fw_id, _) in &open.running {
                    if !candidates.contains(&fw_id) {
                        candidates.push(fw_id);
                    }
                }
                let Some(fw_id) = chosen(&candidates, *pick) else { return Ok(true) };
                let action = &with_parents(action, fw_id, &before);
                let running = open.running.iter().find(|(running, _)| *running == fw_id);
                let launch_id = match running {
                    Some(&(_, launch_id)) => launch_id,
                    None => self.claim(fw_id, open, tale),
                };
                open.running.retain(|&(_, other)| other != launch_id);
                let state = if *completed { State::Completed } else { State::Fizzled };
                let _ = writeln!(tale, "{state} {fw_id} with {}", brief(action));
                let refused = self.finish(launch_id, state, action, Verdict::Recorded, tale)?;
                open.forced = refused;
                self.compare(tale, open.forced)?;
                // On MongoDB an outcome that cannot be applied leaves the ids that it took as a gap.
                let spawns = ["additions", "detours", "append_wfs"]
                    .iter()
                    .any(|key| action[key].as_array().is_some_and(|all| !all.is_empty()));
                if spawns {
                    open.spawning.insert(fw_id);
                }
                let held = !self.oracle.view().fireworks[&fw_id].state.is_final();
                return Ok(!((refused || held) && spawns && *completed));
            }
            Step::Steer { verb, pick } => {
                let all: Vec<FwId> = before.fireworks.keys().copied().collect();
                let Some(fw_id) = chosen(&all, *pick) else { return Ok(true) };
                if !is_like(*verb, fw_id, &before, open) {
                    return Ok(true);
                }
                let _ = writeln!(tale, "{} {fw_id}", verb.as_str());
                let name = NAMES.iter().find(|(named, _)| named == verb).expect("has a name").1;
                self.oracle.steer(name, fw_id);
                for ours in &mut self.stores {
                    ours.steer(*verb, fw_id);
                }
                let after = self.oracle.view();
                let (kept, lost) = open
                    .running
                    .iter()
                    .partition(|(fw_id, launch_id)| after.fireworks[fw_id].launches.contains(launch_id));
                open.running = kept;
                let lost: Vec<(FwId, i64)> = lost;
                open.put_away.extend(lost.into_iter().map(|(_, launch_id)| launch_id));
            }
            Step::Append { picks, workflow, detour, pull } => {
                let able: Vec<FwId> = before
                    .fireworks
                    .iter()
                    .filter(|(_, one)| one.state != State::Archived)
                    .map(|(&fw_id, _)| fw_id)
                    .collect();
                let mut parents: Vec<FwId> = picks.iter().filter_map(|pick| chosen(&able, *pick)).collect();
                parents.dedup();
                if *detour {
                    // Below two of them it may go in a circle, which FireWorks does not see.
                    parents.truncate(1);
                }
                if parents.is_empty() {
                    return Ok(true);
                }
                let _ = writeln!(tale, "append {} below {parents:?}, detour: {detour}, pull: {pull}", brief(workflow));
                let refused = self.oracle.append(workflow, &parents, *detour, *pull).is_err();
                for ours in &mut self.stores {
                    if ours.append(workflow, &parents, *detour, *pull) == refused {
                        return Err(format!("{tale}{}: refused by one side only", ours.name));
                    }
                }
                // Ids that were taken in vain.
                if refused {
                    return Ok(false);
                }
            }
            Step::Update { picks, changes } => {
                let all: Vec<FwId> = before.fireworks.keys().copied().collect();
                let ids: Vec<FwId> = picks.iter().filter_map(|pick| chosen(&all, *pick)).collect();
                let _ = writeln!(tale, "update {ids:?} with {changes}");
                self.oracle.update(&ids, changes);
                for ours in &mut self.stores {
                    ours.update(&ids, changes);
                }
            }
            Step::Zombie { pick, action } => {
                let Some(launch_id) = chosen(&open.put_away, *pick) else { return Ok(true) };
                open.put_away.retain(|&other| other != launch_id);
                let _ = writeln!(tale, "late: launch {launch_id} COMPLETED with {}", brief(action));
                self.finish(launch_id, State::Completed, action, Verdict::LeaseLost, tale)?;
            }
        }
        open.forced &= self.oracle.view() == before;
        self.compare(tale, open.forced)?;
        Ok(true)
    }

    fn claim(&mut self, fw_id: FwId, open: &mut Open, tale: &mut String) -> i64 {
        let launch_id = self.oracle.claim(fw_id);
        let _ = writeln!(tale, "claim {fw_id} (launch {launch_id})");
        for ours in &mut self.stores {
            ours.claim(fw_id, launch_id);
        }
        open.running.push((fw_id, launch_id));
        launch_id
    }

    /// Whether FireWorks could not apply the outcome.
    fn finish(
        &mut self,
        launch_id: i64,
        state: State,
        action: &Value,
        expected: Verdict,
        tale: &mut String,
    ) -> Result<bool, String> {
        let refused = self.oracle.finish(launch_id, state, action);
        if let Err(refused) = &refused {
            self.refused += 1;
            let _ = writeln!(tale, "  FireWorks: {}", refused.0);
        }
        for ours in &mut self.stores {
            let verdict = ours.finish(launch_id, state, action);
            if verdict != expected {
                return Err(format!("{tale}{}: {verdict:?} instead of {expected:?}", ours.name));
            }
        }
        Ok(refused.is_err())
    }

    fn compare(&mut self, tale: &str, forced: bool) -> Result<(), String> {
        self.steps += 1;
        let mut theirs = self.oracle.view();
        if forced {
            theirs.state = None;
        }
        for ours in &self.stores {
            let difference = ours.view().difference(&theirs);
            if !difference.is_empty() {
                return Err(format!("{tale}{} differs:\n  {}", ours.name, difference.join("\n  ")));
            }
        }
        Ok(())
    }

    /// Leaves out whatever can be left out of a story that fails.
    fn shorten(&mut self, mut story: Story) -> Story {
        let mut at = story.steps.len();
        while at > 0 {
            at -= 1;
            let mut shorter = story.clone();
            shorter.steps.remove(at);
            if self.tell(&shorter).is_err() {
                story = shorter;
                at = at.min(story.steps.len());
            }
        }
        for at in (0..story.workflow["fws"].as_array().map_or(0, Vec::len)).rev() {
            let shorter = story.without_firework(at);
            if self.tell(&shorter).is_err() {
                story = shorter;
            }
        }
        for step in 0..story.steps.len() {
            for key in [
                "update_spec",
                "mod_spec",
                "additions",
                "detours",
                "append_wfs",
                "defuse_children",
                "defuse_workflow",
                "propagate",
                "exit",
            ] {
                let mut simpler = story.clone();
                let (Step::Finish { action, .. } | Step::Zombie { action, .. }) = &mut simpler.steps[step] else {
                    continue;
                };
                action[key] = match &action[key] {
                    Value::Bool(_) => false.into(),
                    Value::Object(_) => Value::Object(serde_json::Map::new()),
                    _ => Value::Array(Vec::new()),
                };
                if self.tell(&simpler).is_err() {
                    story = simpler;
                }
            }
        }
        story
    }
}

/// Whether FireWorks does with this firework what we do (see [`story`]).
fn is_like(verb: Verb, fw_id: FwId, view: &View, open: &Open) -> bool {
    let mut again = vec![fw_id];
    let mut next = 0;
    while let Some(at) = again.get(next).copied() {
        next += 1;
        for &child in view.links.get(&at).into_iter().flatten() {
            if !again.contains(&child) {
                again.push(child);
            }
        }
    }
    match verb {
        Verb::Rerun | Verb::Defuse => !again.iter().any(|fw_id| open.spawning.contains(fw_id)),
        Verb::DefuseWorkflow => open.running.is_empty(),
        _ => true,
    }
}

/// An action whose `append_wfs` name parents that exist.
fn with_parents(action: &Value, acting: FwId, view: &View) -> Value {
    let mut action = action.clone();
    let others: Vec<FwId> = view.fireworks.keys().copied().filter(|&fw_id| fw_id != acting).collect();
    for one in action["append_wfs"].as_array_mut().into_iter().flatten() {
        let pick = one["parents"][0].as_u64().unwrap_or_default() as usize;
        // A detour with another parent may go in a circle, which FireWorks does not see.
        let alone = others.is_empty() || one["detour"] == true;
        one["parents"] = if alone { json!([]) } else { json!([others[pick % others.len()]]) };
    }
    action
}

/// The fireworks of a story, one line each.
fn cast(workflow: &Value) -> String {
    let mut text = String::new();
    for fw in workflow["fws"].as_array().into_iter().flatten() {
        let (id, state) = (&fw["fw_id"], fw["state"].as_str().unwrap_or_default());
        let _ = writeln!(text, "{id} -> {} {state} {}", workflow["links"][id.to_string()], brief(&fw["spec"]));
    }
    text
}

/// An action or a part of it, without what it leaves out and without tasks.
fn brief(value: &Value) -> Value {
    let nothing = |value: &Value| match value {
        Value::Bool(flag) => !flag,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    };
    let dull = ["stored_data", "_tasks", "metadata", "name"];
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(key, value)| !dull.contains(&key.as_str()) && !nothing(value));
            kept.map(|(key, value)| (key.clone(), brief(value))).collect()
        }
        Value::Array(items) => items.iter().map(brief).collect(),
        other => other.clone(),
    }
}
