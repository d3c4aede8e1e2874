//! Whether the tasks that declare inputs and outputs get the former from exactly one place each, as
//! FireWorks' `DAGFlow` checks it.

use std::collections::{BTreeMap, BTreeSet};

use bson::{Bson, Document};

use super::Links;
use crate::workflow::{FwId, State};

/// The tasks that declare what they read and write.
const DECLARING: [&str; 5] = ["PyTask", "CommandLineTask", "ForeachTask", "JoinDictTask", "JoinListTask"];

/// A firework, stored or not.
pub struct Step<'a> {
    /// Its id.
    pub fw_id: FwId,
    /// Its name.
    pub name: &'a str,
    /// Its state, where it is stored.
    pub state: Option<State>,
    /// Its spec.
    pub spec: &'a Document,
}

/// What a firework declares.
struct Declared<'a> {
    step: &'a Step<'a>,
    /// Its tasks that declare something, in order.
    tasks: Vec<&'a Document>,
    /// What it writes, once for each task that does.
    outputs: Vec<&'a str>,
    /// All its tasks declare what they do; others may put anything into a spec.
    is_open: bool,
    /// It writes pieces of what others put together.
    in_chunks: bool,
}

/// What is wrong.
pub fn faults(steps: &[Step<'_>], links: &Links) -> Vec<String> {
    let mut faults = Vec::new();
    let declared: BTreeMap<FwId, Declared<'_>> =
        steps.iter().map(|step| (step.fw_id, declared(step, &mut faults))).collect();
    let mut parents: BTreeMap<FwId, Vec<FwId>> = BTreeMap::new();
    for &(parent, child) in links {
        parents.entry(child).or_default().push(parent);
    }
    for one in declared.values() {
        let place = format!("firework {} ({})", one.step.fw_id, one.step.name);
        let above: Vec<&Declared<'_>> =
            parents.get(&one.step.fw_id).into_iter().flatten().filter_map(|id| declared.get(id)).collect();
        let inputs: BTreeSet<&str> = one.tasks.iter().flat_map(|task| words(task.get("inputs"))).collect();
        for input in inputs {
            let sources = sources(one, &above, input);
            if sources.len() > 1 {
                faults.push(format!("{place}: its input `{input}` comes from {}", sources.join(" and from ")));
            } else if sources.is_empty() && is_sure(one.step.fw_id, &declared, &parents, input) {
                faults.push(format!("{place}: nothing gives it its input `{input}`"));
            }
        }
    }
    faults
}

/// Reads what a firework declares; what is declared wrongly is a fault.
fn declared<'a>(step: &'a Step<'a>, faults: &mut Vec<String>) -> Declared<'a> {
    let all: Vec<&Document> =
        step.spec.get_array("_tasks").into_iter().flatten().filter_map(Bson::as_document).collect();
    let declares = |task: &Document| task.get_str("_fw_name").is_ok_and(|name| DECLARING.contains(&name));
    let tasks: Vec<&Document> = all.iter().copied().filter(|task| declares(task)).collect();
    let is_open = tasks.len() < all.len();
    let in_chunks = tasks.iter().any(|task| task.contains_key("chunk_number"));
    // What a ForeachTask does for each is in its own `task`.
    let tasks: Vec<&Document> = tasks.into_iter().map(|task| task.get_document("task").unwrap_or(task)).collect();
    let place = format!("firework {} ({})", step.fw_id, step.name);
    let mut outputs = Vec::new();
    for task in &tasks {
        for key in ["inputs", "outputs"] {
            if task.get(key).is_some_and(|value| value.as_array().is_none()) {
                faults.push(format!("{place}: `{key}` must be a list"));
            }
        }
        if let Ok(commands) = task.get_document("command_spec") {
            for input in words(task.get("inputs")).filter(|input| !commands.contains_key(input)) {
                faults.push(format!("{place}: the input `{input}` is not in the `command_spec`"));
            }
        }
        for output in words(task.get("outputs")).chain(words(task.get("output"))) {
            if outputs.contains(&output) {
                faults.push(format!("{place}: several of its tasks write `{output}`"));
            }
            outputs.push(output);
        }
    }
    Declared { step, tasks, outputs, is_open, in_chunks }
}

/// A list of names, or one.
fn words(value: Option<&Bson>) -> impl Iterator<Item = &str> {
    let items = match value {
        Some(Bson::Array(items)) => items.as_slice(),
        other => other.map(std::slice::from_ref).unwrap_or_default(),
    };
    items.iter().filter_map(Bson::as_str)
}

/// Where a firework gets an input from.
fn sources(one: &Declared<'_>, above: &[&Declared<'_>], input: &str) -> Vec<String> {
    let writes = |parent: &&&Declared<'_>| parent.outputs.contains(&input);
    let mut sources: Vec<String> = above
        .iter()
        .filter(|parent| writes(parent) && !parent.in_chunks)
        .map(|parent| format!("firework {}", parent.step.fw_id))
        .collect();
    // What a parent has written is in the spec already.
    let is_written = above.iter().filter(writes).any(|parent| parent.step.state == Some(State::Completed));
    if !is_written && one.tasks.iter().any(|task| is_in_spec(task, one.step.spec, input)) {
        sources.push("its spec".to_owned());
    }
    let mut is_before = false;
    for task in &one.tasks {
        if is_before && words(task.get("inputs")).any(|name| name == input) {
            sources.push("a task before".to_owned());
            break;
        }
        is_before |= words(task.get("outputs")).chain(words(task.get("output"))).any(|name| name == input);
    }
    sources
}

