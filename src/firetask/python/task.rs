//! The task that is none of ours: whatever its `_fw_name`, Python runs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use bson::{Bson, Document};
use serde_json::{Value, json};

use super::interpreter::Silence;
use super::{Python, wire};
use crate::firetask::{BadTask, Firetask, Run, TaskFailure, streams};
use crate::workflow::FwAction;

/// Where the bridge has tasks print to, in the launch directory; what they say last is last.
const OUTPUT: [&str; 2] = ["FW_job.out", "FW_job.error"];

/// Runs any task in a Python.
pub struct PythonTask<'a>(pub &'a Python);

impl Firetask for PythonTask<'_> {
    fn name(&self) -> &'static str {
        "Python"
    }

    fn prepare(&self, _task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        Ok(())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let request = json!({"run": {
            "task": wire::encode_document(run.task),
            "spec": wire::encode_document(run.spec),
            "directory": run.directory,
            "fw_id": run.fw_id,
            "launch_id": run.launch_id,
            "environment": BTreeMap::from(run.seat.exports()),
        }});
        let mut state = self.0.lock();
        match self.0.ask(&mut state, &request, run.interrupt) {
            Ok(answer) => read(&answer),
            Err(Silence::Interrupted) => Err(TaskFailure::Interrupted),
            Err(silence @ (Silence::NotStarted(_) | Silence::Unreadable(_))) => {
                Err(TaskFailure::NoPython(silence.to_string()))
            }
            Err(Silence::Ended(status)) => Err(TaskFailure::PythonEnded { status, output: last_output(run.directory) }),
        }
    }
}

fn read(answer: &Value) -> Result<FwAction, TaskFailure> {
    if let Some(failure) = answer.get("failure") {
        let traceback = failure["traceback"].as_str().unwrap_or_default().trim_end().to_owned();
        return Err(TaskFailure::Python { traceback, details: Box::new(wire::decode(&failure["details"])) });
    }
    match wire::decode(&answer["action"]) {
        Bson::Document(action) => {
            FwAction::from_document(&action).map_err(|error| TaskFailure::Action(error.to_string()))
        }
        _ => Ok(FwAction::default()),
    }
}

/// The last that was printed before the end. Files in which nothing is go, as they do after a task
/// that comes to its own end.
fn last_output(directory: &Path) -> String {
    let mut said = String::new();
    for name in OUTPUT {
        let path = directory.join(name);
        let text = fs::read(&path).unwrap_or_default();
        if text.is_empty() {
            // It may not even have been made.
            let _ = fs::remove_file(&path);
        } else {
            said = streams::tail(&String::from_utf8_lossy(&text));
        }
    }
    said
}
