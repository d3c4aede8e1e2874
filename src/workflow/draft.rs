//! A workflow that has no ids yet: what files and actions bring, checked before anything is
//! stored.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bson::{Bson, Document};
use jiff::{SignedDuration, Timestamp};

use super::firework::DEFAULT_NAME;
use super::{FwId, State, as_int, time};

/// One firework of a draft.
#[derive(Debug, Clone, PartialEq)]
pub struct DraftFirework {
    /// The id it has in its file; the launchpad gives it another.
    pub local_id: i64,
    /// Its name.
    pub name: String,
    /// Its spec, with `_tasks`.
    pub spec: Document,
    /// DEFUSED or PAUSED when the file says so; every other state follows from the parents.
    pub held: Option<State>,
    /// When it was made, where that is said.
    pub created_on: Option<Timestamp>,
}

/// A workflow before it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Its name.
    pub name: String,
    /// The user's metadata.
    pub metadata: Document,
    /// Its fireworks, by local id in ascending order: the order in which FireWorks numbers them.
    fireworks: Vec<DraftFirework>,
    /// Their places in the order in which they were given, which is that of the queue.
    places: BTreeMap<i64, usize>,
    /// Parent and child, by local id.
    links: BTreeSet<(i64, i64)>,
}

/// Why something is no workflow. `fw` is the local id in question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// Nothing to run.
    #[error("a workflow needs at least one firework in `fws`")]
    Empty,
    /// A field has the wrong kind.
    #[error("{place}: `{field}` must be {expected}")]
    WrongKind {
        /// Firework or workflow.
        place: String,
        /// The field.
        field: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A firework without tasks.
    #[error("firework {fw}: no `_tasks` in its spec")]
    NoTasks {
        /// Local id.
        fw: i64,
    },
    /// A task that says not what it is.
    #[error("firework {fw}: task {task} has no `_fw_name`")]
    NoTaskName {
        /// Local id.
        fw: i64,
        /// Position of the task, from 1.
        task: usize,
    },
    /// Two fireworks of one id.
    #[error("firework id {fw} is used twice")]
    DuplicateId {
        /// Local id.
        fw: i64,
    },
    /// A link to or from nowhere.
    #[error("`links` names firework {fw}, which does not exist")]
    UnknownLink {
        /// Local id.
        fw: i64,
    },
    /// A circle of links.
    #[error("`links` form a cycle: {}", .fws.iter().map(i64::to_string).collect::<Vec<_>>().join(" -> "))]
    Cycle {
        /// The fireworks of the cycle, in order, the first again at the end.
        fws: Vec<i64>,
    },
}

impl Draft {
    /// Checks and orders what a file or an action says.
    pub fn new(
        name: Option<String>,
        metadata: Document,
        mut fireworks: Vec<DraftFirework>,
        links: impl IntoIterator<Item = (i64, i64)>,
    ) -> Result<Self, DraftError> {
        if fireworks.is_empty() {
            return Err(DraftError::Empty);
        }
        let mut ids = BTreeSet::new();
        for firework in &fireworks {
            check_tasks(firework)?;
            if !ids.insert(firework.local_id) {
                return Err(DraftError::DuplicateId { fw: firework.local_id });
            }
        }
        let links: BTreeSet<(i64, i64)> = links.into_iter().collect();
        if let Some(fw) = links.iter().flat_map(|&(parent, child)| [parent, child]).find(|id| !ids.contains(id)) {
            return Err(DraftError::UnknownLink { fw });
        }
        if let Some(fws) = find_cycle(&ids, &links) {
            return Err(DraftError::Cycle { fws });
        }
        // FireWorks names a workflow after nothing else than this.
        let name = name.unwrap_or_else(|| match fireworks.as_slice() {
            [only] => only.name.clone(),
            _ => "unnamed WF".to_owned(),
        });
        let places = fireworks.iter().enumerate().map(|(place, firework)| (firework.local_id, place)).collect();
        fireworks.sort_by_key(|firework| firework.local_id);
        Ok(Draft { name, metadata, fireworks, places, links })
    }

