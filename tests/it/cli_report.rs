//! `lpad report`; its text is compared with FireWorks' own in `lists_python`.

use serde_json::json;

use crate::support::cli::Cli;

#[test]
fn what_ended_when_is_counted() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let report = |args: &[&str]| cli.lpad(&[&["-o", "json", "report"], args].concat()).json();
        let fresh = report(&[]);
        let counted: u64 = fresh.as_array().expect("a list").iter().filter_map(|one| one["count"].as_u64()).sum();
        assert_eq!(counted, 5, "{fresh}");
        cli.rapidfire();
        // In a month of its own it could be two rows, at midnight.
        let year = report(&["-i", "years", "-n", "0"]);
        let states = json!({"ARCHIVED": 0, "FIZZLED": 1, "DEFUSED": 0, "PAUSED": 0, "WAITING": 0, "READY": 0,
            "RESERVED": 0, "RUNNING": 0, "COMPLETED": 4});
        assert_eq!((&year[0]["states"], &year[0]["completed_score"]), (&states, &json!(80.0)));
        let date = cli.lpad(&["get_fws", "-i", "5"]).json()["updated_on"].as_str().expect("a date").to_owned();
        assert_eq!(year[0]["date_key"], date[..4]);
        let launches = report(&["-c", "launches", "--interval", "years", "-q", "{'state': 'FIZZLED'}"]);
        assert_eq!((&launches[0]["count"], &launches[0]["completed_score"]), (&json!(1), &json!(0.0)));
        let workflows = report(&["-c", "wflows", "-i", "years", "-q", "{'name': 'pair'}"]);
        assert_eq!(workflows[0]["states"]["COMPLETED"], 2);
        assert_eq!(report(&["-q", "{'name': 'nobody'}"]), json!([]));
        assert_eq!(cli.lpad(&["-o", "jsonl", "report", "-i", "years"]).done().stdout.lines().count(), 1);
        let none = cli.lpad(&["report", "-q", "{'name': 'nobody'}"]).done().stdout;
        assert!(none.ends_with("There are no stats to display for the chosen time period.\n"), "{none}");
        cli.lpad(&["report", "-i", "weeks"]).failed(2, "weeks");
        cli.lpad(&["report", "-q", "{'a':"]).failed(2, "--query");
    }
}
