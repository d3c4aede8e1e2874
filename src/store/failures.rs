//! What launches say of their failures, and nothing else of them: there may be very many, and what
//! they have stored besides may be large.

use bson::{Bson, Document};

use super::Result;
use crate::workflow::{Launch, LaunchId, Loss};

/// How a launch failed, in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// The launch.
    pub launch_id: LaunchId,
    /// The host it ran on.
    pub host: String,
    /// The task that failed, by its `_fw_name`.
    pub task: Option<String>,
    /// What FireWorks keeps of an exception; of a launch that was lost, the reason.
    pub trace: Option<String>,
}

impl Failure {
    /// What a launch says.
    pub fn of(launch: &Launch) -> Self {
        let data = launch.action.as_ref().and_then(|action| action.get_document("stored_data").ok());
        Failure {
            launch_id: launch.launch_id,
            host: launch.host.clone(),
            task: data.and_then(task),
            trace: data.and_then(trace).or_else(|| launch.loss().map(|loss| loss.text)),
        }
    }

    /// The same of the parts of a document that matter.
    pub(super) fn of_parts(launch_id: LaunchId, host: String, data: &Document, last: &Document) -> Self {
        let trace = trace(data).or_else(|| Loss::from_document(last).map(|loss| loss.text));
        Failure { launch_id, host, task: task(data), trace }
    }
}

fn task(data: &Document) -> Option<String> {
    let name = data.get_document("_task").ok()?.get_str("_fw_name").ok()?;
    Some(name.to_owned())
}

fn trace(data: &Document) -> Option<String> {
    let exception = data.get_document("_exception").ok();
    let trace = exception.and_then(|exception| exception.get("_stacktrace")).and_then(Bson::as_str);
    trace.or_else(|| data.get_str("_message").ok()).map(str::to_owned)
}

/// The part of a store that tells of failures.
pub trait Failures {
    /// How these launches failed; those that do not exist are left out.
    fn failures(&self, launches: &[LaunchId]) -> Result<Vec<Failure>>;
}
