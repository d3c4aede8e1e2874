//! The overview without a terminal: as text for people and logs, as data for programs.

use serde_json::json;
use volley::store::Order;

use crate::cli_errors::mixed;
use crate::support::Worker;
use crate::support::cli::Cli;
use crate::support::run::Ran;
use crate::support::site::Site;

#[test]
fn the_overview_is_printed_once() {
    for cli in Cli::everywhere() {
        cli.write("my_qadapter.yaml", "_fw_q_type: LOCAL\n");
        cli.lpad(&["get_wflows"]).done();
        let empty = cli.lpad(&["monitor", "--once"]).done().stdout;
        assert!(empty.contains("the launchpad is empty") && empty.contains("nobody is at work"), "{empty}");
        mixed(&cli);
        let text = cli.lpad(&["monitor", "--once"]).done().stdout;
        for part in [
            "fireworks WAITING 1  COMPLETED 1  FIZZLED 3",
            "workflows FIZZLED 1",
            "1 firework waits for what has failed or is held",
            " 1/h",
            " 3/h",
            "no jobs of this launchpad",
            "3 FIZZLED, by cause",
            "ScriptTask fizzled! Return code: 2",
        ] {
            assert!(text.contains(part), "no `{part}` in\n{text}");
        }
        assert!(!text.contains('\u{1b}') && text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let Some(lines) = cli.picture(60, "monitor --once") else { continue };
        assert!(lines.iter().any(|line| line.contains("FIZZLED 3")), "{lines:?}");
    }
}

#[test]
fn who_only_looks_makes_no_launchpad() {
    let cli = Cli::sqlite();
    for option in ["--once", "--json", "--read-only"] {
        cli.lpad(&["monitor", option]).failed(1, "launchpad.db does not exist");
        assert!(!cli.folder().join("launchpad.db").exists(), "{option}");
    }
}

#[test]
fn programs_have_it_as_data() {
    for site in Site::on_every_store() {
        site.write("my_qadapter.yaml", "_fw_q_type: LOCAL\n");
        site.add(json!({"name": "a", "spec": {"_tasks": []}}));
        Worker::new("big").claim_as(&*site.launchpad.store, 1, None, Order::Fifo);
        let found = Ran::of(&mut site.volley(&["lpad", "monitor", "--json"])).json();
        let member = &found["crew"][0];
        assert_eq!(
            (&member["worker"], &member["host"], &member["fw_ids"]),
            (&json!("big"), &json!("testhost"), &json!([1]))
        );
        assert!(member["heard"].is_string(), "{found}");
        assert_eq!(found["workers"], json!([{"name": "big", "host": "testhost", "running": 1}]), "{found}");
        assert_eq!((&found["fireworks"]["RUNNING"], &found["forecast"]["left"]), (&json!(1), &json!(1)), "{found}");
        assert_eq!(found["throughput"]["minutes"]["completed"].as_array().map(Vec::len), Some(60), "{found}");
        assert_eq!(found["queue"]["jobs"], json!([]), "{found}");
        let same = Ran::of(&mut site.volley(&["lpad", "monitor", "--once", "-o", "yaml"])).done().stdout;
        assert!(same.contains("per_hour: null"), "{same}");
    }
}

#[test]
fn it_asks_little() {
    for site in Site::on_every_store().into_iter().filter(Site::is_mongo) {
        let output = site.volley(&["lpad", "monitor", "--once"]).env("RUST_LOG", "volley::mongo=trace").output();
        let log = String::from_utf8_lossy(&output.expect("runs").stderr).into_owned();
        assert!(log.lines().count() <= 16, "{log}");
    }
}
