//! The sides that live through a story: Python FireWorks, and ours on each store.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bson::{Bson, Document, doc};
use mongodb::sync::Database;
use serde_json::{Value, json};
use volley::store::{FireworkQuery, Location, WorkflowQuery};

use super::{Picture, below, directories, picture};
use crate::support::run::wait_until;
use crate::support::service;
use crate::support::site::{Running, Site};

/// What Python imports, and its part in stories.
const MODULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/python");

/// On both sides. Fireworks come in the order in which they were made.
const SETTINGS: &str = "SORT_FWS: FIFO\nRAPIDFIRE_SLEEP_SECS: 1\nADD_USER_PACKAGES: [user_package]\n";

/// Where both sides find them in whatever folder they run.
fn write_settings(home: &Path) {
    let folder = home.join(".fireworks");
    std::fs::create_dir_all(&folder).expect("makes it");
    std::fs::write(folder.join("FW_config.yaml"), SETTINGS).expect("writes");
}

fn address(location: &Location) -> [String; 3] {
    let Location::Mongo(settings) = location else { panic!("a MongoDB launchpad") };
    let hosts = settings.host.trim_start_matches("mongodb://").trim_end_matches('/');
    let (host, port) = hosts.rsplit_once(':').expect("HOST:PORT");
    [host.to_owned(), port.to_owned(), settings.name.clone()]
}

/// Lets Python live through stories, each in a folder of its own. Returns the documents at every
/// `dump`.
pub fn tell(python: &str, location: &Location, folder: &Path, stories: Value) -> Vec<Vec<Document>> {
    write_settings(folder);
    let mut command = Command::new(python);
    command.arg(format!("{MODULES}/story.py")).args(address(location)).arg(folder);
    command.current_dir(folder).env("HOME", folder).env("PYTHONPATH", MODULES);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    let mut stdin = child.stdin.take().expect("is piped");
    stdin.write_all(stories.to_string().as_bytes()).expect("writes");
    drop(stdin);
    let output = child.wait_with_output().expect("ends");
    let text = String::from_utf8_lossy(&output.stdout);
    let answer = text.lines().find_map(|line| line.strip_prefix('='));
    let answer = answer.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let answers: Vec<Vec<Value>> = serde_json::from_str(answer).expect("is JSON");
    let document = |value: Value| match Bson::try_from(value).expect("extended JSON") {
        Bson::Document(document) => document,
        other => panic!("{other} is no document"),
    };
    answers.into_iter().map(|dumps| dumps.into_iter().map(document).collect()).collect()
}

/// Our side of a story.
pub fn live(site: &Site, steps: &[Value]) -> Vec<Picture> {
    // Whoever runs the tests may have a Slurm, which does not answer.
    site.write("my_qadapter.yaml", "_fw_q_type: local\n");
    let root = site.path().join("runs");
    std::fs::create_dir_all(&root).expect("makes it");
    let mut ours = Ours { site, root, running: Vec::new() };
    ours.write_settings();
    let mut pictures = Vec::new();
    for step in steps {
        if step[0] == "dump" {
            pictures.push(picture(&ours.root, documents(site)));
        } else {
            ours.take(step);
        }
    }
    pictures.push(directories(&ours.root));
    pictures
}

/// The folder of our side, and what runs there.
struct Ours<'a> {
    site: &'a Site,
    root: PathBuf,
    running: Vec<Running>,
}

