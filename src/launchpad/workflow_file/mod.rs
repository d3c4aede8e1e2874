//! Workflow files: FireWorks' YAML and JSON, one or several workflows in each.
//!
//! A file is read and checked whole before anything of it is used, and every complaint names
//! file, line and reason.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::config::read;
use crate::workflow::Draft;

mod check;
mod json;
mod node;

use node::Node;

/// What is wrong with a workflow file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{}: {reason}", .path.display(), .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct WorkflowFileError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1, when one can be named.
    pub line: Option<u64>,
    /// What is wrong there.
    pub reason: String,
}

/// A workflow of a file.
#[derive(Debug)]
pub struct FoundWorkflow {
    /// The workflow.
    pub draft: Draft,
    path: PathBuf,
    tree: Node,
}

impl FoundWorkflow {
    /// The folder of the file: paths in the workflow are relative to it.
    pub fn base(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Something is wrong with a task (from 1) of the firework with this local id, perhaps with
    /// the value of a key.
    pub fn wrong_task(&self, local_id: i64, task: usize, key: Option<&str>, reason: String) -> WorkflowFileError {
        let line = check::task_line(&self.tree, local_id, task, key);
        WorkflowFileError { path: self.path.clone(), line, reason }
    }
}

/// The name of standard input; files that it speaks of are looked for in the present folder.
pub const STDIN: &str = "-";

/// Reads the workflows of a file (`.yaml`, `.yml`, `.json`), or of standard input.
pub fn read(path: &Path) -> Result<Vec<FoundWorkflow>, WorkflowFileError> {
    let error = |line, reason: String| WorkflowFileError { path: path.to_owned(), line, reason };
    if path.is_dir() {
        return Err(error(None, "is a folder; to add the workflow files in it, say -d".into()));
    }
    let json = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        // JSON is YAML as well.
        _ if path == Path::new(STDIN) => false,
        _ => return Err(error(None, "a workflow file ends with .yaml, .yml or .json".into())),
    };
    let bytes = if path == Path::new(STDIN) {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    let bytes = bytes.map_err(|io| error(None, io.to_string()))?;
    let text = read::text(bytes).map_err(|utf8| error(None, utf8.to_string()))?;
    let documents = if json {
        let tree = json::parse(&text).map_err(|bad| error(u64::try_from(bad.line()).ok(), bad.to_string()))?;
        vec![tree]
    } else {
        yaml_documents(&text).map_err(|bad| {
            let (line, reason) = read::yaml_mistake(&bad);
            error(line, reason)
        })?
    };
    if documents.is_empty() {
        return Err(error(None, "there is no workflow in it".into()));
    }
    let found = documents.into_iter().map(|tree| {
        let draft = check::draft(&tree).map_err(|(line, reason)| error(Some(line), reason))?;
        Ok(FoundWorkflow { draft, path: path.to_owned(), tree })
    });
    found.collect()
}

fn yaml_documents(text: &str) -> Result<Vec<Node>, serde_saphyr::Error> {
    Ok(node::parse(text)?.into_iter().filter(|node| !node.is_null()).collect())
}
