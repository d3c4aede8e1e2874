//! Three workers of FireWorks and three of ours drain one launchpad of wide, deep and growing
//! workflows together. Each firework tells its number to its children, so that what is lost, or
//! happens twice, shows.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use rustix::process::Signal;
use serde_json::{Value, json};
use volley::workflow::{FwId, as_int, int_list};

use crate::support::is_long;
use crate::support::run::wait_until;
use crate::support::shared::Shared;
use crate::support::site::Running;

/// So many fireworks there are in the end.
const ALL: u64 = 300;
const WORKERS: [&str; 2] = ["python", "volley"];

/// Numbers fireworks and writes them down as a workflow file does.
struct Draft {
    fws: Vec<Value>,
    links: serde_json::Map<String, Value>,
}

impl Draft {
    fn new() -> Self {
        Draft { fws: Vec::new(), links: serde_json::Map::new() }
    }

    /// A layer of fireworks, each a child of each of the parents.
    fn layer(&mut self, width: usize, parents: &[FwId], grows: bool) -> Vec<FwId> {
        let first = self.fws.len() as FwId + 1;
        let ids: Vec<FwId> = (first..first + width as FwId).collect();
        self.fws.extend(ids.iter().map(|&id| firework(id, grows)));
        for parent in parents {
            let children = self.links.entry(parent.to_string()).or_insert_with(|| json!([]));
            children.as_array_mut().expect("a list").extend(ids.iter().map(|&id| json!(id)));
        }
        ids
    }

    /// Layers on top of each other.
    fn layers(mut self, widths: &[usize], grows: bool) -> Value {
        let mut parents = Vec::new();
        for &width in widths {
            parents = self.layer(width, &parents, grows && width > 1);
        }
        json!({"fws": self.fws, "links": self.links})
    }

    /// One after the other, all of which grow or none.
    fn chain(mut self, length: usize, grows: bool) -> Value {
        let mut parents = Vec::new();
        for _ in 0..length {
            parents = self.layer(1, &parents, grows);
        }
        json!({"fws": self.fws, "links": self.links})
    }
}

/// One firework. A third is for Python, a third for us; and the tasks of all kinds take turns.
fn firework(id: FwId, grows: bool) -> Value {
    let (detour, addition) = (1000 + id, 2000 + id);
    let tell = json!([{"_push": {"seen": id}}]);
    // The ids of one action must differ for FireWorks.
    let new = |number: FwId| {
        let task = json!({"_fw_name": "PyTask", "func": "fleet.push", "args": [number]});
        let spec = json!({"_tasks": [task], "number": number, "spawned": true});
        json!({"fws": [{"fw_id": -number, "spec": spec}], "links": {}, "metadata": {}})
    };
    let grown = |number: FwId| if grows { json!([new(number)]) } else { json!([]) };
    let action = json!({
        "stored_data": {}, "exit": false, "update_spec": {}, "mod_spec": tell, "additions": grown(addition),
        "detours": grown(detour), "defuse_children": false,
    });
    let file = json!({"filename": "FWAction.json", "contents": action.to_string()});
    let task = match (id % 4, grows) {
        (0, _) => json!({"_fw_name": "FileWriteTask", "files_to_write": [file]}),
        (1, _) => json!({"_fw_name": "ScriptTask", "script": format!("cat >FWAction.json <<'END'\n{action}\nEND")}),
        (_, true) => json!({"_fw_name": "PyTask", "func": "fleet.grow", "args": [id, detour, addition]}),
        (2, false) => json!({"_fw_name": "PyTask", "func": "fleet.push", "args": [id]}),
        (_, false) => json!({"_fw_name": "{{fleet.Push}}", "number": id}),
    };
    let mut spec = json!({"_tasks": [task], "number": id});
    if let Some(worker) = WORKERS.get((id % 3) as usize) {
        spec["_fworker"] = json!(worker);
    }
    json!({"fw_id": id, "spec": spec})
}

fn workflows() -> [Value; 6] {
    [
        Draft::new().layers(&[1, 60, 1, 30, 1], false),
        Draft::new().layers(&[8; 6], false),
        Draft::new().layers(&[1, 20, 1], true),
        Draft::new().chain(13, true),
        Draft::new().chain(50, false),
        Draft::new().chain(8, false),
    ]
}

#[test]
fn three_of_each_drain_one_launchpad() {
    for _ in 0..if is_long() { 10 } else { 1 } {
        let Some(shared) = Shared::new() else { return };
        drain(&shared);
        let [fireworks, launches, workflows] = ["fireworks", "launches", "workflows"].map(|name| read(&shared, name));
        each_ran_once(&fireworks, &launches);
        for workflow in &workflows {
            is_right(workflow, &fireworks);
        }
        let doctor = shared.site.volley(&["lpad", "doctor"]).output().expect("runs");
        assert_eq!(String::from_utf8_lossy(&doctor.stdout).trim(), "[]");
    }
}

