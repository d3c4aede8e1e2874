//! The dataflow tasks, as `lpad add` takes them and `rlaunch` runs them; that they report what
//! FireWorks reports is shown in `firetask_peer`.

use std::path::Path;

use bson::doc;
use serde_json::{Value, json};
use volley::store::Location;
use volley::workflow::State;

use crate::firetask_files::{failures, refused};
use crate::support::run::private;
use crate::support::site::Site;
use crate::support::{Launchpad, service};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/workflows/dataflow.yaml");
const TABLE: &str = "Thermal energies\n100 K  0.008617 eV\n300 K  0.025852 eV\n900 K  0.077556 eV\n";

fn command_line(labels: Value, inputs: &[&str], outputs: &[&str]) -> Value {
    let mut command_spec = json!({"command": ["cat"]});
    command_spec.as_object_mut().expect("an object").extend(labels.as_object().expect("an object").clone());
    json!({"_fw_name": "CommandLineTask", "command_spec": command_spec, "inputs": inputs, "outputs": outputs})
}

#[test]
fn what_cannot_work_is_not_added() {
    let inner = json!({"_fw_name": "CommandLineTask", "command_spec": {"command": ["cat"], "x": "x"}, "inputs": ["x"]});
    let foreach = |more: Value| {
        let mut task = json!({"_fw_name": "ForeachTask", "split": "x", "task": inner});
        task.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        task
    };
    let source = |source: Value| command_line(json!({"x": {"source": source}}), &["x"], &[]);
    let target = |target: Value| command_line(json!({"x": {"target": target}}), &[], &["x"]);
    for (task, expected) in [
        (json!({"_fw_name": "CommandLineTask"}), "CommandLineTask needs `command_spec`"),
        (
            json!({"_fw_name": "CommandLineTask", "command_spec": {}}),
            "`command_spec.command` must be a list of strings",
        ),
        (json!({"_fw_name": "CommandLineTask", "command_spec": {"command": ["head", "-n", 3]}}), "a list of strings"),
        (command_line(json!({}), &["x"], &[]), "`command_spec.x` must be a mapping of binding, source and target"),
        (command_line(json!({"x": {}}), &["x"], &[]), "`command_spec.x` must be an input with a `source`"),
        (command_line(json!({"x": {}}), &[], &["x"]), "`command_spec.x` must be an output with a `target`"),
        (source(json!({"type": "stdout"})), "an input whose `source` is of `type: path` or `type: data`"),
        (source(json!({"type": "path", "value": 1})), "an input whose path, the `value` of its `source`, is a string"),
        (source(json!({"type": "data", "value": [1]})), "an input whose `source` has a string or a number"),
        (
            source(json!({"type": "identifier", "value": "1"})),
            "is a file in the FilePad, which only Python FireWorks has",
        ),
        (target(json!({"type": "stdin"})), "an output whose `target` is of `type: path` or `type: data`"),
        (target(json!({"type": "path"})), "an output whose path, the `value` of its `target`, is a string"),
        (
            command_line(json!({"x": {"binding": {"prefix": 1}, "source": {"type": "data", "value": 1}}}), &["x"], &[]),
            "`command_spec.x.binding.prefix` must be a string",
        ),
        (command_line(json!({"x": {"source": "of the spec"}}), &["x"], &[]), "nothing"),
        (json!({"_fw_name": "ForeachTask", "split": "x"}), "ForeachTask needs `task`"),
        (foreach(json!({"split": "y"})), "the `inputs` of its `task` must have what `split` names"),
        (foreach(json!({"number of chunks": -1})), "`number of chunks` must be a whole number"),
        (
            foreach(json!({"task": {"_fw_name": "CommandLineTask", "inputs": ["x"]}})),
            "CommandLineTask needs `command_spec`",
        ),
        (foreach(json!({})), "nothing"),
        (json!({"_fw_name": "JoinDictTask", "inputs": "x", "output": "y"}), "`inputs` must be a list of keys"),
        (
            json!({"_fw_name": "JoinDictTask", "inputs": [], "output": "y", "rename": ["a"]}),
            "`rename` must be a mapping",
        ),
        (json!({"_fw_name": "JoinListTask", "inputs": []}), "JoinListTask needs `output`: a key of the spec"),
        (json!({"_fw_name": "ImportDataTask", "filename": "a.yml", "mapstring": "a"}), "ends with .json or .yaml"),
        (json!({"_fw_name": "ImportDataTask", "filename": "a.json"}), "ImportDataTask needs `mapstring`"),
    ] {
        let message = refused(&task);
        assert!(message.contains(expected), "{task}: {message}");
    }
}

