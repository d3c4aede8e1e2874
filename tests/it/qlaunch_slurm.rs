//! `qlaunch` on a real Slurm.

use serde_json::{Value, json};

use crate::support::place::{Cleanup, Place, most_jobs_while};
use crate::support::service;

/// A place whose jobs go to the private Slurm.
fn place(adapter: &str, conf: &str) -> Place {
    Place::with_adapter(&format!("_fw_q_type: SLURM\nqueue: debug\n{adapter}")).set("SLURM_CONF", conf)
}

#[test]
fn keeps_so_many_jobs_and_no_more() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place("rocket_launch: rlaunch singleshot\n", &conf);
    let queue = Cleanup(place.slurm(&conf));
    place.add_scripts(6, "sleep 1");
    let mut launcher = place.spawn(&["qlaunch", "rapidfire", "-m", "2"]);
    assert_eq!(most_jobs_while(&mut launcher, &queue.0), 2);
    place.wait_until_completed();
    place.assert_each_ran_once();
}

#[test]
fn a_bad_partition_ends_it_with_what_sbatch_said() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = Place::with_adapter("_fw_q_type: SLURM\npartition: nosuch\n").set("SLURM_CONF", &conf);
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "rapidfire"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("Invalid partition name specified"), "{}", ran.stderr);
    assert!(ran.stderr.contains("exit code 1"), "{}", ran.stderr);
}

/// The way of the README: 20 relaxations, 4 jobs at a time, by the binary alone.
#[test]
fn twenty_relaxations_in_four_jobs() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place("", &conf);
    let queue = Cleanup(place.slurm(&conf));
    for i in 0..20 {
        let structure = json!({"bulk": {"name": "Cu", "crystalstructure": "fcc", "a": 3.5 + 0.01 * f64::from(i)}});
        let task = json!({"_fw_name": "EmtRelaxTask", "structure": structure, "opt_params": {"fmax": 0.05}});
        let firework = json!({"name": format!("relax {i}"), "spec": {"_tasks": [task]}});
        place.write(&format!("relax{i}.json"), &firework.to_string());
    }
    let files: Vec<String> = (0..20).map(|i| format!("relax{i}.json")).collect();
    let words: Vec<&str> = ["lpad", "add"].into_iter().chain(files.iter().map(String::as_str)).collect();
    place.run(&words).done();
    let mut launcher = place.spawn(&["qlaunch", "rapidfire", "-m", "4"]);
    assert!(most_jobs_while(&mut launcher, &queue.0) <= 4);
    place.wait_until_completed();

    let listed = place.run(&["lpad", "get_fws", "-d", "more"]).done();
    let fireworks: Value = serde_json::from_str(&listed.stdout).expect("is JSON");
    let fireworks = fireworks.as_array().expect("is a list");
    assert_eq!(fireworks.len(), 20);
    for firework in fireworks {
        assert_eq!(firework["state"], "COMPLETED");
        assert_eq!(firework["launches"].as_array().map(Vec::len), Some(1));
    }
}