impl Ours<'_> {
    fn write_settings(&self) {
        write_settings(self.site.path());
        let python = service("VOLLEY_TEST_PYTHON", "python");
        let env = json!({"vasp_cmd": "srun vasp_std"});
        let worker = json!({"name": "studyworker", "category": "", "query": "{}", "env": env, "python": python});
        self.site.write("my_fworker.yaml", &worker.to_string());
    }

    fn take(&mut self, step: &Value) {
        let words = words(step);
        match words[0].as_str() {
            "add" => {
                std::fs::write(self.root.join("FW_new.json"), step[1].to_string()).expect("writes");
                self.lpad(&["add", "FW_new.json"]);
            }
            "write" => std::fs::write(below(&self.root, &step[1]), step[2].to_string()).expect("writes"),
            "lpad" => self.lpad(&words[1..]),
            "run" => {
                let one: Vec<&str> = words.get(2).into_iter().flat_map(|id| ["--fw_id", id]).collect();
                ended_well(self.launch(step, &[&["singleshot"], &one[..]].concat()));
            }
            "fire" => {
                let count = words.get(2).map_or("0", String::as_str);
                ended_well(self.launch(step, &["rapidfire", "--nlaunches", count]));
            }
            "start" => {
                let started = self.launch(step, &["singleshot"]);
                self.running.push(started);
            }
            "join" => ended_well(self.running.pop().expect("runs")),
            "wait" => wait_until("the file is there", || below(&self.root, &step[1]).exists()),
            "touch" => drop(std::fs::File::create(below(&self.root, &step[1])).expect("makes it")),
            "rerun" => self.rerun(step),
            "python" => self.python(step),
            "on_mongodb" => {}
            verb => panic!("{verb} is no step"),
        }
    }

    /// `volley FACE ARGUMENTS...` in a folder of the story.
    fn volley(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = self.site.volley(arguments);
        command.current_dir(folder).env("PYTHONPATH", MODULES);
        command
    }

    fn config(&self) -> &str {
        self.site.path().to_str().expect("UTF-8")
    }

    fn lpad(&self, words: &[impl AsRef<str>]) {
        let mut words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        if words[0] == "pause_fws" {
            // FireWorks leaves the job of a reservation in its queue.
            words.push("--keep-running");
        }
        let mut command = self.volley(&self.root, &[&["lpad", "-c", self.config()], &words[..]].concat());
        let output = command.output().expect("runs");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn launch(&self, step: &Value, words: &[impl AsRef<str>]) -> Running {
        let place = below(&self.root, &step[1]);
        std::fs::create_dir_all(&place).expect("makes it");
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        Running::of(&mut self.volley(&place, &[&["rlaunch", "-c", self.config()], &words[..]].concat()))
    }

    fn rerun(&self, step: &Value) {
        let flag = match step[2].as_str() {
            Some("cp") => Some("--copy-data"),
            Some(_) => Some("--previous-dir"),
            None => None,
        };
        self.site.recover(step[1].as_i64().expect("an id"), flag);
    }

    /// What Python does with documents of ours.
    fn python(&self, step: &Value) {
        let python = service("VOLLEY_TEST_PYTHON", "python").expect("is there");
        let folder = self.root.with_file_name("python");
        std::fs::create_dir_all(&folder).expect("makes it");
        // So that it does it in the folder of this story.
        std::fs::remove_file(folder.join("0")).ok();
        std::os::unix::fs::symlink(&self.root, folder.join("0")).expect("links");
        tell(&python, &self.site.launchpad.location, &folder, json!([[step]]));
    }
}

/// A step as words of a command line.
fn words(step: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    step.as_array().expect("a step").iter().map(word).collect()
}

fn ended_well(worker: Running) {
    let (code, log) = worker.end();
    assert_eq!(code, Some(0), "{log}");
}

/// All documents of ours, as they are stored.
fn documents(site: &Site) -> Document {
    if let Location::Mongo(_) = site.launchpad.location {
        let database = site.launchpad.database();
        let all = |name: &str| {
            let found = database.collection::<Document>(name).find(doc! {}).run().expect("finds");
            (name.to_owned(), Bson::from(found.map(|one| one.expect("reads")).collect::<Vec<_>>()))
        };
        let names = ["fireworks", "launches", "workflows", "fw_id_assigner", "offline_runs"];
        let mut documents: Document = names.map(all).into_iter().collect();
        documents.insert("fw_gridfs.files", large_actions(&database));
        return documents;
    }
    let store = &site.launchpad.store;
    let fireworks = store.find_fireworks(&FireworkQuery::default()).expect("finds");
    let ids = fireworks.iter().flat_map(|one| [&one.launches[..], &one.archived_launches].concat());
    // Duplicates share one.
    let ids: BTreeSet<i64> = ids.collect();
    let launches = store.find_launches(&Vec::from_iter(ids)).expect("finds");
    doc! {
        "fireworks": fireworks.iter().map(|one| one.to_document()).collect::<Vec<_>>(),
        "launches": launches.iter().map(|one| one.to_document()).collect::<Vec<_>>(),
        "workflows": store.find_workflows(&WorkflowQuery::default()).expect("finds"),
    }
}

/// What is kept in GridFS, with its content.
fn large_actions(database: &Database) -> Vec<Document> {
    let files = database.collection::<Document>("fw_gridfs.files").find(doc! {}).run().expect("finds");
    let chunks = database.collection::<Document>("fw_gridfs.chunks");
    let with_content = |file: mongodb::error::Result<Document>| {
        let mut file = file.expect("reads");
        let of_file = doc! {"files_id": file.get("_id").expect("an id")};
        let found = chunks.find(of_file).sort(doc! {"n": 1}).run().expect("finds");
        let data = found.map(|chunk| chunk.expect("reads").get_binary_generic("data").expect("data").clone());
        let text: Vec<u8> = data.flatten().collect();
        let content: Value = serde_json::from_slice(&text).expect("is JSON");
        file.insert("content", volley::workflow::json::to_bson(&shortened(content)));
        file
    };
    files.map(with_content).collect()
}

/// A document without its long texts.
fn shortened(value: Value) -> Value {
    match value {
        Value::Object(map) => map.into_iter().map(|(key, value)| (key, shortened(value))).collect(),
        Value::Array(items) => items.into_iter().map(shortened).collect(),
        Value::String(text) if text.chars().count() > 1000 => text.chars().count().into(),
        other => other,
    }
}
