//! Runs the commands of a batch system, with a limit on how long they may take.

use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{QueueError, Result};
use crate::queue::template::shell_word;

/// A program with the arguments it always gets, as words.
pub type Words = Vec<String>;

/// Runs `program` with `arguments`, in `dir`, and returns its stdout.
pub fn run(
    program: &Words,
    arguments: &[&str],
    dir: Option<&Path>,
    environment: &[(String, String)],
    timeout: Option<Duration>,
) -> Result<String> {
    let words = || program.iter().map(String::as_str).chain(arguments.iter().copied());
    let line = words().map(shell_word).collect::<Vec<_>>().join(" ");
    let mut command = Command::new(words().next().unwrap_or_default());
    command.args(words().skip(1)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A Ctrl-C is for us: a submission that has begun shall end, with an id that we know.
    command.process_group(0);
    // The user's SQUEUE_STATES and the like would hide jobs from us.
    for (key, _) in std::env::vars_os().filter(|(key, _)| key.as_encoded_bytes().starts_with(b"SQUEUE_")) {
        command.env_remove(key);
    }
    command.envs(environment.iter().map(|(key, value)| (key, value)));
    if let Some(dir) = dir {
        command.current_dir(dir);
    }

    let missing = |source| QueueError::Missing { command: line.clone(), source };
    let mut child = command.spawn().map_err(missing)?;
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let started = Instant::now();
    let status = loop {
        let Some(timeout) = timeout else { break child.wait().map_err(missing)? };
        if let Some(status) = child.try_wait().map_err(missing)? {
            break status;
        }
        if started.elapsed() > timeout {
            // It may have ended just now; then there is nothing to kill.
            drop(child.kill());
            child.wait().map_err(missing)?;
            return Err(QueueError::Hangs { command: line, seconds: timeout.as_secs() });
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    if status.success() {
        return Ok(stdout);
    }
    Err(QueueError::Failed { command: line, status: describe(status), stdout, stderr })
}

/// Reads a pipe to its end, beside us: a full pipe stops the program that writes to it.
fn reader(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What came before an error is still worth showing.
            drop(pipe.read_to_end(&mut bytes));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
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
        run(&vec!["sh".into(), "-c".into()], &[script], None, &[("ANSWER".into(), "42".into())], timeout)
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
        let error = sh("exec sleep 100", Some(Duration::from_millis(50))).expect_err("hangs");
        assert!(matches!(error, QueueError::Hangs { .. }), "{error}");
    }

    #[test]
    fn says_what_is_missing() {
        let error = run(&vec!["no-such-sbatch".into()], &["a b"], None, &[], None).expect_err("is missing");
        assert!(error.to_string().contains("cannot run `no-such-sbatch 'a b'`"), "{error}");
    }
}
