//! Vacancies, as `rlaunch` computes them.

use serde_json::{Value, json};
use volley::workflow::State;
use volley::workflow::json::from_document;

use crate::support::site::Site;

/// A workflow: vacancies of copper in a small supercell, a table, and the settings of the first.
fn vacancies(more: Value) -> Value {
    let mut task = json!({
        "_fw_name": "EmtBulkToDefectsTask",
        "structure": {"bulk": "Cu"},
        "make_defects_kwargs": {"min_atoms": 8, "max_atoms": 40, "min_length": 5},
    });
    task.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    json!({
        "fws": [
            {"fw_id": 1, "name": "defects", "spec": {"_tasks": [task], "_category": "emt"}},
            {"fw_id": 2, "name": "table", "spec": {"_tasks": [{"_fw_name": "CollectResultsTask"}]}},
        ],
        "links": {"1": [2]},
    })
}

/// The table of the second firework.
fn table(site: &Site) -> Vec<Value> {
    from_document(&site.stored_data(2))["results"].as_array().expect("a list").clone()
}

#[test]
fn each_geometry_becomes_a_chain_that_the_table_waits_for() {
    for site in Site::on_every_store() {
        site.add(vacancies(json!({})));
        site.run_well(&["singleshot"]);
        let names: Vec<String> = site.fireworks().into_iter().map(|firework| firework.name).collect();
        assert_eq!(
            names[2..],
            [
                "relax Cu31 v_Cu 0 Rattled",
                "static Cu31 v_Cu 0 Rattled",
                "relax Cu31 v_Cu 0 Dimer",
                "static Cu31 v_Cu 0 Dimer",
            ]
        );
        assert_eq!(site.state(2), State::Waiting);
        assert_eq!(site.firework(3).spec.get("_category"), Some(&"emt".into()), "it runs where its parent may");
        site.run_well(&["rapidfire"]);
        assert!(site.fireworks().iter().all(|firework| firework.state == State::Completed));
        let said = from_document(&site.stored_data(1));
        assert_eq!((&said["name"], said["defects"].as_array().map(Vec::len)), (&json!("EMT Bulk to Defects"), Some(2)));
        let rows = table(&site);
        let geometries: Vec<&Value> = rows.iter().map(|row| &row["distortion"]).collect();
        assert_eq!(geometries, ["Rattled", "Dimer"]);
        for row in &rows {
            assert_eq!((&row["name"], &row["defect"], &row["site"]), (&json!("EMT Static"), &json!("v_Cu"), &json!(0)));
            assert!(row["formation_energy"].as_f64().is_some_and(|energy| (1.2..1.3).contains(&energy)), "{row}");
            assert!(row["steps"].as_i64().is_some_and(|steps| steps > 0), "{row}");
        }
        let shown = site.volley(&["lpad", "results", "-i", "1", "-o", "json"]).output().expect("runs").stdout;
        let shown: Value = serde_json::from_slice(&shown).expect("is JSON");
        let relaxed = shown.as_array().expect("a list").iter().find(|row| row["fw_id"] == 3).expect("a row");
        assert_eq!((&relaxed["defect"], &relaxed["distortion"]), (&json!("v_Cu"), &json!("Rattled")));
        assert!(relaxed["formation_energy"].as_f64().is_some());
    }
}

#[test]
fn one_firework_can_do_it_all_with_the_same_numbers() {
    for distortions in [true, false] {
        let (chains, one) = (Site::sqlite(), Site::sqlite());
        chains.add(vacancies(json!({"run_static": false, "distortions": distortions})));
        one.add(vacancies(json!({"run_static": false, "distortions": distortions, "in_one_firework": true})));
        chains.run_well(&["rapidfire"]);
        one.run_well(&["rapidfire"]);
        let count = if distortions { 2 } else { 1 };
        assert_eq!((chains.fireworks().len(), one.fireworks().len()), (2 + count, 2));
        let numbers = |site: &Site| {
            let mut rows = table(site);
            for row in &mut rows {
                row.as_object_mut()
                    .expect("an object")
                    .retain(|key, _| !["fw_id", "launch_id"].contains(&key.as_str()));
            }
            rows
        };
        assert_eq!(numbers(&chains), numbers(&one));
        let document = from_document(&one.stored_data(1));
        assert_eq!(document["relax"].as_array().map(Vec::len), Some(count));
        assert_eq!(document["lowest"][0]["defect"], "v_Cu");
    }
}

#[test]
fn mistakes_add_nothing() {
    let site = Site::sqlite();
    for (more, reason) in [
        (json!({"defect_gen": "InterstitialGenerator"}), "defect_gen: InterstitialGenerator is not supported yet"),
        (json!({"structure": {"molecule": "N2"}}), "periodic in all three directions"),
        (json!({"in_one_firewok": true}), "did you mean \"in_one_firework\"?"),
        (
            json!({"make_defects_kwargs": {"min_atoms": 8, "max_atoms": 9, "min_length": 9}}),
            "no supercell has 8 to 9 atoms",
        ),
    ] {
        site.write("wrong.json", &vacancies(more).to_string());
        let ran = site.volley(&["lpad", "add", "wrong.json"]).output().expect("runs");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(!ran.status.success() && said.contains(reason), "{said}");
    }
    assert!(site.fireworks().is_empty());
}
