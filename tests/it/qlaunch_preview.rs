//! `qlaunch preview`: the script as it would be submitted.

use crate::support::place::Place;

#[test]
fn prints_the_script_and_submits_nothing() {
    let place = Place::with_adapter("_fw_q_type: SLURM\nqueue: debug\nwalltime: '01:00:00'\npost_rocket: echo done\n");
    let ran = place.run(&["qlaunch", "preview"]).done();
    for part in [
        "#!/bin/bash -l\n",
        "#SBATCH --partition=debug\n",
        "#SBATCH --time=01:00:00\n",
        "#SBATCH --signal=B:USR1@60\n",
        " rapidfire\n} &\n",
        "echo done\n",
    ] {
        assert!(ran.stdout.contains(part), "{part} in {}", ran.stdout);
    }
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    let entries = std::fs::read_dir(place.path()).expect("reads").count();
    assert_eq!(entries, 1, "neither a script nor a launchpad is made");
}

#[test]
fn warns_of_a_template_that_is_deaf() {
    let place = Place::with_adapter("_fw_q_type: SLURM\n_fw_template_file: mine.txt\n");
    place.write("mine.txt", "#!/bin/sh\n#SBATCH --signal=$${signal}\ncd $${launch_dir}\n$${rocket_launch}\n");
    let ran = place.run(&["qlaunch", "preview"]).done();
    assert!(ran.stderr.contains("passes no signals on"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("--signal"), "its shell would die of it: {}", ran.stdout);
    place.write("mine.txt", "#!/bin/sh\ncd $${launch_dir}\nexec $${rocket_launch}\n");
    let ran = place.run(&["qlaunch", "preview"]).done();
    assert!(!ran.stderr.contains("signals"), "{}", ran.stderr);
}
