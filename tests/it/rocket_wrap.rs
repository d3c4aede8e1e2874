//! `wrap` in my_fworker.yaml: what a worker puts before every command.

use serde_json::json;

use crate::support::python::PythonSite;
use crate::support::site::Site;

const WRAP: &str = "env 'WRAPPED={slot} {nodes} {nodelist}'";

#[test]
fn commands_are_wrapped_with_their_shell() {
    let site = Site::sqlite();
    site.write("my_fworker.yaml", &format!("name: w\nwrap: \"{WRAP}\"\nwarp: x\n"));
    site.write("nodes", "a\nb\nc\nd\n");
    let run = |task: serde_json::Value| site.add(json!({"spec": {"_nodes": 4, "_tasks": [task]}}))[0];
    let shell = run(json!({"_fw_name": "ScriptTask", "script": "echo $WRAPPED; echo $0", "store_stdout": true}));
    let bash = run(
        json!({"_fw_name": "ScriptTask", "script": "echo $WRAPPED; echo $0", "shell_exe": "/bin/bash", "store_stdout": true}),
    );
    let plain =
        run(json!({"_fw_name": "ScriptTask", "script": "printenv WRAPPED", "use_shell": false, "store_stdout": true}));
    let line = json!({"command": ["printenv", "WRAPPED"], "out": {"target": {"type": "data", "value": ""}, "source": {"type": "stdout"}}});
    let line = run(json!({"_fw_name": "CommandLineTask", "command_spec": line, "outputs": ["out"]}));
    let log = site.run_well(&["multi", "2", "--nodefile", "nodes"]);
    assert!(log.contains("unknown key `warp` (did you mean `wrap`?), ignored"), "{log}");
    let stdout = |fw_id| site.stored_data(fw_id).get_str("stdout").expect("is stored").to_owned();
    assert_eq!(stdout(shell), "0 4 a,b,c,d\n/bin/sh\n");
    assert_eq!(stdout(bash), "0 4 a,b,c,d\n/bin/bash\n");
    assert_eq!(stdout(plain), "0 4 a,b,c,d\n");
    let action = site.launch(line).action.expect("has ended");
    let kept = action.get_document("update_spec").and_then(|update| update.get_document("out"));
    assert_eq!(kept.and_then(|out| out.get_str("value")).expect("is kept"), "0 4 a,b,c,d");
}

/// Otherwise a good command would seem to be what is missing.
#[test]
fn what_cannot_be_run_is_named_with_what_is_before_it() {
    let site = Site::sqlite();
    site.write("my_fworker.yaml", "name: w\nwrap: apptainer-nowhere exec 'my image'\n");
    let script = site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
    let line = site.add_tasks(json!([{"_fw_name": "CommandLineTask", "command_spec": {"command": ["true"]}}]));
    site.run_well(&["rapidfire"]);
    for fw_id in [script, line] {
        let said = site.stacktrace(fw_id);
        assert!(said.contains("cannot run `apptainer-nowhere exec 'my image' true`: No such file"), "{said}");
    }
}

#[test]
fn tasks_in_python_run_in_the_workers_python() {
    let Some(site) = PythonSite::sqlite() else { return };
    let text = std::fs::read_to_string(site.site.path().join("my_fworker.yaml")).expect("reads");
    site.site.write("my_fworker.yaml", &format!("{text}wrap: \"{WRAP}\"\n"));
    let call =
        json!({"_fw_name": "PyTask", "func": "os.getenv", "args": ["WRAPPED"], "stored_data_varname": "wrapped"});
    let fw_id = site.site.add_tasks(json!([call]));
    site.run_well(&["singleshot"]);
    assert_eq!(site.site.stored_data(fw_id).get("wrapped"), Some(&bson::Bson::Null));
}

#[test]
fn a_placeholder_that_stands_for_nothing_is_an_error_at_the_start() {
    let site = Site::sqlite();
    site.write("my_fworker.yaml", "name: w\nwrap: srun -N {node}\n");
    let output = site.run(&["rapidfire"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("my_fworker.yaml") && said.contains("{node} (did you mean `nodes`?)"), "{said}");
}
