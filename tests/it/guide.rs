//! `templates/guide`: the examples of quacc's guide to workflow engines, as a user runs them.
//! `cli_results.rs` looks at the numbers of those that run in one worker.

use crate::support::place::{Cleanup, Place};
use crate::support::service;

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/guide");

#[test]
fn one_step_here_and_one_in_a_slurm_job() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = Place::with_adapter("_fw_q_type: SLURM\nqueue: debug\n").set("SLURM_CONF", &conf);
    let _queue = Cleanup(place.slurm(&conf));
    for name in ["two_workers.yaml", "worker_here.yaml", "worker_cluster.yaml"] {
        place.write(name, &std::fs::read_to_string(format!("{GUIDE}/{name}")).expect("is there"));
    }
    place.run(&["lpad", "add", "two_workers.yaml"]).done();
    // There is nothing for the cluster yet.
    place.run(&["qlaunch", "-w", "worker_cluster.yaml", "rapidfire"]).done();
    assert!(place.launchers().is_empty());
    place.run(&["rlaunch", "-s", "-w", "worker_here.yaml", "rapidfire"]).done();
    let states: Vec<String> = place.fireworks().iter().map(|firework| firework.state.to_string()).collect();
    assert_eq!(states, ["COMPLETED", "READY"]);
    place.run(&["qlaunch", "-w", "worker_cluster.yaml", "rapidfire"]).done();
    place.run(&["lpad", "wait", "-i", "1", "--timeout", "60s"]).done();
    place.assert_each_ran_once();
    let all = place.run(&["lpad", "get_fws", "-d", "more"]).done().stdout;
    let fireworks: serde_json::Value = serde_json::from_str(&all).expect("is JSON");
    let worker = |at: usize| &fireworks[at]["launches"][0]["fworker"]["name"];
    assert_eq!((worker(0), worker(1)), (&"here".into(), &"cluster".into()));
}
