//! `lpad events`: who did what, when.

use serde_json::{Value, json};

use crate::support::cli::Cli;

fn whats(events: &Value) -> Vec<&str> {
    events.as_array().expect("a list").iter().filter_map(|event| event["what"].as_str()).collect()
}

#[test]
fn people_and_workers_are_in_one_line_of_time() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        cli.lpad(&["rerun_fws", "-i", "5"]).done();
        let of = cli.lpad(&["events", "-i", "5"]).json();
        assert_eq!(whats(&of), ["add", "claimed", "fizzled", "rerun_fws"], "{of}");
        let by: Vec<&Value> = of.as_array().expect("a list").iter().map(|event| &event["by"]).collect();
        assert_eq!(by, ["user", "worker", "worker", "user"]);
        assert_eq!((&of[1]["launch_id"].is_i64(), &of[3]["fw_ids"]), (&true, &json!([5])), "{of}");
        let mine = cli.lpad(&["events", "--mine"]).json();
        assert!(whats(&mine).contains(&"rerun_fws") && !whats(&mine).contains(&"claimed"), "{mine}");
        assert_eq!(cli.lpad(&["events", "--user", "nobody at all"]).json(), json!([]));
        let newest = cli.lpad(&["events", "-i", "5", "-m", "1"]).json();
        assert_eq!(whats(&newest), ["rerun_fws"]);
        assert_eq!(cli.lpad(&["events", "--since", "2h", "-m", "1"]).json(), newest);
        assert_eq!(cli.lpad(&["events", "-i", "5", "-o", "jsonl"]).done().stdout.lines().count(), 4);
        cli.lpad(&["events", "-i", "99"]).failed(1, "there is no firework 99");
        cli.lpad(&["events", "--since", "soon"]).failed(2, "soon");
        if let Some(lines) = cli.picture(60, "events -i 5") {
            assert!(lines[0].starts_with("WHEN") && lines.last().is_some_and(|last| last.contains("rerun_fws")));
        }
    }
}
