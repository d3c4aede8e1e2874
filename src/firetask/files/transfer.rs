//! `FileTransferTask`: moves and copies files and folders on this machine.
//!
//! Other than in FireWorks:
//! - a failure tells its reason also when the task has no `dest` (there: `KeyError: 'dest'`);
//! - a name with `src` or `dest` in it is a name (there: `TypeError`);
//! - what failed is tried again, not all from the first file on: what has been moved already could
//!   not be moved again;
//! - `rtransfer` is not there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bson::{Bson, Document};
use tracing::warn;

use super::super::params::{BadTask, Params};
use super::super::{Firetask, Run, TaskFailure};
use super::modes::Mode;
use super::paths::absolute;
use crate::workflow::{FwAction, as_int};

/// Brings `files` to their places.
pub struct FileTransferTask;

const NAME: &str = "FileTransferTask";
/// Its parameters.
const KEYS: [&str; 10] = [
    "mode",
    "files",
    "dest",
    "server",
    "user",
    "key_filename",
    "max_retry",
    "retry_delay",
    "ignore_errors",
    "shell_interpret",
];

impl Firetask for FileTransferTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        Params { task: NAME, values: task }.refuse_misspelt(&KEYS)?;
        Settings::read(task).map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let settings = Settings::read(run.task)?;
        // One budget for all files, as in FireWorks.
        let mut retries = settings.max_retry;
        for &(src, dest) in &settings.files {
            let (src, dest) = (settings.path(run.directory, src), settings.path(run.directory, dest));
            while let Err(source) = settings.mode.transfer(&src, &dest, run.interrupt) {
                if run.interrupt.is_raised() {
                    return Err(TaskFailure::Interrupted);
                }
                let (mode, src, dest) = (settings.mode.verb(), src.clone(), dest.clone());
                let failure = TaskFailure::Transfer { mode, src, dest, source };
                if retries == 0 && !settings.ignores_errors {
                    return Err(failure);
                }
                let remedy = if retries == 0 { "ignored" } else { "tried again" };
                warn!("{NAME}: {failure} ({remedy})");
                if retries == 0 {
                    break;
                }
                retries -= 1;
                if run.interrupt.is_raised_within(settings.retry_delay) {
                    return Err(TaskFailure::Interrupted);
                }
            }
        }
        Ok(FwAction::default())
    }
}

struct Settings<'a> {
    mode: Mode,
    /// What goes where, as it is written.
    files: Vec<(&'a str, &'a str)>,
    /// Whether `~` and `$VARIABLES` are more than letters.
    expands: bool,
    max_retry: u64,
    retry_delay: Duration,
    ignores_errors: bool,
}

impl<'a> Settings<'a> {
    fn read(values: &'a Document) -> Result<Self, BadTask> {
        let params = Params { task: NAME, values };
        let expected = "one of move, mv, copy, cp, copy2, copytree, copyfile";
        let mode = params.needed_text("mode", expected)?;
        if mode == "rtransfer" {
            let why = "`mode: rtransfer` is not supported here: use a ScriptTask with `rsync` or `scp`, \
                       or let Python FireWorks run this firework";
            return Err(BadTask::Contradiction { task: NAME, why });
        }
        let mode = Mode::parse(mode).ok_or_else(|| params.wrong("mode", expected))?;
        let dest = params.text("dest")?;
        let retry_delay = match params.get("retry_delay") {
            None => Some(10.0),
            Some(Bson::Double(seconds)) => Some(*seconds),
            Some(whole) => as_int(whole).map(|seconds| seconds as f64),
        };
        let retry_delay = retry_delay.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let max_retry = params.get("max_retry").map_or(Some(0), as_int).and_then(|n| u64::try_from(n).ok());
        Ok(Settings {
            mode,
            files: files(&params, dest)?,
            expands: params.flag("shell_interpret").unwrap_or(true),
            max_retry: max_retry.ok_or_else(|| params.wrong("max_retry", "a whole number"))?,
            retry_delay: retry_delay.ok_or_else(|| params.wrong("retry_delay", "a number of seconds"))?,
            ignores_errors: params.flag("ignore_errors").unwrap_or(false),
        })
    }

    fn path(&self, directory: &Path, text: &str) -> PathBuf {
        if self.expands { absolute(directory, text) } else { directory.join(text) }
    }
}

fn files<'a>(params: &Params<'a>, dest: Option<&'a str>) -> Result<Vec<(&'a str, &'a str)>, BadTask> {
    let (key, expected) = ("files", "a list of names, or of {src, dest}");
    let items = match params.get(key) {
        None => return Err(BadTask::Missing { task: NAME, key, expected }),
        Some(Bson::Array(items)) => items,
        Some(_) => return Err(params.wrong(key, expected)),
    };
    let file = |item: &'a Bson| {
        let (src, own) = match item {
            Bson::String(src) => (src.as_str(), None),
            Bson::Document(item) => match (item.get("src"), item.get("dest")) {
                (Some(Bson::String(src)), None) => (src.as_str(), None),
                (Some(Bson::String(src)), Some(Bson::String(dest))) => (src.as_str(), Some(dest.as_str())),
                _ => return Err(params.wrong(key, expected)),
            },
            _ => return Err(params.wrong(key, expected)),
        };
        let expected = "where to put files that name no `dest` of their own";
        let dest = own.or(dest).ok_or(BadTask::Missing { task: NAME, key: "dest", expected })?;
        Ok((src, dest))
    };
    items.iter().map(file).collect()
}
