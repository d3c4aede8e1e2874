//! The guard: a process beside the worker that ends the worker's children when the worker is gone,
//! even by SIGKILL.
//!
//! It is this binary once more, started with the first child, and reads from a pipe which process
//! groups the worker starts (`+ID`) and ends (`-ID`). The pipe closes when the worker dies, in
//! whichever way: what is still listed then is ended. Without a guard a worker works all the same.

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use tracing::warn;

/// How long the groups may take between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(20);

/// One for the whole process: also two workers in it would die together.
static GUARD: Mutex<State> = Mutex::new(State::None);

enum State {
    /// Nobody has said which program it is, or it is gone.
    None,
    /// To be started with the first child.
    Wanted(PathBuf, &'static str),
    /// It listens. It is not waited for: it ends after us.
    Stands(ChildStdin),
}

/// From now on children are guarded, by `program`, this binary, with the argument `verb`.
pub fn want(program: PathBuf, verb: &'static str) {
    *GUARD.lock().unwrap_or_else(PoisonError::into_inner) = State::Wanted(program, verb);
}

/// A group has been started.
pub fn began(group: Pid) {
    tell('+', group);
}

/// A group is no longer ours to end: its leader has been reaped.
pub fn ended(group: Pid) {
    tell('-', group);
}

fn tell(what: char, group: Pid) {
    let mut state = GUARD.lock().unwrap_or_else(PoisonError::into_inner);
    if let State::Wanted(program, verb) = &*state {
        let started = Command::new(program)
            .arg(verb)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        *state = match started.map(|mut child| child.stdin.take()) {
            Ok(Some(pipe)) => State::Stands(pipe),
            Ok(None) => State::None,
            Err(error) => {
                warn!("what tasks start is not guarded, and outlives a worker that is killed: {error}");
                State::None
            }
        };
    }
    if let State::Stands(pipe) = &mut *state
        && let Err(error) = pipe.write_all(format!("{what}{}\n", group.as_raw_nonzero()).as_bytes())
    {
        warn!("what tasks start is not guarded any more, and outlives a worker that is killed: {error}");
        *state = State::None;
    }
}

/// Stands guard: reads from the worker until it is gone, and ends what it has left behind. What
/// ends a whole job or terminal must not end this before.
pub fn stand(worker: impl BufRead) -> std::io::Result<()> {
    // A handler that does nothing; reading goes on.
    let heard = std::sync::Arc::default();
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2] {
        signal_hook::flag::register(signal, std::sync::Arc::clone(&heard))?;
    }
    // Fails for the leader of a group, who is by itself already.
    let _ = rustix::process::setsid();
    end(left_by(worker));
    Ok(())
}

/// The groups that were begun and not ended.
fn left_by(worker: impl BufRead) -> Vec<Pid> {
    let mut groups = Vec::new();
    // What is cut off in the middle was not said.
    for line in worker.lines().map_while(Result::ok) {
        let (what, id) = line.split_at_checked(1).unwrap_or_default();
        let Some(group) = id.parse().ok().and_then(Pid::from_raw) else { continue };
        groups.retain(|&known| known != group);
        if what == "+" {
            groups.push(group);
        }
    }
    groups
}

fn end(mut groups: Vec<Pid>) {
    // A group that is gone already is what we want; a stopped one must wake up to hear us.
    for signal in [Signal::TERM, Signal::CONT] {
        groups.iter().for_each(|&group| kill_process_group(group, signal).unwrap_or_default());
    }
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline && !groups.is_empty() {
        thread::sleep(LOOK);
        // Its id may soon be another's.
        groups.retain(|&group| test_kill_process_group(group).is_ok());
    }
    groups.iter().for_each(|&group| kill_process_group(group, Signal::KILL).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_ended_is_left() {
        let ids = |text: &str| left_by(text.as_bytes()).iter().map(|id| id.as_raw_nonzero().get()).collect::<Vec<_>>();
        assert_eq!(ids("+7\n+8\n-7\n+9\n"), [8, 9]);
        assert_eq!(ids("+7\n-7\n+7\n"), [7], "an id may come again");
        assert_eq!(ids(""), [0; 0]);
        assert_eq!(ids("\n+\n+x\n+0\n-5\n?9\n"), [0; 0]);
    }
}
