//! What a workflow file must be, and where in it a mistake is.

use super::node::{Entry, Kind, Node};
use crate::config::nearest;
use crate::workflow::{Draft, DraftError, as_int, reserved};

/// Keys of a workflow: what people write, then what FireWorks adds in dumps and in its database.
const WORKFLOW_KEYS: [&str; 13] = [
    "fws",
    "links",
    "name",
    "metadata",
    "created_on",
    "updated_on",
    "state",
    "nodes",
    "parent_links",
    "fw_states",
    "states",
    "launch_dirs",
    "_id",
];

/// Keys of a firework, likewise.
const FIREWORK_KEYS: [&str; 9] =
    ["spec", "fw_id", "name", "state", "created_on", "updated_on", "launches", "archived_launches", "_id"];

/// What FireWorks heeds in a spec, or puts there, and what only Volley does; the underscore is theirs.
const SPEC_KEYS: [&str; 25] = [
    "_tasks",
    "_priority",
    "_fworker",
    "_category",
    "_launch_dir",
    "_queueadapter",
    "_dupefinder",
    "_allow_fizzled_parents",
    "_fizzled_parents",
    "_preserve_fworker",
    "_pass_job_info",
    "_job_info",
    "_files_in",
    "_files_out",
    "_files_prev",
    "_trackers",
    "_background_tasks",
    "_add_launchpad_and_fw_id",
    "_add_fworker",
    "_fw_env",
    "_recovery",
    "_exception_details",
    "_fw_name",
    "_walltime",
    "_max_runtime",
];

/// A line and what is wrong there.
type Mistake = (u64, String);

/// Checks a document and makes a workflow of it.
pub(super) fn draft(tree: &Node) -> Result<Draft, Mistake> {
    if !matches!(tree.kind, Kind::Map(_)) {
        return Err((
            tree.line,
            "must be a workflow (with `fws`) or a firework (with `spec`), not a list or a word".into(),
        ));
    }
    known_keys(tree)?;
    if tree.entry("fws").is_none() && tree.entry("spec").is_none() {
        let meant = tree.entries().iter().find_map(|Entry { key, line, .. }| {
            let hint = nearest::hint(key, &["fws", "spec"]);
            (!hint.is_empty()).then(|| (*line, format!(": unknown key `{key}`{hint}")))
        });
        let (line, hint) = meant.unwrap_or((tree.line, String::new()));
        return Err((line, format!("neither a workflow (no `fws`) nor a firework (no `spec`){hint}")));
    }
    Draft::from_document(&tree.to_document()).map_err(|error| (line_of(tree, &error), error.to_string()))
}

fn known_keys(tree: &Node) -> Result<(), Mistake> {
    let check = |node: &Node, known: &[&str], what: &str| {
        let unknown = node.entries().iter().find(|entry| !known.contains(&entry.key.as_str()));
        unknown.map_or(Ok(()), |Entry { key, line, .. }| {
            let hint = nearest::hint(key, known);
            Err((*line, format!("unknown key `{key}` in {what}{hint}")))
        })
    };
    if tree.entry("fws").is_some() {
        check(tree, &WORKFLOW_KEYS, "a workflow")?;
    } else if tree.entry("spec").is_none() {
        return Ok(());
    }
    fireworks(tree).try_for_each(|(_, firework)| {
        check(firework, &FIREWORK_KEYS, "a firework")?;
        firework.get("spec").map_or(Ok(()), |spec| misspelt(spec).and_then(|()| reserved_keys(spec)))
    })
}

/// A spec may hold anything; but what nearly is FireWorks' must not be overlooked.
fn misspelt(spec: &Node) -> Result<(), Mistake> {
    let is_strange = |entry: &&Entry| entry.key.starts_with('_') && !SPEC_KEYS.contains(&entry.key.as_str());
    for Entry { key, line, .. } in spec.entries().iter().filter(is_strange) {
        let hint = nearest::hint(key, &SPEC_KEYS);
        if !hint.is_empty() {
            return Err((*line, format!("unknown key `{key}` in a spec{hint}")));
        }
    }
    Ok(())
}

/// What FireWorks' own keys of a spec must be.
fn reserved_keys(spec: &Node) -> Result<(), Mistake> {
    reserved::check(&spec.to_document()).map_err(|error| {
        let line = spec.entry(error.key).map_or(spec.line, |entry| entry.line);
        (line, format!("in a spec, {error}"))
    })
}

