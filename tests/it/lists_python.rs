//! What our `lpad` lists is what FireWorks' own prints of the same database, to the letter.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::raw;
use crate::support::run::Ran;
use crate::support::shared::Shared;

/// Workflows in many states, with all that FireWorks prints of them.
fn populate(shared: &Shared) {
    let site = &shared.site;
    let task = |script: &str| json!([{"_fw_name": "ScriptTask", "script": script}]);
    let numbers = json!({"small": 1e-5, "large": 1e20, "whole": 2.0, "none": null, "empty": [{}, []], "yes": true});
    site.add(json!({
        "fws": [
            {"fw_id": 1, "name": "first", "spec": {"formula": "Si2", "numbers": numbers, "_priority": 3,
             "_tasks": task("echo tracked > out.log"), "_trackers": [{"filename": "out.log", "nlines": 5}]}},
            {"fw_id": 2, "name": "sécond", "spec": {"formula": "Si2", "_tasks": task("true")}},
            {"fw_id": 3, "name": "it's the third", "spec": {"_tasks": task("true")}},
        ],
        "links": {"1": [2, 3]}, "name": "diamond", "metadata": {"project": "ä", "n": 1.5},
    }));
    site.add(json!({"name": "fails", "spec": {"formula": "Ge", "_tasks": task("exit 3")}}));
    site.add(json!({"name": "reruns", "spec": {"_tasks": task("true")}}));
    site.add(json!({"name": "held", "spec": {"_tasks": task("true")}}));
    site.add(json!({"name": "reserved", "spec": {"_tasks": task("true")}}));
    for fw_id in ["1", "4", "5"] {
        site.run_well(&["singleshot", "-f", fw_id]);
    }
    for arguments in [["rerun_fws", "-i", "5"], ["pause_fws", "-i", "6"]] {
        let output = site.volley(&[&["lpad"], arguments.as_slice()].concat()).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    raw::reserve(&site.launchpad.location, 7, "4711", jiff::Timestamp::now());
}

fn theirs(shared: &Shared, calls: &[&[&str]]) -> Vec<String> {
    let mut python = shared.script("lpad_calls.py", &[]);
    let mut python = python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("starts");
    let mut stdin = python.stdin.take().expect("is piped");
    write!(stdin, "{}", json!(calls)).expect("Python listens");
    drop(stdin);
    let output = python.wait_with_output().expect("ends");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("a list of texts")
}

#[test]
fn lists_are_those_of_fireworks_to_the_letter() {
    let Some(shared) = Shared::new() else { return };
    populate(&shared);
    let mut calls: Vec<Vec<&str>> = Vec::new();
    for display in ["less", "more", "all", "reservations", "ids", "count"] {
        calls.push(vec!["get_fws", "-d", display]);
        calls.push(vec!["get_wflows", "-d", display]);
        calls.push(vec!["get_fws_in_wflows", "-wfn", "diamond", "-d", display]);
    }
    for words in [
        "get_fws -i 1",
        "get_fws -i 1,4 -d MORE",
        "get_fws -i 99",
        "get_fws -n sécond",
        "get_fws -s waiting --sort created_on",
        "get_fws --rsort created_on -m 3 -d ids",
        "get_fws -i 1,4,5,6 --rsort updated_on",
        "get_fws -q {'spec.formula':'Si2'} -d ids",
        "get_fws -q {\"state\":{\"$ne\":\"READY\"}} --sort updated_on -d ids",
        "get_fws -lm -q {\"state\":\"FIZZLED\"} -d ids",
        "get_fws --qid 4711",
        "get_wflows -i 3",
        "get_wflows -n fails -d more",
        "get_wflows -s RUNNING",
        "get_wflows -q {'metadata.project':'ä'} -d all",
        "get_wflows --rsort created_on -m 2",
        "get_fws_in_wflows -wfs RUNNING -fws WAITING --sort created_on",
        "get_fws_in_wflows -wfi 2 -fwq {'spec.formula':'Si2'} -d ids",
        "get_fws_in_wflows -wfq {'name':'diamond'} -fwn first -d count",
        "get_launchdir 1",
        "get_launchdir 6",
        "get_qids -i 7,6",
        "track_fws -i 1,2",
        "track_fws -n first -x out.log",
        "report -c launches -i hours",
        "report -i months -n 2",
        "report -c wflows -i minutes -n 50 -q {'name':'fails'}",
        "report -n 1 -q {'name':'nobody'}",
    ] {
        calls.push(words.split(' ').collect());
    }
    let plain: Vec<&[&str]> = calls.iter().map(Vec::as_slice).collect();
    for (arguments, theirs) in plain.iter().zip(theirs(&shared, &plain)) {
        let ours = Ran::of(shared.site.volley(&[&["lpad"], *arguments].concat()).env("PYTHONPATH", "")).done();
        assert_eq!(ours.stdout, theirs, "{arguments:?}");
    }
}

#[test]
fn yaml_tables_and_dumps_say_what_those_of_fireworks_say() {
    let Some(shared) = Shared::new() else { return };
    populate(&shared);
    let site = &shared.site;
    let calls: [&[&str]; 6] = [
        &["-o", "yaml", "get_fws", "-d", "all"],
        &["-o", "yaml", "get_wflows", "-i", "1", "-d", "all"],
        &["dump_wflow", "-i", "1", "-f", "theirs.json"],
        &["dump_wflow", "-i", "5", "-f", "theirs.yaml"],
        &["introspect", "-t", "0"],
        &["get_fws", "-i", "1", "-d", "all"],
    ];
    let theirs = theirs(&shared, &calls);
    let ours = |arguments: &[&str]| Ran::of(&mut site.volley(&[&["lpad"], arguments].concat())).done().stdout;
    let yaml = |text: &str| serde_saphyr::from_str::<Value>(text).expect("is YAML");
    for call in [0, 1] {
        assert_eq!(yaml(&ours(calls[call])), yaml(&theirs[call]), "{:?}", calls[call]);
    }
    let file = |name: &str| std::fs::read_to_string(site.path().join(name)).expect("is written");
    ours(&["dump_wflow", "-i", "1", "-f", "ours.json"]);
    assert_eq!(file("ours.json"), file("theirs.json"));
    assert_eq!(
        serde_json::from_str::<Value>(&ours(&["dump_wflow", "-i", "1", "-f", "-"])).expect("is JSON"),
        serde_json::from_str::<Value>(&file("ours.json")).expect("is JSON")
    );
    ours(&["dump_wflow", "-i", "5", "-f", "ours.yml"]);
    let (dumped, expected) = (yaml(&file("ours.yml")), yaml(&file("theirs.yaml")));
    assert_eq!(dumped["fws"], expected["fws"]);
    assert_eq!((&dumped["links"], &dumped["name"]), (&expected["links"], &expected["name"]));

    // Its order of what differs equally is that of a set.
    let sorted = |text: &str| {
        let is_report = |line: &&str| !line.is_empty() && !line.starts_with("NOTE") && !line.starts_with("generating");
        let mut lines: Vec<String> = text.lines().filter(is_report).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&ours(calls[4])), sorted(&theirs[4]));
}
