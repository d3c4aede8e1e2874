//! `qlaunch -r`: jobs that are tied to fireworks. A firework is reserved first, its job gets its name
//! and its own keys of the queue adapter, and runs it and no other.
//!
//! The launch of a reserved firework has the token of the place that was taken for its job, so the two
//! belong together before the job has a number, and whatever fails on the way, the firework is READY
//! again: by us, or by the next launcher when this one dies in between.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bson::{Bson, Document};
use jiff::Timestamp;

use super::rocket_launch::with_options;
use super::{Launcher, LauncherError, Script, io_error};
use crate::launchpad::fw_json;
use crate::queue::Kind;
use crate::store::ledger::Entry;
use crate::store::{self, Claim, ClaimRequest, Held, OfflineEnd, OfflineRun, Order, Store};
use crate::workflow::reserved::fixed_directory;
use crate::workflow::{FWorker, Firework, FwId, LaunchId, Lease, as_int};

/// FireWorks' `QUEUE_JOBNAME_MAXLEN`.
const LONGEST_NAME: usize = 20;
/// How FireWorks calls the file in which an offline run tells how far it has come.
pub(super) const OFFLINE_FILE: &str = "FW_offline.json";

/// How fireworks are reserved.
pub struct Reserve<'a> {
    /// The launchpad.
    pub store: &'a dyn Store,
    /// What is reserved: what this worker takes.
    pub worker: &'a dyn Fn() -> store::Result<FWorker>,
    /// Fireworks that the queue does not take as they are, and the worker is not to take.
    pub refused: &'a RefCell<BTreeSet<FwId>>,
    /// Which of two fireworks of the same priority comes first.
    pub order: Order,
    /// Name and address of this host, as FireWorks records them.
    pub host: (&'a str, &'a str),
    /// What a job runs, where a firework has a `rocket_launch` of its own or not.
    pub command: &'a dyn Fn(Option<&str>) -> String,
}

impl Reserve<'_> {
    /// Reserves a firework for the job of a place, which runs in `dir` unless the firework names its
    /// directory, from `base` on. `None` when there is none to be reserved.
    pub(super) fn take(
        &self,
        place: &Entry,
        base: &Path,
        dir: &Path,
        fw_id: Option<FwId>,
    ) -> Result<Option<Claim>, LauncherError> {
        let worker = (self.worker)()?;
        let request = ClaimRequest {
            worker: &worker,
            fw_id,
            retry: None,
            order: self.order,
            lease: &Lease::default(),
            host: self.host,
            token: Some(&place.token),
            directory: &|spec| directory(spec, base, dir),
            now: Timestamp::now(),
        };
        let claim = self.store.reserve(&request)?;
        if let Some(claim) = &claim {
            tracing::info!("reserved FW with fw_id: {}", claim.firework.fw_id);
        }
        Ok(claim)
    }

    /// Why there is no job for a firework that is READY again. What is the matter with its own keys is
    /// no matter of the others.
    pub(super) fn blame(&self, firework: &Firework, error: LauncherError) -> LauncherError {
        let has_own = firework.spec.get_document("_queueadapter").is_ok_and(|own| !own.is_empty());
        let is_its = match &error {
            LauncherError::Key { .. } | LauncherError::NotSingleshot | LauncherError::Array => true,
            error => error.kind() == Some(Kind::Wrong),
        };
        if !(has_own && is_its) {
            return error;
        }
        self.refused.borrow_mut().insert(firework.fw_id);
        LauncherError::Firework { fw_id: firework.fw_id, source: Box::new(error) }
    }
}

impl Launcher<'_> {
    /// The script of the job of a firework, and its directory, made and with `FW.json`.
    pub(super) fn prepare(&self, reserve: &Reserve<'_>, claim: &Claim) -> Result<(Script, PathBuf), LauncherError> {
        let Claim { firework, launch } = claim;
        let own = firework.spec.get_document("_queueadapter").cloned().unwrap_or_default();
        if own.contains_key("array") {
            return Err(LauncherError::Array);
        }
        let command = (reserve.command)(own.get_str("rocket_launch").ok());
        let command = with_fw_id(&command, firework.fw_id).ok_or(LauncherError::NotSingleshot)?;
        let is_offline = is_offline(&command);
        let named = self.script.with("job_name", Some(job_name(&firework.name)));
        let script = with_keys(&named, &own).map_err(|key| LauncherError::Key { key })?;
        for key in self.script.strangers(own.keys().map(String::as_str)) {
            tracing::warn!("firework {}: `_queueadapter`: {key} is no key of the template, ignored", firework.fw_id);
        }
        let script = script.with("rocket_launch", Some(command));

        let dir = PathBuf::from(&launch.launch_dir);
        std::fs::create_dir_all(&dir).map_err(io_error(&dir))?;
        fw_json::write(claim, &[]).map_err(|(path, source)| LauncherError::Io { path, source })?;
        if is_offline {
            let run = OfflineRun { fw_id: firework.fw_id, launch_id: launch.launch_id, name: firework.name.clone() };
            let file = dir.join(OFFLINE_FILE);
            let text = serde_json::json!({ "launch_id": launch.launch_id }).to_string();
            std::fs::write(&file, text).map_err(io_error(&file))?;
            reserve.store.add_offline_run(&run, Timestamp::now())?;
        }
        Ok((script, dir))
    }
}

