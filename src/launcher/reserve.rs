//! `qlaunch -r`: jobs that are tied to fireworks. A firework is reserved first, its job gets its name
//! and its own keys of the queue adapter, and runs it and no other.
//!
//! Whatever fails on the way, the firework is READY again. When this process dies in between, the
//! next one that reserves gives back what has got no job.

use std::path::{Path, PathBuf};

use bson::{Bson, Document};
use jiff::{SignedDuration, Timestamp};

use super::{Launcher, LauncherError};
use crate::firetask::expand_variables;
use crate::launchpad::fw_json;
use crate::queue::{Job, JobId, JobState};
use crate::store::{Claim, ClaimRequest, FireworkQuery, Held, OfflineEnd, OfflineRun, Order, Store};
use crate::workflow::{FWorker, FwId, Launch, LaunchId, Lease, State, as_int};

/// FireWorks' `QUEUE_JOBNAME_MAXLEN`.
const LONGEST_NAME: usize = 20;
/// What has had no job for so long will not get one.
const DEAD: SignedDuration = SignedDuration::from_mins(10);
/// How FireWorks calls the file in which an offline run tells how far it has come.
const OFFLINE_FILE: &str = "FW_offline.json";

/// How fireworks are reserved.
pub struct Reserve<'a> {
    /// The launchpad.
    pub store: &'a dyn Store,
    /// What is reserved: what this worker takes.
    pub worker: &'a FWorker,
    /// Which of two fireworks of the same priority comes first.
    pub order: Order,
    /// Name and address of this host, as FireWorks records them.
    pub host: (&'a str, &'a str),
    /// What a job runs, where a firework has a `rocket_launch` of its own or not.
    pub command: &'a dyn Fn(Option<&str>) -> String,
}

impl Launcher<'_> {
    /// Reserves a firework and submits a job for it, from `dir` unless it names its directory, from
    /// `base` on. `None` when there is none to be reserved.
    pub(super) fn submit_reserved(
        &self,
        reserve: &Reserve<'_>,
        base: &Path,
        dir: &Path,
        fw_id: Option<FwId>,
    ) -> Result<Option<JobId>, LauncherError> {
        let absolute =
            |dir: &Path| std::path::absolute(dir).map_err(|source| LauncherError::Io { path: dir.to_owned(), source });
        let (base, dir) = (absolute(base)?, absolute(dir)?);
        let request = ClaimRequest {
            worker: reserve.worker,
            fw_id,
            retry: None,
            order: reserve.order,
            lease: &Lease::default(),
            host: reserve.host,
            directory: &|spec| directory(spec, &base, &dir),
            now: Timestamp::now(),
        };
        let Some(claim) = reserve.store.reserve(&request)? else { return Ok(None) };
        tracing::info!("reserved FW with fw_id: {}", claim.firework.fw_id);
        let launch_id = claim.launch.launch_id;
        match self.submit_claim(reserve, &claim) {
            Ok(job) => {
                let cluster = job.cluster.clone().or_else(|| self.queue.realm());
                match reserve.store.note_job(launch_id, &job.id, cluster.as_deref()) {
                    Ok(true) => {}
                    Ok(false) => tracing::warn!("launch {launch_id} is gone, and job {job} will find nothing to run"),
                    // The job runs all the same.
                    Err(error) => tracing::warn!("cannot note job {job} in launch {launch_id}: {error}"),
                }
                Ok(Some(job))
            }
            Err(error) => {
                give_back(reserve.store, claim.held());
                Err(error)
            }
        }
    }

    fn submit_claim(&self, reserve: &Reserve<'_>, claim: &Claim) -> Result<JobId, LauncherError> {
        let Claim { firework, launch } = claim;
        let own = firework.spec.get_document("_queueadapter").cloned().unwrap_or_default();
        let command = (reserve.command)(own.get_str("rocket_launch").ok());
        let command = with_fw_id(&command, firework.fw_id).ok_or(LauncherError::NotSingleshot)?;
        let is_offline = command.split_whitespace().any(|word| word == "--offline");
        let mut script = self.script.with("job_name", Some(job_name(&firework.name)));
        for (key, value) in &own {
            let value =
                key_value(value).ok_or_else(|| LauncherError::Key { fw_id: firework.fw_id, key: key.clone() })?;
            script = script.with(key, value);
        }
        let script = script.with("rocket_launch", Some(command));

        let dir = PathBuf::from(&launch.launch_dir);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| LauncherError::Io { path, source }
        };
        std::fs::create_dir_all(&dir).map_err(failed(&dir))?;
        fw_json::write(claim, &[]).map_err(|(path, source)| LauncherError::Io { path, source })?;
        if is_offline {
            let run = OfflineRun { fw_id: firework.fw_id, launch_id: launch.launch_id, name: firework.name.clone() };
            let file = dir.join(OFFLINE_FILE);
            let text = serde_json::json!({ "launch_id": launch.launch_id }).to_string();
            std::fs::write(&file, text).map_err(failed(&file))?;
            reserve.store.add_offline_run(&run, Timestamp::now())?;
        }
        script.write(&dir)?;
        let job = Job { dir, script: script.name().to_owned() };
        let id = self.queue.submit(&job).map_err(|source| LauncherError::Queue { submitted: 0, source })?;
        tracing::info!("submitted job {id} from {}", job.dir.display());
        Ok(id)
    }

    /// Gives back what somebody has reserved who died before there was a job. Where the queue has
    /// waiting jobs that no reservation knows, one of them may be it: then nothing is done.
    pub fn free_forgotten(&self, store: &dyn Store, now: Timestamp) -> Result<(), LauncherError> {
        let reserved = FireworkQuery { states: vec![State::Reserved], ..FireworkQuery::default() };
        let listed: Vec<LaunchId> =
            store.find_fireworks(&reserved)?.into_iter().flat_map(|firework| firework.launches).collect();
        let mut launches = store.find_launches(&listed)?;
        launches.retain(|launch| launch.state == State::Reserved);
        let is_old = |launch: &&Launch| launch.began().is_some_and(|began| now.duration_since(began) > DEAD);
        let forgotten: Vec<&Launch> =
            launches.iter().filter(|one| one.reservation().is_none()).filter(is_old).collect();
        if forgotten.is_empty() {
            return Ok(());
        }
        let jobs = self.queue.list().map_err(|source| LauncherError::Queue { submitted: 0, source })?;
        let is_known = |id: &JobId| launches.iter().any(|launch| launch.reservation() == Some(&id.id));
        if jobs.iter().any(|job| job.state == JobState::Waiting && !is_known(&job.id)) {
            return Ok(());
        }
        for launch in forgotten {
            tracing::warn!("fw_id {} was reserved, and never got a job", launch.fw_id);
            give_back(store, Held { fw_id: launch.fw_id, launch_id: launch.launch_id });
        }
        Ok(())
    }
}

