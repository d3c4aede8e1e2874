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

#[test]
fn results_of_many_workflows_are_filtered_and_written_for_others() {
    for cli in Cli::everywhere() {
        for structure in ["bulk:Cu", "bulk:Al", "molecule:N2"] {
            cli.lpad(&["add_recipe", "emt.static", structure]).done();
        }
        cli.lpad(&["add_scripts", "true"]).done();
        cli.rapidfire();
        let formulas = |args: &[&str]| -> Vec<String> {
            let found = cli.lpad(&[&["results"], args].concat()).json();
            let rows = found.as_array().expect("a list").iter();
            rows.map(|row| row["formula"].as_str().unwrap_or("none").to_owned()).collect()
        };
        assert_eq!(formulas(&[]), ["Cu", "Al", "N2"], "a script has found nothing");
        assert_eq!(formulas(&["-i", "1,4"]), ["Cu", "none"], "what is named is shown");
        assert_eq!(formulas(&["--where", "energy_per_atom<0.1 and natoms=1"]), ["Cu", "Al"]);
        assert_eq!(formulas(&["--where", "formula != Al", "-i", "1-3"]), ["Cu", "N2"]);
        let one = cli.lpad(&["results", "--where", "formula=N2"]).json();
        let number = |key: &str| one[0][key].as_f64().expect("a number");
        assert!((number("energy") / 2.0 - number("energy_per_atom")).abs() < 1e-12, "{one}");
        let csv = cli.lpad(&["results", "-o", "csv"]).done().stdout;
        assert_eq!(csv.lines().count(), 4);
        assert!(csv.starts_with("fw_id,name,state,formula,natoms,energy,energy_per_atom,"), "{csv}");
        let fields = volley::launchpad::results::FIELDS.len();
        assert!(csv.lines().all(|line| line.split(',').count() == fields), "{csv}");
        assert_eq!(cli.lpad(&["results", "-o", "jsonl"]).done().stdout.lines().count(), 3);
        assert_eq!(cli.lpad(&["results", "-o", "ids"]).done().stdout, "1-3\n");
        let text = cli.lpad(&["results", "-o", "extxyz"]).done().stdout;
        let frames = volley::science::io::extxyz::read(&text).expect("is extxyz");
        assert_eq!(frames.len(), 3);
        let n2 = &frames[2];
        assert_eq!((n2.atoms.formula().as_str(), n2.atoms.info()["fw_id"].as_i64()), ("N2", Some(3)));
        assert_eq!(n2.results.energy, one[0]["energy"].as_f64());
        assert_eq!(n2.results.forces.as_ref().map(Vec::len), Some(2));
        let unknown = "there is no field `energie` (did you mean `energy`?)";
        cli.lpad(&["results", "--where", "energie<1"]).failed(2, unknown);
        cli.lpad(&["results", "--where", "energy<low"]).failed(2, "`energy` is a number, and `low` is not");
        cli.lpad(&["get_fws", "-o", "csv"]).failed(2, "are for `lpad results`");
        if let Some(lines) = cli.picture(40, "results") {
            assert!(lines[0].starts_with("ID") && lines[4].starts_with("no room for energy"), "{lines:#?}");
        }
    }
}

#[test]
fn warnings_of_recipes_are_told() {
    for cli in Cli::everywhere() {
        cli.lpad(&["add_recipe", "emt.static", "bulk:Cu"]).done();
        cli.lpad(&["add_recipe", "emt.md", "bulk:Cu", "--set", "md_params.max_runtime=0"]).done();
        cli.rapidfire();
        let partial = "the state is partial: it ended after 0 of 20000 steps (walltime)";
        let rows = cli.lpad(&["results"]).json();
        assert_eq!((&rows[0]["warnings"], &rows[1]["warnings"][0]), (&serde_json::Value::Null, &partial.into()));
        let table = cli.lpad(&["results", "-o", "table"]).done();
        assert_eq!(table.stderr, format!("firework 2: {partial}\n"));
        let other = cli.lpad(&["results", "-o", "table", "--where", "fw_id=1"]).done();
        assert_eq!(other.stderr, "");
    }
}
