//! `lpad track_fws`.

use serde_json::json;

use crate::support::cli::Cli;

#[test]
fn the_ends_of_tracked_files_are_shown() {
    for cli in Cli::everywhere() {
        let tracked = |name: &str| {
            format!(
                "name: {name}\nspec:\n  _trackers: [{{filename: out.log, nlines: 2}}, {{filename: other.log, nlines: 5}}]\n  \
                 _tasks: [{{_fw_name: ScriptTask, script: printf '1\\n2\\n3\\n' > out.log}}]\n"
            )
        };
        cli.write("one.yaml", &tracked("one"));
        cli.write("two.yaml", &tracked("\"it's two\""));
        cli.write("plain.yaml", "spec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}]}\n");
        cli.lpad(&["add", "one.yaml", "plain.yaml", "two.yaml"]).done();
        for fw_id in ["1", "2", "3"] {
            cli.volley(&["rlaunch", "-s", "singleshot", "-f", fw_id]).done();
        }
        let launch = |fw_id: &str| {
            cli.lpad(&["get_fws", "-i", fw_id, "-d", "more"]).json()["launches"][0]["launch_id"].to_string()
        };
        let block = |id: &str, name: &str| {
            format!("# FW id: {id}, FW name={name}\n## Launch id: {}\n### Filename: out.log\n2\n3\n", launch(id))
        };
        let expected = format!("{}>------<\n{}", block("1", "'one'"), block("3", "\"it's two\""));
        let printed = |args: &[&str]| cli.lpad(&[&["track_fws"], args].concat()).done().stdout;
        assert_eq!(printed(&["-x", "other.log"]), expected);
        assert_eq!(printed(&["-s", "COMPLETED", "-c", "out.log", "missing"]), expected);
        assert_eq!(printed(&["-n", "one", "-x", "out.log", "other.log"]), "");
        assert_eq!(printed(&["-i", "2"]), "");
        let rows = cli.lpad(&["-o", "json", "track_fws", "-i", "1", "-c", "out.log"]).json();
        assert_eq!((&rows[0]["fw_id"], &rows[0]["name"]), (&json!(1), &json!("one")));
        let tracker = json!({"filename": "out.log", "nlines": 2, "allow_zipped": false, "content": "2\n3"});
        assert_eq!(rows[0]["launches"][0]["trackers"], json!([tracker]));
        assert_eq!(cli.lpad(&["-o", "json", "track_fws", "-i", "2"]).json(), json!([]));
    }
}
