//! A Slurm whose controller a test may stop: settings and keys of the shared one, with a node, ports and
//! a queue of its own.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::run::wait_until;
use crate::support::service;

/// What this one has of its own; the rest is as with the shared one.
const OWN: [&str; 10] = [
    "ClusterName",
    "SlurmctldPort",
    "StateSaveLocation",
    "SlurmdSpoolDir",
    "SlurmctldPidFile",
    "SlurmdPidFile",
    "SlurmctldLogFile",
    "SlurmdLogFile",
    "NodeName",
    "PartitionName",
];

/// A controller, and a node of 8 CPUs in partition debug.
pub struct OwnSlurm {
    folder: TempDir,
    port: u16,
    controller: Option<Child>,
    node: Child,
}

impl OwnSlurm {
    /// Starts one, where there is a shared one.
    pub fn start() -> Option<Self> {
        let shared = std::fs::read_to_string(service("VOLLEY_TEST_SLURM_CONF", "slurm")?).expect("is read");
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["state", "spool"] {
            std::fs::create_dir(folder.path().join(name)).expect("made");
        }
        let port = free_port();
        let conf = folder.path().join("slurm.conf");
        std::fs::write(&conf, settings(&shared, folder.path(), port)).expect("written");
        let controller = Some(daemon("slurmctld", &conf));
        let node = daemon("slurmd", &conf);
        let slurm = OwnSlurm { folder, port, controller, node };
        slurm.wait_until_ready();
        Some(slurm)
    }

    /// Its `slurm.conf`.
    pub fn conf(&self) -> String {
        self.folder.path().join("slurm.conf").display().to_string()
    }

    /// Ends the controller as an administrator does: it keeps what it knows.
    pub fn stop_controller(&mut self) {
        self.signal(Signal::TERM);
        self.controller.take().expect("runs").wait().expect("ends");
    }

    /// Starts the controller again; returns when it takes jobs.
    pub fn start_controller(&mut self) {
        assert!(self.controller.is_none(), "it runs");
        self.controller = Some(daemon("slurmctld", Path::new(&self.conf())));
        self.wait_until_ready();
    }

    /// Stops the controller: it takes connections, and does not answer.
    pub fn freeze_controller(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw_controller(&self) {
        self.signal(Signal::CONT);
    }

    /// Runs one of Slurm's commands.
    pub fn ask(&self, program: &str, words: &[&str]) -> Output {
        Command::new(program).args(words).env("SLURM_CONF", self.conf()).output().expect("runs")
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.controller.as_ref().expect("runs")), signal).expect("is there");
    }

    fn answers(&self, program: &str, words: &[&str], answer: &str) -> bool {
        // The commands try for long to reach a controller that is not there.
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
            && String::from_utf8_lossy(&self.ask(program, words).stdout).trim() == answer
    }

    fn wait_until_ready(&self) {
        let node = ["-h", "-o", "%T"];
        wait_until("the node is ready", || {
            ["idle", "mixed", "allocated"].iter().any(|state| self.answers("sinfo", &node, state))
        });
    }
}

impl Drop for OwnSlurm {
    fn drop(&mut self) {
        // The processes of jobs outlive the daemons, so they are ended while Slurm can still do it.
        if !std::thread::panicking() && self.controller.is_none() {
            self.start_controller();
        }
        if self.controller.is_some() {
            self.thaw_controller();
            self.ask("scancel", &["--me"]);
            if !std::thread::panicking() {
                wait_until("no job is left", || self.answers("squeue", &["-h", "-o", "%A"], ""));
            }
        }
        for daemon in self.controller.iter_mut().chain([&mut self.node]) {
            let _ = kill_process(Pid::from_child(daemon), Signal::TERM);
            let _ = daemon.wait();
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("is bound").port()
}

/// The settings of the shared one for a node and a controller in this folder.
fn settings(shared: &str, folder: &Path, port: u16) -> String {
    let is_own = |line: &&str| line.split_once('=').is_some_and(|(key, _)| OWN.contains(&key));
    let kept: Vec<&str> = shared.lines().filter(|line| !is_own(line)).collect();
    let (folder, node_port) = (folder.display(), free_port());
    format!(
        "{}\n\
        ClusterName=volley-own\n\
        MessageTimeout=2\n\
        SlurmctldPort={port}\n\
        StateSaveLocation={folder}/state\n\
        SlurmdSpoolDir={folder}/spool\n\
        SlurmctldPidFile={folder}/slurmctld.pid\n\
        SlurmdPidFile={folder}/slurmd.pid\n\
        SlurmctldLogFile={folder}/slurmctld.log\n\
        SlurmdLogFile={folder}/slurmd.log\n\
        NodeName=own NodeHostname=localhost NodeAddr=127.0.0.1 Port={node_port} CPUs=8 RealMemory=2000\n\
        PartitionName=debug Nodes=own Default=YES MaxTime=INFINITE State=UP\n",
        kept.join("\n")
    )
}

/// A daemon of Slurm in the foreground.
fn daemon(name: &str, conf: &Path) -> Child {
    // A user's PATH often lacks the folders of the daemons.
    let folders = ["/usr/sbin", "/usr/local/sbin", "/sbin"];
    let path = folders.map(|folder| PathBuf::from(folder).join(name)).into_iter().find(|path| path.exists());
    let mut command = Command::new(path.unwrap_or_else(|| name.into()));
    if name == "slurmd" {
        command.args(["-N", "own"]);
    }
    command.args(["-D", "-f"]).arg(conf).env("SLURM_CONF", conf).current_dir("/").stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
}
