//! `qlaunch -r` that is killed (`kill -9`) again and again: each firework gets exactly one job.
//!
//! 50 kills during 200 submissions on SQLite always, and a few elsewhere; VOLLEY_TEST_SEEDS=FIRST..END has 50
//! everywhere, for each seed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use volley::queue::LaunchpadId;
use volley::queue::slurm::Slurm;
use volley::workflow::{Firework, State};

use crate::support::place::{Cleanup, slurm};
use crate::support::random::Random;
use crate::support::run::wait_until;
use crate::support::site::{Running, Site};
use crate::support::{is_long, seeds, service};

/// What died in the middle of a claim is taken up when its lease is over, after two minutes.
const PATIENCE: Duration = Duration::from_secs(240);

/// Where it happens: the launchpad, the queue, and whether its jobs may start.
struct Scene {
    site: Site,
    conf: String,
    is_held: bool,
    _cleanup: Cleanup<Slurm>,
}

impl Scene {
    fn new(site: Site, conf: &str, is_held: bool, fireworks: usize) -> Self {
        let hold = if is_held { "#SBATCH --hold\n" } else { "" };
        let template = include_str!("../../templates/queue/SLURM_template.txt");
        let (first, rest) = template.split_once('\n').expect("has lines");
        site.write("held.txt", &format!("{first}\n{hold}{rest}"));
        let template = site.path().join("held.txt").display().to_string();
        let adapter = json!({"_fw_q_type": "SLURM", "_fw_template_file": template, "queue": "debug",
            "rocket_launch": "rlaunch singleshot"});
        site.write("my_qadapter.yaml", &adapter.to_string());
        for _ in 0..fireworks {
            site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
        }
        let cleanup = Cleanup(slurm(&LaunchpadId::of(&site.launchpad.location), conf));
        Scene { site, conf: conf.to_owned(), is_held, _cleanup: cleanup }
    }

    fn qlaunch(&self) -> Running {
        let words = ["qlaunch", "-r", "rapidfire", "--sleep", "1", "--poll", "1"];
        Running::of(self.site.volley(&words).env("SLURM_CONF", &self.conf))
    }

    fn ready(&self) -> usize {
        self.site.fireworks().iter().filter(|firework| firework.state == State::Ready).count()
    }

    /// Kills one at a random moment while it submits about `share` jobs; false when all were submitted before.
    fn kill_one(&self, random: &mut Random, share: usize) -> bool {
        let most = self.ready().saturating_sub(random.below(share + 1));
        let mut launcher = self.qlaunch();
        wait_until("it has submitted some", || self.ready() <= most || !launcher.is_there());
        std::thread::sleep(Duration::from_millis(random.below(40) as u64));
        let is_there = launcher.is_there();
        drop(launcher); // kill -9
        is_there
    }

    /// Launchers that are left alone, until there is nothing to do for them.
    fn finish(&self) {
        let begun = Instant::now();
        loop {
            let (code, log) = self.qlaunch().end();
            assert_eq!(code, Some(0), "{log}");
            let fireworks = self.site.fireworks();
            let wanted = if self.is_held { State::Reserved } else { State::Completed };
            let left: Vec<&Firework> = fireworks.iter().filter(|firework| firework.state != wanted).collect();
            let had = if self.is_held { self.jobs().len() } else { self.started().len() };
            if left.is_empty() && had >= fireworks.len() {
                return;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{had} jobs; what is not {wanted}: {left:#?}\nthe last launcher: {log}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The folders that jobs of ours were submitted from, by job, whether they are over or not.
    fn jobs(&self) -> BTreeMap<String, PathBuf> {
        let mut squeue = Command::new("squeue");
        squeue.args(["-h", "-t", "all", "-o", "%A %Z"]).env("SLURM_CONF", &self.conf).stderr(Stdio::inherit());
        let output = squeue.output().expect("runs");
        assert!(output.status.success());
        let here = self.site.path().canonicalize().expect("is there");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let jobs = text.lines().filter_map(|line| line.split_once(' '));
        jobs.map(|(id, dir)| (id.to_owned(), PathBuf::from(dir))).filter(|(_, dir)| dir.starts_with(&here)).collect()
    }

    /// The jobs that have begun, by what they wrote.
    fn started(&self) -> Vec<PathBuf> {
        files_below(self.site.path(), "volley.started.")
    }

    fn check(&self) {
        let fireworks = self.site.fireworks();
        let jobs = self.jobs();
        let evidence = format!("{} jobs {jobs:#?}\nstarted {:#?}", jobs.len(), self.started());
        assert_eq!(jobs.len(), fireworks.len(), "{evidence}");
        assert_eq!(self.started().len(), if self.is_held { 0 } else { fireworks.len() }, "{evidence}");
        let mut folders: Vec<PathBuf> = fireworks.iter().map(|firework| self.folder(firework)).collect();
        let mut of_jobs: Vec<PathBuf> = jobs.into_values().collect();
        folders.sort();
        of_jobs.sort();
        assert_eq!(folders, of_jobs, "each firework's job is its own");
    }

    /// The folder of the only launch of a firework that had a job.
    fn folder(&self, firework: &Firework) -> PathBuf {
        assert_eq!(firework.launches.len(), 1, "{firework:?}");
        let launch = self.site.launchpad.store.find_launches(&firework.launches).expect("finds").remove(0);
        assert!(launch.reservation().is_some(), "the job of firework {} is known: {launch:?}", firework.fw_id);
        PathBuf::from(launch.launch_dir).canonicalize().expect("is there")
    }
}

/// Files whose names begin so, in a folder and all below it.
fn files_below(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("reads").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_below(&path, prefix));
        } else if entry.file_name().to_string_lossy().starts_with(prefix) {
            found.push(path);
        }
    }
    found
}

fn kill_launchers(is_held: bool) {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    for seed in seeds(1..2) {
        for site in Site::on_every_store() {
            let is_full = is_long() || !is_held && !site.is_mongo();
            let (kills, fireworks) = if is_full { (50, 200) } else { (6, 24) };
            let store = if site.is_mongo() { "MongoDB" } else { "SQLite" };
            let scene = Scene::new(site, &conf, is_held, fireworks);
            let mut random = Random::new(seed);
            // A little less than its share on the average, so that the last one finds something to do, too.
            let killed = (0..kills).filter(|_| scene.kill_one(&mut random, 2 * fireworks / kills - 1)).count();
            eprintln!("seed {seed}, {store}: {killed} of {kills} launchers killed at work, {} left", scene.ready());
            scene.finish();
            scene.check();
        }
    }
}

#[test]
fn jobs_that_start_at_once_are_not_doubled() {
    kill_launchers(false);
}

#[test]
fn jobs_that_wait_are_not_doubled() {
    kill_launchers(true);
}