/// The firework is READY again.
fn give_back(store: &dyn Store, held: Held) {
    let now = Timestamp::now();
    let cancelled = store.cancel_reservation(held, now).and_then(|cancelled| {
        store.close_offline_run(held.launch_id, OfflineEnd::Forgotten, now)?;
        Ok(cancelled)
    });
    match cancelled {
        Ok(true) => tracing::info!("fw_id {} is READY again", held.fw_id),
        Ok(false) => tracing::warn!("fw_id {} is not reserved any more", held.fw_id),
        Err(error) => tracing::warn!("cannot give back firework {}: {error}", held.fw_id),
    }
}

/// Where a firework runs: in `dir`, or where it says, as seen from `base`.
fn directory(spec: &Document, base: &Path, dir: &Path) -> PathBuf {
    match spec.get_str("_launch_dir").ok().filter(|wanted| !wanted.is_empty()) {
        Some(wanted) => base.join(expand_variables(wanted, |name| std::env::var(name).ok())),
        None => dir.to_owned(),
    }
}

/// The name of a job: that of its firework, in letters that a queue takes, as FireWorks has it.
fn job_name(name: &str) -> String {
    let allowed = |c: &char| c.is_ascii_alphanumeric() || "-_.() ".contains(*c);
    name.chars().filter(allowed).map(|c| if c == ' ' { '_' } else { c }).take(LONGEST_NAME).collect()
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

/// The command, which must launch a single firework, with the one it is to launch.
fn with_fw_id(command: &str, fw_id: FwId) -> Option<String> {
    const WORD: &str = "singleshot";
    let is_edge = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || ";&|".contains(c));
    let end = command.match_indices(WORD).map(|(at, _)| at + WORD.len()).find(|&end| {
        let start = end - WORD.len();
        is_edge(command[..start].chars().next_back()) && is_edge(command[end..].chars().next())
    })?;
    Some(format!("{} --fw_id {fw_id}{}", &command[..end], &command[end..]))
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
