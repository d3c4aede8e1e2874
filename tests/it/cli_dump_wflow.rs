//! `lpad dump_wflow`.

use serde_json::{Value, json};

use crate::support::cli::Cli;

#[test]
fn a_dump_has_everything_and_can_be_added_anew() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "1"]).done();
        let dumped = cli.lpad(&["dump_wflow", "-i", "2", "-f", "-"]).json();
        let keys: Vec<&String> = dumped.as_object().expect("a workflow").keys().collect();
        assert_eq!(keys, ["fws", "links", "name", "metadata", "updated_on", "created_on"]);
        assert_eq!((&dumped["links"], &dumped["name"]), (&json!({"1": [2], "2": []}), &json!("pair")));
        assert_eq!(dumped["fws"][0]["launches"][0]["state"], "COMPLETED");
        for file in ["dump.json", "dump.yaml", "dump.yml"] {
            cli.lpad(&["dump_wflow", "-i", "2", "-f", file]).done();
            let text = std::fs::read_to_string(cli.folder().join(file)).expect("is written");
            let read: Value = serde_saphyr::from_str(&text).expect("is YAML, as JSON is");
            assert_eq!(read, dumped, "{file}");
        }
        cli.lpad(&["add", "dump.yaml", "dump.json"]).done();
        for fw_id in ["6", "8"] {
            let anew = cli.lpad(&["get_fws", "-i", fw_id, "-d", "all"]).json();
            assert_eq!((&anew["state"], &anew["launches"]), (&json!("READY"), &Value::Null), "nothing has run of it");
            assert_eq!(anew["spec"], dumped["fws"][0]["spec"]);
        }
    }
}

#[test]
fn what_cannot_be_dumped_is_said() {
    let cli = Cli::sqlite().with_five_fireworks();
    cli.lpad(&["dump_wflow", "-i", "99", "-f", "-"]).failed(1, "there is no firework 99");
    cli.lpad(&["dump_wflow", "-i", "1", "-f", "dump.txt"]).failed(2, "ends with .json, .yaml or .yml");
    cli.lpad(&["dump_wflow", "-i", "1", "-f", "nowhere/dump.json"]).failed(1, "there is no folder nowhere");
    cli.lpad(&["dump_wflow", "-i", "1"]).failed(2, "--wf_file");
}
