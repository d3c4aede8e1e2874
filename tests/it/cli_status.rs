//! `lpad status`: the launchpad on one screen.

use serde_json::json;
use volley::store::Order;

use crate::cli_errors::mixed;
use crate::support::Worker;
use crate::support::cli::Cli;
use crate::support::run::Ran;
use crate::support::site::Site;

#[test]
fn everything_is_counted() {
    for cli in Cli::everywhere() {
        let empty = cli.lpad(&["status"]).json();
        assert_eq!((&empty["fireworks"]["READY"], &empty["failures"]), (&json!(0), &json!([])), "{empty}");
        mixed(&cli);
        // What was counted before stays good for ten seconds, unless a person changes something.
        cli.lpad(&["set_priority", "-i", "5", "3"]).done();
        let found = cli.lpad(&["status"]).json();
        assert_eq!((&found["fireworks"]["FIZZLED"], &found["workflows"]["FIZZLED"]), (&json!(3), &json!(1)), "{found}");
        assert_eq!(found["completed_last_hour"], 1, "{found}");
        assert_eq!(found["failures"].as_array().map(Vec::len), Some(2), "{found}");
        assert_eq!(found["workers"], json!([]));
        for columns in [40, 100] {
            let Some(lines) = cli.picture(columns, "status") else { continue };
            let screen = lines.join("\n");
            for part in ["FIREWORKS", "FIZZLED", "nothing runs", "last hour", "1 firework completed", "lpad errors"] {
                assert!(screen.contains(part), "no `{part}` in\n{screen}");
            }
        }
        cli.lpad(&["status", "-o", "ids"]).failed(2, "-o ids");
    }
}

#[test]
fn who_runs_what_is_told() {
    for site in Site::on_every_store() {
        site.add(json!({"name": "a", "spec": {"_tasks": []}}));
        Worker::new("big").claim_as(&*site.launchpad.store, 1, None, Order::Fifo);
        let found = Ran::of(&mut site.volley(&["lpad", "status"])).json();
        assert_eq!(found["workers"], json!([{"name": "big", "host": "testhost", "running": 1}]), "{found}");
        assert_eq!(found["lost"], json!([]));
    }
}
