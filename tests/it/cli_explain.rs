//! `lpad explain`: one sentence, then the facts, as text and as data.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use volley::store::Order;

use crate::support::Worker;
use crate::support::cli::Cli;
use crate::support::raw::{expire, reserve};
use crate::support::run::Ran;
use crate::support::site::Site;

fn explain(site: &Site, fw_id: i64) -> Value {
    Ran::of(&mut site.volley(&["lpad", "explain", "-i", &fw_id.to_string()])).json()
}

fn says(site: &Site, fw_id: i64, words: &str) -> Value {
    let told = explain(site, fw_id);
    let sentence = told["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains(words), "no `{words}` in: {told}");
    told["facts"].clone()
}

#[test]
fn why_a_firework_does_not_run() {
    for site in Site::on_every_store() {
        site.write("my_qadapter.yaml", "_fw_q_type: local\n");
        let fw = |id: i64, spec: Value| {
            let mut spec = spec;
            spec["_tasks"] = json!([{"_fw_name": "ScriptTask", "script": "exit 3"}]);
            json!({"fw_id": id, "name": format!("f{id}"), "spec": spec})
        };
        site.add(json!({"fws": [fw(1, json!({})), fw(2, json!({}))], "links": {"1": [2]}}));
        site.add(fw(3, json!({"_category": "gpu"})));
        site.add(fw(4, json!({"_fworker": "big"})));
        site.add(fw(5, json!({})));
        let facts = says(&site, 2, "Firework 2 `f2` waits for its parent 1 `f1`, which is READY.");
        assert_eq!(facts["parents"], json!([{"fw_id": 1, "name": "f1", "state": "READY"}]));
        says(&site, 1, "waits for a worker: nothing runs at the moment");
        reserve(&site.launchpad.location, 5, "12", Timestamp::now());
        let facts = says(&site, 5, "is RESERVED for queue job 12, which the queue does not know any more");
        assert_eq!(facts["queue_job"], "12");

        let mut worker = Worker::new("small");
        worker.fworker.category = volley::workflow::fworker::Category::OneOf(vec!["cpu".into()]);
        let claim = worker.claim_as(&*site.launchpad.store, 1, Some(1), Order::Fifo).remove(0);
        let facts = says(&site, 1, "runs, by process");
        assert!(facts["lease_until"].is_string(), "{facts}");
        says(&site, 3, "waits for a worker that takes the category `gpu`: none that does is at work");
        let facts = says(&site, 4, "waits for a worker of the name `big`");
        assert_eq!(facts["workers_at_work"], json!([{"name": "small", "categories": ["cpu"]}]));
        let before = Timestamp::now() - SignedDuration::from_mins(5);
        expire(&site.launchpad.location, claim.launch.launch_id, before);
        says(&site, 1, "whose lease ended 5 min ago");
    }
}

#[test]
fn what_became_of_a_firework() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        let told = |fw_id: &str| cli.lpad(&["explain", "-i", fw_id]).json();
        let says = |fw_id: &str, words: &str| {
            let told = told(fw_id);
            assert!(told["sentence"].as_str().is_some_and(|sentence| sentence.contains(words)), "{told}");
        };
        says("1", "has completed, on ");
        says("5", "has failed: ");
        assert!(told("5")["facts"]["error"].as_str().is_some_and(|error| error.contains('3')), "{}", told("5"));
        cli.lpad(&["defuse_fws", "-i", "1"]).done();
        says("1", "is defused since ");
        says("2", "waits for its parent 1 `first`, which is DEFUSED (`lpad reignite_fws -i 1` brings it back).");
        cli.lpad(&["explain", "-i", "99"]).failed(1, "there is no firework 99");
        if let Some(shown) = cli.on_a_terminal("explain -i 2", "") {
            let shown = shown.done().stdout;
            assert!(shown.starts_with("Firework 2 `second` waits for its parent"), "{shown}");
            assert!(shown.contains("  parents: fw_id 1, name first, state DEFUSED"), "{shown}");
        }
    }
}

#[test]
fn several_are_explained_at_once() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let told = cli.lpad(&["explain", "-i", "2,1"]).json();
        assert_eq!((&told[0]["fw_id"], &told[1]["fw_id"]), (&json!(2), &json!(1)), "{told}");
        let waiting = cli.lpad(&["explain", "-s", "WAITING"]).json();
        assert_eq!(waiting.as_array().map(Vec::len), Some(2), "{waiting}");
        assert_eq!(cli.lpad(&["explain", "-s", "DEFUSED"]).json(), json!([]));
        cli.lpad(&["explain"]).failed(2, "which fireworks?");
        cli.lpad(&["explain", "-i", "1,99"]).failed(1, "there is no firework 99");
    }
}
