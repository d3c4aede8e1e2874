//! The recipe tasks, as `rlaunch` runs them.

use serde_json::{Value, json};
use volley::workflow::State;

use crate::support::cli::Cli;
use crate::support::run::wait_until;
use crate::support::site::Site;
use crate::support::{Worker, stopped};

/// A workflow: slabs of aluminium, a table, and the settings of the first.
fn slabs(more: Value) -> Value {
    let mut task = json!({
        "_fw_name": "EmtBulkToSlabsTask",
        "structure": {"bulk": {"name": "Al", "cubic": true}},
        "make_slabs_kwargs": {"min_slab_size": 5.0, "min_length_width": 3.0, "min_vacuum_size": 8.0},
    });
    task.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    json!({
        "fws": [
            {"fw_id": 1, "name": "slabs", "spec": {"_tasks": [task], "_priority": 7}},
            {"fw_id": 2, "name": "table", "spec": {"_tasks": [{"_fw_name": "CollectResultsTask"}]}},
        ],
        "links": {"1": [2]},
    })
}

/// The table of the second firework.
fn table(site: &Site) -> Vec<Value> {
    let data = volley::workflow::json::from_document(&site.stored_data(2));
    data["results"].as_array().expect("a list").clone()
}

#[test]
fn each_slab_becomes_a_chain_that_the_table_waits_for() {
    for site in Site::on_every_store() {
        site.add(slabs(json!({})));
        site.run_well(&["singleshot"]);
        let names: Vec<String> = site.fireworks().into_iter().map(|firework| firework.name).collect();
        assert_eq!(names.len(), 2 + 2 * 3, "{names:?}");
        assert_eq!(names[2..4], ["relax Al8 (1 0 0) 0.25", "static Al8 (1 0 0) 0.25"], "{names:?}");
        assert_eq!(site.state(2), State::Waiting);
        assert_eq!(site.firework(3).spec.get("_priority"), Some(&7.into()), "what comes of a firework is as urgent");
        site.run_well(&["rapidfire"]);
        assert!(site.fireworks().iter().all(|firework| firework.state == State::Completed));
        let rows = table(&site);
        let planes: Vec<&Value> = rows.iter().map(|row| &row["miller_index"]).collect();
        assert_eq!(planes, [&json!([1, 0, 0]), &json!([1, 1, 0]), &json!([1, 1, 1])]);
        for row in &rows {
            assert_eq!(row["name"], "EMT Static");
            assert!(row["surface_energy"].as_f64().is_some_and(|energy| energy > 0.01), "{row}");
            assert!(row["steps"].as_i64().is_some() && row["fw_id"].as_i64().is_some(), "{row}");
        }
    }
}

#[test]
fn one_firework_can_do_it_all_with_the_same_numbers() {
    let (chains, one) = (Site::sqlite(), Site::sqlite());
    chains.add(slabs(json!({"run_static": false})));
    one.add(slabs(json!({"run_static": false, "in_one_firework": true})));
    chains.run_well(&["rapidfire"]);
    one.run_well(&["rapidfire"]);
    assert_eq!((chains.fireworks().len(), one.fireworks().len()), (5, 2));
    let numbers = |site: &Site| {
        let mut rows = table(site);
        for row in &mut rows {
            row.as_object_mut().expect("an object").retain(|key, _| !["fw_id", "launch_id"].contains(&key.as_str()));
        }
        rows
    };
    assert_eq!(numbers(&chains), numbers(&one));
    let document = one.stored_data(1);
    assert_eq!(document.get_array("relax").expect("is stored").len(), 3);
}

#[test]
fn both_ways_warn() {
    for in_one_firework in [false, true] {
        let site = Site::sqlite();
        let kwargs = json!({"allowed_surface_symbols": "Cu"});
        site.add(slabs(json!({"in_one_firework": in_one_firework, "make_slabs_kwargs": kwargs})));
        let log = site.run_well(&["rapidfire"]);
        assert!(log.contains("no slab was kept: none has Cu at its top"), "{log}");
        assert_eq!((site.fireworks().len(), table(&site)), (2, Vec::new()));
    }
}

#[test]
fn the_bulk_is_relaxed_first_when_asked_for() {
    let site = Site::sqlite();
    site.add(slabs(json!({"relax_bulk": true, "run_static": false})));
    site.run_well(&["rapidfire"]);
    let data = volley::workflow::json::from_document(&site.stored_data(1));
    assert_eq!(data["bulk"]["converged"], true);
    let volume = data["bulk"]["structure_metadata"]["volume"].as_f64().expect("a number");
    // EMT's lattice constant of aluminium, 3.994 Angstrom, not the experimental 4.05.
    assert!((volume.cbrt() - 3.994).abs() < 0.005, "{volume}");
    assert_eq!(site.state(2), State::Completed);
}

