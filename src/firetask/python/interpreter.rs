//! One running Python with the bridge in it: how it is started, asked and ended.
//!
//! The two talk over a socket in a private folder: standard streams belong to the tasks, and
//! programs that start others, like `conda run`, pass nothing else on. Python connects with a
//! one-line program and gets the bridge and all else over the socket, so that nothing of it shows in
//! a list of processes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::firetask::group::{self, HEARSAY};
use crate::firetask::interrupt::{Interrupt, Listening};
use crate::firetask::seat::leave_place;

/// What Python is told to run. The present folder must not shadow modules: FireWorks' rlaunch does
/// not look there either.
const LOADER: &str = concat!(
    "import sys;sys.path=list(filter(None,sys.path));import socket;",
    r#"s=socket.socket(socket.AF_UNIX);s.connect(sys.argv[1]);f=s.makefile("rb");"#,
    r#"exec(compile(f.read(int(f.readline())),"<volley>","exec"));serve(s,f)"#
);
const BRIDGE: &str = include_str!("bridge.py");

/// What to do about a Python that cannot be used.
const ADVICE: &str = "`python` in my_fworker.yaml names another";

/// How long Python may take to come up: environments on network file systems are slow.
const STARTING: Duration = Duration::from_secs(120);
/// How often we look whether it has.
const LOOK: Duration = Duration::from_millis(2);
/// How long it may take to go once it is to, or has closed the socket: it may write a core file.
const GOING: Duration = Duration::from_secs(10);

/// A Python that waits for requests.
pub struct Interpreter {
    child: Child,
    socket: UnixStream,
    events: Receiver<Event>,
    sender: Sender<Event>,
    reaped: bool,
}

enum Event {
    Answer(String),
    /// Nothing more will come.
    Closed,
    /// Ended; whether by a signal that may be meant for us, too.
    Exited(bool),
    /// Somebody may have asked us to stop.
    Wake,
}

/// Why there is no answer. There is no interpreter any more, either.
#[derive(Debug, thiserror::Error)]
pub enum Silence {
    /// We were asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// What is wrong, and what to do.
    #[error("{0}")]
    NotStarted(String),
    /// It ended by itself.
    #[error("Python ended with {0}")]
    Ended(ExitStatus),
    /// It answered what nobody could store: documents in documents beyond the limit.
    #[error("the answer of Python cannot be read: {0}")]
    Unreadable(String),
}

impl Interpreter {
    /// Starts Python in `folder`, and waits until it is ready.
    pub fn start(command: &[String], folder: &Path, settings: &Value, interrupt: &Interrupt) -> Result<Self, Silence> {
        let name = command.join(" ");
        let cannot = |what: &str, error: io::Error| Silence::NotStarted(format!("cannot {what} `{name}`: {error}"));
        let (private, listener) = listen().map_err(|error| cannot("make a socket for", error))?;
        let log = private.path().join("log");
        let child = spawn(command, folder, private.path(), &log)
            .map_err(|error| Silence::NotStarted(format!("cannot start `{name}`: {error} ({ADVICE})")))?;
        let (sender, events) = mpsc::channel();
        let exited = sender.clone();
        group::watch(&child, move |by_signal| drop(exited.send(Event::Exited(by_signal))));
        let mut starting = Starting { child, name: &name, log: &log, events, interrupt };
        let socket = {
            let _listening = listen_to(interrupt, &sender);
            starting.accept(&listener)?
        };
        let Starting { child, events, .. } = starting;
        let mut interpreter = Interpreter { child, socket, events, sender, reaped: false };
        interpreter.introduce().map_err(|error| cannot("talk to", error))?;
        match interpreter.ask(settings, interrupt) {
            Ok(_) => Ok(interpreter),
            Err(Silence::Ended(status)) => Err(Silence::NotStarted(premature(&name, status, &log))),
            Err(silence) => Err(silence),
        }
    }

    /// Hands over the bridge, and begins to read answers.
    fn introduce(&mut self) -> io::Result<()> {
        write!(self.socket, "{}\n{BRIDGE}", BRIDGE.len())?;
        let mut answers = BufReader::new(self.socket.try_clone()?);
        let sender = self.sender.clone();
        thread::spawn(move || {
            let mut line = String::new();
            while matches!(answers.read_line(&mut line), Ok(1..)) {
                // Nobody may be listening any more.
                let _ = sender.send(Event::Answer(std::mem::take(&mut line)));
            }
            let _ = sender.send(Event::Closed);
        });
        Ok(())
    }

    /// Whether it is there, and not only waits to be reaped.
    pub fn is_alive(&self) -> bool {
        !self.events.try_iter().any(|event| matches!(event, Event::Closed | Event::Exited(_)))
    }

