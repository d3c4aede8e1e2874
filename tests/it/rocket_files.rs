//! Files handed from firework to firework, where something is missing.

use serde_json::{Value, json};
use volley::workflow::State;

use crate::support::site::Site;

fn script(text: &str) -> Value {
    json!({"_fw_name": "ScriptTask", "script": text})
}

#[test]
fn what_cannot_be_copied_fizzles_before_anything_is_done() {
    for (spec, part) in [
        (
            json!({"_files_in": {"chg": "CHGCAR"}, "_files_prev": {"chg": "/nowhere/CHGCAR"}}),
            "`_files_in`: cannot copy /nowhere/CHGCAR to /",
        ),
        (json!({"_files_in": {"f": "sub/a"}, "_files_prev": {"f": "FW_config.yaml"}}), "sub/a: No such file"),
        (json!({"_files_in": {"f": "a"}, "_files_prev": {"f": "packed.xz"}}), "packed.xz to /"),
        (json!({"_files_in": ["a"]}), "`_files_in`: must be a mapping of names to files"),
        (json!({"_files_out": {"a": 1}}), "`_files_out`: must be a mapping of names to files"),
    ] {
        let site = Site::sqlite();
        site.write("FW_config.yaml", "{}\n");
        site.write("packed.xz", "x");
        let mut spec = spec;
        spec["_tasks"] = json!([script("touch never")]);
        let fw_id = site.add(json!({"spec": spec}))[0];
        site.run_well(&["singleshot"]);
        let trace = site.stacktrace(fw_id);
        assert!(trace.contains(part), "{trace}");
        assert!(!site.path().join("never").exists());
    }
}

#[test]
fn what_nobody_passes_on_is_said() {
    let site = Site::sqlite();
    let ids = site.add(json!({
        "fws": [
            {"fw_id": 1, "spec": {"_tasks": [script("true")], "_files_out": {"chg": "CHG*"}}},
            {"fw_id": 2, "spec": {"_tasks": [script("true")], "_files_in": {"chg": "CHGCAR"}}},
        ],
        "links": {"1": [2]},
    }));
    let log = site.run_well(&["rapidfire"]);
    assert!(log.contains("no file matches `CHG*`, which `_files_out` passes on as `chg`"), "{log}");
    assert!(log.contains("no parent has passed on the file `chg` that `_files_in` names"), "{log}");
    assert!(ids.iter().all(|&id| site.state(id) == State::Completed));
}

#[test]
fn a_run_that_goes_on_takes_no_files_anew() {
    let site = Site::sqlite();
    site.write("given", "new");
    site.write("taken", "changed by hand");
    let spec = json!({
        "_tasks": [script("true"), script("true")],
        "_files_in": {"f": "taken"},
        "_files_prev": {"f": "given"},
        "_recovery": {"_task_n": 1, "_mode": null, "_prev_dir": "/d"},
    });
    site.add(json!({"spec": spec}));
    site.run_well(&["singleshot"]);
    assert_eq!(std::fs::read_to_string(site.path().join("taken")).expect("reads"), "changed by hand");
}

#[test]
fn a_disk_that_is_full_is_not_the_fireworks_fault() {
    let site = Site::sqlite();
    site.write("given", "content");
    std::os::unix::fs::symlink("/dev/full", site.path().join("full")).expect("links");
    let spec = json!({"_tasks": [script("true")], "_files_in": {"f": "full"}, "_files_prev": {"f": "given"}});
    let fw_id = site.add(json!({"spec": spec}))[0];
    let output = site.run(&["singleshot"]);
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("/full") && log.contains("the firework stays in the launchpad"), "{log}");
    assert_eq!(site.state(fw_id), State::Ready);
}