/// Whether the spec gives a task an input; that of a command may name another key of the spec, or say it at once.
fn is_in_spec(task: &Document, spec: &Document, input: &str) -> bool {
    if words(task.get("inputs")).all(|name| name != input) {
        return false;
    }
    let Ok(commands) = task.get_document("command_spec") else { return spec.contains_key(input) };
    match commands.get(input) {
        Some(Bson::Document(argument)) => match argument.get("source") {
            Some(Bson::String(key)) => spec.contains_key(key),
            source => matches!(source, Some(Bson::Document(_))),
        },
        Some(Bson::String(key)) => spec.contains_key(key),
        _ => false,
    }
}

/// Whether nobody else can give a firework an input: tasks that do not declare what they do may, and
/// may have it handed down; so may those that work in chunks.
fn is_sure(
    fw_id: FwId,
    declared: &BTreeMap<FwId, Declared<'_>>,
    parents: &BTreeMap<FwId, Vec<FwId>>,
    input: &str,
) -> bool {
    let mut seen = BTreeSet::new();
    let mut next = vec![fw_id];
    while let Some(one) = next.pop().map(|id| declared.get(&id)) {
        let Some(one) = one.filter(|one| seen.insert(one.step.fw_id)) else { continue };
        if one.is_open || (one.in_chunks && one.outputs.contains(&input)) {
            return false;
        }
        next.extend(parents.get(&one.step.fw_id).into_iter().flatten());
    }
    true
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn check(specs: &[Document], links: &[(FwId, FwId)]) -> Vec<String> {
        let ids = 1..;
        let steps: Vec<Step<'_>> =
            ids.zip(specs).map(|(fw_id, spec)| Step { fw_id, name: "f", state: None, spec }).collect();
        faults(&steps, &links.iter().copied().collect())
    }

    fn py(inputs: &[&str], outputs: &[&str]) -> Document {
        doc! { "_fw_name": "PyTask", "func": "f", "inputs": inputs, "outputs": outputs }
    }

    #[test]
    fn an_input_comes_from_one_place() {
        let writes = doc! { "_tasks": [py(&[], &["x"])] };
        let reads = doc! { "_tasks": [py(&["x"], &[])] };
        assert_eq!(check(&[writes.clone(), reads.clone()], &[(1, 2)]), Vec::<String>::new());
        let faults = check(&[writes.clone(), reads.clone()], &[]);
        assert_eq!(faults, ["firework 2 (f): nothing gives it its input `x`"]);
        let faults = check(&[writes.clone(), writes.clone(), reads.clone()], &[(1, 3), (2, 3)]);
        assert_eq!(faults, ["firework 3 (f): its input `x` comes from firework 1 and from firework 2"]);
        let mut both = reads.clone();
        both.insert("x", 1);
        assert_eq!(check(std::slice::from_ref(&both), &[]), Vec::<String>::new());
        let faults = check(&[writes.clone(), both], &[(1, 2)]);
        assert_eq!(faults, ["firework 2 (f): its input `x` comes from firework 1 and from its spec"]);
        let chain = doc! { "_tasks": [py(&[], &["x"]), py(&["x"], &["y"])] };
        assert_eq!(check(std::slice::from_ref(&chain), &[]), Vec::<String>::new());
        let twice = doc! { "_tasks": [py(&[], &["x"]), py(&[], &["x"])] };
        assert_eq!(check(&[twice], &[]), ["firework 1 (f): several of its tasks write `x`"]);
    }

    #[test]
    fn what_is_not_sure_is_not_said() {
        let unknown = doc! { "_tasks": [{ "_fw_name": "my.Task" }] };
        let reads = doc! { "_tasks": [py(&["x"], &[])] };
        let between = doc! { "_tasks": [py(&[], &["y"])] };
        assert!(check(&[unknown, between, reads], &[(1, 2), (2, 3)]).is_empty(), "it may hand it down");
        let chunk = doc! { "_tasks": [{
            "_fw_name": "ForeachTask", "chunk_number": 0, "split": "l",
            "task": { "_fw_name": "PyTask", "inputs": ["l"], "outputs": ["x"] },
        }], "l": [1] };
        let join = doc! { "_tasks": [{ "_fw_name": "JoinListTask", "inputs": ["x"], "output": "all" }] };
        assert!(check(&[chunk, join], &[(1, 2)]).is_empty());
    }

    #[test]
    fn the_inputs_of_commands_are_in_their_specs() {
        let command = |spec: Document| doc! { "_fw_name": "CommandLineTask", "inputs": ["in"], "command_spec": spec };
        let of = |spec: Document| check(&[doc! { "_tasks": [command(spec)], "key": 1 }], &[]);
        assert!(of(doc! { "in": { "source": "key" } }).is_empty());
        assert!(of(doc! { "in": { "source": { "type": "path", "value": "f" } } }).is_empty());
        assert_eq!(of(doc! { "in": { "source": "nothing" } }), ["firework 1 (f): nothing gives it its input `in`"]);
        assert!(of(doc! { "other": 1 })[0].contains("is not in the `command_spec`"));
    }
}
