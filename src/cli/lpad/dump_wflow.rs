//! `lpad dump_wflow`: a workflow with its launches in a file.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tempfile::Builder;

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Format};
use crate::launchpad::dump;
use crate::science::io::python;
use crate::workflow::FwId;
use crate::workflow::json::from_document;

/// Arguments of `lpad dump_wflow`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Any firework of the workflow
    #[arg(short = 'i', long = "fw_id", value_name = "ID")]
    fw_id: FwId,

    /// The file to write: .json, .yaml or .yml; - is standard output
    #[arg(short = 'f', long = "wf_file", value_name = "FILE")]
    file: Target,
}

/// Where to, and in which form.
#[derive(Debug, Clone)]
enum Target {
    Stdout,
    Json(PathBuf),
    Yaml(PathBuf),
}

impl FromStr for Target {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = PathBuf::from(text);
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if text == "-" => Ok(Target::Stdout),
            Some("json") => Ok(Target::Json(path)),
            Some("yaml" | "yml") => Ok(Target::Yaml(path)),
            _ => Err("the name of the file ends with .json, .yaml or .yml"),
        }
    }
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let dumped = Value::Object(from_document(&dump::workflow(&*store, args.fw_id)?));
    match &args.file {
        // On a terminal, too: a table of it would be no dump.
        Target::Stdout => {
            output::value(if context.format == Format::Table { Format::Json } else { context.format }, &dumped)?;
        }
        Target::Json(path) => write(path, &python::dumps(&dumped))?,
        Target::Yaml(path) => write(path, &output::yaml_document(&dumped))?,
    }
    Ok(Exit::Done)
}

/// Writes the whole file, or leaves the one that is there.
fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        bail!("cannot write {}: there is no folder {}", path.display(), folder.display());
    }
    let written = || {
        // Readable by whom the umask allows, as any file.
        let mut file = Builder::new().permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path)?;
        std::io::Result::Ok(())
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}
