//! Workflow files: FireWorks' YAML and JSON, one or several workflows in each.
//!
//! A file is read and checked whole before anything of it is used, and every complaint names
//! file, line and reason.

use std::path::{Path, PathBuf};

use bson::Document;
use serde_json::Value;

use crate::config::read;
use crate::workflow::{Draft, json};

mod check;
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
    tree: Option<Node>,
}

impl FoundWorkflow {
    /// The folder of the file: paths in the workflow are relative to it.
    pub fn base(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Something is wrong with a task (from 1) of the firework with this local id.
    pub fn wrong_task(&self, local_id: i64, task: usize, reason: String) -> WorkflowFileError {
        let line = self.tree.as_ref().and_then(|tree| check::task_line(tree, local_id, task));
        WorkflowFileError { path: self.path.clone(), line, reason }
    }
}

/// Reads the workflows of a file (`.yaml`, `.yml`, `.json`).
pub fn read(path: &Path) -> Result<Vec<FoundWorkflow>, WorkflowFileError> {
    let error = |line, reason: String| WorkflowFileError { path: path.to_owned(), line, reason };
    let json = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => true,
        Some("yaml" | "yml") => false,
        _ => return Err(error(None, "a workflow file ends with .yaml, .yml or .json".into())),
    };
    let bytes = std::fs::read(path).map_err(|io| error(None, io.to_string()))?;
    let text = read::text(bytes).map_err(|utf8| error(None, utf8.to_string()))?;
    let documents = if json {
        json_documents(&text).map_err(|bad| error(u64::try_from(bad.line()).ok(), bad.to_string()))?
    } else {
        yaml_documents(&text).map_err(|bad| {
            let line = bad.location().map(|location| location.line());
            error(line, bad.to_string())
        })?
    };
    if documents.is_empty() {
        return Err(error(None, "there is no workflow in it".into()));
    }
    let found = documents.into_iter().map(|(document, tree)| {
        let draft = match &tree {
            Some(tree) => check::draft(tree, &document).map_err(|(line, reason)| error(Some(line), reason))?,
            None => check::draft_without_lines(&document).map_err(|reason| error(None, reason))?,
        };
        Ok(FoundWorkflow { draft, path: path.to_owned(), tree })
    });
    found.collect()
}

type Documents = Vec<(Document, Option<Node>)>;

fn yaml_documents(text: &str) -> Result<Documents, serde_saphyr::Error> {
    let nodes = node::parse(text)?.into_iter();
    Ok(nodes.filter(|node| !node.is_null()).map(|node| (node.to_document(), Some(node))).collect())
}

/// JSON is read by JSON's rules (in strings YAML's differ); the YAML reader, which understands
/// nearly all of it, only tells the lines.
fn json_documents(text: &str) -> Result<Documents, serde_json::Error> {
    let value: Value = serde_json::from_str(text)?;
    let tree = node::parse(text).ok().and_then(|nodes| nodes.into_iter().next());
    let document = value.as_object().map(json::to_document).unwrap_or_default();
    Ok(vec![(document, tree)])
}
