//! `ScriptTask`: runs commands, in a shell or without.
//!
//! FireWorks' parameters, defaults and result; what is broken there (several scripts with
//! `store_stdout`, `use_shell: false`, `stdin_key`) works here: outputs of several scripts follow
//! each other.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bson::{Bson, Document};

use super::params::{BadTask, Params};
use super::process::{self, Ended};
use super::streams;
use super::{Firetask, Run, TaskFailure};
use crate::workflow::{FwAction, int};

/// Runs `script`.
pub struct ScriptTask;

const NAME: &str = "ScriptTask";
/// Its parameters.
const KEYS: [&str; 12] = [
    "script",
    "use_shell",
    "shell_exe",
    "stdin_file",
    "stdin_key",
    "stdout_file",
    "stderr_file",
    "store_stdout",
    "store_stderr",
    "fizzle_bad_rc",
    "defuse_bad_rc",
    "use_global_spec",
];

impl Firetask for ScriptTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: NAME, values: task };
        params.refuse_misspelt(&KEYS)?;
        if params.are_global() { Ok(()) } else { Settings::read(task).map(|_| ()) }
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let is_global = Params { task: NAME, values: run.task }.are_global();
        let settings = Settings::read(if is_global { run.spec } else { run.task })?;
        Commands::new(&settings, run)?.run()
    }
}

struct Settings<'a> {
    scripts: Vec<&'a str>,
    /// Command and option of the shell that runs them.
    shell: Option<&'a str>,
    stdin_file: Option<&'a str>,
    stdin_key: Option<&'a str>,
    stdout_file: Option<&'a str>,
    stderr_file: Option<&'a str>,
    store_stdout: bool,
    store_stderr: bool,
    on_bad_rc: BadReturnCode,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum BadReturnCode {
    Fizzle,
    Defuse,
    Ignore,
}

impl<'a> Settings<'a> {
    fn read(values: &'a Document) -> Result<Self, BadTask> {
        let params = Params { task: NAME, values };
        let contradiction = |why| BadTask::Contradiction { task: NAME, why };
        let expected = "a command, or a list of commands";
        let scripts = match params.get("script") {
            None => return Err(BadTask::Missing { task: NAME, key: "script", expected }),
            Some(Bson::String(script)) => vec![script.as_str()],
            Some(Bson::Array(scripts)) if !scripts.is_empty() => scripts
                .iter()
                .map(|script| script.as_str().ok_or_else(|| params.wrong("script", expected)))
                .collect::<Result<_, _>>()?,
            Some(_) => return Err(params.wrong("script", expected)),
        };
        let shell_exe = params.text("shell_exe")?;
        let shell = match (params.flag("use_shell").unwrap_or(true), shell_exe) {
            (true, shell) => Some(shell.unwrap_or("/bin/sh")),
            (false, None) => None,
            (false, Some(_)) => return Err(contradiction("`shell_exe` needs `use_shell: true`")),
        };
        let defuses = params.flag("defuse_bad_rc").unwrap_or(false);
        let fizzles = params.flag("fizzle_bad_rc").unwrap_or(!defuses);
        let on_bad_rc = match (fizzles, defuses) {
            (true, true) => {
                return Err(contradiction("`fizzle_bad_rc` and `defuse_bad_rc` exclude each other"));
            }
            (true, false) => BadReturnCode::Fizzle,
            (false, true) => BadReturnCode::Defuse,
            (false, false) => BadReturnCode::Ignore,
        };
        let settings = Settings {
            scripts,
            shell,
            stdin_file: params.text("stdin_file")?,
            stdin_key: params.text("stdin_key")?,
            stdout_file: params.text("stdout_file")?,
            stderr_file: params.text("stderr_file")?,
            store_stdout: params.flag("store_stdout").unwrap_or(false),
            store_stderr: params.flag("store_stderr").unwrap_or(false),
            on_bad_rc,
        };
        if settings.stdin_file.is_some() && settings.stdin_key.is_some() {
            return Err(contradiction("`stdin_file` and `stdin_key` exclude each other"));
        }
        Ok(settings)
    }
}

/// The commands of one task, with their files open.
struct Commands<'a> {
    settings: &'a Settings<'a>,
    run: &'a Run<'a>,
    stdin_file: Option<File>,
    stdin_text: Option<&'a str>,
    stdout_file: Option<(PathBuf, File)>,
    stderr_file: Option<(PathBuf, File)>,
}