    /// Asks, and waits for the answer as long as it takes.
    pub fn ask(&mut self, request: &Value, interrupt: &Interrupt) -> Result<Value, Silence> {
        let _listening = listen_to(interrupt, &self.sender);
        // When it cannot be written Python is gone, which we hear of in a moment.
        let _ = self.socket.write_all(format!("{request}\n").as_bytes());
        let (mut closed, mut exited, mut told) = (false, false, false);
        let mut deadline = None;
        loop {
            let event = match deadline {
                None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(at) => self.events.recv_timeout(Instant::saturating_duration_since(&at, Instant::now())),
            };
            match event {
                // Perhaps its last; what it was asked is done.
                Ok(Event::Answer(text)) => {
                    return serde_json::from_str(&text).map_err(|error| Silence::Unreadable(error.to_string()));
                }
                // One that was meant for an earlier request changes nothing.
                Ok(Event::Wake) if interrupt.is_raised() => {
                    self.end(interrupt);
                    return Err(Silence::Interrupted);
                }
                Ok(Event::Wake) => {}
                Ok(Event::Closed) => {
                    closed = true;
                    deadline.get_or_insert(Instant::now() + GOING);
                }
                Ok(Event::Exited(by_signal)) => {
                    (exited, told) = (true, by_signal);
                    // What it left behind may hold the socket; and our own signal may be on its way.
                    deadline = Some(Instant::now() + HEARSAY);
                }
                Err(_) => break,
            }
            if exited && closed && !told {
                break;
            }
        }
        self.reaped = true;
        Err(Silence::Ended(group::kill(&mut self.child).unwrap_or_default()))
    }

    fn end(&mut self, interrupt: &Interrupt) {
        let Interpreter { child, events, .. } = self;
        group::end(child, || interrupt.is_urgent(), |time| drop(events.recv_timeout(time)));
        self.reaped = true;
    }
}

impl Drop for Interpreter {
    /// Lets Python tidy up, and ends what its tasks have left behind.
    fn drop(&mut self) {
        if self.reaped {
            return;
        }
        let _ = self.socket.shutdown(Shutdown::Both);
        let deadline = Instant::now() + GOING;
        while let Ok(event) = self.events.recv_timeout(Instant::saturating_duration_since(&deadline, Instant::now())) {
            if matches!(event, Event::Exited(_)) {
                break;
            }
        }
        let _ = group::kill(&mut self.child);
    }
}

/// One that has been started, and has not connected.
struct Starting<'a> {
    child: Child,
    name: &'a str,
    log: &'a Path,
    events: Receiver<Event>,
    interrupt: &'a Interrupt,
}

impl Starting<'_> {
    fn accept(&mut self, listener: &UnixListener) -> Result<UnixStream, Silence> {
        let deadline = Instant::now() + STARTING;
        loop {
            match listener.accept() {
                Ok((socket, _)) if socket.set_nonblocking(false).is_ok() => return Ok(socket),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    let _ = group::kill(&mut self.child);
                    return Err(Silence::NotStarted(format!("cannot talk to `{}`: {error}", self.name)));
                }
            }
            match self.events.recv_timeout(LOOK) {
                Ok(Event::Exited(_)) => {
                    let status = group::kill(&mut self.child).unwrap_or_default();
                    return Err(Silence::NotStarted(premature(self.name, status, self.log)));
                }
                Ok(Event::Wake) if self.interrupt.is_raised() => {
                    let (interrupt, events) = (self.interrupt, &self.events);
                    let pause = |time| drop(events.recv_timeout(time));
                    group::end(&mut self.child, || interrupt.is_urgent(), pause);
                    return Err(Silence::Interrupted);
                }
                _ => {}
            }
            if Instant::now() > deadline {
                let _ = group::kill(&mut self.child);
                let seconds = STARTING.as_secs();
                return Err(Silence::NotStarted(format!("`{}` did not come up within {seconds} s", self.name)));
            }
        }
    }
}

/// Wakes whoever waits for an event, also for a request that came before.
fn listen_to<'a>(interrupt: &'a Interrupt, sender: &Sender<Event>) -> Listening<'a> {
    let wake = sender.clone();
    interrupt.listen(move || drop(wake.send(Event::Wake)))
}

/// A socket in a folder that is ours alone. Where TMPDIR is not there, or its path too long for a
/// socket, /tmp has to do.
fn listen() -> io::Result<(TempDir, UnixListener)> {
    let bind = |folder: &Path| {
        let private = tempfile::Builder::new().prefix("volley-").tempdir_in(folder)?;
        let listener = UnixListener::bind(private.path().join("socket"))?;
        listener.set_nonblocking(true)?;
        Ok((private, listener))
    };
    bind(&std::env::temp_dir()).or_else(|_| bind(Path::new("/tmp")))
}

fn spawn(command: &[String], folder: &Path, private: &Path, log: &Path) -> io::Result<Child> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is empty"))?;
    let log = File::create(log)?;
    let mut command = Command::new(program);
    leave_place(&mut command);
    command.args(arguments).arg("-c").arg(LOADER).arg(private.join("socket")).current_dir(folder);
    group::spawn(command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log))
}

/// What to say of a Python that ends before it is ready: the last it has said explains it.
fn premature(name: &str, status: ExitStatus, log: &Path) -> String {
    let said = std::fs::read(log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    let last = last.map_or_else(String::new, |line| format!(": {line}"));
    format!("`{name}` ended with {status} before it was ready{last}")
}
