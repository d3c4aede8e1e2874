//! `lpad detect_unreserved`: reservations that no queue job has come for.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::workflow::State;

use crate::support::raw::reserve;
use crate::support::run::Ran;
use crate::support::site::Site;

#[test]
fn old_reservations_are_shown_and_undone() {
    for site in Site::on_every_store() {
        site.write("my_qadapter.yaml", "_fw_q_type: local\n");
        let lpad = |words: &[&str]| Ran::of(&mut site.volley(&[&["lpad", "detect_unreserved"], words].concat())).done();
        for (job, days) in [("11", 15), ("12", 13)] {
            let fw_id = site.add_tasks(json!([{"_fw_name": "ScriptTask", "script": "true"}]));
            reserve(&site.launchpad.location, fw_id, job, Timestamp::now() - SignedDuration::from_hours(24 * days));
        }
        assert_eq!(lpad(&[]).stdout, "[1001]\n");
        assert_eq!(lpad(&["--time", "60", "-d", "ids"]).stdout, "[\n    1,\n    2\n]\n[1001, 1002]\n");
        assert_eq!([site.state(1), site.state(2)], [State::Reserved; 2]);
        let ran = lpad(&["--rerun"]);
        assert!(ran.stderr.contains("queue job 11 of fw 1 is not in the queue any more"), "{ran:?}");
        assert_eq!([site.state(1), site.state(2)], [State::Ready, State::Reserved]);
        assert_eq!(lpad(&["-d", "none"]).stdout, "[]\n");
    }
}
