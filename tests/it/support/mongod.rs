//! A `mongod` that a test may kill: the binary of the shared one, with a port and data of its own.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use bson::doc;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::run::wait_until;
use crate::support::service;

/// The only one of a replica set.
const SET: &[&str] = &["--replSet", "one", "--oplogSize", "50"];

pub struct Mongod {
    binary: PathBuf,
    port: u16,
    child: Child,
    data: TempDir,
    /// What it is told besides.
    options: &'static [&'static str],
}

impl Mongod {
    /// Starts one, where there is a shared one that runs on this machine.
    pub fn start() -> Option<Self> {
        Mongod::start_as(&[])
    }

    /// Starts one that is a replica set.
    pub fn start_replica_set() -> Option<Self> {
        let mongod = Mongod::start_as(SET)?;
        let admin = mongodb::sync::Client::with_uri_str(mongod.uri()).expect("connects").database("admin");
        let member = doc! {"_id": 0, "host": format!("127.0.0.1:{}", mongod.port)};
        let config = doc! {"_id": "one", "members": [member]};
        admin.run_command(doc! {"replSetInitiate": config}).run().expect("begins");
        let is_primary = || {
            let hello = admin.run_command(doc! {"hello": 1}).run();
            hello.is_ok_and(|hello| hello.get_bool("isWritablePrimary").unwrap_or_default())
        };
        wait_until("the set has a primary", is_primary);
        Some(mongod)
    }

    /// Starts one that lets in who has a name and a password, which is the same: `owner` may do everything.
    pub fn start_guarded() -> Option<Self> {
        let mongod = Mongod::start_as(&["--auth"])?;
        let admin = mongodb::sync::Client::with_uri_str(mongod.uri()).expect("connects").database("admin");
        admin.run_command(doc! {"createUser": "owner", "pwd": "owner", "roles": ["root"]}).run().expect("creates");
        Some(mongod)
    }

    /// Its address for one of those whom it lets in.
    pub fn uri_of(&self, user: &str) -> String {
        format!("mongodb://{user}:{user}@127.0.0.1:{}/?authSource=admin", self.port)
    }

    fn start_as(options: &'static [&'static str]) -> Option<Self> {
        let uri = service("VOLLEY_TEST_MONGO", "mongo")?;
        let client = mongodb::sync::Client::with_uri_str(uri).expect("connects");
        let started = client.database("admin").run_command(doc! {"getCmdLineOpts": 1}).run().expect("answers");
        let words = started.get_array("argv").expect("its command line");
        let binary = PathBuf::from(words[0].as_str().expect("a path"));
        let port = TcpListener::bind("127.0.0.1:0").expect("binds").local_addr().expect("is bound").port();
        let data = tempfile::tempdir().expect("a folder");
        let child = spawn(&binary, port, &data, options);
        Some(Mongod { binary, port, child, data, options })
    }

    pub fn uri(&self) -> String {
        // A set is not asked who else is in it: those who stand between would be passed by.
        let options = if self.options == SET { "/?directConnection=true" } else { "" };
        format!("mongodb://127.0.0.1:{}{options}", self.port)
    }

    /// `kill -9`, and a new process with the same data.
    pub fn kill_and_restart(&mut self) {
        self.child.kill().expect("is there");
        self.child.wait().expect("ends");
        self.child = spawn(&self.binary, self.port, &self.data, self.options);
    }

    /// Ends it as an administrator does, and starts it again.
    pub fn restart(&mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("is there");
        self.child.wait().expect("ends");
        self.child = spawn(&self.binary, self.port, &self.data, self.options);
    }

    /// Kills it, and starts it again when `act` is over.
    pub fn away<T>(&mut self, act: impl FnOnce() -> T) -> T {
        self.child.kill().expect("is there");
        self.child.wait().expect("ends");
        let returned = act();
        self.child = spawn(&self.binary, self.port, &self.data, self.options);
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

fn spawn(binary: &PathBuf, port: u16, data: &TempDir, options: &[&str]) -> Child {
    let mut command = Command::new(binary);
    command.args(["--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", "--port"]);
    command.arg(port.to_string()).arg("--dbpath").arg(data.path());
    let child = command.args(options).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    wait_until("mongod listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    child
}

impl Drop for Mongod {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
