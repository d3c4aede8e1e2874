//! Our Firetasks against FireWorks' own: the same tasks in the same folders, once by its Python
//! classes and once by `rlaunch`. What they report and what they leave on disk must be the same;
//! where it is not, the case says which mistake of FireWorks' is meant.

mod dataflow;
mod files;
mod template;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use volley::workflow;

use crate::support::run::private;
use crate::support::service;
use crate::support::site::Site;

/// The date of all files before a task sees them.
const LONG_AGO: Duration = Duration::from_secs(946_684_800);

/// What is in a folder at first.
#[derive(Clone)]
enum Entry {
    Text(String),
    /// With these permissions.
    Mode(u32, String),
    Bytes(Vec<u8>),
    Link(&'static str),
}

/// A task, and what it finds.
struct Case {
    files: Vec<(&'static str, Entry)>,
    task: Value,
    spec: Value,
    /// What FireWorks does wrong here; the results must differ then.
    mistake: Option<&'static str>,
    /// Whether permissions and dates are compared.
    attributes: bool,
}

impl Case {
    fn new(task: Value, spec: Value) -> Self {
        Case { files: Vec::new(), task, spec, mistake: None, attributes: true }
    }

    fn with(mut self, name: &'static str, text: &str) -> Self {
        self.files.push((name, Entry::Text(text.to_owned())));
        self
    }

