//! Random workflows whose every result can be checked: a firework has a number, and its result follows
//! from the number and the results of its parents.

use serde_json::{Map, Value, json};

use crate::support::random::Random;

const TASK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/torture/task.sh");

/// The numbers of what firework N puts into the workflow are N plus one of these.
pub const ADDITION: i64 = 1_000_000;
pub const DETOUR: i64 = 2_000_000;

/// What may happen to a workflow besides being run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: everything of it happens once.
    Strict,
    /// A user steers it.
    Steered,
    /// A user deletes it.
    Doomed,
}

impl Kind {
    /// Workflows of this kind are called so, and by the number of their first firework.
    pub fn prefix(self) -> &'static str {
        match self {
            Kind::Strict => "strict-",
            Kind::Steered => "steered-",
            Kind::Doomed => "doomed-",
        }
    }
}

/// A workflow file, and the numbers in it.
pub struct Workflow {
    pub document: Value,
    pub numbers: Vec<i64>,
    /// What FWAction.json of a firework says besides its result.
    pub growths: Vec<(i64, String)>,
}

/// Makes workflows; no two fireworks have the same number.
pub struct Workload {
    random: Random,
    next: i64,
}

impl Workload {
    pub fn new(seed: u64) -> Self {
        Workload { random: Random::new(seed), next: 1 }
    }

    /// A workflow of any shape.
    pub fn workflow(&mut self, kind: Kind) -> Workflow {
        let random = &mut self.random;
        let widths = match random.below(5) {
            0 => vec![1; 2 + random.below(4)],
            1 => vec![1, 2 + random.below(4), 1],
            2 => vec![2 + random.below(5), 1],
            3 => vec![1, 1 + random.below(2), 1],
            _ => (0..2 + random.below(3)).map(|_| 1 + random.below(3)).collect(),
        };
        let grows = random.percent(40);
        self.layers(kind, &widths, grows)
    }

    /// One firework, to be appended.
    pub fn appendix(&mut self) -> Workflow {
        self.layers(Kind::Steered, &[1], false)
    }

    /// Layers on top of each other; each firework has some of the layer above as its parents.
    fn layers(&mut self, kind: Kind, widths: &[usize], grows: bool) -> Workflow {
        let first = self.next;
        let (mut fws, mut growths, mut links) = (Vec::new(), Vec::new(), Map::new());
        let mut above: Vec<i64> = Vec::new();
        for &width in widths {
            let layer: Vec<i64> = (self.next..).take(width).collect();
            self.next += width as i64;
            for &number in &layer {
                let parents: Vec<i64> =
                    above.iter().copied().filter(|_| width == 1 || self.random.percent(60)).collect();
                let parents = if parents.is_empty() { above.iter().copied().take(1).collect() } else { parents };
                for parent in parents {
                    let children = links.entry(parent.to_string()).or_insert_with(|| json!([]));
                    children.as_array_mut().expect("a list").push(json!(number));
                }
                let grown = grows && self.random.percent(60);
                if grown {
                    growths.push((number, self.growth(number)));
                }
                fws.push(self.firework(number, number, grown));
            }
            above = layer;
        }
        let name = format!("{}{first}", kind.prefix());
        let numbers = (first..self.next).collect();
        Workflow { document: json!({"name": name, "fws": fws, "links": links, "metadata": {}}), numbers, growths }
    }

    fn growth(&mut self, number: i64) -> String {
        let mut new = |more: i64| {
            let firework = self.firework(-more - number, number + more, false);
            json!([{"fws": [firework], "links": {}, "metadata": {}}])
        };
        format!(r#", "additions": {}, "detours": {}"#, new(ADDITION), new(DETOUR))
    }

    /// One firework of a random plan.
    fn firework(&mut self, id: i64, number: i64, grows: bool) -> Value {
        let random = &mut self.random;
        let seconds = format!("0.{}", random.below(6));
        let script =
            |plan: &str| json!({"_fw_name": "ScriptTask", "script": format!("sh '{TASK}' {number} {plan} {seconds}")});
        let plan = match random.below(100) {
            0..10 => "family",
            10..20 => "file",
            20..28 => "emt",
            28..36 => "flaky",
            36..40 if !grows => "fails",
            _ => "plain",
        };
        let tasks = match plan {
            "file" => {
                let file = json!({"filename": "note", "contents": number.to_string()});
                let write = json!({"_fw_name": "FileWriteTask", "files_to_write": [file]});
                json!([script("begin"), write, script("end")])
            }
            "emt" => {
                let structure = json!({"bulk": {"name": "Cu", "crystalstructure": "fcc", "a": 3.6}});
                json!([script("begin"), {"_fw_name": "EmtStaticTask", "structure": structure}, script("end")])
            }
            _ => json!([script(plan)]),
        };
        let mut spec = json!({"_tasks": tasks, "number": number, "plan": plan, "grows": grows});
        if plan == "flaky" {
            spec["_retry"] = json!({"max": 5});
        }
        if random.percent(30) {
            spec["_priority"] = json!(random.below(5));
        }
        if random.percent(20) {
            spec["_category"] = json!("alpha");
        }
        if random.percent(20) {
            spec["_allow_fizzled_parents"] = json!(true);
        }
        json!({"fw_id": id, "name": format!("number {number}"), "spec": spec})
    }
}
