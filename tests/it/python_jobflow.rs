//! Jobflow's flows, and quacc's recipes in them, run by our worker: what Python adds comes to its
//! end, whatever it grows on the way, and the outputs are in the job store.

use serde_json::Value;
use volley::store::Location;
use volley::workflow::State;

use crate::support::python::PythonSite;

/// Runs the fixture that speaks Jobflow.
fn flows(site: &PythonSite, arguments: &[&str]) -> String {
    let Location::Mongo(settings) = &site.site.launchpad.location else { unreachable!("it is MongoDB") };
    let address = settings.host.trim_start_matches("mongodb://").trim_end_matches('/');
    let (host, port) = address.rsplit_once(':').expect("HOST:PORT");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/python/flows.py");
    let mut command = site.python(&[&[script, host, port, &settings.name], arguments].concat());
    let output = command.env("QUACC_WORKFLOW_ENGINE", "jobflow").output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn flows_complete_and_their_outputs_are_in_the_job_store() {
    let Some(site) = PythonSite::mongo() else { return };
    flows(&site, &["functions", "chain", "slabs"]);
    assert_eq!(site.site.fireworks().len(), 3 + 2 + 1);
    let mut command = site.volley(&["rlaunch", "rapidfire"]);
    let ran = command.env("QUACC_WORKFLOW_ENGINE", "jobflow").output().expect("runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    for firework in site.site.fireworks() {
        let action = site.site.launch(firework.fw_id).action;
        assert_eq!(firework.state, State::Completed, "{}: {action:?}", firework.name);
    }
    let outputs: Value = serde_json::from_str(&flows(&site, &[])).expect("is JSON");
    let of = |name: &str| -> Vec<&Value> {
        let outputs = outputs.as_array().expect("a list").iter();
        outputs.filter(|document| document["name"] == name).map(|document| &document["output"]).collect()
    };
    // 1 + 2 jobs were spread, and their sum stands for the job that did so.
    assert_eq!(of("add").len(), 1 + 3);
    assert!(of("total").iter().all(|total| **total == 33), "{:?}", of("total"));
    // One of the chain, four of the slabs; each relaxed to the energy that its static run has.
    let energies = |name: &str| -> Vec<f64> {
        let energy = |output: &&Value| output["results"]["energy"].as_f64().expect("an energy");
        let mut energies: Vec<f64> = of(name).iter().map(energy).collect();
        energies.sort_by(f64::total_cmp);
        energies
    };
    let (relaxed, computed) = (energies("relax_job"), energies("static_job"));
    assert_eq!(relaxed.len(), 5);
    assert!(relaxed.iter().zip(&computed).all(|(one, other)| (one - other).abs() < 1e-6), "{relaxed:?} {computed:?}");
    assert!(relaxed.iter().any(|energy| (energy + 0.005_681_511_358_581_304).abs() < 1e-6), "{relaxed:?}");
}
