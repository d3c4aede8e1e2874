//! The guard: a process beside the worker that ends the worker's children when the worker is gone,
//! even by SIGKILL.
//!
//! It is this binary once more, started with the first child, and reads from a pipe which process
//! groups the worker is about to start (`?MARK`), has started or not (`!MARK`, `+ID`) and ends (`-ID`).
//! The pipe closes when the worker dies, in whichever way: what is still listed then is ended. What
//! was about to be started is known by its mark, which stands in its environment. Without a guard a
//! worker works all the same.

use std::collections::BTreeSet;
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

/// The variable that has the mark.
const MARK: &str = "VOLLEY_CHILD";

/// From now on children are guarded, by `program`, this binary, with the argument `verb`.
pub fn want(program: PathBuf, verb: &'static str) {
    *GUARD.lock().unwrap_or_else(PoisonError::into_inner) = State::Wanted(program, verb);
}

/// A group is about to be started with this command. Returns its mark.
pub fn announce(command: &mut Command) -> String {
    let mark = uuid::Uuid::now_v7().simple().to_string();
    command.env(MARK, &mark);
    tell(&format!("?{mark}\n"));
    mark
}

/// A group has been started, or could not be.
pub fn began(mark: &str, group: Option<Pid>) {
    let group = group.map_or_else(String::new, |group| format!("+{}\n", group.as_raw_nonzero()));
    tell(&format!("{group}!{mark}\n"));
}

/// A group is no longer ours to end: its leader has been reaped.
pub fn ended(group: Pid) {
    tell(&format!("-{}\n", group.as_raw_nonzero()));
}

fn tell(what: &str) {
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
        && let Err(error) = pipe.write_all(what.as_bytes())
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

/// What a worker has left behind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    /// Groups that were begun and not ended.
    groups: Vec<Pid>,
    /// Marks of those that may have been begun.
    marks: BTreeSet<String>,
}

fn left_by(worker: impl BufRead) -> Left {
    let mut left = Left::default();
    // What is cut off in the middle was not said.
    for line in worker.lines().map_while(Result::ok) {
        let (what, which) = line.split_at_checked(1).unwrap_or_default();
        match what {
            "?" => drop(left.marks.insert(which.to_owned())),
            "!" => drop(left.marks.remove(which)),
            _ => {
                let Some(group) = which.parse().ok().and_then(Pid::from_raw) else { continue };
                left.groups.retain(|&known| known != group);
                if what == "+" {
                    left.groups.push(group);
                }
            }
        }
    }
    left
}

/// The groups whose leaders have one of these marks.
fn marked(marks: &BTreeSet<String>) -> Vec<Pid> {
    let has_mark = |environment: Vec<u8>| {
        let mut variables = environment.split(|&byte| byte == 0);
        let value = variables.find_map(|one| one.strip_prefix(MARK.as_bytes())?.strip_prefix(b"="));
        value.and_then(|value| std::str::from_utf8(value).ok()).is_some_and(|value| marks.contains(value))
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    let ids = processes.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?));
    let ours = ids.filter(|id| std::fs::read(format!("/proc/{}/environ", id.as_raw_nonzero())).is_ok_and(has_mark));
    ours.filter(|&id| rustix::process::getpgid(Some(id)).is_ok_and(|group| group == id)).collect()
}

fn end(Left { mut groups, marks }: Left) {
    let tell = |group: Pid| {
        // A group that is gone already is what we want; a stopped one must wake up to hear us.
        for signal in [Signal::TERM, Signal::CONT] {
            kill_process_group(group, signal).unwrap_or_default();
        }
    };
    groups.iter().for_each(|&group| tell(group));
    let deadline = Instant::now() + GRACE;
    while Instant::now() < deadline && !(groups.is_empty() && marks.is_empty()) {
        // One that was just being started is not to be seen at once.
        if !marks.is_empty() {
            for group in marked(&marks).into_iter().filter(|group| !groups.contains(group)).collect::<Vec<_>>() {
                tell(group);
                groups.push(group);
            }
        }
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
        let ids = |text: &str| {
            let left = left_by(text.as_bytes());
            left.groups.iter().map(|id| id.as_raw_nonzero().get()).collect::<Vec<_>>()
        };
        assert_eq!(ids("+7\n+8\n-7\n+9\n"), [8, 9]);
        assert_eq!(ids("+7\n-7\n+7\n"), [7], "an id may come again");
        assert_eq!(ids(""), [0; 0]);
        assert_eq!(ids("\n+\n+x\n+0\n-5\n?9\n"), [0; 0]);
    }
    #[test]
    fn what_was_only_announced_is_known_by_its_mark() {
        let marks = |text: &str| left_by(text.as_bytes()).marks.into_iter().collect::<Vec<_>>();
        assert_eq!(marks("?a\n?b\n+7\n!a\n"), ["b"]);
        assert_eq!(marks("?a\n!a\n"), [""; 0]);
        let mark = uuid::Uuid::now_v7().simple().to_string();
        let mut child = Command::new("sleep");
        std::os::unix::process::CommandExt::process_group(child.arg("100").env(MARK, &mark), 0);
        let mut child = child.spawn().expect("starts");
        let id = Pid::from_child(&child);
        assert_eq!(marked(&BTreeSet::from(["other".to_owned()])), []);
        // Its environment is to be read a moment later than it is known to have started.
        let deadline = Instant::now() + Duration::from_secs(60);
        while marked(&BTreeSet::from([mark.clone()])) != [id] {
            assert!(Instant::now() < deadline, "the child is not found by its mark");
            thread::sleep(LOOK);
        }
        let waiting = thread::spawn(move || child.wait());
        end(Left { groups: Vec::new(), marks: BTreeSet::from([mark]) });
        assert!(!waiting.join().expect("no panic").expect("waits").success());
    }
}