impl<'a> Commands<'a> {
    fn new(settings: &'a Settings<'a>, run: &'a Run<'a>) -> Result<Self, TaskFailure> {
        let append = |name: Option<&str>| {
            name.map(|name| {
                let path = run.directory.join(name);
                let opened = OpenOptions::new().append(true).create(true).open(&path);
                opened.map(|file| (path.clone(), file)).map_err(|source| TaskFailure::File {
                    verb: "write",
                    path,
                    source,
                })
            })
            .transpose()
        };
        let stdin_file = settings.stdin_file.map(|name| {
            let path = run.directory.join(name);
            File::open(&path).map_err(|source| TaskFailure::File { verb: "read", path, source })
        });
        let stdin_text = settings.stdin_key.map(|key| {
            run.spec.get_str(key).map_err(|_| TaskFailure::SpecLacks {
                expected: "string",
                key: key.to_owned(),
                named_by: "stdin_key",
            })
        });
        Ok(Commands {
            settings,
            run,
            stdin_file: stdin_file.transpose()?,
            stdin_text: stdin_text.transpose()?,
            stdout_file: append(settings.stdout_file)?,
            stderr_file: append(settings.stderr_file)?,
        })
    }

    /// Runs them one after the other, up to the first that fails.
    fn run(&self) -> Result<FwAction, TaskFailure> {
        let (mut stdout, mut stderr, mut codes) = (String::new(), String::new(), Vec::new());
        for &script in &self.settings.scripts {
            let ended = self.run_one(script)?;
            codes.push(ended.code);
            stdout += &String::from_utf8_lossy(&ended.stdout);
            let errors = String::from_utf8_lossy(&ended.stderr);
            if ended.code != 0 {
                if self.settings.on_bad_rc == BadReturnCode::Fizzle {
                    let (command, stderr) = (script.to_owned(), streams::tail(&errors));
                    return Err(TaskFailure::ReturnCode { task: NAME, command, returncodes: codes, stderr });
                }
                stderr += &errors;
                break;
            }
            stderr += &errors;
        }
        let mut data = Document::new();
        if self.settings.store_stdout {
            data.insert("stdout", stdout);
        }
        if self.settings.store_stderr {
            data.insert("stderr", stderr);
        }
        let failed = codes.last().is_some_and(|&code| code != 0);
        data.insert("returncode", codes.last().map_or(Bson::Null, |&code| int(code)));
        data.insert("all_returncodes", codes.into_iter().map(int).collect::<Vec<_>>());
        let defuse_children = failed && self.settings.on_bad_rc == BadReturnCode::Defuse;
        Ok(FwAction { stored_data: data, defuse_children, ..FwAction::default() })
    }

    fn run_one(&self, script: &str) -> Result<Ended, TaskFailure> {
        let cannot = |source| TaskFailure::Start { command: script.to_owned(), source };
        let words = words(self.settings.shell, script).map_err(cannot)?;
        let mut command = self.run.seat.command(&words);
        command.current_dir(self.run.directory).stdin(match (&self.stdin_file, self.stdin_text) {
            (Some(file), _) => Stdio::from(file.try_clone().map_err(cannot)?),
            (None, Some(_)) => Stdio::piped(),
            // A group of its own cannot read from the terminal: it would be stopped.
            (None, None) => Stdio::null(),
        });
        let input = self.stdin_text.map(|text| text.as_bytes().to_vec());
        let sinks = (
            streams::stdout(self.stdout_file.as_ref().map(|(_, file)| file), self.settings.store_stdout),
            streams::stderr(self.stderr_file.as_ref().map(|(_, file)| file), self.settings.store_stderr),
        );
        let sinks = (sinks.0.map_err(cannot)?, sinks.1.map_err(cannot)?);
        process::run(&mut command, input, sinks, self.run.interrupt).map_err(|error| {
            streams::failure(error, &self.run.seat.shown(script), |stream| {
                let file = if stream == 1 { &self.stdout_file } else { &self.stderr_file };
                file.as_ref().map_or_else(|| self.run.directory.to_owned(), |(path, _)| path.clone())
            })
        })
    }
}

/// The words of a command: those of a shell that runs it, or its own.
fn words(shell: Option<&str>, script: &str) -> io::Result<Vec<String>> {
    let invalid = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
    if let Some(shell) = shell {
        return Ok([shell, "-c", script].map(str::to_owned).to_vec());
    }
    let words = shlex::split(script).ok_or_else(|| invalid("its quotes are not closed"))?;
    if words.is_empty() { Err(invalid("it is empty")) } else { Ok(words) }
}
