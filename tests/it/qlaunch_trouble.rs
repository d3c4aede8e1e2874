//! `qlaunch` and a Slurm that is full, away or refuses, played by scripts: a real one cannot be
//! made to show these on demand.

use std::os::unix::fs::PermissionsExt;

use volley::workflow::State;

use crate::support::place::Place;

/// A place whose `sbatch` and `squeue` are these scripts. `sbatch` knows how often it was called
/// (`$n`, from 1).
fn place(sbatch: &str, squeue: &str) -> Place {
    let place = Place::new();
    let dir = place.path();
    let sbatch = format!("#!/bin/sh\necho x >> '{0}/calls'\nn=$(wc -l < '{0}/calls')\n{sbatch}\n", dir.display());
    let site = "#!/bin/sh\necho 'ClusterName = east'; echo 'PrivateData = none'; echo 'MaxArraySize = 1001'\n";
    let squeue = format!("#!/bin/sh\n{squeue}\n");
    for (name, text) in [("fake sbatch", sbatch), ("fake squeue", squeue), ("scontrol", site.to_owned())] {
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
    assert_eq!(ran.code, 3);
    for part in ["after 2 submitted jobs", "fake sbatch", "exit code 7", "sbatch: error: no such account"] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
    let ran = place.run(&["qlaunch", "singleshot"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("no such account"), "{}", ran.stderr);
}

#[test]
fn a_full_queue_is_waited_for() {
    let place =
        place("[ $n -ne 2 ] && echo $n && exit; echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1", "");
    place.add_scripts(2, "true");
    let ran = place.run(&["qlaunch", "rapidfire", "--nlaunches", "2", "--sleep", "1"]).done();
    assert!(ran.stderr.contains("QOSMaxSubmitJobPerUserLimit"), "{}", ran.stderr);
    assert!(ran.stdout.contains("submitted 2 jobs"), "{}", ran.stdout);
    // The folder of the refused job is gone.
    assert_eq!(place.launchers().len(), 2);
}

/// Its `scontrol` is ours, too, and says that there are arrays.
fn place_with_arrays(sbatch: &str) -> Place {
    let place = place(sbatch, "");
    let path = format!("{}:{}", place.path().display(), std::env::var("PATH").expect("is set"));
    place.set("PATH", &path)
}

#[test]
fn a_full_queue_is_asked_for_less_at_once() {
    let full = "echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1";
    let is_small = "--array=*) [ ${word#--array=0-} -le 1 ]";
    let place =
        place_with_arrays(&format!("for word; do case $word in {is_small} || {{ {full}; }} ;; esac; done; echo $n"));
    place.add_scripts(4, "true");
    let ran = place.run(&[
        "qlaunch",
        "rapidfire",
        "--array-size",
        "4",
        "--nlaunches",
        "4",
        "--timeout",
        "20s",
        "--sleep",
        "1",
    ]);
    assert!(ran.stdout.contains("submitted 4 jobs to the Slurm queue\n"), "{ran:?}");
    // Four, two, then four again.
    assert!(calls(&place) <= 4 && place.launchers().len() == 2, "{} {:?}", calls(&place), place.launchers());
}

#[test]
fn a_full_queue_leaves_nothing_of_offline_jobs() {
    let place = place("[ $n -ne 1 ] && echo $n && exit; echo 'sbatch: error: AssocMaxSubmitJobLimit' >&2; exit 1", "");
    let adapter = std::fs::read_to_string(place.path().join("my_qadapter.yaml")).expect("is there");
    place.write("my_qadapter.yaml", &format!("{adapter}rocket_launch: rlaunch singleshot --offline\n"));
    place.add_scripts(1, "true");
    place.run(&["qlaunch", "-r", "rapidfire", "--nlaunches", "1", "--sleep", "1"]).done();
    assert_eq!((calls(&place), place.launchers().len()), (2, 1));
}

#[test]
fn a_refused_firework_does_not_block_the_others() {
    let refused = "grep -q partition=nowhere \"$PWD\"/FW_submit.script && echo 'sbatch: error: invalid partition specified: \
                   nowhere' >&2 && exit 1; echo $n";
    let place = place(refused, "");
    let spec = serde_json::json!({"_tasks": [], "_priority": 9, "_queueadapter": {"queue": "nowhere"}});
    let wrong = serde_json::json!({"_tasks": [], "_priority": 8, "_queueadapter": {"mem": {"a": 1}}});
    let fireworks = [serde_json::json!({"spec": spec}), serde_json::json!({"spec": wrong})];
    place.store().insert(&fireworks.map(crate::support::draft), jiff::Timestamp::now()).expect("added");
    place.add_scripts(2, "true");
    let ran = place.run(&["qlaunch", "-r", "rapidfire"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("submitted 2 jobs"), "{ran:?}");
    let last = ran.stderr.rsplit_once("error: ").map(|(before, _)| before).unwrap_or_default();
    assert!(ran.stderr.contains("fireworks 1, 2") && last.contains("invalid partition"), "{ran:?}");
    assert!(ran.stderr.contains("`mem` must be a single value"), "{ran:?}");
    let mut states: Vec<_> = place.fireworks().into_iter().map(|one| (one.fw_id, one.state)).collect();
    states.sort_by_key(|(id, _)| *id);
    let expected = [State::Ready, State::Ready, State::Reserved, State::Reserved];
    assert_eq!(states.into_iter().map(|(_, state)| state).collect::<Vec<_>>(), expected);
    // Nothing else to do: it says so once more.
    let again = place.run(&["qlaunch", "-r", "rapidfire", "--timeout", "0"]);
    assert!(again.code == 3 && again.stderr.contains("fireworks 1, 2"), "{again:?}");
    let single = place.run(&["qlaunch", "-r", "singleshot", "--fw_id", "1"]);
    assert!(single.code == 3 && single.stderr.contains("error: firework 1: "), "{single:?}");
}

/// With -r a job has the walltime that its firework asks for.
#[test]
fn a_walltime_of_its_own_is_time_enough() {
    let place = place("echo $n", "");
    let adapter = std::fs::read_to_string(place.path().join("my_qadapter.yaml")).expect("is there");
    place.write("my_qadapter.yaml", &format!("{adapter}walltime: 10\n"));
    let spec = |own| serde_json::json!({"spec": {"_tasks": [], "_walltime": "2h", "_queueadapter": {"walltime": own}}});
    let fireworks = [spec(Some("03:00:00")), spec(None)].map(crate::support::draft);
    place.store().insert(&fireworks, jiff::Timestamp::now()).expect("added");
    let ran = place.run(&["qlaunch", "rapidfire"]).done();
    assert!(ran.stdout.contains("no job submitted"), "{ran:?}");
    let ran = place.run(&["qlaunch", "-r", "rapidfire"]).done();
    assert!(ran.stdout.contains("submitted 1 job to"), "{ran:?}");
}

/// Of two launchers that write their scripts into the same folder at the same time.
#[test]
fn a_script_is_submitted_before_the_next_is_written() {
    let place = place("sleep 0.1; grep -o 'fw_id [0-9]*' FW_submit.script >> \"$(dirname \"$0\")/ids\"; echo $n$$", "");
    let spec = serde_json::json!({"spec": {"_tasks": [], "_launch_dir": "shared"}});
    let fireworks: Vec<_> = (0..8).map(|_| crate::support::draft(spec.clone())).collect();
    place.store().insert(&fireworks, jiff::Timestamp::now()).expect("added");
    let pass = ["qlaunch", "-s", "-r", "rapidfire", "--timeout", "0"];
    for mut launcher in [place.spawn(&pass), place.spawn(&pass)] {
        assert!(launcher.wait().expect("ends").success());
    }
    let ids = std::fs::read_to_string(place.path().join("ids")).expect("is there");
    let mut ids: Vec<&str> = ids.lines().collect();
    ids.sort_unstable();
    assert_eq!(ids, (1..=8).map(|id| format!("fw_id {id}")).collect::<Vec<_>>());
}

#[test]
fn an_adapter_that_is_wrong_for_all_ends_it() {
    let place = place("echo 'sbatch: error: invalid account' >&2; exit 1", "");
    let fireworks: Vec<_> = (0..40)
        .map(|_| crate::support::draft(serde_json::json!({"spec": {"_tasks": [], "_queueadapter": {"mem": 1}}})))
        .collect();
    place.store().insert(&fireworks, jiff::Timestamp::now()).expect("added");
    let ran = place.run(&["qlaunch", "-r", "rapidfire"]);
    assert!(ran.code == 3 && ran.stderr.contains("invalid account"), "{ran:?}");
    assert!(calls(&place) <= 16, "{}", calls(&place));
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
        assert_eq!(ran.code, 3, "{}", ran.stderr);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        assert!(!place.path().join("calls").exists());
    }
}

#[test]
fn a_controller_that_never_answered_is_not_waited_for() {
    let away = "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1";
    let place = place("echo 1", away);
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "rapidfire"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains("Unable to contact slurm controller"), "{}", ran.stderr);
    assert!(!place.path().join("calls").exists());
}

#[test]
fn a_guessed_slurm_is_said_to_be_one() {
    let place = place("echo 'sbatch: error: no configuration' >&2; exit 1", "");
    place.add_scripts(1, "true");
    let advice = "`_fw_q_type: LOCAL`";
    assert!(!place.run(&["qlaunch", "singleshot"]).stderr.contains(advice));
    std::fs::create_dir(place.path().join("bin")).expect("makes a folder");
    std::fs::rename(place.path().join("fake sbatch"), place.path().join("bin/sbatch")).expect("moves");
    std::fs::remove_file(place.path().join("my_qadapter.yaml")).expect("removes");
    let path = format!("{}:{}", place.path().join("bin").display(), std::env::var("PATH").expect("is set"));
    let ran = place.set("PATH", &path).run(&["qlaunch", "singleshot"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(ran.stderr.contains(advice), "{}", ran.stderr);
}

#[test]
fn a_missing_sbatch_is_named() {
    let place = Place::with_adapter("_fw_q_type: SLURM\n").set("PATH", "/nowhere");
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "singleshot"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("cannot run `sbatch "), "{}", ran.stderr);
}

#[test]
fn no_more_jobs_than_fireworks() {
    // Two jobs of this launchpad wait already; the comment is what the real sbatch would show.
    let place = place("echo $n", "");
    let id = volley::queue::LaunchpadId::of(&place.location());
    place.write(
        "fake squeue",
        &format!(
            "#!/bin/sh\nfor i in 71 72; do echo \"$i|~|PENDING|~|0:00|~|1:00:00|~|Priority|~||~|debug|~|/d|~|$i|~|volley:{id} /d/$i|~|$i\"; done\n"
        ),
    );
    place.add_scripts(5, "true");
    let ran = place.run(&["qlaunch", "rapidfire"]).done();
    assert!(ran.stdout.contains("submitted 3 jobs to the Slurm queue"), "{}", ran.stdout);
}

/// Whoever does not see the jobs of others sees his own.
#[test]
fn a_reservation_whose_job_is_nowhere_is_given_back() {
    let place = place("echo $n", "");
    place.write("scontrol", "#!/bin/sh\nexit 1\n");
    place.add_scripts(1, "true");
    let pass = ["qlaunch", "-r", "rapidfire", "--timeout", "0"];
    assert!(place.run(&pass).done().stdout.contains("submitted 1 job to"));
    let ran = place.run(&pass).done();
    assert!(ran.stderr.contains("fw_id 1 is READY again") && ran.stdout.contains("submitted 1 job to"), "{ran:?}");
    // One that runs offline tells when it is asked.
    let adapter = std::fs::read_to_string(place.path().join("my_qadapter.yaml")).expect("is there");
    place.write("my_qadapter.yaml", &format!("{adapter}rocket_launch: rlaunch singleshot --offline\n"));
    place.add_scripts(1, "true");
    place.run(&pass).done();
    let again = place.run(&pass).done();
    assert!(again.stdout.contains("submitted 0 jobs"), "{again:?}");
}

/// What one cluster says is no word of the jobs in another that does not answer.
#[test]
fn a_job_in_a_cluster_that_is_away_keeps_its_place() {
    let away = "case \"$*\" in *'-M west'*) echo 'sbatch: error: slurm_persist_conn_open' >&2; exit 1 ;; esac";
    let place = place_with_arrays("[ $n -eq 1 ] && echo '1;west' && exit; echo $n");
    place.write("fake squeue", &format!("#!/bin/sh\n{away}\n"));
    let site =
        "#!/bin/sh\necho 'ClusterName = east'; echo 'PrivateData = none'\necho 'AccountingStorageType = a/slurmdbd'\n";
    place.write("scontrol", site);
    place.write("sacct", "#!/bin/sh\n");
    std::fs::set_permissions(place.path().join("sacct"), PermissionsExt::from_mode(0o755)).expect("made executable");
    place.add_scripts(9, "true");
    let pass = ["qlaunch", "rapidfire", "-m", "2", "--timeout", "0"];
    assert!(place.run(&pass).done().stdout.contains("submitted 2 jobs"));
    // That in the east is gone.
    let ran = place.run(&pass).done();
    assert!(ran.stdout.contains("submitted 1 job to"), "{ran:?}");
}

/// Those of an earlier version have no token, and several may have been submitted from one folder.
#[test]
fn jobs_of_earlier_versions_count() {
    let place = place("echo $n", "");
    let id = volley::queue::LaunchpadId::of(&place.location());
    let script = format!(
        "#!/bin/sh\nfor i in 71 72; do echo \"$i|~|RUNNING|~|9:00|~|51:00|~|None|~|n1|~|debug|~|/d|~|$i|~|volley:{id}|~|$i\"; done\n"
    );
    place.write("fake squeue", &script);
    place.add_scripts(5, "true");
    let ran = place.run(&["qlaunch", "rapidfire", "-m", "3", "--timeout", "0"]).done();
    assert!(ran.stdout.contains("submitted 1 job to"), "{ran:?}");
}

/// What `squeue` shows of job `$n`, from where and how it was submitted.
const LISTED: &str = "for word; do case $word in --comment=*) comment=${word#--comment=} ;; esac; done; \
                      show() { echo \"$n|~|PENDING|~|0:00|~|1:00:00|~|Priority|~||~|debug|~|$PWD|~|$n|~|$comment|~|$n\" >> \"$dir/listed\"; }; ";

/// Whose `squeue` shows what `sbatch` has put into the listing, by `show`.
fn listing_place(sbatch: &str) -> Place {
    let sbatch = format!("dir=$(dirname \"$0\"); {LISTED}\n{sbatch}");
    place(&sbatch, "cat \"$(dirname \"$0\")/listed\" 2>/dev/null; true")
}

fn calls(place: &Place) -> usize {
    std::fs::read_to_string(place.path().join("calls")).expect("was called").lines().count()
}

#[test]
fn a_job_that_nobody_heard_of_is_found() {
    // The answer gets lost; the job is there.
    let lost =
        "show; echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1";
    let place = listing_place(lost);
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "--poll", "0", "rapidfire", "--sleep", "1"]).done();
    assert!(ran.stderr.contains("Socket timed out") && ran.stderr.contains("job 1 is the one"), "{}", ran.stderr);
    assert_eq!((calls(&place), place.launchers().len()), (1, 1));
}

