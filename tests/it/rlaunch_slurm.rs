//! Pilots on a real Slurm: one job that runs several fireworks side by side.

use std::collections::BTreeSet;

use volley::queue::Queue;
use volley::workflow::State;

use crate::support::place::{Cleanup, Place};
use crate::support::run::wait_until;
use crate::support::service;

const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");

#[test]
fn four_calculations_of_two_nodes_in_one_job_of_eight() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = Place::new().set("SLURM_CONF", &conf);
    let queue = Cleanup(place.slurm(&conf));
    let text = |name: &str| std::fs::read_to_string(format!("{TEMPLATES}/{name}")).expect("is there");
    // Ends only when all eight nodes are at it.
    let meet =
        "echo $SLURMD_NODENAME; touch met.$SLURMD_NODENAME; until [ $(ls met.* | wc -l) = 8 ]; do sleep 0.05; done";
    place.write("calculate", &format!("cd \"$HOME\"\n{meet}\n"));
    place.write("nodes.yaml", &text("guide/nodes.yaml").replace("hostname", "sh \"$HOME/calculate\""));
    place.write("eight_nodes.yaml", &format!("{}partition: many\n", text("queue/eight_nodes.yaml")));
    place.run(&["lpad", "add", "nodes.yaml"]).done();
    place.run(&["qlaunch", "-q", "eight_nodes.yaml", "--launch_dir", "job", "singleshot"]).done();
    assert_eq!(queue.0.list().expect("lists").len(), 1);
    place.wait_until_completed();
    place.assert_each_ran_once();
    wait_until("the job is gone", || queue.0.list().expect("lists").is_empty());
    let mut pairs: Vec<BTreeSet<String>> = Vec::new();
    for firework in place.fireworks() {
        let launch = place.store().find_launches(&firework.launches).expect("finds").remove(0);
        let action = launch.action.expect("has ended");
        let said = action.get_document("stored_data").and_then(|data| data.get_str("stdout")).expect("is stored");
        pairs.push(said.split_whitespace().map(str::to_owned).collect());
    }
    pairs.sort();
    let pair = |first: i32| BTreeSet::from([first, first + 1].map(|node| format!("n{node}")));
    assert_eq!(pairs, [1, 3, 5, 7].map(pair));
}

#[test]
fn what_a_cancelled_pilot_had_in_its_slots_runs_in_another() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let adapter = "_fw_q_type: SLURM\nqueue: debug\nntasks: 4\nrocket_launch: rlaunch rapidfire --slots auto\n";
    let place = Place::with_adapter(adapter).set("SLURM_CONF", &conf);
    let queue = Cleanup(place.slurm(&conf));
    place.add_scripts(6, "[ -e \"$HOME/again\" ] && exit; touch \"$HOME/up.$VOLLEY_SLOT\"; sleep 1000");
    place.run(&["qlaunch", "--launch_dir", "first", "singleshot"]).done();
    let up = |slot: usize| place.path().join(format!("up.{slot}")).exists();
    wait_until("four run", || (0..4).all(up));
    assert!(!up(4));
    let jobs: Vec<_> = queue.0.list().expect("lists").into_iter().map(|job| job.id).collect();
    place.write("again", "");
    queue.0.cancel(&jobs).expect("cancels");
    wait_until("all are READY again", || place.fireworks().iter().all(|firework| firework.state == State::Ready));
    place.run(&["qlaunch", "--launch_dir", "second", "singleshot"]).done();
    place.wait_until_completed();
    let runs: Vec<usize> = place.fireworks().iter().map(|firework| firework.archived_launches.len()).collect();
    assert_eq!(runs.iter().sum::<usize>(), 4, "{runs:?}");
    wait_until("the jobs are gone", || queue.0.list().expect("lists").is_empty());
}
