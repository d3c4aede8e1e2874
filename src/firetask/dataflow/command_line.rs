//! `CommandLineTask`: runs a command whose arguments, inputs and outputs are described by labels.
//!
//! Other than in FireWorks:
//! - with `chunk_number` and several outputs, each is pushed to its own label (there: the words
//!   `type` and `value`);
//! - the label of an output may name a key of the spec (there: `TypeError` after the command ran);
//! - an output may be both kept and written to a file, and kept from stderr (there: stdout);
//! - the command in the task stays as it is (there the arguments of this run are added to it).

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use bson::{Bson, Document, doc};

use super::super::files::Mode;
use super::super::params::{BadTask, Params};
use super::super::process::{self, Ended};
use super::super::{Firetask, Run, TaskFailure, streams};
use super::argument::{Argument, COMMAND_SPEC, End, Reader};
use crate::workflow::FwAction;

/// Runs `command_spec` with the labels `inputs` and `outputs`.
pub struct CommandLineTask;

const NAME: &str = "CommandLineTask";

impl Firetask for CommandLineTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: NAME, values: task };
        params.refuse_misspelt(&[COMMAND_SPEC, "inputs", "outputs", "chunk_number"])?;
        let settings = Settings::read(&params)?;
        let reader = Reader { params: &params, command_spec: settings.command_spec };
        reader.check(&settings.inputs, input)?;
        reader.check(&settings.outputs, output)
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let params = Params { task: NAME, values: run.task };
        let settings = Settings::read(&params)?;
        let reader = Reader { params: &params, command_spec: settings.command_spec };
        let mut line = Line::new(&settings.command);
        for label in &settings.inputs {
            for argument in reader.arguments(label, run.spec, input)? {
                line.add_input(&argument);
            }
        }
        let mut outputs = Vec::new();
        for label in &settings.outputs {
            let first = reader.arguments(label, run.spec, output)?.into_iter().next();
            let argument = first.ok_or_else(|| TaskFailure::SpecLacks {
                expected: "list with something in it",
                key: settings.command_spec.get_str(label).unwrap_or_default().to_owned(),
                named_by: COMMAND_SPEC,
            })?;
            outputs.push((*label, line.add_output(&argument, run.directory)));
        }
        let ended = line.run(run)?;
        let mut results = Vec::with_capacity(outputs.len());
        for (label, output) in outputs {
            results.push((label, output.result(&ended, run)?));
        }
        if params.get("chunk_number").is_some() {
            let push = |(label, result): (&str, Document)| doc! {"_push": {label: result}};
            return Ok(FwAction { mod_spec: results.into_iter().map(push).collect(), ..FwAction::default() });
        }
        let update = results.into_iter().map(|(label, result)| (label.to_owned(), Bson::Document(result)));
        Ok(FwAction { update_spec: update.collect(), ..FwAction::default() })
    }
}

struct Settings<'a> {
    command_spec: &'a Document,
    command: Vec<&'a str>,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
}

impl<'a> Settings<'a> {
    fn read(params: &Params<'a>) -> Result<Self, BadTask> {
        let expected = "a mapping with `command` and the labels of inputs and outputs";
        let command_spec = match params.get(COMMAND_SPEC) {
            None => return Err(BadTask::Missing { task: NAME, key: COMMAND_SPEC, expected }),
            Some(Bson::Document(spec)) => spec,
            Some(_) => return Err(params.wrong(COMMAND_SPEC, expected)),
        };
        let command = match command_spec.get("command") {
            Some(Bson::String(program)) => Some(vec![program.as_str()]),
            Some(Bson::Array(words)) => words.iter().map(Bson::as_str).collect(),
            _ => None,
        };
        let command = command.filter(|words| !words.is_empty());
        let command = command.ok_or_else(|| params.wrong("command_spec.command", "a list of strings: the command"))?;
        let labels = |key| Ok(params.texts(key, "a list of labels of `command_spec`")?.unwrap_or_default());
        Ok(Settings { command_spec, command, inputs: labels("inputs")?, outputs: labels("outputs")? })
    }
}

/// What is wrong with an input.
fn input(argument: &Argument) -> Option<&'static str> {
    let Some(source) = &argument.source else { return Some("an input with a `source`") };
    if argument.target.as_ref().is_some_and(|target| target.kind() != "stdin") {
        return Some("an input whose `target` is of `type: stdin`, or that has none");
    }
    match source.kind() {
        "path" if source.path().is_some() => None,
        "path" => Some("an input whose path, the `value` of its `source`, is a string"),
        "data" if source.text().is_some() => None,
        "data" => Some("an input whose `source` has a string or a number as its `value`"),
        _ => Some("an input whose `source` is of `type: path` or `type: data`"),
    }
}

/// What is wrong with an output.
fn output(argument: &Argument) -> Option<&'static str> {
    let Some(target) = &argument.target else { return Some("an output with a `target`") };
    let source = argument.source.as_ref().filter(|source| source.kind() == "path");
    match target.kind() {
        "path" if target.path().is_none() => Some("an output whose path, the `value` of its `target`, is a string"),
        "path" if source.is_some_and(|source| source.path().is_none()) => {
            Some("an output whose path, the `value` of its `source`, is a string")
        }
        "data" if source.is_some() => {
            Some("an output of `type: data`, which is taken from stdout or stderr, not a file")
        }
        "path" | "data" => None,
        _ => Some("an output whose `target` is of `type: path` or `type: data`"),
    }
}

/// A command line that is being put together.
#[derive(Default)]
struct Line {
    words: Vec<String>,
    stdin: Stdin,
    stdout: Stream,
    stderr: Stream,
}

