//! Fireworks that ask for several slots or nodes, and what they are told of those that they get.

use jiff::Timestamp;
use serde_json::{Value, json};
use volley::workflow::{FwId, State};

use crate::support::cli::Cli;
use crate::support::run::wait_until;
use crate::support::site::Site;

const SAY: &str = "echo $VOLLEY_SLOT $VOLLEY_NNODES $VOLLEY_NODELIST";

fn add(site: &Site, text: &str, asks: Value) -> FwId {
    let task = json!({"_fw_name": "ScriptTask", "script": text, "store_stdout": true});
    let mut spec = asks;
    spec["_tasks"] = json!([task]);
    site.add(json!({"spec": spec}))[0]
}

fn said(site: &Site, fw_id: FwId) -> String {
    site.stored_data(fw_id).get_str("stdout").expect("is stored").trim().to_owned()
}

#[test]
fn a_firework_gets_the_slots_and_nodes_it_asks_for() {
    for site in Site::on_every_store() {
        site.write("nodes", &(1..=8).map(|node| format!("n{node}\n")).collect::<String>());
        // One after the other: each has its priority.
        let expected = [
            (json!({"_priority": 9}), "0 2 n1,n2"),
            (json!({"_priority": 8, "_nodes": 8}), "0 8 n1,n2,n3,n4,n5,n6,n7,n8"),
            (json!({"_priority": 7, "_nodes": 3}), "0 3 n1,n2,n3"),
            (json!({"_priority": 6, "_slots": 4}), "0 8 n1,n2,n3,n4,n5,n6,n7,n8"),
        ];
        let ids: Vec<FwId> = expected.iter().map(|(asks, _)| add(&site, SAY, asks.clone())).collect();
        let large = [add(&site, SAY, json!({"_slots": 5})), add(&site, SAY, json!({"_nodes": 9}))];
        site.run_well(&["multi", "4", "--nodefile", "nodes", "--timeout", "60"]);
        for (fw_id, (asks, expected)) in ids.iter().zip(&expected) {
            assert_eq!(said(&site, *fw_id), *expected, "{asks}");
        }
        for fw_id in large {
            let firework = site.firework(fw_id);
            assert_eq!((firework.state, firework.launches.len() + firework.archived_launches.len()), (State::Ready, 0));
        }
        // Asked for by name, it runs where it can.
        let log = site.run_well(&["singleshot", "-f", &large[0].to_string()]);
        assert_eq!(site.state(large[0]), State::Completed, "{log}");
    }
}

