//! `qlaunch preview`: the script as it would be submitted.

use crate::support::place::Place;
use crate::support::service;

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
    let id = volley::queue::LaunchpadId::of(&place.location());
    let dir = place.path().display().to_string();
    let command = format!("in {dir}: sbatch --parsable '--comment=volley:{id} {dir}' FW_submit.script\n");
    assert!(ran.stderr.contains(&command), "{}", ran.stderr);
    assert!(ran.stdout.contains(&format!("export VOLLEY_PLACE='{dir}' VOLLEY_LEDGER=")), "{}", ran.stdout);
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

#[test]
fn warns_of_another_shell() {
    let place = Place::with_adapter("_fw_q_type: SLURM\n_fw_template_file: mine.txt\n");
    place.write("mine.txt", "#!/bin/csh\ncd $${launch_dir}\nexec $${rocket_launch}\n");
    let ran = place.run(&["qlaunch", "preview"]).done();
    assert!(ran.stderr.contains("not for a shell like sh"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("VOLLEY_PLACE"), "{}", ran.stdout);
}

#[test]
fn fills_what_fireworks_lacks() {
    let place = Place::with_adapter(
        "_fw_q_type: SLURM\narray: 0-3%2\ndependency: singleton\nreservation: r\ncomment: it is mine\nexport: ALL\n\
         requeue: false\nexclusive: true\n",
    );
    let ran = place.run(&["qlaunch", "preview"]).done();
    for line in [
        "--array=0-3%2",
        "--dependency=singleton",
        "--reservation=r",
        "--comment=\"it is mine\"",
        "--export=ALL",
        "--no-requeue",
        "--exclusive",
    ] {
        assert!(ran.stdout.contains(&format!("#SBATCH {line}\n")), "{line} in {}", ran.stdout);
    }
    assert!(ran.stderr.contains("--comment=it is mine volley:") && !ran.stderr.contains("warning"), "{}", ran.stderr);
}

/// What the README tells to copy.
#[test]
fn examples_fill_the_template() {
    for (text, lines) in [
        (
            include_str!("../../templates/queue/perlmutter.yaml"),
            &[
                "#SBATCH --account=m0000",
                "#SBATCH --constraint=cpu",
                "#SBATCH --qos=regular",
                "module load vasp/6.4.3-cpu",
            ][..],
        ),
        (include_str!("../../templates/queue/eight_nodes.yaml"), &["#SBATCH --nodes=8", "#SBATCH --time=08:00:00"]),
    ] {
        let ran = Place::with_adapter(text).run(&["qlaunch", "preview"]).done();
        assert!(!ran.stderr.to_lowercase().contains("warn"), "{}", ran.stderr);
        for line in lines {
            assert!(ran.stdout.contains(&format!("{line}\n")), "{line} in {}", ran.stdout);
        }
    }
}

#[test]
fn what_would_be_refused_is_said_before() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = Place::with_adapter("_fw_q_type: SLURM\nqueue: nosuch\n").set("SLURM_CONF", &conf);
    let ran = place.run(&["qlaunch", "preview"]).done();
    assert!(ran.stderr.contains("jobs would not be taken") && ran.stderr.contains("nosuch"), "{ran:?}");
    assert!(ran.stdout.contains("#SBATCH --partition=nosuch"), "{ran:?}");
}