/// The firework is READY again. `false` when the launchpad does not tell.
pub fn give_back(store: &dyn Store, fw_id: FwId, launch_id: LaunchId) -> bool {
    let now = Timestamp::now();
    let cancelled = store.cancel_reservation(Held { fw_id, launch_id }, now).and_then(|cancelled| {
        store.close_offline_run(launch_id, OfflineEnd::Forgotten, now)?;
        Ok(cancelled)
    });
    match cancelled {
        Ok(true) => tracing::info!("fw_id {fw_id} is READY again"),
        Ok(false) => tracing::warn!("fw_id {fw_id} is not reserved any more"),
        Err(error) => {
            tracing::warn!("cannot give back firework {fw_id} yet: {error}");
            return false;
        }
    }
    true
}

/// Where a firework's job starts: in `dir`, or where the firework says, as seen from `base`. Variables
/// such as `$SCRATCH` are for the worker to read, which goes there from `dir`.
fn directory(spec: &Document, base: &Path, dir: &Path) -> PathBuf {
    fixed_directory(spec).map_or_else(|| dir.to_owned(), |wanted| base.join(wanted))
}

/// The name of a job: that of its firework, in letters that a queue takes, as FireWorks has it.
fn job_name(name: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "-_.() ".contains(*c);
    name.chars().filter(allowed).map(|c| if c == ' ' { '_' } else { c }).take(LONGEST_NAME).collect()
}

/// A script with the keys of a `_queueadapter`; the key that no template can take, if there is one.
pub(super) fn with_keys(script: &Script, own: &Document) -> Result<Script, String> {
    own.iter().try_fold(script.clone(), |script, (key, value)| {
        let value = key_value(value).ok_or_else(|| key.clone())?;
        Ok(script.with(key, value))
    })
}

/// A value of `_queueadapter` as it stands in a template: nothing where it takes a key away.
fn key_value(value: &Bson) -> Option<Option<String>> {
    match value {
        Bson::Null => Some(None),
        Bson::String(text) => Some(Some(text.clone())),
        Bson::Boolean(yes) => Some(Some(if *yes { "True" } else { "False" }.to_owned())),
        number => as_int(number)
            .map(|number| number.to_string())
            .or(number.as_f64().map(|number| number.to_string()))
            .map(Some),
    }
}

/// Whether a command launches a single firework, as jobs do that are for one.
pub fn is_singleshot(command: &str) -> bool {
    with_fw_id(command, 0).is_some()
}

/// Whether a command runs without the launchpad.
pub fn is_offline(command: &str) -> bool {
    command.split_whitespace().any(|word| word == "--offline")
}

/// The command, which must launch a single firework, with the one it is to launch.
fn with_fw_id(command: &str, fw_id: FwId) -> Option<String> {
    with_options(command, "singleshot", &format!("--fw_id {fw_id}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn a_job_runs_its_firework_alone() {
        for (command, expected) in [
            ("rlaunch singleshot", Some("rlaunch singleshot --fw_id 7")),
            (
                "cd x\nrlaunch singleshot --offline; echo $?",
                Some("cd x\nrlaunch singleshot --fw_id 7 --offline; echo $?"),
            ),
            ("rlaunch singleshot; date", Some("rlaunch singleshot --fw_id 7; date")),
            ("rlaunch rapidfire", None),
            ("./singleshots", None),
        ] {
            assert_eq!(with_fw_id(command, 7).as_deref(), expected, "{command}");
        }
    }

    #[test]
    fn jobs_are_called_as_in_fireworks() {
        assert_eq!(job_name("a job with a very long name & symbols!"), "a_job_with_a_very_lo");
        assert_eq!(job_name("Cu/111 (x)"), "Cu111_(x)");
    }

    #[test]
    fn keys_become_text() {
        assert_eq!(key_value(&4.into()), Some(Some("4".into())));
        assert_eq!(key_value(&Bson::Double(1.5)), Some(Some("1.5".into())));
        assert_eq!(key_value(&Bson::Null), Some(None));
        assert_eq!(key_value(&doc! {}.into()), None);
    }
}
