//! The launchpad as it is when all is over, and the evidence that the tasks have left.

use std::collections::BTreeMap;
use std::path::Path;

use bson::Document;
use volley::store::{Kind, Store};
use volley::workflow::{Firework, FwId, Launch, LaunchId, as_int, int_list};

/// A workflow.
pub struct Workflow {
    pub name: String,
    pub nodes: Vec<FwId>,
    pub parents: BTreeMap<FwId, Vec<FwId>>,
}

/// A line that a task has left.
pub struct Line {
    pub what: char,
    pub number: i64,
    pub fw_id: FwId,
    pub folder: String,
}

/// Everything.
pub struct Picture {
    pub fireworks: BTreeMap<FwId, Firework>,
    pub launches: BTreeMap<LaunchId, Launch>,
    pub workflows: Vec<Workflow>,
    pub evidence: Vec<Line>,
}

impl Picture {
    pub fn take(store: &dyn Store, evidence: &Path) -> Self {
        let mut picture = Picture {
            fireworks: BTreeMap::new(),
            launches: BTreeMap::new(),
            workflows: Vec::new(),
            evidence: read(evidence),
        };
        let mut take = |batch: volley::store::Batch| {
            for document in &batch.documents {
                match batch.kind {
                    Kind::Workflows => picture.workflows.push(Workflow::of(document)),
                    Kind::Fireworks => {
                        let firework = Firework::from_document(document).expect("a firework");
                        picture.fireworks.insert(firework.fw_id, firework);
                    }
                    Kind::Launches => {
                        let launch = Launch::from_document(document).expect("a launch");
                        picture.launches.insert(launch.launch_id, launch);
                    }
                    Kind::Files | Kind::OfflineRuns | Kind::Events | Kind::Counters => {}
                }
            }
            Ok(())
        };
        store.export(&mut take).expect("gives everything");
        picture
    }

    /// What the task file said of a firework.
    pub fn number(firework: &Firework) -> i64 {
        firework.spec.get("number").and_then(as_int).expect("has a number")
    }

    /// The launch that made it COMPLETED.
    pub fn completed(&self, firework: &Firework) -> Option<&Launch> {
        let listed = firework.launches.iter().filter_map(|id| self.launches.get(id));
        listed.into_iter().find(|launch| launch.state == volley::workflow::State::Completed)
    }
}

impl Workflow {
    /// Holds what a rerun has replaced.
    pub fn is_replaced(&self) -> bool {
        self.name.ends_with("(replaced)")
    }

    fn of(document: &Document) -> Self {
        let parents = document.get_document("parent_links").expect("has links");
        let parents = parents.iter().map(|(child, list)| (child.parse().expect("an id"), int_list(Some(list))));
        Workflow {
            name: document.get_str("name").expect("has a name").to_owned(),
            nodes: int_list(document.get("nodes")),
            parents: parents.collect(),
        }
    }

    pub fn parents(&self, fw_id: FwId) -> &[FwId] {
        self.parents.get(&fw_id).map_or(&[], Vec::as_slice)
    }
}

fn read(evidence: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(evidence).expect("reads");
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, number, fw_id, folder] = words[..] else { panic!("evidence: {line}") };
        Line {
            what: what.chars().next().expect("a letter"),
            number: number.parse().expect("a number"),
            fw_id: fw_id.parse().expect("an id"),
            folder: folder.to_owned(),
        }
    };
    text.lines().map(line).collect()
}