#[test]
fn failures_say_what_and_why() {
    let site = Site::sqlite();
    site.write("bad.json", "{\"a\": 1,\n}");
    site.write("bad.yaml", "a: [1\n");
    let root = site.path().display();
    let mut fails = command_line(json!({"out": {"target": {"type": "data"}}}), &[], &["out"]);
    fails["command_spec"]["command"] = json!(["sh", "-c", "echo why >&2; exit 3"]);
    let mut unknown = fails.clone();
    unknown["command_spec"]["command"] = json!(["/no/such/program", "a b"]);
    let import = |name: &str, place: &str| json!({"_fw_name": "ImportDataTask", "filename": name, "mapstring": place});
    let input = |label: Value| command_line(json!({"x": label}), &["x"], &[]);
    let cases = [
        (fails, "CommandLineTask fizzled! Return code: [3]".to_owned()),
        (unknown, "cannot run `/no/such/program 'a b'`: No such file or directory (os error 2)".to_owned()),
        (input(json!("none")), "the spec has no value `none`, which `command_spec` names".to_owned()),
        (
            input(json!("text")),
            "CommandLineTask: `command_spec.x` must be the key of a list of mappings in the spec".to_owned(),
        ),
        (
            input(json!({"source": {"type": "path", "value": "none"}, "target": {"type": "stdin"}})),
            format!("cannot read {root}/none: No such file or directory (os error 2)"),
        ),
        (
            json!({"_fw_name": "ForeachTask", "split": "empty", "task": {"_fw_name": "PyTask", "inputs": ["empty"]}}),
            "the spec has no list with something in it `empty`, which `split` names".to_owned(),
        ),
        (
            json!({"_fw_name": "JoinDictTask", "inputs": [], "output": "text"}),
            "the spec has no mapping `text`, which `output` names".to_owned(),
        ),
        (
            json!({"_fw_name": "JoinListTask", "inputs": ["none"], "output": "empty"}),
            "the spec has no value `none`, which `inputs` names".to_owned(),
        ),
        (import("bad.json", "a"), format!("{root}/bad.json: trailing comma at line 2 column 1")),
        (import("none.json", "a"), format!("cannot read {root}/none.json: No such file or directory (os error 2)")),
        (import("my_launchpad.yaml", "none/a"), "the spec has no mapping `none`, which `mapstring` names".to_owned()),
    ];
    let spec = json!({"text": "t", "empty": []});
    let tasks: Vec<(Value, Value)> = cases.iter().map(|(task, _)| (task.clone(), spec.clone())).collect();
    for ((task, expected), failure) in cases.iter().zip(failures(&site, &tasks)) {
        assert_eq!(&failure, expected, "{task}");
    }
    // The first one, whole.
    let report = site.stacktrace(1);
    assert!(report.contains("command: sh -c 'echo why >&2; exit 3'\n  last lines of stderr:\n    why\n"), "{report}");
}

#[test]
fn the_example_makes_its_table() {
    for site in Site::on_every_store() {
        let added = site.volley(&["lpad", "add", EXAMPLE]).output().expect("runs");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        site.run_well(&["rapidfire"]);
        let fireworks = site.fireworks();
        assert!(fireworks.iter().all(|firework| firework.state == State::Completed));
        let names: Vec<&str> = fireworks.iter().map(|firework| firework.name.as_str()).collect();
        assert_eq!(names, ["one for each", "table", "ForeachTask 0", "ForeachTask 1", "ForeachTask 2"]);
        let launch = site.launch(2);
        let table = std::fs::read_to_string(Path::new(&launch.launch_dir).join("thermal_energies.txt"));
        assert_eq!(table.expect("is written"), TABLE);
    }
}

#[test]
fn the_example_makes_the_same_table_in_python() {
    let Some(python) = service("VOLLEY_TEST_PYTHON", "python") else { return };
    let Some(launchpad) = Launchpad::mongo() else { return };
    assert!(matches!(launchpad.location, Location::Mongo(_)));
    let site = Site::on(launchpad);
    for (name, arguments) in [("lpad", &["add", EXAMPLE][..]), ("rlaunch", &["rapidfire"])] {
        let mut command = private(&Path::new(&python).with_file_name(name), site.path());
        let ran = command.args(arguments).output().expect("runs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    let table = site
        .launchers()
        .into_iter()
        .find_map(|folder| std::fs::read_to_string(folder.join("thermal_energies.txt")).ok());
    assert_eq!(table.as_deref(), Some(TABLE));
}

#[test]
fn a_piece_does_not_go_on_where_the_whole_had_stopped() {
    let site = Site::sqlite();
    let inner = json!({"_fw_name": "PyTask", "func": "m.f", "inputs": ["items"]});
    let task = json!({"_fw_name": "ForeachTask", "split": "items", "task": inner, "number of chunks": 2});
    let spec = json!({"_tasks": [task], "items": [1, 2, 3], "_recovery": {"_task_n": 0}, "_priority": 2});
    site.add(json!({"spec": spec}));
    site.run_well(&["rapidfire", "--nlaunches", "1"]);
    let pieces: Vec<_> = site.fireworks().into_iter().skip(1).map(|firework| firework.spec).collect();
    let chunk = |number: i32, items: Vec<i32>| {
        let task = doc! {"_fw_name": "PyTask", "func": "m.f", "inputs": ["items"], "chunk_number": number};
        doc! {"_tasks": [task], "items": items, "_priority": 2, "_fw_env": {}}
    };
    assert_eq!(pieces, [chunk(0, vec![1, 2]), chunk(1, vec![3])]);
}
