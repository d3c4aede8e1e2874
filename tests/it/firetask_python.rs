//! Tasks in the user's Python: what they are given and what comes of them is FireWorks', and
//! whatever happens to the interpreter, the worker goes on.

use bson::{Bson, Document, doc};
use rustix::process::Signal;
use serde_json::{Value, json};
use volley::workflow::{FwId, State};

use crate::support::python::{PythonSite, call};
use crate::support::run::wait_until;
use crate::support::site::Running;

/// What FireWorks promises of a firework and its only launch.
#[derive(Debug, PartialEq)]
struct View {
    name: String,
    state: State,
    /// Of children only: Python stores the spec of what it runs anew, and not always the same.
    spec: Option<Bson>,
    action: Option<Bson>,
}

/// All fireworks. Of a traceback the last line counts: the others are full of paths.
fn views(site: &PythonSite) -> Vec<View> {
    let view = |firework: volley::workflow::Firework| {
        let action = firework.launches.first().and_then(|_| site.site.launch(firework.fw_id).action);
        let action = action.map(|action| comparable(&Bson::Document(action)));
        let is_child = ["child", "first", "second", "alone"].contains(&firework.name.as_str());
        View {
            name: firework.name,
            state: firework.state,
            spec: is_child.then(|| comparable(&firework.spec.into())),
            action,
        }
    };
    site.site.fireworks().into_iter().map(view).collect()
}

fn comparable(value: &Bson) -> Bson {
    match value {
        Bson::Double(number) if number.is_nan() => Bson::String("NaN".into()),
        Bson::Array(items) => Bson::Array(items.iter().map(comparable).collect()),
        Bson::Document(document) => Bson::Document(
            document
                .iter()
                .map(|(key, value)| match (key.as_str(), value) {
                    ("_stacktrace", Bson::String(text)) => (key.clone(), text.trim().lines().last().into()),
                    _ => (key.clone(), comparable(value)),
                })
                .collect(),
        ),
        other => other.clone(),
    }
}

/// A firework of this task above one that waits for it.
fn family(name: &str, task: Document, spec: Document) -> Document {
    let mut parent = spec;
    parent.insert("_tasks", vec![task]);
    let child =
        doc! {"list": [0], "n": 1, "gone": 2, "_tasks": [{"_fw_name": "PyTask", "func": "len", "args": ["four"]}]};
    doc! {
        "fws": [{"fw_id": 1, "name": name, "spec": parent}, {"fw_id": 2, "name": "child", "spec": child}],
        "links": {"1": [2]},
    }
}

fn py_task(function: &str, more: Document) -> Document {
    let mut task = doc! {"_fw_name": "PyTask", "func": format!("user_package.functions.{function}")};
    task.extend(more);
    task
}

/// PyTask with every parameter, and with every kind of value.
fn py_tasks() -> Vec<Document> {
    let spec = || doc! {"text": "from the spec", "when": "2020-01-02T03:04:05", "list": [1, 2.0]};
    let mut families: Vec<Document> = [
        py_task("echo", doc! {"args": [1, 1.0, "x", Bson::Null, true, [1]], "stored_data_varname": "value"}),
        py_task("echo", doc! {"args": [1], "kwargs": {"a": {"b": 2}}, "stored_data_varname": "value"}),
        py_task("echo", doc! {"args": ["2020-01-02T03:04:05.5"], "stored_data_varname": "value"}),
        py_task(
            "echo",
            doc! {"auto_kwargs": true, "a": 1, "_b": 2, "kwargs": {"c": 3}, "stored_data_varname": "value"},
        ),
        py_task("echo", doc! {"args": [1], "inputs": ["text", "when", "list"], "stored_data_varname": "value"}),
        py_task("echo", doc! {"args": [5], "outputs": ["told"]}),
        py_task("pair", doc! {"args": [2, 3], "outputs": ["sum", "product"], "stored_data_varname": "both"}),
        py_task("pair", doc! {"args": [2, 3], "outputs": ["list"], "chunk_number": 0}),
        py_task("constant", doc! {"args": ["set"], "outputs": ["list"], "chunk_number": 1}),
        py_task("constant", doc! {"args": ["int"], "outputs": ["list"], "chunk_number": 2}),
        py_task("pair", doc! {"args": [2, 3]}),
        doc! {"_fw_name": "PyTask", "func": "abs", "args": [-3], "stored_data_varname": "value"},
        doc! {"_fw_name": "PyTask", "func": "os.path.join", "args": ["a", "b"], "stored_data_varname": "value"},
        py_task("fail", doc! {"args": ["no luck"]}),
        py_task("fail_with_details", doc! {}),
        py_task("leave", doc! {"args": [3]}),
        py_task("not_there", doc! {}),
        py_task("echo", doc! {"inputs": ["not there"]}),
    ]
    .into_iter()
    .enumerate()
    .map(|(number, task)| family(&format!("task {number}"), task, spec()))
    .collect();
    let kinds = ["int", "large", "float", "whole", "nan", "inf", "tuple", "set", "none", "text", "bytes", "date"];
    for kind in kinds.into_iter().chain(["dollar", "dotted", "flag", "object", "dictionary", "nothing"]) {
        let task = py_task("constant", doc! {"args": [kind], "outputs": ["told"], "stored_data_varname": "value"});
        families.push(family(kind, task, doc! {}));
    }
    families
}

