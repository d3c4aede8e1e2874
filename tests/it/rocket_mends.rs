//! A worker that is killed: who looks next on its host knows that it is gone.

use serde_json::json;
use volley::workflow::{Cause, State};

use crate::support::run::wait_until;
use crate::support::site::Site;

#[test]
fn a_killed_worker_is_lost_at_once() {
    let by = [["rapidfire"].as_slice(), &["singleshot"], &["singleshot", "-f", "1"]];
    for (site, words) in
        by.into_iter().flat_map(|words| Site::on_every_store().into_iter().map(move |site| (site, words)))
    {
        // Runs as long as the folder is there, and at once when it is run again.
        let begun = site.path().join("begun");
        let script =
            format!("test -e {0} && exit 0; touch {0}; while test -e {0}; do sleep 0.1; done", begun.display());
        let fw_id = site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": script}]));
        let victim = site.start(&["singleshot"]);
        wait_until("the script runs", || begun.exists());
        let lease = site.launch(fw_id).lease().expect("a worker of ours");
        assert_eq!(lease.pid, victim.pid().as_raw_nonzero().get().unsigned_abs());
        assert!(lease.born.is_some());
        drop(victim);

        let gone = format!("process {} on {} is gone", lease.pid, lease.host);
        let found = site.volley(&["lpad", "detect_lostruns"]).output().expect("runs");
        assert!(String::from_utf8_lossy(&found.stdout).contains("Lost launches: 1"), "{found:?}");
        assert!(String::from_utf8_lossy(&found.stderr).contains(&gone), "{found:?}");

        // Also one that finds nothing to do, and would leave at once.
        let log = site.run_well(words);
        assert!(log.contains("mended: "), "{log}");
        let firework = site.firework(fw_id);
        assert_eq!((firework.state, firework.archived_launches.len()), (State::Completed, 1));
        let launches = site.launchpad.store.find_launches(&firework.archived_launches).expect("finds");
        let loss = launches[0].loss().expect("is lost");
        assert_eq!(loss.cause, Cause::Unexplained);
        assert_eq!(loss.text, gone);

        let listed = site.volley(&["lpad", "-o", "json", "get_fws", "-d", "all"]).output().expect("runs");
        let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("is JSON");
        let last = listed["archived_launches"][0]["state_history"].as_array().and_then(|all| all.last());
        let last = last.expect("has a history");
        assert_eq!((&last["lost"], &last["cause"]), (&json!(loss.text), &json!("unexplained")));
    }
}