#[test]
fn a_table_does_not_depend_on_the_order_of_arrival() {
    let site = Site::sqlite();
    let row = |fw_id: i64, miller: Value, shift: f64| json!({"fw_id": fw_id, "miller_index": miller, "shift": shift});
    let rows = [
        row(4, json!([1, 1, 1]), 0.5),
        row(9, json!([1, 0, -1]), 0.25),
        row(7, json!([1, 0, -1]), -0.25),
        row(6, json!([1, 0, -1]), 0.25),
        json!({"fw_id": 3}),
    ];
    site.add(json!({"spec": {"_tasks": [{"_fw_name": "CollectResultsTask"}], "results": rows}}));
    site.run_well(&["singleshot"]);
    let data = volley::workflow::json::from_document(&site.stored_data(1));
    let order: Vec<i64> =
        data["results"].as_array().expect("a list").iter().filter_map(|row| row["fw_id"].as_i64()).collect();
    assert_eq!((order, &data["count"]), (vec![3, 7, 6, 9, 4], &json!(5)));
}

#[test]
fn a_slab_that_was_run_again_stands_once_in_the_table() {
    for site in Site::on_every_store() {
        site.add(slabs(json!({})));
        site.run_well(&["rapidfire"]);
        let before: Vec<Value> = table(&site).iter().map(|row| row["fw_id"].clone()).collect();
        assert!(site.volley(&["lpad", "rerun_fws", "-i", "3"]).status().expect("runs").success());
        site.run_well(&["rapidfire"]);
        let after: Vec<Value> = table(&site).iter().map(|row| row["fw_id"].clone()).collect();
        assert_eq!((after.len(), after), (3, before));
    }
}

#[test]
fn slabs_keep_their_structure_when_others_come_before_them() {
    let site = Site::sqlite();
    site.add(slabs(json!({"run_static": false})));
    site.run_well(&["rapidfire"]);
    // The slabs of the second run stand between their parent and those of the first.
    assert!(site.volley(&["lpad", "rerun_fws", "-i", "1"]).status().expect("runs").success());
    site.run_well(&["rapidfire"]);
    for row in table(&site) {
        let name = site.firework(row["fw_id"].as_i64().expect("an id")).name;
        let [h, k, l] = [0, 1, 2].map(|i| row["miller_index"][i].as_i64().expect("an index"));
        assert!(name.contains(&format!("({h} {k} {l})")), "{name} computed {row}");
    }
}

#[test]
fn a_structure_of_null_is_none() {
    let site = Site::sqlite();
    let fw_id = site.add(json!({"spec": {"structure": null, "_tasks": [{"_fw_name": "EmtStaticTask"}]}}))[0];
    site.run_well(&["singleshot"]);
    let message = site.stacktrace(fw_id);
    assert!(message.contains("EmtStaticTask has no `structure`, and neither has the spec"), "{message}");
}

#[test]
fn a_relaxation_leaves_its_log_and_trajectory() {
    let site = Site::sqlite();
    site.add_tasks(json!([{"_fw_name": "EmtRelaxTask", "structure": {"molecule": "N2"}}]));
    site.run_well(&["singleshot"]);
    let log = std::fs::read_to_string(site.path().join("opt.log")).expect("is written");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 5, "a head, the start and three steps: {log}");
    assert!(lines[1].starts_with("BFGS:    0 ") && lines[4].starts_with("BFGS:    3 "), "{log}");
    let frames = volley::science::structure::read_frames(&site.path().join("opt.extxyz")).expect("reads");
    assert_eq!(frames.len(), 4);
    let quiet = Site::sqlite();
    let silent =
        json!({"_fw_name": "EmtRelaxTask", "structure": {"molecule": "N2"}, "opt_params": {"write_files": false}});
    quiet.add_tasks(json!([silent]));
    quiet.run_well(&["singleshot"]);
    assert!(!quiet.path().join("opt.log").exists() && !quiet.path().join("opt.extxyz").exists());
}

#[test]
fn a_rerun_goes_on_where_the_relaxation_stopped() {
    for cli in Cli::everywhere() {
        let settings = ["--set", "opt_params.max_steps=1", "--set", "opt_params.fmax=0.5"];
        cli.lpad(&[&["add_recipe", "emt.relax", "molecule:N2"], settings.as_slice()].concat()).done();
        cli.rapidfire();
        assert_eq!(cli.states(), ["FIZZLED"]);
        let result = &cli.lpad(&["results", "-i", "1"]).json()[0];
        assert_eq!((&result["converged"], &result["steps"]), (&json!(false), &json!(1)), "how far it came");
        cli.lpad(&["rerun_fws", "-i", "1"]).done();
        cli.rapidfire();
        assert_eq!(cli.states(), ["COMPLETED"], "one step more is enough from there");
        let firework = cli.lpad(&["get_fws", "-i", "1", "-d", "all"]).json();
        let document = &firework["launches"][0]["action"]["stored_data"];
        let first = document["trajectory_results"][0]["energy"].as_f64().expect("a number");
        assert!((first - 0.269_415_493_858_575_77).abs() < 1e-8, "quacc's energy after the first step: {first}");
    }
}