/// The fireworks of a file with their local ids, numbered as [`Draft::from_document`] does.
fn fireworks(tree: &Node) -> impl Iterator<Item = (i64, &Node)> {
    let list = match tree.get("fws") {
        Some(fws) => fws.items(),
        None => std::slice::from_ref(tree),
    };
    list.iter().zip(1_i64..).map(|(firework, position)| {
        let written = firework.get("fw_id").and_then(|id| as_int(&id.to_bson()));
        (written.unwrap_or(-position), firework)
    })
}

fn firework(tree: &Node, local_id: i64) -> Option<&Node> {
    fireworks(tree).find(|(id, _)| *id == local_id).map(|(_, firework)| firework)
}

/// Line of a task, from 1, of a firework; of the firework when there is no such task. Where the
/// mistake is in a key, of that key, which may also stand in the spec around the task.
pub(super) fn task_line(tree: &Node, local_id: i64, task: usize, key: Option<&str>) -> Option<u64> {
    let firework = firework(tree, local_id)?;
    let tasks = firework.get("spec").and_then(|spec| spec.get("_tasks"));
    let task = tasks.and_then(|tasks| tasks.items().get(task.checked_sub(1)?));
    let of_key = key.and_then(|key| key_line(task?, key).or_else(|| key_line(firework, key)));
    Some(of_key.unwrap_or_else(|| task.map_or(firework.line, |task| task.line)))
}

/// Line of the first such key at any depth.
fn key_line(node: &Node, key: &str) -> Option<u64> {
    let here = node.entry(key).map(|entry| entry.line);
    let below = || node.entries().iter().map(|entry| &entry.value).chain(node.items());
    here.or_else(|| below().find_map(|node| key_line(node, key)))
}

/// The line that an error is about; the first of the document when there is none better.
fn line_of(tree: &Node, error: &DraftError) -> u64 {
    let line = match error {
        DraftError::Empty => tree.entry("fws").map(|fws| fws.line),
        DraftError::WrongKind { place, field, .. } => wrong_kind_line(tree, place, field),
        DraftError::NoTasks { fw } => firework(tree, *fw).map(|fw| fw.entry("spec").map_or(fw.line, |spec| spec.line)),
        DraftError::NoTaskName { fw, task } => task_line(tree, *fw, *task, None),
        DraftError::DuplicateId { fw } => fireworks(tree)
            .filter(|(id, _)| id == fw)
            .nth(1)
            .map(|(_, second)| second.entry("fw_id").map_or(second.line, |id| id.line)),
        DraftError::UnknownLink { fw } => {
            links(tree).find(|link| link.parent == *fw || link.child == Some(*fw)).map(|link| link.line)
        }
        DraftError::Cycle { fws } => links(tree)
            .find(|link| fws.first() == Some(&link.parent) && fws.get(1).copied() == link.child)
            .map(|link| link.line),
    };
    line.unwrap_or(tree.line)
}

fn wrong_kind_line(tree: &Node, place: &str, field: &str) -> Option<u64> {
    let in_node = |node: &Node| {
        let own = node.entry(field);
        own.or_else(|| node.get("spec").and_then(|spec| spec.entry(field))).map(|entry| entry.line)
    };
    match place.strip_prefix("firework") {
        None => in_node(tree),
        Some(id) => match id.trim().parse() {
            Ok(local_id) => firework(tree, local_id).map(|firework| in_node(firework).unwrap_or(firework.line)),
            // An id that is no number: the firework cannot be named.
            Err(_) => fireworks(tree)
                .filter_map(|(_, firework)| firework.entry(field))
                .find(|entry| as_int(&entry.value.to_bson()).is_none())
                .map(|entry| entry.line),
        },
    }
}

struct Link {
    parent: i64,
    child: Option<i64>,
    line: u64,
}

fn links(tree: &Node) -> impl Iterator<Item = Link> {
    tree.get("links").into_iter().flat_map(Node::entries).flat_map(|entry| {
        let parent = entry.key.trim().parse().unwrap_or(0);
        let children = match &entry.value.kind {
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        let own = Link { parent, child: None, line: entry.line };
        let links =
            children.iter().map(move |child| Link { parent, child: as_int(&child.to_bson()), line: child.line });
        std::iter::once(own).chain(links)
    })
}