#[test]
fn a_job_that_never_came_is_submitted_once_more() {
    let lost = "[ $n -gt 1 ] && show && echo $n && exit; echo 'sbatch: error: Batch job submission failed: Socket timed out on send/recv operation' >&2; exit 1";
    let place = listing_place(lost);
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "--poll", "0", "-r", "rapidfire", "--sleep", "1"]).done();
    assert!(ran.stderr.contains("never came to be") && ran.stdout.contains("submitted 1 job"), "{ran:?}");
    assert_eq!(calls(&place), 2);
    let firework = &place.fireworks()[0];
    assert_eq!((firework.launches.len(), firework.archived_launches.len()), (1, 1));
}

#[test]
fn a_job_that_ended_unheard_has_left_its_name() {
    // Over before anybody looked: in no listing, but it has begun.
    let lost = "sh ./FW_submit.script; echo 'sbatch: error: Zero Bytes were transmitted or received' >&2; exit 1";
    let place = listing_place(&format!("export SLURM_JOB_ID=7\n{lost}"));
    place.add_scripts(1, "true");
    let ran = place.run(&["qlaunch", "--poll", "0", "rapidfire", "--sleep", "1"]).done();
    assert!(ran.stderr.contains("Zero Bytes"), "{ran:?}");
    assert_eq!(calls(&place), 1);
    place.assert_each_ran_once();
}
