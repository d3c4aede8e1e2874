//! Jobs that a real Slurm ends, and workers that cannot give back what they run: while a `qlaunch`
//! is there, their fireworks are READY again at once, and it is known why.

use std::process::{Child, Command};

use volley::queue::slurm::Slurm;
use volley::queue::{Fate, JobId, Queue};
use volley::workflow::{Cause, Lease, Loss, State};

use crate::support::place::{Cleanup, Place};
use crate::support::run::wait_until;
use crate::support::service;

/// A firework that runs in a job.
struct Scene {
    place: Place,
    conf: String,
    queue: Cleanup<Slurm>,
    lease: Lease,
    job: JobId,
}

impl Scene {
    fn new(rocket_launch: &str) -> Option<Self> {
        let conf = service("VOLLEY_TEST_SLURM_CONF", "slurm")?;
        let adapter = format!("_fw_q_type: SLURM\nqueue: debug\nrocket_launch: {rocket_launch}\n");
        let place = Place::with_adapter(&adapter).set("SLURM_CONF", &conf);
        let queue = Cleanup(place.slurm(&conf));
        // Runs as long as the folder is there, and at once when it is run again.
        let begun = place.path().join("begun");
        let b = begun.display();
        place.add_scripts(1, &format!("test -e '{b}' && exit 0; touch '{b}'; while test -e '{b}'; do sleep 0.1; done"));
        place.run(&["qlaunch", "singleshot"]).done();
        wait_until("the script runs", || begun.exists());
        let launches = place.fireworks()[0].launches.clone();
        let launch = place.store().find_launches(&launches).expect("finds").pop().expect("exists");
        let lease = launch.lease().expect("a worker of ours");
        let job = lease.job.clone().expect("runs in a job");
        assert_eq!((job.cluster.as_deref(), job.restarts), (Some("volley-test"), 0));
        let job = JobId::new(job.id);
        assert_eq!(queue.0.list().expect("lists")[0].id, job);
        Some(Scene { place, conf, queue, lease, job })
    }

    /// One whose job goes on when its worker is killed, which has happened.
    fn without_worker() -> Option<Self> {
        let scene = Scene::new("rlaunch singleshot || sleep 1000")?;
        scene.kill_worker();
        Some(scene)
    }

    fn kill_worker(&self) {
        let status = Command::new("kill").args(["-KILL", &self.lease.pid.to_string()]).status();
        assert!(status.expect("runs").success());
    }

    fn scontrol(&self, words: &[&str]) {
        let status = Command::new("scontrol").args(words).env("SLURM_CONF", &self.conf).status();
        assert!(status.expect("runs").success(), "{words:?}");
    }

    fn wait_for_fate(&self, fate: &Fate) {
        wait_until("Slurm says so", || {
            self.queue.0.fates(std::slice::from_ref(&self.job)).expect("answers")[0].fate == *fate
        });
    }

    /// A `qlaunch` that looks at the queue every 1000 s.
    fn qlaunch(&self) -> Launcher {
        Launcher(self.place.spawn(&["qlaunch", "rapidfire", "--nlaunches", "infinite", "--sleep", "1000"]))
    }

    /// Why the launch was lost.
    fn loss(&self) -> Loss {
        let archived = || self.place.fireworks()[0].archived_launches.clone();
        wait_until("it is lost", || !archived().is_empty());
        let launches = self.place.store().find_launches(&archived()).expect("finds");
        launches[0].loss().expect("is lost")
    }

    fn assert_lost(&self, cause: Cause, why: &str) {
        assert_eq!(self.loss(), Loss::new(cause, format!("Slurm job {}: {why}", self.job.id)));
    }

    /// Another job runs it again.
    fn assert_runs_again(&self) {
        self.place.wait_until_completed();
        let firework = self.place.fireworks().pop().expect("exists");
        assert_eq!((firework.state, firework.launches.len()), (State::Completed, 1));
    }
}

/// Ends with the test.
struct Launcher(Child);

impl Drop for Launcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_cancelled_job() {
    let Some(scene) = Scene::without_worker() else { return };
    scene.queue.0.cancel(std::slice::from_ref(&scene.job)).expect("cancels");
    scene.wait_for_fate(&Fate::Over(Loss::new(Cause::Cancelled, "CANCELLED")));
    let _launcher = scene.qlaunch();
    scene.assert_lost(Cause::Cancelled, "CANCELLED");
    scene.assert_runs_again();
}

#[test]
fn a_job_that_is_begun_anew() {
    let Some(scene) = Scene::without_worker() else { return };
    scene.scontrol(&["requeue", &scene.job.id]);
    scene.wait_for_fate(&Fate::Waiting);
    let listed = || scene.place.run(&["lpad", "-o", "table", "get_fws"]).done().stdout;
    assert!(!listed().contains("lost"), "nobody has looked");
    let _launcher = scene.qlaunch();
    scene.assert_lost(Cause::Requeued, "requeued");
    // The job waits for its next turn, two minutes, and will do for what is READY.
    assert_eq!(scene.place.fireworks()[0].state, State::Ready);
    let line = format!("1 one: its last run was lost: Slurm job {}: requeued", scene.job.id);
    assert!(listed().contains(&line), "{}", listed());
}

/// Slurm's shortest time is a minute; but its end can be set.
#[test]
fn a_job_whose_time_is_over() {
    let Some(scene) = Scene::without_worker() else { return };
    for what in ["TimeLimit=1", "EndTime=now"] {
        scene.scontrol(&["update", &format!("JobId={}", scene.job.id), what]);
    }
    scene.wait_for_fate(&Fate::Over(Loss::new(Cause::Timeout, "TIMEOUT")));
    let _launcher = scene.qlaunch();
    scene.assert_lost(Cause::Timeout, "TIMEOUT");
    scene.assert_runs_again();
}

#[test]
fn a_killed_worker_while_qlaunch_sleeps() {
    let Some(scene) = Scene::new("rlaunch singleshot") else { return };
    let _launcher = scene.qlaunch();
    scene.kill_worker();
    let loss = scene.loss();
    // Whichever is seen first: the job ends by itself now.
    let Lease { host, pid, .. } = &scene.lease;
    let reasons = [format!("process {pid} on {host} is gone"), format!("Slurm job {}: FAILED", scene.job.id)];
    assert!(loss.cause == Cause::Unexplained && reasons.contains(&loss.text), "{loss:?}");
    scene.assert_runs_again();
}