/// Has them all run.
fn drain(shared: &Shared) {
    let site = &shared.site;
    for workflow in workflows() {
        site.add(workflow);
    }
    let python = shared.python.as_str();
    site.write("my_fworker.yaml", &json!({"name": "volley", "python": python}).to_string());
    // One kind alone would leave when only the other kind's fireworks run: so all stay to the end.
    let ours = || shared.rlaunch(&["-s", "rapidfire", "--nlaunches", "infinite", "--sleep", "0.2"]);
    let theirs = || shared.script("peer.py", &["rapidfire", "infinite"]);
    let mut workers: Vec<Running> =
        (0..3).flat_map(|_| [Running::of(&mut theirs()), Running::of(&mut ours())]).collect();
    let database = site.launchpad.database();
    let count = |collection: &str, filter: Document| {
        database.collection::<Document>(collection).count_documents(filter).run().expect("counts")
    };
    wait_until("all is done", || {
        assert!(workers.iter_mut().all(Running::is_there), "a worker has left: {:?}", end(&mut workers));
        assert_eq!(count("fireworks", doc! {"state": "FIZZLED"}), 0);
        count("fireworks", doc! {"state": "COMPLETED"}) == ALL
            && count("workflows", doc! {"$or": [{"state": {"$ne": "COMPLETED"}}, {"locked": {"$exists": true}}]}) == 0
    });
    end(&mut workers);
}

/// Ends them all. Returns what they have logged.
fn end(workers: &mut Vec<Running>) -> Vec<String> {
    for worker in workers.iter_mut().filter_map(|worker| worker.is_there().then_some(worker)) {
        worker.signal(Signal::TERM);
    }
    workers.drain(..).map(|worker| worker.end().1).collect()
}

/// A collection as it is stored.
fn read(shared: &Shared, collection: &str) -> Vec<Document> {
    let found = shared.site.launchpad.database().collection(collection).find(doc! {}).run().expect("finds");
    found.map(|document| document.expect("reads")).collect()
}

fn text<'a>(document: &'a Document, key: &str) -> &'a str {
    document.get_str(key).unwrap_or_else(|_| panic!("no {key} in {document}"))
}

fn id(document: &Document, key: &str) -> i64 {
    document.get(key).and_then(as_int).unwrap_or_else(|| panic!("no {key} in {document}"))
}

/// Each firework is COMPLETED by its one launch, by whom it was meant for, and nothing was for
/// nothing.
fn each_ran_once(fireworks: &[Document], launches: &[Document]) {
    let by_id: BTreeMap<i64, &Document> = launches.iter().map(|launch| (id(launch, "launch_id"), launch)).collect();
    let mut shares: BTreeMap<&str, usize> = BTreeMap::new();
    for firework in fireworks {
        assert_eq!(text(firework, "state"), "COMPLETED", "{firework}");
        assert_eq!(firework.get("archived_launches"), Some(&Bson::Array(Vec::new())), "{firework}");
        let [launch] = int_list(firework.get("launches"))[..] else { panic!("one launch, not {firework}") };
        let launch = by_id[&launch];
        assert_eq!((id(launch, "fw_id"), text(launch, "state")), (id(firework, "fw_id"), "COMPLETED"), "{launch}");
        let worker = text(launch.get_document("fworker").expect("a worker"), "name");
        let wanted = firework.get_document("spec").and_then(|spec| spec.get_str("_fworker"));
        assert_eq!(wanted.unwrap_or(worker), worker, "{firework}");
        *shares.entry(worker).or_default() += 1;
        assert!(!firework.contains_key("volley_applied"), "a mark is left behind in {firework}");
    }
    assert_eq!(launches.len(), fireworks.len());
    eprintln!("fireworks of each: {shares:?}");
}

/// Its state and those of its fireworks are what they should be, nobody holds it, and each of them
/// has heard of each parent once.
fn is_right(workflow: &Document, fireworks: &[Document]) {
    assert_eq!((text(workflow, "state"), workflow.get("locked")), ("COMPLETED", None), "{workflow}");
    let map = |key: &str| workflow.get_document(key).expect("a map");
    let nodes = int_list(workflow.get("nodes"));
    assert_eq!((map("fw_states").len(), map("links").len()), (nodes.len(), nodes.len()), "{workflow}");
    let of: BTreeMap<FwId, &Document> = fireworks.iter().map(|firework| (id(firework, "fw_id"), firework)).collect();
    for fw_id in nodes {
        assert_eq!(text(map("fw_states"), &fw_id.to_string()), "COMPLETED", "{workflow}");
        let spec = of[&fw_id].get_document("spec").expect("a spec");
        let mut parents = int_list(map("parent_links").get(fw_id.to_string()));
        // The one that spawned it did not tell it.
        parents.retain(|_| spec.get("spawned") != Some(&Bson::Boolean(true)));
        let told = |parent: FwId| of[&parent].get_document("spec").map(|spec| id(spec, "number")).expect("a spec");
        let mut expected: Vec<i64> = parents.into_iter().map(told).collect();
        let mut seen = int_list(spec.get("seen"));
        expected.sort_unstable();
        seen.sort_unstable();
        assert_eq!(seen, expected, "firework {fw_id} of {workflow}");
    }
}