#[test]
fn whoever_needs_two_slots_is_not_run_in_one() {
    for site in Site::on_every_store() {
        let large = add(&site, "true", json!({"_slots": 2, "_priority": 9}));
        let small = add(&site, SAY, json!({}));
        site.run_well(&["rapidfire"]);
        assert_eq!((site.state(large), site.state(small)), (State::Ready, State::Completed));
        let host = gethostname::gethostname();
        assert_eq!(said(&site, small), format!("0 1 {}", host.to_string_lossy()));
        let explain = |fw_id: FwId| {
            let output = site.volley(&["lpad", "explain", "-i", &fw_id.to_string()]).output().expect("runs");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        assert!(explain(large).contains("a worker that has 2 slots for it"), "{}", explain(large));
        let whole = add(&site, "true", json!({"_nodes": 1}));
        assert!(explain(whole).contains("waits for a worker: nothing runs"), "{}", explain(whole));
        site.run_well(&["multi", "2"]);
        assert_eq!(site.state(large), State::Completed);
    }
}

#[test]
fn a_large_one_is_not_overtaken_for_ever() {
    for site in Site::on_every_store() {
        let until = |file: &str| format!("until [ -e $HOME/{file} ]; do sleep 0.02; done");
        let long = add(&site, &until("go"), json!({}));
        let short = add(&site, &until("end"), json!({}));
        let worker = site.start(&["multi", "2"]);
        wait_until("both run", || [long, short].map(|id| site.state(id)) == [State::Running; 2]);
        let large = add(&site, "true", json!({"_slots": 2, "_priority": 1}));
        let small: Vec<FwId> = (0..3).map(|_| add(&site, "true", json!({"_priority": 0}))).collect();
        site.write("end", "");
        wait_until("a slot is free", || site.state(short) == State::Completed);
        std::thread::sleep(std::time::Duration::from_millis(600));
        assert!(small.iter().all(|&id| site.state(id) == State::Ready), "it is kept for the large one");
        site.write("go", "");
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        let begun = |fw_id: FwId| site.launch(fw_id).started().expect("has begun");
        assert!(small.iter().all(|&id| begun(id) > begun(large)), "{log}");
    }
}

#[test]
fn nonsense_is_refused_when_it_is_added_and_fizzles_otherwise() {
    for site in Site::on_every_store() {
        let bad =
            [json!({"_slots": 0}), json!({"_nodes": "two"}), json!({"_slots": [9]}), json!({"_slots": 1, "_nodes": 1})];
        let ids: Vec<FwId> = bad.iter().map(|asks| add(&site, "true", asks.clone())).collect();
        site.run_well(&["rapidfire"]);
        for (fw_id, asks) in ids.into_iter().zip(&bad) {
            assert!(
                site.stacktrace(fw_id).contains("`_slots`: ") || site.stacktrace(fw_id).contains("`_nodes`: "),
                "{asks}"
            );
        }
    }
    let cli = Cli::sqlite();
    cli.write("fw.yaml", "spec:\n  _slots: 0\n  _tasks: [{_fw_name: ScriptTask, script: 'true'}]\n");
    cli.lpad(&["add", "fw.yaml"]).failed(1, "`_slots`: 0 is not a whole number from 1");
}

/// The two stores agree on what a worker takes.
#[test]
fn only_fireworks_of_one_kind_of_resources_are_taken() {
    for site in Site::on_every_store() {
        let kinds = [
            json!({"nodes": 2, "queue": "many"}),
            json!({"nodes": 2.0, "queue": "many"}),
            json!({"queue": "many", "nodes": 2}),
            json!({"nodes": 2}),
            json!({"nodes": "2", "queue": "many"}),
            json!({"nodes": 2, "queue": "many", "extra": {"mem": [1, 2]}}),
            Value::Null,
        ];
        let mut ids: Vec<FwId> = kinds.iter().map(|kind| add(&site, "true", json!({"_queueadapter": kind}))).collect();
        ids.push(add(&site, "true", json!({})));
        let taken = |kind: &Value| -> Vec<usize> {
            let now = Timestamp::now();
            let mut worker = crate::support::Worker::new("w");
            worker.fworker.cannot.other_than = Some(volley::workflow::json::to_bson(kind));
            let claims = worker.claim(&*site.launchpad.store, 20);
            let held: Vec<_> = claims.iter().map(|claim| claim.held()).collect();
            site.launchpad.store.release(&held, now).expect("releases");
            let position = |id: FwId| ids.iter().position(|&known| known == id).expect("is one of them");
            let mut found: Vec<usize> = held.iter().map(|held| position(held.fw_id)).collect();
            found.sort_unstable();
            found
        };
        for (kind, expected) in
            kinds.iter().zip([vec![0, 1], vec![0, 1], vec![2], vec![3], vec![4], vec![5], vec![6, 7]])
        {
            assert_eq!(taken(kind), expected, "{kind}");
        }
        assert_eq!(taken(&json!({"nodes": 3})), [0; 0]);
        site.run_well(&["rapidfire", "--queueadapter", &kinds[0].to_string()]);
        let completed = |id: &&FwId| site.state(**id) == State::Completed;
        assert_eq!(ids.iter().filter(completed).count(), 2);
        site.run_well(&["rapidfire", "--queueadapter", "null"]);
        assert_eq!(ids.iter().filter(completed).count(), 4);
    }
}

#[test]
fn a_script_of_a_task_is_not_in_the_place_of_its_worker() {
    let site = Site::sqlite();
    let fw_id =
        site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "echo [$VOLLEY_PLACE]", "store_stdout": true}]));
    let mut worker = site.rlaunch(&["singleshot"]);
    worker.env("VOLLEY_PLACE", "/t").env("VOLLEY_LEDGER", "east/ann");
    assert!(worker.output().expect("runs").status.success());
    assert_eq!(said(&site, fw_id), "[]");
}
