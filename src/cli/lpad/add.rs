//! `lpad add FILE...`: all files are read and checked before the first workflow is stored.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::Context;
use super::listing::print_ids;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Format};
use crate::firetask;
use crate::launchpad::check;
use crate::launchpad::workflow_file::{self, FoundWorkflow, WorkflowFileError};
use crate::workflow::{Draft, FwId};

/// Arguments of `lpad add`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Workflow files: .yaml, .yml or .json; - is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The arguments are folders; every workflow file in them is added
    #[arg(short, long)]
    dir: bool,

    /// Check first that the tasks get what they need, as check_wflow does [FireWorks: -c]
    #[arg(long)]
    check: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let files = if args.dir { files_in(&args.files)? } else { args.files.clone() };
    let drafts = read_all(&files)?;
    if args.check {
        check(&drafts)?;
    }
    warn_of_strangers(&drafts);
    let store = context.open()?;
    let ids = store.insert(&drafts, Timestamp::now())?;
    print(context.format, &drafts, &ids)?;
    Ok(Exit::Done)
}

/// Names the tasks that are not built in.
pub fn warn_of_strangers(drafts: &[Draft]) {
    for (task, hint) in drafts.iter().flat_map(firetask::strangers).collect::<BTreeMap<_, _>>() {
        // One that resembles nothing is hardly a slip of the pen.
        if hint.is_empty() {
            tracing::info!("`{task}` is no native task: workers look for it in their Python");
        } else {
            tracing::warn!("no native task is called `{task}`{hint}: workers look for it in their Python");
        }
    }
}

/// Says which ids the workflows got.
pub fn print(format: Format, drafts: &[Draft], ids: &[Vec<(i64, FwId)>]) -> Result<()> {
    match format {
        Format::Table => {}
        Format::Ids => return print_ids(format, ids.iter().flatten().map(|(_, id)| *id)),
        _ => return output::list(format, ids.iter().map(|ids| id_map(ids)).collect()),
    }
    for (draft, ids) in drafts.iter().zip(ids) {
        output::text(&sentence(draft, ids))?;
    }
    Ok(())
}

/// The workflow files of folders, by name; what is hidden or no workflow file is left out.
fn files_in(folders: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in folders {
        let context = || format!("cannot read the folder {}", folder.display());
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).with_context(context)? {
            let path = entry.with_context(context)?.path();
            if is_workflow_file(&path) {
                found.push(path);
            }
        }
        if found.is_empty() {
            bail!("no workflow file (.yaml, .yml, .json) in {}", folder.display());
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

fn is_workflow_file(path: &Path) -> bool {
    let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    let extension = path.extension().and_then(|extension| extension.to_str());
    !hidden && path.is_file() && matches!(extension, Some("yaml" | "yml" | "json"))
}

/// Reads and checks every file; all that is wrong is said at once.
pub fn read_all(files: &[PathBuf]) -> Result<Vec<Draft>> {
    let mut drafts = Vec::new();
    let mut mistakes = Vec::new();
    for file in files {
        match workflow_file::read(file) {
            Err(mistake) => mistakes.push(mistake.to_string()),
            Ok(found) => {
                for workflow in found {
                    match prepare(workflow) {
                        Ok(draft) => drafts.push(draft),
                        Err(mistake) => mistakes.push(mistake.to_string()),
                    }
                }
            }
        }
    }
    if !mistakes.is_empty() {
        bail!("{}\nnothing was added", mistakes.join("\n"));
    }
    Ok(drafts)
}

/// Refuses workflows whose tasks do not fit together.
fn check(drafts: &[Draft]) -> Result<()> {
    let faults: Vec<String> = drafts
        .iter()
        .flat_map(|draft| check::draft(draft).into_iter().map(|fault| format!("workflow `{}`: {fault}", draft.name)))
        .collect();
    if !faults.is_empty() {
        bail!("{}\nnothing was added", faults.join("\n"));
    }
    Ok(())
}

/// Completes the tasks: structures in files become part of the workflow.
fn prepare(mut found: FoundWorkflow) -> Result<Draft, WorkflowFileError> {
    let base = found.base().to_owned();
    match firetask::prepare(&mut found.draft, &base) {
        Ok(()) => Ok(found.draft),
        Err(wrong) => Err(found.wrong_task(wrong.fw, wrong.task, wrong.key.as_deref(), wrong.to_string())),
    }
}

fn id_map(ids: &[(i64, FwId)]) -> Value {
    Value::Object(ids.iter().map(|(local, id)| (local.to_string(), Value::from(*id))).collect::<Map<_, _>>())
}

fn sentence(draft: &Draft, ids: &[(i64, FwId)]) -> String {
    let pairs: Vec<String> = ids.iter().map(|(local, id)| format!("{local}: {id}")).collect();
    format!("Added workflow `{}`. id_map: {{{}}}", draft.name, pairs.join(", "))
}
