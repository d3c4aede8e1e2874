//! Runs one command in a process group of its own, and takes up what it writes without ever
//! blocking it.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Interrupt;
use super::group::{self, HEARSAY};

/// How long we read on when a command has ended but something it left behind holds its stderr.
const LINGER: Duration = Duration::from_millis(100);

/// What to do with an output stream.
pub enum Sink {
    /// It is not ours to see.
    Direct(Stdio),
    /// Keep all of it, and copy it to a writer.
    Keep(Option<Box<dyn Write + Send>>),
    /// Copy it to a writer, and keep the last `.1` bytes.
    Tail(Box<dyn Write + Send>, usize),
}

/// How a command ended.
pub struct Ended {
    /// Its exit code; negative for a signal, as in Python.
    pub code: i64,
    /// What is kept of its output.
    pub stdout: Vec<u8>,
    /// What is kept of its errors.
    pub stderr: Vec<u8>,
}

/// Why there is no end.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The command cannot be started.
    #[error("cannot start: {0}")]
    Start(io::Error),
    /// The copy of an output stream cannot be written.
    #[error("cannot write the copy of stream {stream}: {source}")]
    Copy {
        /// 1 or 2.
        stream: u8,
        /// Why not.
        source: io::Error,
    },
    /// We were asked to stop; the group is gone.
    #[error("interrupted")]
    Interrupted,
}

enum Event {
    /// Ended; whether by a signal that may be meant for us, too.
    Exited(bool),
    Closed(u8, io::Result<()>),
    Wake,
}

/// Runs a command to its end. `stdin` is written to it when given.
pub fn run(
    command: &mut Command,
    stdin: Option<Vec<u8>>,
    (stdout, stderr): (Sink, Sink),
    interrupt: &Interrupt,
) -> Result<Ended, ProcessError> {
    let (stdout, out) = stdout.split();
    let (stderr, err) = stderr.split();
    let lingers = err.as_ref().is_some_and(|pump| pump.limit.is_some());
    let mut child = group::spawn(command.stdout(stdout).stderr(stderr)).map_err(ProcessError::Start)?;
    let (sender, events) = mpsc::channel();
    let wake = sender.clone();
    let _listening = interrupt.listen(move || {
        let _ = wake.send(Event::Wake);
    });
    if let (Some(input), Some(mut pipe)) = (stdin, child.stdin.take()) {
        // A command need not read what it is given; a broken pipe is no error.
        thread::spawn(move || {
            let _ = pipe.write_all(&input);
        });
    }
    let out = child.stdout.take().zip(out).map(|(pipe, pump)| pump.start(1, pipe, &sender));
    let err = child.stderr.take().zip(err).map(|(pipe, pump)| pump.start(2, pipe, &sender));
    group::watch(&child, move |by_signal| {
        // Nobody may be listening any more.
        let _ = sender.send(Event::Exited(by_signal));
    });
    let open = [out.is_some(), err.is_some()];
    let status = Group { child, events, interrupt }.wait(open, lingers)?;
    let code = status.code().unwrap_or_else(|| -status.signal().unwrap_or(0));
    Ok(Ended { code: i64::from(code), stdout: take(out), stderr: take(err) })
}

struct Group<'a> {
    child: Child,
    events: Receiver<Event>,
    interrupt: &'a Interrupt,
}

impl Group<'_> {
    /// Waits for the leader, and for the streams that are `open`.
    fn wait(mut self, mut open: [bool; 2], lingers: bool) -> Result<ExitStatus, ProcessError> {
        let (mut exited, mut told) = (false, false);
        let mut failed = None;
        while !exited || open.contains(&true) {
            let only_stderr = exited && open == [false, true];
            let event = if only_stderr && lingers {
                self.events.recv_timeout(LINGER)
            } else {
                self.events.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            match event {
                Ok(Event::Exited(by_signal)) => (exited, told) = (true, by_signal),
                Ok(Event::Closed(stream, result)) => {
                    open[usize::from(stream - 1)] = false;
                    failed = failed.or(result.err().map(|source| ProcessError::Copy { stream, source }));
                }
                Ok(Event::Wake) => {
                    self.end();
                    return Err(ProcessError::Interrupted);
                }
                Err(_) => break,
            }
        }
        if told && self.is_woken_within(HEARSAY) {
            self.end();
            return Err(ProcessError::Interrupted);
        }
        let status = group::reap(&mut self.child).map_err(ProcessError::Start)?;
        failed.map_or(Ok(status), Err)
    }

    fn is_woken_within(&self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Event::Wake) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
    }

    fn end(&mut self) {
        let Group { child, events, interrupt } = self;
        group::end(child, || interrupt.is_urgent(), |time| drop(events.recv_timeout(time)));
    }
}

/// Takes up one stream.
struct Pump {
    copy: Option<Box<dyn Write + Send>>,
    /// How many of the last bytes are kept; all without.
    limit: Option<usize>,
}

type Kept = Arc<Mutex<Vec<u8>>>;

impl Sink {
    fn split(self) -> (Stdio, Option<Pump>) {
        match self {
            Sink::Direct(stdio) => (stdio, None),
            Sink::Keep(copy) => (Stdio::piped(), Some(Pump { copy, limit: None })),
            Sink::Tail(copy, limit) => (Stdio::piped(), Some(Pump { copy: Some(copy), limit: Some(limit) })),
        }
    }
}

impl Pump {
    fn start(self, stream: u8, pipe: impl Read + Send + 'static, sender: &Sender<Event>) -> Kept {
        let kept = Kept::default();
        let (keep, sender) = (Arc::clone(&kept), sender.clone());
        thread::spawn(move || {
            let result = self.pump(pipe, &keep);
            // Nobody may be listening any more.
            let _ = sender.send(Event::Closed(stream, result));
        });
        kept
    }

    /// Reads to the end, whatever becomes of the copy: the command must not be blocked.
    fn pump(mut self, mut pipe: impl Read, kept: &Kept) -> io::Result<()> {
        let mut buffer = vec![0; 64 * 1024];
        let mut result = Ok(());
        loop {
            let length = match pipe.read(&mut buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let piece = &buffer[..length];
            if let Some(copy) = &mut self.copy
                && result.is_ok()
            {
                result = copy.write_all(piece).and_then(|()| copy.flush());
            }
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(piece);
            if let Some(limit) = self.limit
                && kept.len() > limit
            {
                let excess = kept.len() - limit;
                kept.drain(..excess);
            }
        }
        result
    }
}

fn take(kept: Option<Kept>) -> Vec<u8> {
    kept.map(|kept| std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))).unwrap_or_default()
}
