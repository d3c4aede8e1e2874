//! `lpad results`, by the example workflows that Volley comes with.

use crate::support::cli::Cli;

fn template(name: &str) -> String {
    format!("{}/templates/guide/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_serial_example_relaxes_copper_and_computes_it_again() {
    for cli in Cli::everywhere() {
        cli.lpad(&["add", &template("serial.yaml")]).done();
        let before = cli.lpad(&["results", "-i", "1"]).json();
        assert_eq!(before[1]["state"], "WAITING");
        assert_eq!(before[1]["energy"], serde_json::Value::Null);
        cli.rapidfire();
        let after = cli.lpad(&["results", "-i", "2"]).json();
        for firework in after.as_array().expect("a list") {
            assert_eq!(firework["state"], "COMPLETED", "{after}");
            assert_eq!(firework["formula"], "Cu");
            let energy = firework["energy"].as_f64().expect("a number");
            assert!((energy - -0.005_681_511_358_581_304).abs() < 1e-9, "{after}");
        }
        assert_eq!(after[0]["converged"], true);
        assert_eq!(after[1]["converged"], serde_json::Value::Null, "a static calculation converges nothing");
        assert!(std::path::Path::new(after[0]["directory"].as_str().expect("a path")).is_absolute());
    }
}

#[test]
fn the_parallel_example_runs_both() {
    let cli = Cli::sqlite();
    cli.lpad(&["add", &template("parallel.yaml")]).done();
    cli.rapidfire();
    cli.lpad(&["wait", "-i", "1"]).done();
    let results = cli.lpad(&["results", "-i", "1"]).json();
    assert_eq!([&results[0]["formula"], &results[1]["formula"]], ["Cu", "N2"]);
    assert_eq!(results[1]["steps"], 3);
    let table = cli.lpad(&["results", "-i", "1", "-o", "table"]).done().stdout;
    assert!(table.starts_with("ID  NAME") && table.contains("0.262778"), "{table}");
    cli.lpad(&["results", "-i", "9"]).failed(1, "there is no firework 9");
}

#[test]
fn fireworks_without_a_recipe_have_no_numbers() {
    let cli = Cli::sqlite().with_five_fireworks();
    cli.rapidfire();
    let results = cli.lpad(&["results", "-i", "5"]).json();
    assert_eq!(results[0]["state"], "FIZZLED");
    assert_eq!(results[0]["formula"], serde_json::Value::Null);
}

#[test]
fn a_list_called_results_need_not_be_a_table() {
    let cli = Cli::sqlite();
    cli.lpad(&["add_recipe", "emt.static", "bulk:Cu", "--set", "additional_fields.results=[1, 2]"]).done();
    cli.rapidfire();
    let table = cli.lpad(&["results", "-i", "1", "-o", "table"]).done().stdout;
    assert!(table.contains("COMPLETED") && !table.contains("Collected"), "{table}");
}
