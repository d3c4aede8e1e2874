//! How often the server is asked: the budget of a firework from READY to COMPLETED.

use serde_json::{Value, json};

use crate::support::Launchpad;
use crate::support::site::Site;

/// Commands that one `rlaunch rapidfire` sends for all of these fireworks.
fn commands(fireworks: i64, links: Value) -> Option<usize> {
    commands_for_tasks(1, fireworks, links)
}

fn commands_for_tasks(tasks: usize, fireworks: i64, links: Value) -> Option<usize> {
    let site = Site::on(Launchpad::mongo()?);
    let write = json!({"_fw_name": "FileWriteTask", "files_to_write": [{"filename": "f", "contents": "x"}]});
    let tasks = vec![write; tasks];
    let fws: Vec<Value> = (1..=fireworks).map(|id| json!({"fw_id": id, "spec": {"_tasks": tasks}})).collect();
    site.add(json!({"fws": fws, "links": links}));
    let output = site.rlaunch(&["rapidfire"]).env("RUST_LOG", "volley::mongo=trace").output().expect("runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(site.fireworks().iter().all(|firework| firework.state == volley::workflow::State::Completed));
    Some(log.lines().count())
}

/// What a process asks once: whether there is anything left, what the dead have left, and good-bye.
const ONCE: usize = 20;

#[test]
fn a_firework_costs_at_most_eight_commands() {
    let chain = |length: i64| (1..length).map(|id| (id.to_string(), json!([id + 1]))).collect();
    let Some(count) = commands(60, Value::Object(chain(60))) else { return };
    assert!(count <= 8 * 60 + ONCE, "{count} commands for a chain of 60");
}

#[test]
fn a_join_costs_no_more_the_wider_it_is() {
    let fan = |width: i64| -> Value {
        let middle: Vec<i64> = (2..width + 2).collect();
        let mut links = serde_json::Map::from_iter([("1".to_owned(), json!(middle))]);
        links.extend(middle.iter().map(|id| (id.to_string(), json!([width + 2]))));
        links.into()
    };
    for width in [3, 150] {
        let Some(count) = commands(width + 2, fan(width)) else { return };
        let budget = 8 * usize::try_from(width + 2).expect("is positive") + ONCE;
        assert!(count <= budget, "{count} commands for a fan of {width}");
    }
}

#[test]
fn every_task_but_the_first_costs_one_more() {
    let Some(count) = commands_for_tasks(41, 1, json!({})) else { return };
    assert!((40..=40 + 8 + ONCE).contains(&count), "{count} commands for 41 tasks");
}

/// Commands that `lpad` sends for this.
fn commands_of_lpad(site: &Site, arguments: &[&str]) -> usize {
    let output = site.volley(&[&["lpad"], arguments].concat()).env("RUST_LOG", "volley::mongo=trace").output();
    let output = output.expect("runs");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {log}");
    log.lines().filter(|line| line.contains(" DEBUG ")).count()
}

#[test]
fn what_is_shown_or_changed_costs_no_more_the_more_there_is() {
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    let verbs: [(&[&str], usize); 11] = [
        (&["get_fws", "-o", "json"], 2),
        (&["get_fws", "-d", "more", "-o", "json"], 3),
        (&["get_wflows", "-d", "more", "-o", "json"], 4),
        (&["get_wflows", "-o", "json", "--rsort", "updated_on"], 4),
        (&["get_fws", "-s", "READY", "-d", "count"], 3),
        (&["set_priority", "5", "-s", "READY", "--yes"], 16),
        (&["set_priority", "6", "-wf", "-s", "READY", "--yes"], 16),
        (&["update_fws", "-u", "{'a': 1}", "-s", "READY", "--yes"], 16),
        (&["defuse_fws", "-s", "READY", "--yes"], 50),
        (&["reignite_fws", "-s", "DEFUSED", "--yes"], 50),
        (&["delete_wflows", "-s", "READY", "--yes"], 40),
    ];
    let Some(pad) = Launchpad::mongo() else { return };
    let site = Site::on(pad);
    let one = || crate::support::draft(json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}}));
    let many: Vec<_> = (0..150).map(|_| one()).collect();
    site.launchpad.store.insert(&many, jiff::Timestamp::now()).expect("inserts");
    for (arguments, most) in verbs {
        let count = commands_of_lpad(&site, arguments);
        assert!((1..=most).contains(&count), "{count} commands for {arguments:?}");
    }
}