    /// Reads a workflow dictionary (`fws`, `links`, ...) or a single firework (`spec`).
    pub fn from_document(document: &Document) -> Result<Self, DraftError> {
        if !document.contains_key("fws") {
            let firework = read_firework(document, -1)?;
            return Draft::new(None, Document::new(), vec![firework], []);
        }
        let wrong =
            |field: &str, expected| DraftError::WrongKind { place: "workflow".into(), field: field.into(), expected };
        let Some(Bson::Array(fws)) = document.get("fws") else {
            return Err(wrong("fws", "a list of fireworks"));
        };
        let mut fireworks = Vec::with_capacity(fws.len());
        for (position, fw) in fws.iter().enumerate() {
            let fw = fw.as_document().ok_or_else(|| wrong("fws", "a list of fireworks"))?;
            // Python numbers unnumbered fireworks downwards from -1.
            fireworks.push(read_firework(fw, -1 - position as i64)?);
        }
        let links = match document.get("links") {
            None | Some(Bson::Null) => Vec::new(),
            Some(Bson::Document(links)) => read_links(links)?,
            Some(_) => return Err(wrong("links", "a mapping of a parent's id to its children's")),
        };
        let metadata = match document.get("metadata") {
            None | Some(Bson::Null) => Document::new(),
            Some(Bson::Document(metadata)) => metadata.clone(),
            Some(_) => return Err(wrong("metadata", "a mapping")),
        };
        let name = match document.get("name") {
            None | Some(Bson::Null) => None,
            Some(Bson::String(name)) => Some(name.clone()),
            Some(_) => return Err(wrong("name", "a string")),
        };
        Draft::new(name, metadata, fireworks, links)
    }

    /// Its fireworks, in the order in which they get their ids.
    pub fn fireworks(&self) -> &[DraftFirework] {
        &self.fireworks
    }

    /// When a firework of it counts as made: as it says, or now, those of one workflow a microsecond
    /// apart so that they keep their order in the queue.
    pub fn created_on(&self, firework: &DraftFirework, now: Timestamp) -> Timestamp {
        let place = self.places.get(&firework.local_id).copied().unwrap_or_default();
        firework.created_on.unwrap_or(now + SignedDuration::from_micros(place as i64))
    }

    /// Its fireworks, to complete their specs.
    pub fn fireworks_mut(&mut self) -> impl Iterator<Item = &mut DraftFirework> {
        self.fireworks.iter_mut()
    }

    /// Its fireworks without a parent, to complete their specs.
    pub fn roots_mut(&mut self) -> impl Iterator<Item = &mut DraftFirework> {
        let children: BTreeSet<i64> = self.links.iter().map(|&(_, child)| child).collect();
        self.fireworks.iter_mut().filter(move |firework| !children.contains(&firework.local_id))
    }

    /// Its links, as (parent, child) of local ids.
    pub fn links(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.links.iter().copied()
    }

    /// Local ids without a parent.
    pub fn roots(&self) -> impl Iterator<Item = i64> + '_ {
        let children: BTreeSet<i64> = self.links.iter().map(|&(_, child)| child).collect();
        self.fireworks.iter().map(|fw| fw.local_id).filter(move |id| !children.contains(id))
    }

    /// Local ids of the roots that may run at once, when nothing is above them.
    pub fn free_roots(&self) -> BTreeSet<i64> {
        let held: BTreeSet<i64> = self.fireworks.iter().filter(|fw| fw.held.is_some()).map(|fw| fw.local_id).collect();
        self.roots().filter(|id| !held.contains(id)).collect()
    }

    /// Local ids without a child.
    pub fn leaves(&self) -> impl Iterator<Item = i64> + '_ {
        let parents: BTreeSet<i64> = self.links.iter().map(|&(parent, _)| parent).collect();
        self.fireworks.iter().map(|fw| fw.local_id).filter(move |id| !parents.contains(id))
    }
}

/// Numbers drafts that are added together, from `first` on: by local id over all of them, as
/// FireWorks does with what one action brings. The lower id is the one that Python made later.
pub fn number_together<'d>(drafts: impl IntoIterator<Item = &'d Draft>, first: FwId) -> Vec<BTreeMap<i64, FwId>> {
    let mut numbered = Vec::new();
    let mut all: Vec<(i64, usize)> = Vec::new();
    for (position, draft) in drafts.into_iter().enumerate() {
        numbered.push(BTreeMap::new());
        all.extend(draft.fireworks.iter().map(|firework| (firework.local_id, position)));
    }
    // Two drafts may use the same local ids: then the draft decides.
    all.sort_unstable();
    for ((local_id, position), fw_id) in all.into_iter().zip(first..) {
        numbered[position].insert(local_id, fw_id);
    }
    numbered
}

