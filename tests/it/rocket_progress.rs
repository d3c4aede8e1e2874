//! A relaxation that is stopped goes on from where it was, on whichever worker.

use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};
use volley::science::structure;
use volley::workflow::{Launch, State};

use crate::support::relaxation::{last_energy, never_done, opt_steps};
use crate::support::run::wait_until;
use crate::support::site::Site;

fn progress(launch: &Launch) -> (i64, Value) {
    let (task, progress) = launch.progress().expect("has kept it");
    assert_eq!(task, 0);
    let steps = progress.get("steps").and_then(volley::workflow::as_int).expect("a number");
    (steps, volley::workflow::json::from_bson(progress.get("atoms").expect("is kept")))
}

/// Starts a worker in a folder of its own and stops it after some steps. Returns its log.
fn run_for_a_while(site: &Site, folder: &Path, signal: Signal) -> String {
    std::fs::create_dir_all(folder).expect("makes it");
    let worker = site.start_in(folder, &["-c", site.path().to_str().expect("is UTF-8"), "singleshot"]);
    wait_until("it has made some steps", || opt_steps(folder) > 3);
    worker.signal(signal);
    let (code, log) = worker.end();
    assert_eq!(code, Some(128 + signal.as_raw()), "{log}");
    log
}

#[test]
fn a_stopped_relaxation_goes_on_from_its_last_geometry() {
    for site in Site::on_every_store() {
        let fw_id = site.add_tasks(never_done(2, json!({})));
        let (first, second) = (site.path().join("first"), site.path().join("second"));
        run_for_a_while(&site, &first, Signal::TERM);
        let (steps, atoms) = progress(&site.given_back(fw_id));
        // What opt.log says is what has been kept: steps are counted from 0.
        assert_eq!(usize::try_from(steps).expect("is positive") + 1, opt_steps(&first));
        let energy = last_energy(&first);
        // No file is needed.
        std::fs::remove_dir_all(&first).expect("is there");

        let log = run_for_a_while(&site, &second, Signal::USR1);
        assert!(
            log.contains(&format!("was interrupted after {steps} steps: going on from its last geometry")),
            "{log}"
        );
        let begun = structure::read_frames(&second.join("opt.extxyz")).expect("is read").remove(0);
        let kept = structure::build(&atoms).expect("is one");
        let far = |(a, b): (&[f64; 3], &[f64; 3])| (0..3).any(|k| (a[k] - b[k]).abs() > 1e-7);
        assert!(!begun.positions().iter().zip(kept.positions()).any(far));
        let log_file = std::fs::read_to_string(second.join("opt.log")).expect("is there");
        let at_start = log_file.lines().nth(1).expect("has a first step");
        assert!(at_start.contains(&energy), "{at_start} after {energy}");
        assert_ne!(progress(&site.given_back(fw_id)).1, atoms, "it has moved on");
    }
}

#[test]
fn what_is_given_or_allowed_anew_begins_anew() {
    let site = Site::sqlite();
    let fw_id = site.add_tasks(never_done(2, json!({"relax_cell": true})));
    let folder = |name: &str| site.path().join(name);
    run_for_a_while(&site, &folder("a"), Signal::TERM);
    let fixed_cell = never_done(2, json!({}));
    let set = bson::doc! {"_tasks": volley::workflow::json::to_bson(&fixed_cell)};
    let update = |set: &bson::Document| {
        let store = &site.launchpad.store;
        let changed = store
            .update_specs(
                &[fw_id],
                &volley::workflow::SpecChange::setting(set.clone()).expect("a change"),
                jiff::Timestamp::now(),
            )
            .expect("updates");
        assert_eq!(changed, [fw_id]);
    };
    update(&set);
    let log = run_for_a_while(&site, &folder("b"), Signal::TERM);
    assert!(!log.contains("going on"), "the cell must not move any more: {log}");
    let other = never_done(1, json!({}));
    update(&bson::doc! {"_tasks": volley::workflow::json::to_bson(&other)});
    let log = run_for_a_while(&site, &folder("c"), Signal::TERM);
    assert!(!log.contains("going on"), "another structure: {log}");
    assert_eq!(site.state(fw_id), State::Ready);
}