#[test]
fn py_task_is_fireworks_with_fireworks_and_without() {
    let (Some(theirs), Some(ours), Some(bare)) = (PythonSite::mongo(), PythonSite::mongo(), PythonSite::sqlite())
    else {
        return;
    };
    bare.set_python(&bare.bare_python());
    for family in py_tasks() {
        for site in [&theirs, &ours, &bare] {
            site.add(&family);
        }
    }
    theirs.run_fireworks();
    let expected = views(&theirs);
    assert_eq!(expected.iter().filter(|view| view.state == State::Fizzled).count(), 5);
    for site in [ours, bare] {
        site.run_well(&["rapidfire"]);
        for (view, expected) in views(&site).into_iter().zip(&expected) {
            assert_eq!(&view, expected, "{}", site.site.launchpad.store.describe());
        }
    }
}

#[test]
fn what_mongodb_cannot_store_fizzles_as_it_does_in_python() {
    for site in PythonSite::on_every_store() {
        for (kind, message) in [
            ("number keys", "documents must have only string keys, key was 1"),
            ("huge", "MongoDB can only handle up to 8-byte ints"),
            ("deep", "the answer of Python cannot be read: recursion limit exceeded"),
        ] {
            let fw_id = site.add_call("constant", json!([kind]));
            site.run_well(&["singleshot"]);
            let trace = site.site.stacktrace(fw_id);
            assert!(trace.contains(message), "{trace}");
        }
    }
}

#[test]
fn mongodb_types_come_as_from_pymongo() {
    let (Some(theirs), Some(ours)) = (PythonSite::mongo(), PythonSite::mongo()) else { return };
    let bytes = |subtype| bson::Binary { subtype, bytes: vec![0, 255] };
    let args = vec![
        Bson::DateTime(bson::DateTime::from_millis(-1)),
        Bson::ObjectId(bson::oid::ObjectId::from_bytes([7; 12])),
        Bson::Int64(3),
        Bson::Int64(3_000_000_000),
        Bson::Double(f64::INFINITY),
        Bson::Binary(bytes(bson::spec::BinarySubtype::Generic)),
        Bson::Binary(bytes(bson::spec::BinarySubtype::UserDefined(0x81))),
        Bson::Decimal128("1.50".parse().expect("a number")),
        Bson::Document(doc! {"$gt": {"$map": [["a", 1]]}}),
    ];
    let task = py_task("echo", doc! {"args": args, "stored_data_varname": "value"});
    let workflow = doc! {"name": "types", "spec": {"_tasks": [task]}};
    let ids = [&theirs, &ours].map(|site| site.add(&workflow)[0]);
    theirs.run_fireworks();
    ours.run_well(&["singleshot"]);
    assert_eq!(comparable(&ours.value(ids[1])), comparable(&theirs.value(ids[0])));
}

