//! The supervisor of one local job: what slurmstepd is to Slurm.
//!
//! It leaves the terminal's session, starts the script in a process group of its own, waits, and
//! writes down how it ended. SIGTERM is passed on to the group, SIGKILL follows after a grace.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::{Pid, Signal};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;

use super::record::{self, Folder, Record, State};
use crate::queue::command::describe;
use crate::queue::{LOCAL_JOB_ID, QueueError, Result, process};

/// Time between SIGTERM and SIGKILL, as Slurm's KillWait.
const GRACE: Duration = Duration::from_secs(30);

/// Runs the job of a record to its end.
pub fn supervise(path: &Path) -> Result<()> {
    let missing = || QueueError::Io { path: path.to_owned(), source: std::io::ErrorKind::NotFound.into() };
    let mut record = record::read(path)?.ok_or_else(missing)?;
    let folder = Folder::of_record(path).ok_or_else(missing)?;

    // Before the script starts: from then on a SIGTERM must not end us.
    let cancelled = Arc::new(AtomicBool::new(false));
    let (mut child, group) = match start(&record, &cancelled) {
        Ok(started) => started,
        Err(reason) => return folder.finish(&record.failed(reason)),
    };
    record.state = State::Running;
    record.pid = i32::try_from(std::process::id()).ok();
    record.birth = record.pid.and_then(process::birth);
    record.started = Some(Timestamp::now());
    folder.update(&record)?;

    let status = child.wait().map_err(|source| QueueError::Io { path: path.to_owned(), source })?;
    if cancelled.load(Ordering::SeqCst) {
        // A shell ends at once; what it ran may still be giving its firework back.
        let begun = Instant::now();
        while rustix::process::test_kill_process_group(group).is_ok() && begun.elapsed() < GRACE + GRACE / 10 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    record.state = State::Finished;
    record.ended = Some(Timestamp::now());
    record.exit = Some(describe(status));
    folder.finish(&record)
}

fn start(record: &Record, cancelled: &Arc<AtomicBool>) -> std::result::Result<(Child, Pid), String> {
    rustix::process::setsid().map_err(|error| format!("setsid: {error}"))?;
    let mut signals = Signals::new([SIGTERM]).map_err(|error| error.to_string())?;
    let script = record.dir.join(&record.script);
    let text = std::fs::read_to_string(&script).map_err(|error| format!("{}: {error}", script.display()))?;
    let create = |path: &Path| File::create(path).map_err(|error| format!("{}: {error}", path.display()));
    let stdout = create(&record.files.stdout)?;
    let stderr = if record.files.stderr == record.files.stdout {
        stdout.try_clone().map_err(|error| error.to_string())?
    } else {
        create(&record.files.stderr)?
    };

    // By its interpreter: the folder may be mounted noexec.
    let (interpreter, argument) = interpreter(&text);
    let child = Command::new(interpreter)
        .args(argument)
        .arg(&script)
        .current_dir(&record.dir)
        .env(LOCAL_JOB_ID, record.id.to_string())
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr)
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{interpreter}: {error}"))?;
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;

    let cancelled = Arc::clone(cancelled);
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            cancelled.store(true, Ordering::SeqCst);
            // An error says that nobody is left, which is what we want.
            let _ = rustix::process::kill_process_group(group, Signal::TERM);
            std::thread::sleep(GRACE);
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    });
    Ok((child, group))
}

/// What the first line names, with its argument; a shell when it names nothing.
fn interpreter(script: &str) -> (&str, Option<&str>) {
    let line = script.lines().next().and_then(|line| line.strip_prefix("#!")).unwrap_or("/bin/sh").trim();
    match line.split_once(char::is_whitespace) {
        None => (line, None),
        Some((interpreter, argument)) => (interpreter, Some(argument.trim())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_first_line() {
        assert_eq!(interpreter("#!/bin/bash -l\nls"), ("/bin/bash", Some("-l")));
        assert_eq!(interpreter("#! /usr/bin/env  python3\n"), ("/usr/bin/env", Some("python3")));
        assert_eq!(interpreter("#!/bin/sh\n"), ("/bin/sh", None));
        assert_eq!(interpreter("ls\n"), ("/bin/sh", None));
    }
}