fn check_tasks(firework: &DraftFirework) -> Result<(), DraftError> {
    let fw = firework.local_id;
    let wrong = |field: &str, expected| DraftError::WrongKind {
        place: format!("firework {fw}"),
        field: field.into(),
        expected,
    };
    let tasks = match firework.spec.get("_tasks") {
        None | Some(Bson::Null) => return Err(DraftError::NoTasks { fw }),
        Some(Bson::Array(tasks)) => tasks,
        Some(_) => return Err(wrong("_tasks", "a list of tasks")),
    };
    for (position, task) in tasks.iter().enumerate() {
        let task = task.as_document().ok_or_else(|| wrong("_tasks", "a list of mappings"))?;
        if !matches!(task.get("_fw_name"), Some(Bson::String(_))) {
            return Err(DraftError::NoTaskName { fw, task: position + 1 });
        }
    }
    match firework.spec.get("_priority") {
        None | Some(Bson::Null | Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_)) => Ok(()),
        Some(_) => Err(wrong("_priority", "a number")),
    }
}

fn read_firework(document: &Document, default_id: i64) -> Result<DraftFirework, DraftError> {
    let local_id = match document.get("fw_id") {
        None | Some(Bson::Null) => default_id,
        Some(id) => as_int(id).ok_or(DraftError::WrongKind {
            place: "firework".into(),
            field: "fw_id".into(),
            expected: "a whole number",
        })?,
    };
    let wrong = |field: &str, expected| DraftError::WrongKind {
        place: format!("firework {local_id}"),
        field: field.into(),
        expected,
    };
    let spec = match document.get("spec") {
        Some(Bson::Document(spec)) => spec.clone(),
        None => return Err(wrong("spec", "a mapping with `_tasks`")),
        Some(_) => return Err(wrong("spec", "a mapping")),
    };
    let name = match document.get("name") {
        None | Some(Bson::Null) => DEFAULT_NAME.to_owned(),
        Some(Bson::String(name)) => name.clone(),
        Some(_) => return Err(wrong("name", "a string")),
    };
    let held = match document.get("state") {
        None | Some(Bson::Null) => None,
        Some(Bson::String(state)) => {
            let state: State = state.parse().map_err(|_| wrong("state", "one of FireWorks' states"))?;
            matches!(state, State::Defused | State::Paused).then_some(state)
        }
        Some(_) => return Err(wrong("state", "one of FireWorks' states")),
    };
    let created_on = document.get("created_on").and_then(time::from_bson);
    Ok(DraftFirework { local_id, name, spec, held, created_on })
}

/// `{"1": [2, 3], "2": 3}`: keys are strings in the database, a single child needs no list.
fn read_links(links: &Document) -> Result<Vec<(i64, i64)>, DraftError> {
    let wrong = || DraftError::WrongKind {
        place: "workflow".into(),
        field: "links".into(),
        expected: "a mapping of a parent's id to its children's",
    };
    let mut pairs = Vec::new();
    for (parent, children) in links {
        let parent: i64 = parent.trim().parse().map_err(|_| wrong())?;
        let single = std::slice::from_ref(children);
        let children = match children {
            Bson::Array(children) => children.as_slice(),
            Bson::Null => &[],
            _ => single,
        };
        for child in children {
            pairs.push((parent, as_int(child).ok_or_else(wrong)?));
        }
    }
    Ok(pairs)
}

