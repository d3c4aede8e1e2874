//! `--detach`: the launcher goes on in a session of its own, where the end of a terminal or of a login is
//! not heard, and writes to a file.
//!
//! It is this binary once more, with the same arguments. Whoever has started it stays until the new one
//! stands in the ledger, or has failed: then its reason is ours.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::Options;
use super::rocket::has_secret;
use crate::cli::common::open_store;
use crate::cli::exit::{self, Exit};
use crate::cli::output;

/// For so long it may read settings, open the launchpad and ask the queue.
const PATIENCE: Duration = Duration::from_secs(120);
/// The name of this face.
const FACE: &str = "qlaunch";
/// What tells the new one who it is.
const IN_SESSION: &str = "--in-session";

/// Starts a launcher of this command that goes on without us.
pub fn detach(options: &Options) -> Result<ExitCode> {
    let settings = options.common.settings_with_queue(options.queueadapter_file.as_deref())?;
    let store = open_store(&settings)?;
    let id = new_id();
    let log = log_file(options, &id)?;
    let cannot = || format!("cannot write {}", log.display());
    let file = File::options().create(true).append(true).open(&log).with_context(cannot)?;
    let mut child = Command::new(std::env::current_exe().context("cannot tell where this binary is")?)
        .args([FACE, IN_SESSION, &id])
        .args(arguments())
        .stdin(Stdio::null())
        .stdout(file.try_clone().with_context(cannot)?)
        .stderr(file)
        .spawn()
        .context("cannot start the launcher")?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot tell whether the launcher runs")? {
            return ended(status, &log);
        }
        if store.ledgers()?.iter().flat_map(|(_, ledger)| &ledger.daemons).any(|daemon| daemon.id == id) {
            output::text(&format!("launcher {id} goes on as process {}, and writes to {}", child.id(), log.display()))?;
            output::text(&format!("`qlaunch status` tells how it gets on, and `qlaunch stop {id}` ends it"))?;
            return Ok(Exit::Done.into());
        }
        if begun.elapsed() > PATIENCE {
            let seconds = PATIENCE.as_secs();
            let (pid, log) = (child.id(), log.display());
            anyhow::bail!("the launcher (process {pid}) has not begun within {seconds} s; see {log}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The launcher has ended already.
fn ended(status: ExitStatus, log: &Path) -> Result<ExitCode> {
    if status.success() {
        output::text(&format!("the launcher has ended already: all is done; see {}", log.display()))?;
        return Ok(Exit::Done.into());
    }
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let reason = text.rsplit_once("error: ").map_or(text.as_str(), |(_, reason)| reason).trim_end();
    let exit = [Exit::Usage, Exit::Queue].into_iter().find(|exit| status.code() == Some(*exit as i32));
    // It was of no use.
    drop(std::fs::remove_file(log));
    Err(exit::failure(exit.unwrap_or(Exit::Error), reason))
}

/// From now on this process is in a session of its own.
pub fn leave_session() -> Result<()> {
    rustix::process::setsid().context("cannot begin a session")?;
    Ok(())
}

/// Where a launcher writes its log.
pub fn log_file(options: &Options, id: &str) -> Result<PathBuf> {
    let dir = std::path::absolute(&options.launch_dir).context("no current folder")?;
    match &options.log {
        Some(log) => std::path::absolute(log).context("no current folder"),
        None => {
            std::fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
            Ok(dir.join(format!("qlaunch-{id}.log")))
        }
    }
}

/// A name for a launcher, short enough to be typed.
pub fn new_id() -> String {
    let long = uuid::Uuid::now_v7().simple().to_string();
    // The first digits are the time.
    long[long.len() - 8..].to_owned()
}

/// What the launcher was called with, for people: nothing of what only says where it runs.
pub fn command_line() -> String {
    let words = arguments().map(|word| word.to_string_lossy().into_owned());
    said(words)
}

fn said(words: impl Iterator<Item = String>) -> String {
    let mut said = vec![FACE.to_owned()];
    let mut is_value = false;
    for word in words {
        let is_own = is_value || word == "--detach" || word.starts_with("--log=") || word.starts_with("--in-session=");
        is_value = !is_value && (word == "--log" || word == IN_SESSION);
        if is_own || is_value {
            continue;
        }
        said.push(if word.contains("mongodb") && has_secret(&word) { "mongodb://...".to_owned() } else { word });
    }
    shlex::try_join(said.iter().map(String::as_str)).unwrap_or_else(|_| said.join(" "))
}

/// The arguments of this face.
fn arguments() -> impl Iterator<Item = OsString> {
    let mut args = std::env::args_os();
    let called = args.next();
    let is_face = called.as_deref().map(Path::new).and_then(Path::file_stem) == Some(OsStr::new(FACE));
    args.skip(usize::from(!is_face))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_without_its_session_and_its_secrets() {
        for (words, expected) in [
            ("--detach rapidfire -m 4", "qlaunch rapidfire -m 4"),
            ("--in-session 1f rapidfire --log a.log --detach", "qlaunch rapidfire"),
            ("-l mongodb://me:secret@host/fw rapidfire --log=b", "qlaunch -l mongodb://... rapidfire"),
            ("--loglvl DEBUG singleshot -d 60", "qlaunch --loglvl DEBUG singleshot -d 60"),
        ] {
            assert_eq!(said(words.split(' ').map(str::to_owned)), expected);
        }
        assert_eq!(said(["--launch_dir".into(), "a b".into()].into_iter()), "qlaunch --launch_dir 'a b'");
    }

    #[test]
    fn ids_are_short_and_differ() {
        let (one, other) = (new_id(), new_id());
        assert!(one.len() == 8 && one != other, "{one} {other}");
    }
}
