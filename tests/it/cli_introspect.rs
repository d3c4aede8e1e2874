//! `lpad introspect`; its tables are compared with FireWorks' own in `lists_python`.

use serde_json::json;

use crate::support::cli::Cli;

#[test]
fn what_failures_have_in_common_is_named() {
    for cli in Cli::everywhere() {
        cli.write(
            "good.yaml",
            "spec: {cores: 4, deep: {a: {b: 1}, x: y}, _tasks: [{_fw_name: ScriptTask, script: 'true'}]}\n",
        );
        cli.write("bad.yaml", "spec: {cores: 8, _tasks: [{_fw_name: ScriptTask, script: exit 3}]}\n");
        cli.lpad(&["add", "good.yaml", "bad.yaml", "bad.yaml"]).done();
        for _ in 0..3 {
            cli.volley(&["rlaunch", "-s", "singleshot"]).done();
        }
        let rows = cli.lpad(&["-o", "json", "introspect"]).json();
        let rows = rows.as_array().expect("a list");
        let spec: Vec<_> = rows.iter().filter(|row| row["place"] == "fireworks.spec").collect();
        let row = |key: &str, value: &str, completed: i64, fizzled: i64, difference: f64| {
            json!({"place": "fireworks.spec", "key": key, "value": value, "completed": completed, "fizzled": fizzled,
                "difference": difference})
        };
        assert_eq!(
            spec,
            [&row("cores", "4", 1, 0, 100.0), &row("deep.x", "y", 1, 0, 100.0), &row("cores", "8", 0, 2, -100.0)]
        );
        let traces: Vec<_> = rows.iter().filter(|row| row["key"] == "_stacktrace").collect();
        assert_eq!(traces.iter().filter_map(|row| row["fizzled"].as_i64()).sum::<i64>(), 2);
        assert!(rows.iter().all(|row| row["place"] != "fireworks.spec._tasks"), "all have the same tasks: {rows:?}");
        let text = cli.lpad(&["introspect", "-m", "1", "-t", "50"]).done().stdout;
        assert!(text.contains("Introspection report for fireworks.spec\n") && text.contains("cores"), "{text}");
        assert!(text.contains("----1 Failures have the following stack trace"), "{text}");
    }
}