#[test]
fn an_interrupted_rerun_costs_nothing_of_what_came_before() {
    for site in Site::on_every_store() {
        let opt_params = json!({"max_steps": 1, "fmax": 0.5});
        let fw_id = site.add_tasks(
            json!([{"_fw_name": "EmtRelaxTask", "structure": {"molecule": "N2"}, "opt_params": opt_params}]),
        );
        site.run_well(&["singleshot"]);
        assert_eq!(site.state(fw_id), State::Fizzled);
        assert!(site.volley(&["lpad", "rerun_fws", "-i", "1"]).status().expect("runs").success());
        let store = &*site.launchpad.store;
        let claim = Worker::new("interrupted").claim(store, 1).pop().expect("claims");
        assert!(store.give_back(claim.held(), &stopped("SIGTERM"), jiff::Timestamp::now()).expect("gives back"));
        site.run_well(&["singleshot"]);
        assert_eq!(site.state(fw_id), State::Completed, "one step more is enough from where the first run ended");
    }
}

#[test]
fn cutting_slabs_hears_the_signal() {
    let site = Site::sqlite();
    let many = json!({
        "structure": {"bulk": {"name": "Al", "cubic": true, "supercell": [2, 2, 2]}},
        "make_slabs_kwargs": {"max_index": 6, "min_slab_size": 40.0},
    });
    site.add(slabs(many));
    let worker = site.start(&["singleshot"]);
    wait_until("it runs", || site.state(1) == State::Running);
    worker.signal(rustix::process::Signal::TERM);
    assert_eq!(worker.end().0, Some(128 + 15));
    assert_eq!(site.state(1), State::Ready);
}

#[test]
fn phonons_follow_a_relaxation() {
    for site in Site::on_every_store() {
        let relax = json!({
            "_fw_name": "EmtRelaxTask", "structure": {"bulk": "Cu"}, "relax_cell": true, "opt_params": {"fmax": 0.001},
        });
        let phonons = json!({"_fw_name": "EmtPhononTask", "min_lengths": 12, "t_step": 100});
        site.add(json!({
            "fws": [
                {"fw_id": 1, "name": "relax", "spec": {"_tasks": [relax]}},
                {"fw_id": 2, "name": "phonons", "spec": {"_tasks": [phonons]}},
                {"fw_id": 3, "name": "table", "spec": {"_tasks": [{"_fw_name": "CollectResultsTask"}]}},
            ],
            "links": {"1": [2], "2": [3]},
        }));
        site.run_well(&["rapidfire"]);
        assert!(site.fireworks().iter().all(|firework| firework.state == State::Completed));
        // A large document in either store.
        let data = volley::workflow::json::from_document(&site.stored_data(2));
        assert_eq!(data["name"], "EMT Phonons");
        assert_eq!(data["results"]["force_constants"].as_array().map(Vec::len), Some(125));
        assert_eq!(data["results"]["mesh_properties"]["frequencies"].as_array().map(Vec::len), Some(2769));
        let data = volley::workflow::json::from_document(&site.stored_data(3));
        let row = data["results"].as_array().and_then(|rows| rows.last()).expect("a row");
        assert!(row["lowest_frequency"].as_f64().is_some_and(|lowest| lowest > 0.1), "{row}");
        assert!(row["heat_capacity"].as_f64().is_some_and(|heat| (heat - 23.4).abs() < 0.3), "{row}");
    }
}

#[test]
fn phonons_hear_the_signal() {
    let site = Site::sqlite();
    let task = json!({
        "_fw_name": "EmtPhononTask",
        // No symmetry: hundreds of displacements in a large supercell.
        "structure": {"bulk": {"name": "Cu", "cubic": true, "supercell": [2, 2, 2]}},
        "supercell_matrix": [[5, 1, 0], [0, 5, 2], [1, 0, 5]],
    });
    let spec = json!({"_tasks": [task], "structure": null});
    site.add(json!({"fws": [{"fw_id": 1, "name": "phonons", "spec": spec}], "links": {}}));
    let worker = site.start(&["singleshot"]);
    wait_until("it runs", || site.state(1) == State::Running);
    worker.signal(rustix::process::Signal::TERM);
    assert_eq!(worker.end().0, Some(128 + 15));
    assert_eq!(site.state(1), State::Ready);
}
