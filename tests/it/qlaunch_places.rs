//! Never one job too many on a real Slurm, whoever submits.

use std::collections::BTreeSet;
use std::process::Child;

use volley::queue::{JobId, Queue};
use volley::workflow::State;

use crate::support::place::{Cleanup, Place};
use crate::support::run::wait_until;
use crate::support::service;

fn place(conf: &str, adapter: &str) -> Place {
    Place::with_adapter(&format!("_fw_q_type: SLURM\nqueue: debug\n{adapter}")).set("SLURM_CONF", conf)
}

/// Counts the jobs in `queue` until both have ended; returns the greatest number.
fn most_jobs_while(launchers: &mut [Child], queue: &dyn Queue) -> usize {
    let mut most = 0;
    wait_until("every qlaunch has ended", || {
        most = most.max(queue.list().expect("lists").len());
        launchers.iter_mut().all(|launcher| launcher.try_wait().expect("waited for").is_some())
    });
    assert!(launchers.iter_mut().all(|launcher| launcher.wait().expect("waited for").success()));
    most
}

#[test]
fn two_launchers_keep_eight_jobs() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place(&conf, "rocket_launch: rlaunch singleshot\n");
    let queue = Cleanup(place.slurm(&conf));
    place.add_scripts(200, "true");
    let words = ["qlaunch", "rapidfire", "-m", "8"];
    let mut launchers = [place.spawn(&words), place.spawn(&words)];
    let most = most_jobs_while(&mut launchers, &queue.0);
    assert!((5..=8).contains(&most), "{most} jobs at a time");
    place.wait_until_completed();
    place.assert_each_ran_once();
}

#[test]
fn an_array_is_many_jobs() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place(&conf, "rocket_launch: rlaunch singleshot\n");
    let queue = Cleanup(place.slurm(&conf));
    let go = place.path().join("go");
    place.add_scripts(9, &format!("until [ -e '{}' ]; do sleep 0.1; done", go.display()));
    let ran = place.run(&["qlaunch", "rapidfire", "--nlaunches", "6", "--array-size", "4", "-m", "6"]).done();
    assert!(ran.stdout.contains("submitted 6 jobs"), "{}", ran.stdout);
    assert_eq!(place.launchers().len(), 2, "a folder for each array");
    let running = || place.fireworks().into_iter().filter(|one| one.state == State::Running).collect::<Vec<_>>();
    wait_until("six run", || running().len() == 6);
    let listed: BTreeSet<String> = queue.0.list().expect("lists").into_iter().map(|job| job.id.id).collect();
    let launches: Vec<i64> = running().into_iter().flat_map(|one| one.launches).collect();
    let launches = place.store().find_launches(&launches).expect("finds");
    let jobs: BTreeSet<String> =
        launches.iter().map(|launch| launch.lease().and_then(|lease| lease.job).expect("is in a job").id).collect();
    assert_eq!(jobs, listed);
    let dirs: BTreeSet<&str> = launches.iter().map(|launch| launch.launch_dir.as_str()).collect();
    assert!(dirs.len() == 6 && dirs.iter().all(|dir| dir.contains("/launcher_") && dir.contains("/task_")), "{dirs:?}");

    // Full, as each element counts; one that is cancelled makes room for one.
    let again = ["qlaunch", "rapidfire", "--timeout", "0", "-m", "6", "--poll", "1"];
    let ran = place.run(&again).done();
    assert!(ran.stdout.contains("submitted 0 jobs"), "{ran:?}");
    let one = jobs.first().expect("is there").clone();
    queue.0.cancel(&[JobId::new(one)]).expect("cancels");
    wait_until("its job is gone", || queue.0.list().expect("lists").len() == 5);
    // Those that have just begun may not have taken theirs yet.
    wait_until("a pass submits one", || place.run(&again).done().stdout.contains("submitted 1 job"));
    place.write("go", "");
    wait_until("all are over", || queue.0.list().expect("lists").is_empty());
    let with_reservation = place.run(&["qlaunch", "-r", "rapidfire", "--array-size", "4"]);
    assert_eq!(with_reservation.code, 2, "{}", with_reservation.stderr);
}

#[test]
fn a_pass_may_be_made_again_and_again() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    // Jobs that wait.
    let place = place(&conf, "_fw_template_file: held.txt\n");
    place.write("held.txt", "#!/bin/sh\n#SBATCH --begin=now+1hour\n$${rocket_launch}\n");
    let queue = Cleanup(place.slurm(&conf));
    place.add_scripts(5, "true");
    for (most, jobs) in [("2", 2), ("2", 2), ("4", 4), ("2", 4), ("9", 5), ("9", 5)] {
        place.run(&["qlaunch", "rapidfire", "-m", most, "--timeout", "0"]).done();
        assert_eq!(queue.0.list().expect("lists").len(), jobs, "-m {most}");
    }
}

#[test]
fn jobs_are_submitted_for_what_they_can_take() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place(&conf, "_fw_template_file: held.txt\nrocket_launch: rlaunch rapidfire --slots 2\n");
    place.write("held.txt", "#!/bin/sh\n#SBATCH --begin=now+1hour\n$${rocket_launch}\n");
    let queue = Cleanup(place.slurm(&conf));
    place.add_tasks(&serde_json::json!({"_slots": 4}));
    let ran = place.run(&["qlaunch", "rapidfire"]).done();
    assert!(ran.stdout.contains("no job submitted"), "{ran:?}");
    place.add_scripts(5, "true");
    place.run(&["qlaunch", "rapidfire"]).done();
    assert_eq!(queue.0.list().expect("lists").len(), 3, "two fireworks in each");
}

#[test]
fn jobs_that_found_nothing_make_room_at_once() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let place = place(&conf, "rocket_launch: rlaunch singleshot\n");
    place.store();
    let ran = place.run(&["qlaunch", "-fm", "rapidfire", "-m", "1", "--nlaunches", "2", "--poll", "1000"]).done();
    assert!(ran.stdout.contains("submitted 2 jobs"), "{ran:?}");
}
