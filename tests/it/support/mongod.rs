//! A `mongod` that a test may kill: the binary of the shared one, with a port and data of its own.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bson::doc;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::run::wait_until;
use crate::support::service;

pub struct Mongod {
    binary: PathBuf,
    port: u16,
    child: Child,
    data: TempDir,
}

impl Mongod {
    /// Starts one, where there is a shared one that runs on this machine.
    pub fn start() -> Option<Self> {
        let uri = service("VOLLEY_TEST_MONGO", "mongo")?;
        let client = mongodb::sync::Client::with_uri_str(uri).expect("connects");
        let options = client.database("admin").run_command(doc! {"getCmdLineOpts": 1}).run().expect("answers");
        let words = options.get_array("argv").expect("its command line");
        let binary = PathBuf::from(words[0].as_str().expect("a path"));
        let port = TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("is bound").port();
        let data = tempfile::tempdir().expect("a folder");
        let child = spawn(&binary, port, &data);
        Some(Mongod { binary, port, child, data })
    }

    pub fn uri(&self) -> String {
        format!("mongodb://127.0.0.1:{}", self.port)
    }

    /// `kill -9`, and a new process with the same data.
    pub fn kill_and_restart(&mut self) {
        self.child.kill().expect("is there");
        self.child.wait().expect("ends");
        self.child = spawn(&self.binary, self.port, &self.data);
    }

    /// Ends it as an administrator does, and starts it again.
    pub fn restart(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("is there");
        self.child.wait().expect("ends");
        self.child = spawn(&self.binary, self.port, &self.data);
    }

    /// Kills it, and starts it again when `act` is over.
    pub fn away<T>(&mut self, act: impl FnOnce() -> T) -> T {
        self.child.kill().expect("is there");
        self.child.wait().expect("ends");
        let returned = act();
        self.child = spawn(&self.binary, self.port, &self.data);
        returned
    }

    /// Stops it: it takes connections, and does not answer.
    pub fn freeze(&self) {
        kill_process(Pid::from_child(&self.child), Signal::STOP).expect("is there");
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        kill_process(Pid::from_child(&self.child), Signal::CONT).expect("is there");
    }
}

fn spawn(binary: &PathBuf, port: u16, data: &TempDir) -> Child {
    let mut command = Command::new(binary);
    command.args(["--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", "--port"]);
    command.arg(port.to_string()).arg("--dbpath").arg(data.path());
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    wait_until("mongod listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    child
}

impl Drop for Mongod {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
