//! Runs the commands of a batch system, with a limit on how long they may take.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use super::{QueueError, Result};
use crate::queue::template::shell_word;

/// A program with the arguments it always gets, as words.
pub type Words = Vec<String>;

/// Time between two looks at whether a program has ended whose output has not.
const LOOK: Duration = Duration::from_millis(20);

/// How a program is run.
#[derive(Debug, Default)]
pub struct Call<'a> {
    /// Where; here when nothing is said.
    pub dir: Option<&'a Path>,
    /// What is added to its environment.
    pub environment: &'a [(String, String)],
    /// What it reads, and so keeps open.
    pub stdin: Option<File>,
    /// How long it may take.
    pub timeout: Option<Duration>,
}

/// A command line, as a shell would read it.
pub fn line(program: &Words, arguments: &[&str]) -> String {
    let words = program.iter().map(String::as_str).chain(arguments.iter().copied());
    words.map(shell_word).collect::<Vec<_>>().join(" ")
}

/// Runs `program` with `arguments`, and returns its stdout.
pub fn run(program: &Words, arguments: &[&str], call: Call<'_>) -> Result<String> {
    let line = line(program, arguments);
    let mut words = program.iter().map(String::as_str).chain(arguments.iter().copied());
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).stdin(call.stdin.map_or_else(Stdio::null, Stdio::from));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    // A Ctrl-C is for us: a submission that has begun shall end, with an id that we know.
    command.process_group(0);
    // The user's SQUEUE_STATES and the like would hide jobs from us.
    let is_taste = |key: &[u8]| [&b"SQUEUE_"[..], b"SINFO_"].iter().any(|prefix| key.starts_with(prefix));
    for (key, _) in std::env::vars_os().filter(|(key, _)| is_taste(key.as_encoded_bytes())) {
        command.env_remove(key);
    }
    for key in super::OF_JOBS {
        command.env_remove(key);
    }
    command.envs(call.environment.iter().map(|(key, value)| (key, value)));
    if let Some(dir) = call.dir {
        command.current_dir(dir);
    }

    let missing = |source| QueueError::Missing { command: line.clone(), source };
    let mut child = command.spawn().map_err(missing)?;
    let Some((status, [stdout, stderr])) = outcome(&mut child, call.timeout).map_err(missing)? else {
        let seconds = call.timeout.unwrap_or_default().as_secs();
        return Err(QueueError::Hangs { command: line, seconds });
    };
    if status.success() {
        return Ok(stdout);
    }
    Err(QueueError::Failed { command: line, status, stdout, stderr })
}

/// How a program ended, and what it wrote to stdout and stderr; `None` when it took too long, and was
/// killed with all that it has started.
fn outcome(child: &mut Child, timeout: Option<Duration>) -> std::io::Result<Option<(ExitStatus, [String; 2])>> {
    let started = Instant::now();
    let outputs = [child.stdout.take().map(OwnedFd::from), child.stderr.take().map(OwnedFd::from)];
    let mut outputs = outputs.map(|fd| Output { pipe: fd.map(File::from), bytes: Vec::new() });
    let mut pause = LOOK / 200;
    loop {
        // Its outputs end with it, unless others have them, too, or it goes on without.
        if !read_some(&mut outputs, LOOK)? && outputs.iter().all(|output| output.pipe.is_none()) {
            std::thread::sleep(pause);
            pause = (pause * 2).min(LOOK);
        }
        if let Some(status) = child.try_wait()? {
            while read_some(&mut outputs, Duration::ZERO)? {}
            return Ok(Some((status, outputs.map(|output| String::from_utf8_lossy(&output.bytes).into_owned()))));
        }
        if timeout.is_some_and(|timeout| started.elapsed() > timeout) {
            if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                // It may have ended just now; then there is nothing to kill.
                let _ = rustix::process::kill_process_group(group, Signal::KILL);
            }
            child.wait()?;
            return Ok(None);
        }
    }
}

/// What a program has written so far.
struct Output {
    /// Where it writes to, until it has ended.
    pipe: Option<File>,
    bytes: Vec<u8>,
}

/// Reads what there is, or comes within so long. Whether there was anything, the end included.
fn read_some(outputs: &mut [Output], wait: Duration) -> std::io::Result<bool> {
    let mut open: Vec<&mut Output> = outputs.iter_mut().filter(|output| output.pipe.is_some()).collect();
    let mut waited: Vec<PollFd<'_>> =
        open.iter().flat_map(|output| &output.pipe).map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
    let wait = Timespec::try_from(wait).map_err(std::io::Error::other)?;
    if waited.is_empty() {
        return Ok(false);
    }
    match poll(&mut waited, Some(&wait)) {
        // A signal is for others.
        Ok(0) | Err(Errno::INTR) => return Ok(false),
        answer => answer?,
    };
    let ready: Vec<bool> = waited.iter().map(|one| !one.revents().is_empty()).collect();
    drop(waited);
    for (output, _) in open.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
        let mut buffer = [0; 8192];
        match output.pipe.as_mut().map_or(Ok(0), |pipe| pipe.read(&mut buffer)) {
            Ok(0) => output.pipe = None,
            Ok(count) => output.bytes.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// How a program ended, in words.
pub fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, timeout: Option<Duration>) -> Result<String> {
        let environment = &[("ANSWER".into(), "42".into())];
        run(&vec!["sh".into(), "-c".into()], &[script], Call { environment, timeout, ..Call::default() })
    }

    #[test]
    fn returns_what_a_command_prints() {
        assert_eq!(sh("echo $ANSWER; echo no >&2", None).expect("runs"), "42\n");
    }

    #[test]
    fn shows_why_a_command_failed() {
        let error = sh("echo bad partition >&2; exit 7", None).expect_err("fails").to_string();
        assert!(error.contains("exit code 7") && error.contains("bad partition"), "{error}");
        assert!(sh("kill -9 $$", None).expect_err("fails").to_string().contains("signal 9"));
    }

    #[test]
    fn gives_up_on_a_command_that_hangs() {
        let begun = Instant::now();
        // Its own child, too, which keeps the pipes open.
        let error = sh("sleep 100; true", Some(Duration::from_millis(50))).expect_err("hangs");
        assert!(matches!(error, QueueError::Hangs { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(50));
    }

    #[test]
    fn a_lock_lives_as_long_as_the_program() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let lock = file.reopen().expect("opens");
        lock.lock().expect("locks");
        let wait = vec!["sh".into(), "-c".into(), "read line; echo \"$line\"; exec sleep 100".into()];
        let call = Call { stdin: Some(lock), timeout: Some(Duration::from_millis(300)), ..Call::default() };
        let runs = std::thread::spawn(move || run(&wait, &[], call));
        assert!(file.as_file().try_lock().is_err());
        runs.join().expect("ends").expect_err("hangs");
        file.as_file().lock().expect("is free");
    }

    #[test]
    fn reads_much_and_does_not_wait_for_those_who_stay() {
        let text =
            sh("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done", None);
        assert_eq!(text.expect("runs").len(), 3000 * 41);
        let begun = Instant::now();
        assert_eq!(sh("echo here; sleep 100 & true", None).expect("runs"), "here\n");
        assert_eq!(sh("exec 1>&- 2>&-; sleep 0.1; true", None).expect("runs"), "");
        assert!(begun.elapsed() < Duration::from_secs(50));
    }

    #[test]
    fn says_what_is_missing() {
        let error = run(&vec!["no-such-sbatch".into()], &["a b"], Call::default()).expect_err("is missing");
        assert!(error.to_string().contains("cannot run `no-such-sbatch 'a b'`"), "{error}");
    }
}
