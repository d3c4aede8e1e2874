//! What FireWorks adds to the action of every firework that asks for it: its place for those that
//! come after (`_pass_job_info`), the worker they must run on (`_preserve_fworker`), the files they
//! take over (`_files_out`).

use std::path::Path;

use bson::{Bson, Document, doc};

use super::files;
use crate::store::Claim;
use crate::workflow::firework::is_true;
use crate::workflow::{FWorker, FwAction, int};

/// The keys of a spec that are heeded here.
const KEYS: [&str; 4] = ["_pass_job_info", "_job_info", "_preserve_fworker", "_files_out"];

/// Whether an action may change what is heeded here.
pub fn is_concerned(action: &FwAction) -> bool {
    let named = action.update_spec.keys().any(|key| KEYS.contains(&key.as_str()));
    named || !action.mod_spec.is_empty()
}

/// Adds it; `spec` is the spec as the tasks have left it.
pub fn decorate(action: &mut FwAction, spec: &Document, claim: &Claim, worker: &FWorker) {
    let asks = |key: &str| spec.get(key).is_some_and(is_true);
    let launch_dir = &claim.launch.launch_dir;
    if asks("_pass_job_info") {
        let firework = &claim.firework;
        let this = Bson::Document(doc! {
            "fw_id": int(firework.fw_id),
            "name": &firework.name,
            "launch_dir": launch_dir,
            "state": firework.state.as_str(),
        });
        // With what it was told itself: the descendants learn of all before them.
        let mut all = spec.get_array("_job_info").cloned().unwrap_or_default();
        if !all.contains(&this) {
            all.push(this);
        }
        action.mod_spec.push(doc! { "_push_all": { "_job_info": all } });
    }
    if asks("_preserve_fworker") {
        action.update_spec.insert("_fworker", &worker.name);
    }
    action.mod_spec.extend(files::pass_on(spec, Path::new(launch_dir)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::launch::Place;
    use crate::workflow::{Firework, Launch, Lease, State};
    use jiff::Timestamp;

    fn decorated(spec: Document) -> FwAction {
        let at = Timestamp::UNIX_EPOCH;
        let lease = Lease { owner: "me".into(), pid: 7, until: at, ..Lease::default() };
        let place = Place {
            fworker: doc! {},
            launch_dir: "/d".into(),
            host: "h".into(),
            ip: "127.0.0.1".into(),
            ..Place::default()
        };
        let firework = Firework::new(3, "fw", spec.clone(), State::Running, at);
        let claim = Claim { firework, launch: Launch::running(5, 3, &place, &lease, at) };
        let mut action = FwAction { mod_spec: vec![doc! {"_set": {"x": 1}}], ..FwAction::default() };
        decorate(&mut action, &spec, &claim, &FWorker { name: "w".into(), ..FWorker::default() });
        action
    }

    #[test]
    fn only_who_asks_is_decorated() {
        let plain = decorated(doc! {"_pass_job_info": false, "_preserve_fworker": null, "_files_out": {}});
        assert_eq!((plain.update_spec.len(), plain.mod_spec.len()), (0, 1));
        let action = decorated(doc! {"_pass_job_info": true, "_preserve_fworker": true, "_job_info": [1]});
        assert_eq!(action.update_spec, doc! {"_fworker": "w"});
        let this = doc! {"fw_id": 3, "name": "fw", "launch_dir": "/d", "state": "RUNNING"};
        assert_eq!(action.mod_spec[1], doc! {"_push_all": {"_job_info": [1, this.clone()]}});
        let known = decorated(doc! {"_pass_job_info": true, "_job_info": [this.clone()]});
        assert_eq!(known.mod_spec[1], doc! {"_push_all": {"_job_info": [this]}}, "is told once");
    }
}