#[derive(Default)]
enum Stdin {
    #[default]
    Nothing,
    File(String),
    Text(String),
}

/// What is wanted of an output stream.
#[derive(Default)]
struct Stream {
    file: Option<String>,
    is_kept: bool,
}

impl Line {
    fn new(command: &[&str]) -> Self {
        Line { words: command.iter().map(|&word| word.to_owned()).collect(), ..Line::default() }
    }

    fn add(&mut self, binding: &str, value: &str) {
        let word = format!("{binding}{value}");
        if !word.is_empty() {
            self.words.push(word);
        }
    }

    fn add_input(&mut self, argument: &Argument) {
        let source = argument.source.as_ref();
        let value = source.and_then(End::text).unwrap_or_default();
        if argument.target.is_none() {
            return self.add(&argument.binding, &value);
        }
        self.stdin =
            if source.is_some_and(|source| source.kind() == "path") { Stdin::File(value) } else { Stdin::Text(value) };
        self.add(&argument.binding, "");
    }

    fn add_output(&mut self, argument: &Argument, directory: &Path) -> Output {
        let mut target = argument.target.as_ref().map(|target| target.0.clone()).unwrap_or_default();
        let source = argument.source.as_ref();
        let from = source.map_or("", |source| source.kind());
        if argument.target.as_ref().is_some_and(|target| target.kind() == "data") {
            let is_stderr = from == "stderr";
            let stream = if is_stderr { &mut self.stderr } else { &mut self.stdout };
            stream.is_kept = true;
            self.add(&argument.binding, "");
            return Output::Kept { target, is_stderr };
        }
        let mut path = argument.target.as_ref().and_then(End::path).unwrap_or_default().to_owned();
        if directory.join(&path).is_dir() {
            path = Path::new(&path).join(uuid::Uuid::now_v7().to_string()).to_string_lossy().into_owned();
            target.insert("value", &path);
        }
        match from {
            "stdout" => self.stdout.file = Some(path),
            "stderr" => self.stderr.file = Some(path),
            "path" => {
                self.add(&argument.binding, "");
                let from = source.and_then(End::path).unwrap_or_default().to_owned();
                return Output::Copied { from, to: path, target };
            }
            _ => {
                self.add(&argument.binding, &path);
                return Output::Written { target };
            }
        }
        self.add(&argument.binding, "");
        Output::Written { target }
    }

    fn run(&self, run: &Run<'_>) -> Result<Ended, TaskFailure> {
        let shown = shlex::try_join(self.words.iter().map(String::as_str)).unwrap_or_else(|_| self.words.join(" "));
        let cannot = |source| TaskFailure::Start { command: shown.clone(), source };
        let mut command = run.seat.command(&self.words);
        command.current_dir(run.directory);
        let mut input = None;
        command.stdin(match &self.stdin {
            // A group of its own cannot read from the terminal: it would be stopped.
            Stdin::Nothing => Stdio::null(),
            Stdin::Text(text) => {
                input = Some(text.as_bytes().to_vec());
                Stdio::piped()
            }
            Stdin::File(name) => {
                let path = run.directory.join(name);
                File::open(&path).map_err(|source| TaskFailure::File { verb: "read", path, source })?.into()
            }
        });
        let (out, err) = (self.stdout.open(run)?, self.stderr.open(run)?);
        let sinks = (
            streams::stdout(out.as_ref(), self.stdout.is_kept).map_err(cannot)?,
            streams::stderr(err.as_ref(), self.stderr.is_kept).map_err(cannot)?,
        );
        let ended = process::run(&mut command, input, sinks, run.interrupt).map_err(|error| {
            streams::failure(error, &run.seat.shown(&shown), |stream| {
                let stream = if stream == 1 { &self.stdout } else { &self.stderr };
                run.directory.join(stream.file.as_deref().unwrap_or_default())
            })
        })?;
        if ended.code != 0 {
            let stderr = streams::tail(&String::from_utf8_lossy(&ended.stderr));
            return Err(TaskFailure::ReturnCode { task: NAME, command: shown, returncodes: vec![ended.code], stderr });
        }
        Ok(ended)
    }
}

impl Stream {
    fn open(&self, run: &Run<'_>) -> Result<Option<File>, TaskFailure> {
        let Some(name) = &self.file else { return Ok(None) };
        let path = run.directory.join(name);
        File::create(&path).map(Some).map_err(|source| TaskFailure::File { verb: "write", path, source })
    }
}

/// What becomes of an output when the command has ended.
enum Output {
    /// The command has written it.
    Written { target: Document },
    /// It is copied to where it belongs.
    Copied { from: String, to: String, target: Document },
    /// It is what the command has printed.
    Kept { target: Document, is_stderr: bool },
}

impl Output {
    /// The target, as FireWorks passes it on.
    fn result(self, ended: &Ended, run: &Run<'_>) -> Result<Document, TaskFailure> {
        match self {
            Output::Written { target } => Ok(target),
            Output::Copied { from, to, target } => {
                let (src, dest) = (run.directory.join(from), run.directory.join(to));
                match Mode::CopyFile.transfer(&src, &dest, run.interrupt) {
                    Ok(()) => Ok(target),
                    Err(_) if run.interrupt.is_raised() => Err(TaskFailure::Interrupted),
                    Err(source) => Err(TaskFailure::Transfer { mode: Mode::CopyFile.verb(), src, dest, source }),
                }
            }
            Output::Kept { mut target, is_stderr } => {
                let text = String::from_utf8_lossy(if is_stderr { &ended.stderr } else { &ended.stdout });
                target.insert("value", text.trim());
                Ok(target)
            }
        }
    }
}
