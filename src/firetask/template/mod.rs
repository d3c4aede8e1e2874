//! `TemplateWriterTask`: writes a file from a Jinja2 template.
//!
//! Other than in FireWorks, nothing is escaped as if it were HTML (there `<` becomes `&lt;`), and
//! `append: true` appends (there it overwrites).

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bson::{Bson, Document};
use minijinja::{AutoEscape, Environment, Error, ErrorKind};

use super::params::{BadTask, Params};
use super::{Firetask, Run, TaskFailure};
use crate::config::read;
use crate::workflow::FwAction;

mod python;

/// Writes `output_file` from `template_file` and `context`.
pub struct TemplateWriterTask;

const NAME: &str = "TemplateWriterTask";
/// Its parameters.
const KEYS: [&str; 6] = ["template_file", "context", "output_file", "append", "template_dir", "use_global_spec"];

impl Firetask for TemplateWriterTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: NAME, values: task };
        params.refuse_misspelt(&KEYS)?;
        if params.are_global() { Ok(()) } else { Settings::read(&params).map(|_| ()) }
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let is_global = Params { task: NAME, values: run.task }.are_global();
        let params = Params { task: NAME, values: if is_global { run.spec } else { run.task } };
        let settings = Settings::read(&params)?;
        let folder = match settings.template_dir {
            Some(folder) => run.directory.join(folder),
            None => run.directory.join(run.template_dir.unwrap_or(Path::new(""))),
        };
        let text = render(&folder, &settings)?;
        let path = run.directory.join(settings.output_file);
        let mut options = OpenOptions::new();
        let file = options.create(true).write(true).append(settings.appends).truncate(!settings.appends).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|source| TaskFailure::File { verb: "write", path, source })?;
        Ok(FwAction::default())
    }
}

struct Settings<'a> {
    template_file: &'a str,
    template_dir: Option<&'a str>,
    context: &'a Document,
    output_file: &'a str,
    appends: bool,
}

impl<'a> Settings<'a> {
    fn read(params: &Params<'a>) -> Result<Self, BadTask> {
        let (key, expected) = ("context", "a mapping of the names in the template to their values");
        Ok(Settings {
            template_file: params.needed_text("template_file", "the name of the template")?,
            template_dir: params.text("template_dir")?,
            context: match params.get(key) {
                None => return Err(BadTask::Missing { task: NAME, key, expected }),
                Some(Bson::Document(context)) => context,
                Some(_) => return Err(params.wrong(key, expected)),
            },
            output_file: params.needed_text("output_file", "the name of the file to write")?,
            appends: params.flag("append").unwrap_or(false),
        })
    }
}

fn render(folder: &Path, settings: &Settings<'_>) -> Result<String, TaskFailure> {
    let path = folder.join(settings.template_file);
    let template = load(&path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => TaskFailure::Contents {
            path: path.clone(),
            reason: "there is no such template; say where it is: `template_dir`, or TEMPLATE_DIR in FW_config.yaml"
                .to_owned(),
        },
        _ => TaskFailure::File { verb: "read", path: path.clone(), source },
    })?;
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let includes = folder.to_owned();
    environment.set_loader(move |name| include(&includes, name));
    python::imitate(&mut environment);
    let rendered = environment.render_named_str(settings.template_file, &template, python::context(settings.context));
    rendered.map_err(|error| TaskFailure::Contents { path, reason: python::explain(&error) })
}

/// What an `include`, `import` or `extends` names; only what is below the folder, as in Jinja2.
fn include(folder: &Path, name: &str) -> Result<Option<String>, Error> {
    let pieces: Vec<&str> = name.split('/').filter(|piece| !piece.is_empty() && *piece != ".").collect();
    if pieces.contains(&"..") {
        return Ok(None);
    }
    let path = pieces.iter().fold(folder.to_owned(), |path: PathBuf, piece| path.join(piece));
    match load(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::new(ErrorKind::InvalidOperation, format!("cannot read {}: {error}", path.display()))),
    }
}

fn load(path: &Path) -> io::Result<String> {
    read::text(fs::read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