#[test]
fn firetasks_of_users_are_fireworks() {
    let (Some(theirs), Some(ours)) = (PythonSite::mongo(), PythonSite::mongo()) else { return };
    let point = doc! {"@module": "user_package.tasks", "@class": "Point", "x": 1, "y": {"z": 2}};
    let tasks = [
        doc! {"_fw_name": "Name Task", "key": "text", "point": point.clone(), "when": "2020-01-02T03:04:05"},
        doc! {"_fw_name": "Name Task", "key": "place", "point": 5},
        doc! {"_fw_name": "{{ user_package.tasks.NameTask }}", "key": "text"},
        doc! {"_fw_name": "Name Task", "key": "not there"},
        doc! {"_fw_name": "user_package::DefaultName", "a": 1, "b": [2]},
        doc! {"_fw_name": "{{user_package.tasks.Surroundings}}"},
    ];
    let spec = || doc! {"text": "in the spec", "place": point.clone(), "n": 1, "gone": 2};
    let named = |name: &str, task: Document| family(name, task, spec());
    let mut families: Vec<Document> = tasks.map(|task| named("own", task)).to_vec();
    let asked = doc! {"_add_launchpad_and_fw_id": true, "_add_fworker": true};
    families.push(family("surroundings", doc! {"_fw_name": "{{user_package.tasks.Surroundings}}"}, asked));
    for kind in ["detours", "additions", "append", "defuse_children", "defuse_workflow", "leave", "mods", "nothing"] {
        let mut spec = spec();
        spec.insert("_add_launchpad_and_fw_id", true);
        families.push(family(kind, doc! {"_fw_name": "Act Task", "kind": kind}, spec));
    }
    for family in &families {
        for site in [&theirs, &ours] {
            site.add(family);
        }
    }
    theirs.run_fireworks();
    ours.run_well(&["rapidfire"]);
    let (ours, theirs) = (views(&ours), views(&theirs));
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!((&ours.name, ours.state), (&theirs.name, theirs.state));
        assert_eq!(without_births(&ours.action), without_births(&theirs.action), "{}", ours.name);
        assert_eq!(ours.spec, theirs.spec, "{}", ours.name);
    }
}

/// The action without what differs by nature: when its new fireworks were made, and their ids.
fn without_births(action: &Option<Bson>) -> Option<Bson> {
    fn clean(value: &Bson) -> Bson {
        match value {
            Bson::Array(items) => Bson::Array(items.iter().map(clean).collect()),
            Bson::Document(document) => {
                let own = ["created_on", "updated_on", "fw_id", "links"];
                let kept = document.iter().filter(|(key, _)| !own.contains(&key.as_str()));
                Bson::Document(kept.map(|(key, value)| (key.clone(), clean(value))).collect())
            }
            other => other.clone(),
        }
    }
    action.as_ref().map(clean)
}

#[test]
fn what_a_task_leaves_for_the_next_stays_what_it_is() {
    let (Some(theirs), Some(ours)) = (PythonSite::mongo(), PythonSite::mongo()) else { return };
    let tasks = vec![doc! {"_fw_name": "Produce Task"}, doc! {"_fw_name": "Consume Task"}];
    let workflow = doc! {"spec": {"taken": 1, "list": [], "text": "t", "_tasks": tasks}};
    let ids = [&theirs, &ours].map(|site| site.add(&workflow)[0]);
    theirs.run_fireworks();
    ours.run_well(&["singleshot"]);
    let seen = [(&theirs, ids[0]), (&ours, ids[1])].map(|(site, id)| site.site.stored_data(id));
    assert_eq!(seen[1], seen[0]);
    assert_eq!(seen[1].get_str("array").ok(), Some("ndarray"));
    // A native task between them changes what it says, and nothing else.
    let change = json!({"update_spec": {"pair": "new", "text": "2020-01-02T03:04:05"}});
    let script = format!("cat > FWAction.json <<'END'\n{change}\nEND");
    let tasks = vec![
        doc! {"_fw_name": "Produce Task"},
        doc! {"_fw_name": "ScriptTask", "script": script},
        doc! {"_fw_name": "Consume Task"},
    ];
    let between = ours.add(&doc! {"spec": {"taken": 1, "_tasks": tasks}})[0];
    ours.run_well(&["singleshot"]);
    let seen = ours.site.stored_data(between);
    let types = ["array", "pair", "text", "smuggled"].map(|key| seen.get_str(key).expect("is stored"));
    assert_eq!(types, ["ndarray", "str", "datetime", "set"]);
}

#[test]
fn one_interpreter_serves_many_fireworks_and_dies_with_its_worker() {
    let Some(site) = PythonSite::sqlite() else { return };
    let ids: Vec<FwId> = (0..3).map(|number| site.add_call("remember", json!([number]))).collect();
    let who = site.add_call("interpreter", json!([]));
    site.run_well(&["rapidfire"]);
    let remembered: Vec<Bson> = ids.iter().map(|&id| site.value(id)).collect();
    assert_eq!(remembered, [Bson::Null, Bson::Int32(0), Bson::Int32(1)]);
    assert!(!is_alive(process(&site, who)));
    let next = site.add_call("remember", json!([9]));
    site.run_well(&["rapidfire"]);
    assert_eq!(site.value(next), Bson::Null);
}