    fn with_all(mut self, files: &[(&'static str, Entry)]) -> Self {
        self.files.extend_from_slice(files);
        self
    }

    /// FireWorks is known to be wrong here.
    fn but(mut self, mistake: &'static str) -> Self {
        self.mistake = Some(mistake);
        self
    }

    fn without_attributes(mut self) -> Self {
        self.attributes = false;
        self
    }

    fn set_up(&self, folder: &Path) {
        fs::create_dir_all(folder).expect("makes it");
        for (name, entry) in &self.files {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("has one")).expect("makes it");
            let (bytes, mode) = match entry {
                Entry::Link(target) => {
                    symlink(target, &path).expect("links");
                    continue;
                }
                Entry::Text(text) => (text.as_bytes(), 0o644),
                Entry::Mode(mode, text) => (text.as_bytes(), *mode),
                Entry::Bytes(bytes) => (bytes.as_slice(), 0o644),
            };
            let mut file = fs::File::create(&path).expect("makes it");
            file.write_all(bytes).expect("writes");
            file.set_modified(SystemTime::UNIX_EPOCH + LONG_AGO).expect("dates");
            file.set_permissions(fs::Permissions::from_mode(mode)).expect("permits");
        }
    }
}

/// What came of a task.
#[derive(Debug, PartialEq)]
struct Outcome {
    failed: bool,
    action: Value,
    files: Value,
}

/// Runs all cases on both sides and compares.
fn compare(cases: &[Case]) {
    let Some(python) = service("VOLLEY_TEST_PYTHON", "python") else { return };
    let site = Site::sqlite();
    // FW.json would be one more file for those tasks that look at all of them.
    site.write("FW_config.yaml", "PRINT_FW_JSON: false\n");
    site.write("from_home.txt", "home\n");
    let folder = |side: &str, number: usize| site.path().join(side).join(number.to_string());
    let mut asked = Vec::new();
    let mut fireworks = Vec::new();
    for (number, case) in cases.iter().enumerate() {
        let spec = |side: &str| {
            let directory = folder(side, number);
            case.set_up(&directory);
            let mut spec = case.spec.as_object().expect("an object").clone();
            spec.insert("_launch_dir".into(), json!(directory));
            spec.insert("_tasks".into(), json!([case.task]));
            spec
        };
        fireworks.push(json!({"fw_id": number, "spec": spec("ours")}));
        let mut theirs = spec("theirs");
        theirs.insert("_fw_env".into(), json!({}));
        asked.push(json!({"directory": folder("theirs", number), "task": case.task, "spec": theirs}));
    }
    let ids = site.add(json!({"fws": fireworks}));
    site.run_well(&["rapidfire", "--nlaunches", &cases.len().to_string()]);

    let folders: Vec<_> = (0..cases.len()).map(|number| folder("ours", number)).collect();
    let mut command = private(Path::new(&python), site.path());
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/python/firetasks.py"));
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("starts");
    let request = json!({"cases": asked, "ours": folders}).to_string();
    child.stdin.take().expect("is piped").write_all(request.as_bytes()).expect("writes");
    let output = child.wait_with_output().expect("ends");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut answer: Value = serde_json::from_str(text.lines().last().expect("answers")).expect("is JSON");

    let mut wrong = String::new();
    for (number, case) in cases.iter().enumerate() {
        let mut their = answer["theirs"][number].take();
        let theirs = Outcome {
            failed: !their["error"].is_null(),
            action: tidy(&their["action"].take(), &folder("theirs", number)),
            files: case.seen(their["files"].take()),
        };
        let launch = site.launch(ids[number]);
        let action = Value::Object(workflow::json::from_document(&launch.action.expect("has an action")));
        let failed = action["stored_data"].get("_exception").is_some();
        let reason = action["stored_data"]["_exception"]["_stacktrace"].as_str().unwrap_or_default().to_owned();
        // A failure is told in words of our own.
        let action =
            if failed { tidy(&their_default(), Path::new("/")) } else { tidy(&action, &folder("ours", number)) };
        let ours = Outcome { failed, action, files: case.seen(answer["ours"][number].take()) };
        let told = format!(
            "{} with {}\nours   {} {} {}\n{reason}\ntheirs {} {} {}\n{}\n",
            case.task,
            case.spec,
            ours.failed,
            ours.action,
            ours.files,
            theirs.failed,
            theirs.action,
            theirs.files,
            their["error"]
        );
        match (case.mistake, ours == theirs) {
            (None, false) => wrong += &format!("differs: {told}"),
            (Some(mistake), true) => wrong += &format!("no difference any more ({mistake}): {told}"),
            _ => {}
        }
        if let Some(mistake) = case.mistake {
            assert!(theirs.failed || !ours.failed, "{mistake}: {told}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The action of a task that has nothing to say.
fn their_default() -> Value {
    Value::Object(workflow::json::from_document(&workflow::FwAction::default().to_document()))
}

impl Case {
    fn seen(&self, mut files: Value) -> Value {
        if !self.attributes {
            for file in files.as_object_mut().expect("an object").values_mut().filter_map(Value::as_object_mut) {
                file.remove("mode");
                file.remove("old");
            }
        }
        rename(files, &mut |path| made_up(path))
    }
}

/// An action without what is different in every run: folders, dates, ids, made-up names.
fn tidy(action: &Value, directory: &Path) -> Value {
    let directory = directory.display().to_string();
    let action = rename(action.clone(), &mut |text| made_up(&text.replace(&directory, "DIR")));
    without_dates(action)
}

/// A path without the name that a task has made up.
fn made_up(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    if uuid::Uuid::try_parse(name).is_ok() { format!("{folder}/MADE-UP") } else { path.to_owned() }
}

/// Replaces texts, keys among them.
fn rename(value: Value, new: &mut impl FnMut(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(new(&text)),
        Value::Array(items) => items.into_iter().map(|item| rename(item, new)).collect(),
        Value::Object(map) => {
            let mut named: Map<String, Value> = Map::new();
            for (key, value) in map {
                let value = rename(value, new);
                named.insert(new(&key), value);
            }
            Value::Object(named)
        }
        other => other,
    }
}

fn without_dates(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_dates).collect(),
        Value::Object(map) => {
            let own = ["created_on", "updated_on", "fw_id"];
            let kept = map.into_iter().filter(|(key, _)| !own.contains(&key.as_str()));
            Value::Object(kept.map(|(key, value)| (key, without_dates(value))).collect())
        }
        other => other,
    }
}
