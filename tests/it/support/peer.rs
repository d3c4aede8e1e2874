//! A Python FireWorks process on a launchpad of ours, which may be killed.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;
use volley::store::Location;

use super::{Launchpad, service};

/// The process; killed when the test ends.
pub struct Peer {
    process: Child,
    answers: Lines<BufReader<ChildStdout>>,
    _home: tempfile::TempDir,
}

impl Peer {
    /// Starts one, where there is a Python.
    pub fn on(launchpad: &Launchpad) -> Option<Self> {
        Peer::running("peer_process.py", launchpad)
    }

    /// Starts a script of the fixtures that answers questions.
    pub fn running(script: &str, launchpad: &Launchpad) -> Option<Self> {
        let python = service("VOLLEY_TEST_PYTHON", "python")?;
        let Location::Mongo(settings) = &launchpad.location else { unreachable!("it is MongoDB") };
        let hosts = settings.host.trim_start_matches("mongodb://").trim_end_matches('/');
        let (host, port) = hosts.rsplit_once(':').expect("HOST:PORT");
        let home = tempfile::tempdir().expect("a folder");
        let mut process = Command::new(python)
            .arg(format!("{}/tests/fixtures/python/{script}", env!("CARGO_MANIFEST_DIR")))
            .args([host, port, &settings.name])
            .current_dir(home.path())
            .env("HOME", home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let answers = BufReader::new(process.stdout.take().expect("is piped")).lines();
        Some(Peer { process, answers, _home: home })
    }

    /// Asks for something that must succeed.
    pub fn ask(&mut self, request: Value) -> Value {
        self.question(&request)["done"].clone()
    }

    /// Asks, and returns the whole answer.
    pub fn question(&mut self, request: &Value) -> Value {
        let stdin = self.process.stdin.as_mut().expect("is piped");
        writeln!(stdin, "{request}").expect("Python listens");
        loop {
            let line = self.answers.next().unwrap_or_else(|| panic!("Python died of {request}")).expect("reads");
            if let Some(answer) = line.strip_prefix('=') {
                return serde_json::from_str(answer).expect("is JSON");
            }
        }
    }

    /// Asks for something during which the process kills itself.
    pub fn ask_last(mut self, request: Value) {
        self.ask(request);
        self.process.wait().expect("ends");
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