/// The process that ran a call of `interpreter`.
fn process(site: &PythonSite, fw_id: FwId) -> i32 {
    site.value(fw_id).as_array().and_then(|who| who[0].as_i32()).expect("a process")
}

/// Whether a process is there, and not only waits to be reaped.
fn is_alive(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']))
}

#[test]
fn native_tasks_and_python_share_a_firework() {
    let Some(site) = PythonSite::sqlite() else { return };
    let write = json!({"_fw_name": "FileWriteTask", "files_to_write": [{"filename": "text", "contents": "written"}]});
    let read = json!({"_fw_name": "PyTask", "func": "builtins.open", "args": ["text"], "kwargs": {"mode": "x+"}});
    let told = json!({"_fw_name": "PyTask", "func": "user_package.functions.write_action"});
    let cat = json!({"_fw_name": "ScriptTask", "script": "cat text; ls FWAction_*", "store_stdout": true});
    let count = json!({"_fw_name": "PyTask", "func": "abs", "inputs": ["told"], "stored_data_varname": "count"});
    let fw_id = site.site.add_tasks(json!([write, told, cat, count]));
    site.run_well(&["rapidfire"]);
    let data = site.site.stored_data(fw_id);
    assert_eq!(data.get_str("stdout").ok(), Some("writtenFWAction_2.json\n"), "the action file counts once");
    assert_eq!((data.get_str("from").ok(), data.get_i32("count").ok()), (Some("the file"), Some(1)));
    // What Python fails at stops the natives after it.
    let never = json!({"_fw_name": "ScriptTask", "script": "touch never"});
    let failed = site.site.add_tasks(json!([write, read, never]));
    site.run_well(&["rapidfire"]);
    let trace = site.site.stacktrace(failed);
    assert!(trace.starts_with("Traceback (most recent call last):\n  File"), "{trace}");
    assert!(trace.ends_with("FileExistsError: [Errno 17] File exists: 'text'"), "{trace}");
    assert!(!trace.contains("<volley>"), "{trace}");
    assert!(site.launch_file(failed, "never").is_none());
}

#[test]
fn what_tasks_print_is_in_their_directory() {
    let Some(site) = PythonSite::sqlite() else { return };
    let loud = site.add_call("say", json!(["printed", "complained"]));
    let out = site.add_call("say", json!(["printed"]));
    let silent = site.add_call("echo", json!([]));
    let failed = site.add_call("fail", json!(["no luck"]));
    let log = site.run_well(&["rapidfire"]);
    let expected = "printed\nfrom the file descriptor\nfrom a child\n";
    assert_eq!(site.launch_file(loud, "FW_job.out").as_deref(), Some(expected));
    assert_eq!(site.launch_file(loud, "FW_job.error").as_deref(), Some("complained"));
    assert_eq!(site.launch_file(out, "FW_job.out").as_deref(), Some(expected));
    let absent = [(out, "FW_job.error"), (silent, "FW_job.out"), (silent, "FW_job.error"), (failed, "FW_job.out")];
    for (fw_id, name) in absent {
        assert_eq!(site.launch_file(fw_id, name), None);
    }
    let trace = site.launch_file(failed, "FW_job.error").expect("is there");
    assert_eq!(trace.trim(), site.site.stacktrace(failed));
    assert!(!log.contains("printed") && log.contains("Task failed: PyTask: ValueError: no luck"), "{log}");
    assert_eq!(site.value(out).as_str(), Some(site.site.launch(out).launch_dir.as_str()));
}

#[test]
fn an_interpreter_that_dies_fizzles_its_firework_alone() {
    let Some(site) = PythonSite::sqlite() else { return };
    let ids = [
        site.add_call("die", json!([3])),
        site.add_call("interpreter", json!([])),
        site.add_call("segfault", json!([])),
        site.add_call("fork", json!([])),
        site.add_call("interpreter", json!([])),
    ];
    site.run_well(&["rapidfire"]);
    let trace = site.site.stacktrace(ids[0]);
    assert!(trace.contains("last lines of output:\n    these were the last words\n"), "{trace}");
    assert!(trace.ends_with("Python ended with exit status: 3 while it ran the task"), "{trace}");
    let trace = site.site.stacktrace(ids[2]);
    assert!(trace.contains("Fatal Python error: Segmentation fault") && trace.contains("in segfault"), "{trace}");
    assert!(trace.contains("signal: 11 (SIGSEGV)"), "{trace}");
    assert_eq!(site.launch_file(ids[2], "FW_job.out"), None, "nothing was printed");
    assert_eq!(site.value(ids[3]), Bson::Null, "the child of a fork does not answer, too");
    assert_ne!(process(&site, ids[1]), process(&site, ids[4]));
}

