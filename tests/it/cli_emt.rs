//! `volley emt`: recipes without a launchpad.

use crate::support::cli::Cli;

/// quacc's result for a relaxed nitrogen molecule, eV.
const NITROGEN: f64 = 0.262_777_977_174_710_74;

#[test]
fn relaxes_what_is_named_and_leaves_no_launchpad() {
    let cli = Cli::unconfigured();
    let document = cli.volley(&["emt", "relax", "molecule:N2"]).json();
    assert_eq!((&document["name"], &document["converged"]), (&"EMT Relax".into(), &true.into()));
    let energy = document["results"]["energy"].as_f64().expect("a number");
    assert!((energy - NITROGEN).abs() < 1e-8, "{energy}");
    assert_eq!(std::fs::read_dir(cli.folder()).expect("reads").count(), 0, "it writes nothing that nobody asked for");
}

#[test]
fn settings_reach_the_recipe() {
    let cli = Cli::unconfigured();
    let settings = [
        "--set",
        "opt_params.optimizer=FIRE",
        "--set",
        "opt_params.fmax=0.05",
        "--set",
        "calc_params.asap_cutoff=true",
    ];
    let document = cli.volley(&[&["emt", "relax", "molecule:N2"], settings.as_slice()].concat()).json();
    assert_eq!(document["parameters_opt"]["optimizer"], "FIRE");
    assert_eq!(document["parameters_opt"]["fmax"], 0.05);
    assert_eq!(document["parameters"]["asap_cutoff"], true);
    cli.volley(&["emt", "relax", "molecule:N2", "--set", "opt_params.fmx=1"]).failed(1, "did you mean \"fmax\"?");
    cli.volley(&["emt", "relax", "molecule:N2", "--set", "fmax"]).failed(2, "sets nothing");
}

#[test]
fn every_frame_of_every_file_is_computed() {
    let cli = Cli::unconfigured();
    cli.write("two.xyz", "1\n\nCu 0 0 0\n2\n\nN 0 0 0\nN 0 0 1.1\n");
    let documents = cli.volley(&["emt", "static", "two.xyz", "bulk:Cu:a=3.6,cubic"]).json();
    let atoms: Vec<usize> = documents
        .as_array()
        .expect("a list")
        .iter()
        .map(|d| d["results"]["forces"].as_array().map_or(0, Vec::len))
        .collect();
    assert_eq!(atoms, [1, 2, 4]);
    let table = cli.volley(&["emt", "static", "two.xyz", "-o", "table"]).done().stdout;
    assert!(table.contains("two.xyz@0") && table.contains("two.xyz@1") && table.contains("3.510000"), "{table}");
}

#[test]
fn what_came_out_can_be_written_and_goes_in_again() {
    let cli = Cli::unconfigured();
    cli.volley(&["emt", "relax", "molecule:N2", "bulk:Cu", "--out", "relaxed.extxyz"]).done();
    let again = cli.volley(&["emt", "relax", "relaxed.extxyz"]).json();
    let steps: Vec<usize> =
        again.as_array().expect("a list").iter().map(|d| d["trajectory"].as_array().map_or(9, Vec::len) - 1).collect();
    assert_eq!(steps, [0, 0], "they are relaxed already");
    cli.volley(&["emt", "relax", "molecule:N2", "--out", "result.json"]).done();
    let text = std::fs::read_to_string(cli.folder().join("result.json")).expect("is written");
    let document: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    assert_eq!(document["converged"], true);
}

