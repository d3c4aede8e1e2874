//! A fleet of real workers, and what is done to it: they are killed, frozen and told to end, and others
//! take their place.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::disk::Disk;
use crate::support::is_long;
use crate::support::site::Site;

/// Longer than it takes until the leases of a frozen worker are lost, unless it holds up everybody: one that is
/// stopped while it writes to SQLite does.
const LONGEST_FREEZE: Duration = Duration::from_secs(25);

/// Every process of a fleet has this variable, with a value of its own.
pub const RUN: &str = "VOLLEY_TORTURE_RUN";
/// Where tasks leave their evidence.
pub const LOG: &str = "VOLLEY_TORTURE_LOG";

/// What was done to it.
#[derive(Debug, Default, Clone, Copy)]
pub struct Toll {
    pub kills: usize,
    pub freezes: usize,
    pub signals: usize,
    /// Workers that came after others.
    pub restarts: usize,
    /// How often a disk was full.
    pub full: usize,
}

struct Member {
    folder: PathBuf,
    child: Child,
    frozen: Option<Instant>,
    disk: Option<Disk>,
}

/// The workers.
pub struct Fleet<'a> {
    site: &'a Site,
    run: String,
    members: Vec<Member>,
    pub toll: Toll,
}

impl<'a> Fleet<'a> {
    /// So many workers on the launchpad of the site.
    pub fn start(site: &'a Site, run: &str, size: usize) -> Self {
        std::fs::create_dir_all(site.path().join(".config/volley")).expect("makes folders");
        // A launch may be killed as often as it comes; it is not its fault.
        site.write(".config/volley/volley.yaml", "lease: 10s\nrenew: 2s\nmax_lost: 1000\n");
        let mut fleet = Fleet { site, run: run.to_owned(), members: Vec::new(), toll: Toll::default() };
        for number in 0..size {
            let folder = site.path().join(format!("worker_{number}"));
            std::fs::create_dir(&folder).expect("makes a folder");
            let disk = (number == 0 && is_long()).then(|| Disk::mount(&folder)).flatten();
            // Some take only a part; the others take everything.
            let category = if number % 4 == 3 { "alpha" } else { "" };
            let worker = json!({"name": format!("worker {number}"), "category": category, "query": "{}"});
            std::fs::write(folder.join("my_fworker.yaml"), worker.to_string()).expect("writes");
            let child = fleet.spawn(&folder);
            fleet.members.push(Member { folder, child, frozen: None, disk });
        }
        fleet
    }

    fn spawn(&self, folder: &Path) -> Child {
        let mut command = self.site.rlaunch(&["-l"]);
        command.arg(self.site.path().join("my_launchpad.yaml"));
        command.args(["-w", "my_fworker.yaml", "rapidfire", "--nlaunches", "infinite", "--sleep", "2s"]);
        command.env(RUN, &self.run).env(LOG, self.site.path().join("evidence")).current_dir(folder);
        // Somebody must be able to ask Slurm what became of the jobs that take part.
        command.envs(std::env::var("VOLLEY_TEST_SLURM_CONF").map(|conf| ("SLURM_CONF", conf)));
        let log = File::options().append(true).create(true).open(folder.with_extension("log")).expect("opens");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("starts")
    }

    pub fn size(&self) -> usize {
        self.members.len()
    }

    /// Puts others in the place of those that have ended.
    pub fn refill(&mut self) {
        for at in 0..self.members.len() {
            if !matches!(self.members[at].child.try_wait(), Ok(None)) {
                let child = self.spawn(&self.members[at].folder);
                self.members[at].child = child;
                self.members[at].frozen = None;
                self.toll.restarts += 1;
            }
        }
    }

    /// `kill -9` of one worker, and of nothing that it has started.
    pub fn kill(&mut self, at: usize) {
        let child = &mut self.members[at].child;
        child.kill().expect("is ours");
        child.wait().expect("ends");
        self.toll.kills += 1;
    }

    /// Tells one to end.
    pub fn signal(&mut self, at: usize, signal: Signal) {
        // It may have ended.
        let _ = kill_process(self.members[at].pid(), signal);
        self.toll.signals += 1;
    }

    /// Stops one; what it has started goes on.
    pub fn freeze(&mut self, at: usize) {
        if self.members[at].frozen.is_none() && kill_process(self.members[at].pid(), Signal::STOP).is_ok() {
            self.members[at].frozen = Some(Instant::now());
            self.toll.freezes += 1;
        }
    }

    /// Wakes those up of whom `which` is true, and whoever has been frozen for long.
    pub fn thaw(&mut self, which: impl Fn(u32) -> bool) {
        let is_due = |member: &&mut Member| {
            member.frozen.is_some_and(|since| since.elapsed() > LONGEST_FREEZE || which(member.child.id()))
        };
        for member in self.members.iter_mut().filter(is_due) {
            let _ = kill_process(member.pid(), Signal::CONT);
            member.frozen = None;
        }
    }

    /// Fills the disk of the first one, where it has its own.
    pub fn fill(&mut self) {
        if let Some(disk) = &self.members[0].disk {
            disk.fill();
            self.toll.full += 1;
        }
    }

    /// Makes room again.
    pub fn clear(&self) {
        if let Some(disk) = &self.members[0].disk {
            disk.clear();
        }
    }

    /// Has all of them end by themselves. Returns those that did not.
    pub fn end(&mut self) -> Vec<String> {
        self.thaw(|_| true);
        for member in &self.members {
            let _ = kill_process(member.pid(), Signal::TERM);
        }
        let begun = Instant::now();
        let mut late = Vec::new();
        for member in &mut self.members {
            while matches!(member.child.try_wait(), Ok(None)) && begun.elapsed().as_secs() < 60 {
                std::thread::sleep(Duration::from_millis(20));
            }
            if matches!(member.child.try_wait(), Ok(None)) {
                late.push(format!("{} does not end", member.folder.display()));
            }
        }
        late
    }
}

impl Member {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Fleet<'_> {
    fn drop(&mut self) {
        for member in &mut self.members {
            let _ = member.child.kill();
            let _ = member.child.wait();
        }
        for pid in processes(&self.run) {
            let _ = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::KILL));
        }
    }
}

/// The processes of a fleet that there are, and of what it has started.
pub fn processes(run: &str) -> Vec<i32> {
    let mark = format!("{RUN}={run}");
    let entries = std::fs::read_dir("/proc").expect("reads").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_ours = |pid: &i32| {
        let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    };
    pids.filter(is_ours).collect()
}
