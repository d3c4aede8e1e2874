//! `lpad errors`: failures by their cause.

use serde_json::json;

use crate::support::cli::Cli;

/// One that works, two that fail alike, one that fails otherwise, and what waits for them: 1 to 5.
pub const MIXED: &str = r#"
name: mixed
fws:
- {fw_id: 1, name: prepare, spec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}]}}
- {fw_id: 2, name: relax a, spec: {_tasks: [{_fw_name: ScriptTask, script: 'ls /nowhere/12'}]}}
- {fw_id: 3, name: relax b, spec: {_tasks: [{_fw_name: ScriptTask, script: 'ls /nowhere/x-7'}]}}
- {fw_id: 4, name: odd, spec: {_tasks: [{_fw_name: ScriptTask, script: 'exit 7'}]}}
- {fw_id: 5, name: report, spec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}]}}
links: {1: [2, 3, 4], 2: [5], 3: [5], 4: [5]}
"#;

/// That workflow, once it has run.
pub fn mixed(cli: &Cli) {
    cli.write("mixed.yaml", MIXED);
    cli.lpad(&["add", "mixed.yaml"]).done();
    cli.rapidfire();
}

#[test]
fn failures_that_are_alike_are_one_group() {
    for cli in Cli::everywhere() {
        assert_eq!(cli.lpad(&["errors"]).json(), json!([]));
        cli.lpad(&["errors", "--group", "1"]).failed(1, "there is no group 1: nothing has failed");
        mixed(&cli);
        let groups = cli.lpad(&["errors"]).json();
        assert_eq!(groups.as_array().map(Vec::len), Some(2), "{groups}");
        assert_eq!((&groups[0]["group"], &groups[0]["fw_ids"]), (&json!(1), &json!([2, 3])), "{groups}");
        assert_eq!(groups[0]["message"], "ScriptTask fizzled! Return code: 2");
        assert!(groups[0]["at"].as_str().is_some_and(|at| at.contains("'…'") && !at.contains("12")), "{groups}");
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        assert_eq!(groups[0]["hosts"], json!({host: 2}));
        let second = cli.lpad(&["errors", "--group", "2"]).json();
        assert_eq!(second["fw_ids"], json!([4]));
        let trace = second["trace"].as_str().expect("what it said");
        assert!(trace.contains("command: exit 7") && trace.ends_with("Return code: [7]"), "{trace}");
        assert_eq!(cli.lpad(&["errors", "-o", "ids"]).done().stdout, "2-4\n");
        assert_eq!(cli.lpad(&["errors", "-g", "1", "-o", "ids"]).done().stdout, "2,3\n");
        assert_eq!(cli.lpad(&["errors", "-o", "jsonl"]).done().stdout.lines().count(), 2);
        assert_eq!(cli.lpad(&["errors", "-n", "odd"]).json()[0]["fw_ids"], json!([4]));
        assert_eq!(cli.lpad(&["errors", "-s", "READY"]).json(), json!([]));
        cli.lpad(&["errors", "--group", "3"]).failed(1, "there is no group 3: they go from 1 to 2");
        for columns in [40, 120] {
            let Some(lines) = cli.picture(columns, "errors") else { continue };
            assert!(lines[0].starts_with("GROUP  COUNT  CAUSE"), "{lines:#?}");
            assert!(lines[1].starts_with("1      2      ScriptTask"), "{lines:#?}");
        }
    }
}