#[test]
fn signals_give_the_firework_back_and_end_python_and_its_children() {
    let Some(site) = PythonSite::sqlite() else { return };
    let workflow = |function: &str| json!({"spec": {"_tasks": [call(function, json!([]))], "_launch_dir": "."}});
    for (function, signals) in [("linger", 1), ("linger_deaf", 2)] {
        let fw_id = site.site.add(workflow(function))[0];
        let worker = Running::of(&mut site.volley(&["rlaunch", "singleshot"]));
        let read = |name: &str| std::fs::read_to_string(site.site.path().join(name)).ok()?.parse::<i32>().ok();
        wait_until("the task runs", || read("leader").is_some());
        let processes = [read("leader").expect("is written"), read("child").expect("is written")];
        for _ in 0..signals {
            worker.signal(Signal::INT);
            // Two signals in a row may arrive as one.
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        let (code, log) = worker.end();
        assert_eq!(code, Some(130), "{log}");
        let firework = site.site.firework(fw_id);
        assert_eq!((firework.state, firework.launches.len()), (State::Ready, 0), "{log}");
        for pid in processes {
            wait_until("the processes of the task are gone", || !is_alive(pid));
        }
        site.site.launchpad.store.delete_workflows(&[fw_id]).expect("deletes");
        for name in ["leader", "child"] {
            std::fs::remove_file(site.site.path().join(name)).expect("is removed");
        }
    }
}

/// `conda run` and its like keep the standard streams for themselves, and close everything else.
#[test]
fn python_may_be_a_command_line() {
    let Some(site) = PythonSite::sqlite() else { return };
    let starter = "import subprocess, sys\nsys.exit(subprocess.run(sys.argv[1:], capture_output=True).returncode)\n";
    site.site.write("run in.py", starter);
    let here = site.site.path().display();
    site.set_python(&format!("{0} '{here}/run in.py' env 'MARK=a b' {0} -W ignore", site.python));
    let who = site.add_call("interpreter", json!([]));
    let out = site.add_call("say", json!(["printed"]));
    let died = site.add_call("die", json!([3]));
    site.run_well(&["rapidfire"]);
    let who = site.value(who);
    assert_eq!(who.as_array().and_then(|who| who[2].as_str()), Some("a b"));
    assert!(site.launch_file(out, "FW_job.out").is_some_and(|text| text.starts_with("printed\n")));
    assert!(site.site.stacktrace(died).contains("exit status: 3"), "{}", site.site.stacktrace(died));
    site.set_python("'open");
    let refused = site.volley(&["rlaunch", "singleshot"]).output().expect("runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("`python` must be a command line"), "{said}");
}

/// A file beside the worker or in a launch directory must not take the place of a module.
#[test]
fn folders_do_not_shadow_modules() {
    let Some(site) = PythonSite::sqlite() else { return };
    for name in ["queue.py", "socket.py", "colorsys.py"] {
        site.site.write(name, "raise SystemExit('shadowed')\n");
    }
    let fw_id = site.site.add(json!({"spec": {"_launch_dir": ".", "_tasks": [
        {"_fw_name": "PyTask", "func": "colorsys.rgb_to_yiq", "args": [1, 1, 1], "stored_data_varname": "value"},
    ]}}))[0];
    site.run_well(&["singleshot"]);
    assert!(matches!(site.value(fw_id), Bson::Array(_)));
}

#[test]
fn a_password_is_nowhere_to_be_seen() {
    let Some(site) = PythonSite::mongo() else { return };
    let volley::store::Location::Mongo(settings) = &site.site.launchpad.location else { unreachable!("it is MongoDB") };
    let options = Value::from_iter([("appname", "s3cret")]);
    let address = settings.host.trim_start_matches("mongodb://").trim_end_matches('/');
    let (host, port) = address.rsplit_once(':').expect("HOST:PORT");
    let port: u16 = port.parse().expect("a port");
    let file = json!({"host": host, "port": port, "name": settings.name, "mongoclient_kwargs": options});
    site.site.write("my_launchpad.yaml", &file.to_string());
    let fw_id = site.add_call("surroundings", json!([]));
    site.run_well(&["singleshot"]);
    let value = site.value(fw_id);
    let seen = value.as_str().expect("a text");
    assert!(seen.contains("PYTHONPATH") && seen.contains("serve(s,f)") && !seen.contains("s3cret"), "{seen}");
}