/// One cycle of the links, the first firework again at its end, or none. Kahn's algorithm leaves exactly the fireworks on or behind a
/// cycle; walking backwards among them must then come round.
pub fn find_cycle(ids: &BTreeSet<i64>, links: &BTreeSet<(i64, i64)>) -> Option<Vec<i64>> {
    let mut children: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    let mut missing: BTreeMap<i64, usize> = ids.iter().map(|&id| (id, 0)).collect();
    for &(parent, child) in links {
        children.entry(parent).or_default().push(child);
        *missing.entry(child).or_default() += 1;
    }
    let mut free: VecDeque<i64> = missing.iter().filter(|&(_, &n)| n == 0).map(|(&id, _)| id).collect();
    while let Some(id) = free.pop_front() {
        missing.remove(&id);
        for child in children.get(&id).into_iter().flatten() {
            if let Some(n) = missing.get_mut(child) {
                *n -= 1;
                if *n == 0 {
                    free.push_back(*child);
                }
            }
        }
    }
    let mut at = *missing.keys().next()?;
    let mut path = vec![at];
    loop {
        let parent = links.iter().find(|&&(parent, child)| child == at && missing.contains_key(&parent))?.0;
        if let Some(start) = path.iter().position(|&id| id == parent) {
            let mut cycle: Vec<i64> = path[start..].to_vec();
            cycle.push(parent);
            cycle.reverse();
            return Some(cycle);
        }
        path.push(parent);
        at = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    fn fw(id: i64) -> Document {
        doc! {"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}}
    }

    #[test]
    fn reads_workflows_and_single_fireworks() {
        let draft =
            Draft::from_document(&doc! {"fws": [fw(-1), fw(-2)], "links": {"-1": [-2]}, "name": "two"}).expect("reads");
        assert_eq!(draft.name, "two");
        assert_eq!(draft.roots().collect::<Vec<_>>(), [-1]);
        assert_eq!(draft.leaves().collect::<Vec<_>>(), [-2]);
        assert_eq!(draft.fireworks()[0].local_id, -2, "numbered upwards from the lowest local id");
        let single = Draft::from_document(&fw(1)).expect("reads");
        assert_eq!(single.name, DEFAULT_NAME);
        let now = Timestamp::UNIX_EPOCH;
        let after = |index: usize| draft.created_on(&draft.fireworks()[index], now).as_microsecond();
        assert_eq!((after(0), after(1)), (1, 0), "queued in the order of the file");
        let mut old = fw(1);
        old.insert("created_on", "2026-11-22T15:02:16.199322+00:00");
        let old = Draft::from_document(&old).expect("reads");
        assert_eq!(time::to_iso(old.created_on(&old.fireworks()[0], now)), "2026-11-22T15:02:16.199322+00:00");
    }

    #[test]
    fn what_comes_together_is_numbered_by_local_id() {
        let of = |ids: [i64; 2]| Draft::from_document(&doc! {"fws": [fw(ids[0]), fw(ids[1])]}).expect("reads");
        let ids = number_together([&of([-1, -4]), &of([-2, -3])], 7);
        assert_eq!(ids, [BTreeMap::from([(-4, 7), (-1, 10)]), BTreeMap::from([(-3, 8), (-2, 9)])]);
        let same = number_together([&of([-1, -2]), &of([-1, -2])], 1);
        assert_eq!(same, [BTreeMap::from([(-2, 1), (-1, 3)]), BTreeMap::from([(-2, 2), (-1, 4)])]);
    }

    #[test]
    fn refuses_what_is_no_workflow() {
        let of = |document: Document| Draft::from_document(&document).expect_err("is refused");
        assert_eq!(of(doc! {"fws": []}), DraftError::Empty);
        assert_eq!(of(doc! {"fws": [fw(1), fw(1)]}), DraftError::DuplicateId { fw: 1 });
        assert_eq!(of(doc! {"fws": [fw(1)], "links": {"1": [2]}}), DraftError::UnknownLink { fw: 2 });
        assert_eq!(of(doc! {"spec": {"_tasks": [{"script": "x"}]}}), DraftError::NoTaskName { fw: -1, task: 1 });
        assert_eq!(of(doc! {"spec": {}}), DraftError::NoTasks { fw: -1 });
        let cycle = of(doc! {"fws": [fw(1), fw(2), fw(3), fw(4)], "links": {"1": [2], "2": [3], "3": [2, 4]}});
        assert_eq!(cycle, DraftError::Cycle { fws: vec![2, 3, 2] });
        assert_eq!(of(doc! {"fws": [fw(1)], "links": {"1": 1}}), DraftError::Cycle { fws: vec![1, 1] });
    }
}