#[test]
fn what_came_out_is_written_though_nobody_reads_what_is_printed() {
    let cli = Cli::unconfigured();
    let mut command = cli.command(std::path::Path::new(crate::support::run::VOLLEY));
    command.args(["emt", "static", "bulk:Cu", "bulk:Ni", "--out", "both.json"]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    command.stdout(writer).stderr(std::process::Stdio::piped()).output().expect("runs");
    let text = std::fs::read_to_string(cli.folder().join("both.json")).expect("is written");
    let documents: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    assert_eq!(documents.as_array().map(Vec::len), Some(2));
}

#[test]
fn a_file_is_left_alone_when_nothing_came_out() {
    let cli = Cli::unconfigured();
    let earlier = "1\n\nCu 0 0 0\n";
    cli.write("out.xyz", earlier);
    cli.write("touching.xyz", "2\n\nCu 0 0 0\nCu 0 0 0\n");
    let ran = cli.volley(&["emt", "static", "touching.xyz", "--out", "out.xyz"]);
    assert!(ran.code == 1 && ran.stderr.contains("atoms 0 and 1"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(cli.folder().join("out.xyz")).expect("is there"), earlier);
}

#[test]
fn mistakes_are_found_before_anything_is_computed() {
    let cli = Cli::unconfigured();
    cli.write("bad.xyz", "2\n\nCu 0 0 0\n");
    for (args, reason) in [
        (&["bulk:Fe"][..], "no EMT parameters for Fe"),
        (&["bulk:Cu:a=3.6,cubik"], "did you mean \"cubic\"?"),
        (&["nowhere.cif"], "nowhere.cif"),
        (&["bad.xyz"], "error: cannot read bad.xyz: line 3"),
        (&["run:2.xyz"], "error: run:2.xyz: there is no kind \"run\"; for a file of this name write ./run:2.xyz"),
        (&["bulk:Qq"], "error: bulk:Qq: unknown element \"Qq\""),
        (&["bulk:Cu", "--out", "nowhere/x.json"], "there is no folder nowhere"),
        (&["bulk:Cu", "--out", "x.docx"], "known are"),
    ] {
        cli.volley(&[&["emt", "relax"], args].concat()).failed(1, reason);
    }
    cli.volley(&["emt", "relax"]).failed(2, "STRUCTURE");
}

#[test]
fn one_that_fails_does_not_stop_the_others() {
    let cli = Cli::unconfigured();
    let few = ["--set", "opt_params.max_steps=1", "-o", "json"];
    let some = cli.volley(&[&["emt", "relax", "molecule:N2", "bulk:Cu"], few.as_slice()].concat());
    assert_eq!(some.code, 5, "{some:?}");
    assert!(some.stderr.contains("molecule:N2: the optimisation did not converge"), "{some:?}");
    let documents: serde_json::Value = serde_json::from_str(&some.stdout).expect("is JSON");
    assert_eq!((&documents[0]["converged"], &documents[1]["converged"]), (&false.into(), &true.into()));
    let all = cli.volley(&[&["emt", "relax", "molecule:N2"], few.as_slice()].concat());
    assert_eq!(all.code, 1, "{all:?}");
}

#[test]
fn slabs_come_in_one_table() {
    let cli = Cli::unconfigured();
    let table =
        cli.volley(&["emt", "slabs", "bulk:Al:cubic", "--set", "run_static=false", "-o", "table"]).done().stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "three surfaces: {table}");
    assert!(lines[0].contains("MILLER") && lines[0].contains("SURFACE ENERGY (eV/Å²)"), "{table}");
    let energies: Vec<f64> = lines[1..]
        .iter()
        .map(|line| {
            line.split_whitespace().nth(7).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{line}"))
        })
        .collect();
    assert!(energies.iter().all(|energy| (0.01..0.2).contains(energy)), "{table}");
    cli.volley(&["emt", "slabs", "molecule:N2"]).failed(1, "periodic in all three directions");
}

#[test]
fn a_bulk_without_slabs_leaves_no_structure() {
    let cli = Cli::unconfigured();
    let none = ["emt", "slabs", "bulk:Cu", "--set", "make_slabs_kwargs.allowed_surface_symbols=Al"];
    let ran = cli.volley(&none);
    assert!(ran.stderr.contains("bulk:Cu: no slab was kept: none has Al at its top"), "{ran:?}");
    let document = ran.json();
    assert_eq!((&document["relax"], &document["static"]), (&serde_json::json!([]), &serde_json::json!([])));
    let ran = cli.volley(&[none.as_slice(), &["--out", "slabs.xyz"]].concat());
    assert!(
        ran.code == 1 && ran.stderr.contains("no structure came out that could be written to slabs.xyz"),
        "{ran:?}"
    );
    assert!(!cli.folder().join("slabs.xyz").exists());
}
