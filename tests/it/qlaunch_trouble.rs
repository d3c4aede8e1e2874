//! `qlaunch` and a Slurm that is full, away or refuses, played by scripts: a real one cannot be
//! made to show these on demand.

use std::os::unix::fs::PermissionsExt;

use crate::qlaunch_support::Place;

/// A place whose `sbatch` and `squeue` are these scripts. `sbatch` knows how often it was called
/// (`$n`, from 1).
fn place(sbatch: &str, squeue: &str) -> Place {
    let place = Place::new();
    let dir = place.path();
    let sbatch = format!("#!/bin/sh\necho x >> '{0}/calls'\nn=$(wc -l < '{0}/calls')\n{sbatch}\n", dir.display());
    for (name, text) in [("fake sbatch", sbatch), ("fake squeue", format!("#!/bin/sh\n{squeue}\n"))] {
        place.write(name, &text);
        std::fs::set_permissions(dir.join(name), PermissionsExt::from_mode(0o755)).expect("made executable");
    }
    let adapter = format!(
        "_fw_q_type: SLURM\n_q_commands_override:\n  submit_cmd: \"'{0}/fake sbatch'\"\n  status_cmd: \"'{0}/fake squeue'\"\n",
        dir.display()
    );
    place.write("my_qadapter.yaml", &adapter);
    place
}

#[test]
fn a_refused_job_ends_it_with_what_sbatch_said() {
    let place = place("[ $n -le 2 ] && echo $n && exit; echo 'sbatch: error: no such account' >&2; exit 7", "");
    place.add_scripts(5, "true");
    let ran = place.run(&["qlaunch", "rapidfire"]);
    assert_eq!(ran.code(), Some(3));
    for part in ["after 2 submitted jobs", "fake sbatch", "exit code 7", "sbatch: error: no such account"] {
        assert!(ran.stderr().contains(part), "{part}: {}", ran.stderr());
    }
    let ran = place.run(&["qlaunch", "singleshot"]);
    assert_eq!(ran.code(), Some(3));
    assert!(ran.stderr().contains("no such account"), "{}", ran.stderr());
}

#[test]
fn a_full_queue_is_waited_for() {
    let place =
        place("[ $n -ne 2 ] && echo $n && exit; echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1", "");
    place.add_scripts(2, "true");
    let ran = place.run(&["qlaunch", "rapidfire", "--nlaunches", "2", "--sleep", "1"]).ok();
    assert!(ran.stderr().contains("QOSMaxSubmitJobPerUserLimit"), "{}", ran.stderr());
    assert!(ran.stdout().contains("submitted 2 jobs"), "{}", ran.stdout());
    // The folder of the refused job is gone.
    assert_eq!(place.launchers().len(), 2);
}

#[test]
fn a_listing_that_fails_submits_nothing() {
    for (squeue, said) in [
        ("echo 'squeue: error: Invalid user' >&2; exit 1", "Invalid user"),
        ("echo 'the cluster is closed today'", "the cluster is closed today"),
    ] {
        let place = place("echo 1", squeue);
        place.add_scripts(1, "true");
        let ran = place.run(&["qlaunch", "rapidfire", "-m", "4"]);
        assert_eq!(ran.code(), Some(3), "{}", ran.stderr());
        assert!(ran.stderr().contains(said), "{}", ran.stderr());
        assert!(!place.path().join("calls").exists());
    }
}

#[test]
fn a_controller_that_never_answered_is_not_waited_for() {
    let away = "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1";
    let place = place("echo 1", away);
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "rapidfire"]);
    assert_eq!(ran.code(), Some(3), "{}", ran.stderr());
    assert!(ran.stderr().contains("Unable to contact slurm controller"), "{}", ran.stderr());
    assert!(!place.path().join("calls").exists());
}

#[test]
fn a_guessed_slurm_is_said_to_be_one() {
    let place = place("echo 'sbatch: error: no configuration' >&2; exit 1", "");
    place.add_scripts(1, "true");
    let advice = "`_fw_q_type: LOCAL`";
    assert!(!place.run(&["qlaunch", "singleshot"]).stderr().contains(advice));
    std::fs::create_dir(place.path().join("bin")).expect("makes a folder");
    std::fs::rename(place.path().join("fake sbatch"), place.path().join("bin/sbatch")).expect("moves");
    std::fs::remove_file(place.path().join("my_qadapter.yaml")).expect("removes");
    let path = format!("{}:{}", place.path().join("bin").display(), std::env::var("PATH").expect("is set"));
    let ran = place.set("PATH", &path).run(&["qlaunch", "singleshot"]);
    assert_eq!(ran.code(), Some(3), "{}", ran.stderr());
    assert!(ran.stderr().contains(advice), "{}", ran.stderr());
}

#[test]
fn a_missing_sbatch_is_named() {
    let place = Place::with_adapter("_fw_q_type: SLURM\n").set("PATH", "/nowhere");
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "singleshot"]);
    assert_eq!(ran.code(), Some(3));
    assert!(ran.stderr().contains("cannot run `sbatch "), "{}", ran.stderr());
}

#[test]
fn no_more_jobs_than_fireworks() {
    // Two jobs of this launchpad wait already; the comment is what the real sbatch would show.
    let place = place("echo $n", "");
    let id = volley::queue::LaunchpadId::of(&place.location());
    place.write(
        "fake squeue",
        &format!("#!/bin/sh\nfor i in 71 72; do echo \"$i|~|PENDING|~|0:00|~|volley:{id}\"; done\n"),
    );
    place.add_scripts(5, "true");
    let ran = place.run(&["qlaunch", "rapidfire"]).ok();
    assert!(ran.stdout().contains("submitted 3 jobs to the Slurm queue"), "{}", ran.stdout());
}
