//! `volley emt`: recipes without a launchpad.

use serde_json::json;

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
fn a_setting_at_fault_is_named() {
    let cli = Cli::unconfigured();
    let cold = cli.volley(&["emt", "md", "bulk:Cu", "--set", "steps=5", "--set", "dynamics=nvt", "--set", "seed=1"]);
    assert!(cold.stderr.starts_with("error: --set dynamics=nvt\n  because: temperature_K: is missing"), "{cold:?}");
    let relax = ["emt", "elastic", "bulk:Cu", "--set", "pre_relax=true", "--set", "relax_cell=false"];
    let wrong = cli.volley(&relax);
    assert_eq!(wrong.code, 1, "{wrong:?}");
    assert!(wrong.stderr.contains("--set relax_cell=false"), "{wrong:?}");
    assert!(wrong.stderr.contains("did you mean \"job_params.relax_job.relax_cell\"?"), "{wrong:?}");
}

#[test]
fn help_tells_the_parameters_and_their_examples_are_right() {
    let cli = Cli::unconfigured();
    for recipe in ["relax", "static", "md", "slabs", "defects", "elastic", "phonons"] {
        let help = cli.volley(&["emt", recipe, "--help"]).done().stdout;
        assert!(help.contains("Parameters, each as --set KEY=VALUE") && help.contains("Lists are written"), "{help}");
        let help = help.replace("\\\n", "");
        let examples: Vec<&str> = help.lines().filter_map(|line| line.trim().strip_prefix("volley ")).collect();
        assert!(examples.iter().any(|example| example.starts_with(&format!("emt {recipe} "))), "{help}");
        for example in examples {
            // Parameters are read before structures: there is no such file.
            let words: Vec<&str> = example.split_whitespace().collect();
            let place = words.iter().position(|word| word.starts_with("--")).expect("settings");
            let args = [&words[..2], &["nowhere.xyz"], &words[place..]].concat();
            cli.volley(&args).failed(1, "cannot read nowhere.xyz");
        }
    }
    let help = cli.volley(&["lpad", "add_recipe", "--help"]).done().stdout;
    assert!(help.contains("volley emt elastic --help"), "{help}");
}

#[test]
fn surfaces_come_bare_and_with_adsorbates() {
    let cli = Cli::unconfigured();
    let bare = "surface:hcp0001:symbol=Ni,a=2.49,c=4.06,size=2x2x3,vacuum=6";
    let adsorbate = json!({"molecule": "CO", "mol_index": 1, "height": 1.8, "position": "hcp"});
    let slab = json!({"name": "fcc111", "symbol": "Cu", "size": [1, 1, 3], "vacuum": 6, "adsorbate": adsorbate});
    cli.write("covered.json", &json!({"surface": slab}).to_string());
    let documents = cli.volley(&["emt", "static", bare, "covered.json"]).json();
    let formula = |at: usize| documents[at]["structure_metadata"]["formula_pretty"].clone();
    assert_eq!((formula(0), formula(1)), (json!("Ni"), json!("Cu3CO")));
    let info = &documents[1]["atoms"]["atoms_info"]["adsorbate_info"];
    assert_eq!(info["top layer atom index"], 2);
    let wrong = "surface:hcp0001:symbol=Ni,a=2.49,cc=4.06,size=2x2x3";
    cli.volley(&["emt", "static", wrong]).failed(1, "unknown key \"cc\" in surface (did you mean \"c\"?)");
}

#[test]
fn a_cell_relaxes_with_another_filter() {
    let cli = Cli::unconfigured();
    let relax = ["emt", "relax", "bulk:Cu:a=3.7", "--set", "relax_cell=true", "--set", "opt_params.fmax=1e-5"];
    let volume = |filter: &str| {
        let filter = format!("opt_params.filter={filter}");
        let document = cli.volley(&[&relax[..], &["--set", &filter]].concat()).json();
        document["structure_metadata"]["volume"].as_f64().expect("a number")
    };
    let expected = volume("FrechetCellFilter");
    assert!((volume("UnitCellFilter") - expected).abs() < 1e-3);
    assert!((volume("ExpCellFilter") - expected).abs() < 1e-3);
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
    let again = cli.volley(&["emt", "relax", "result.json"]).json();
    assert_eq!(again["trajectory"].as_array().map(Vec::len), Some(1), "it is relaxed already");
    cli.volley(&["emt", "static", "bulk:Cu", "bulk:Ni", "--out", "both.json"]).done();
    assert_eq!(cli.volley(&["emt", "static", "both.json"]).json().as_array().map(Vec::len), Some(2));
}

#[test]
fn one_frame_of_a_file_is_picked() {
    let cli = Cli::unconfigured();
    cli.write("three.xyz", "1\n\nCu 0 0 0\n1\n\nNi 0 0 0\n1\n\nAl 0 0 0\n");
    cli.write("odd@1.xyz", "1\n\nAu 0 0 0\n");
    for (text, label, formula) in [
        ("three.xyz@1", "three.xyz@1 ", " Ni "),
        ("three.xyz@-1", "three.xyz@2 ", " Al "),
        ("three.xyz@-3", "three.xyz@0 ", " Cu "),
        ("odd@1.xyz", "odd@1.xyz ", " Au "),
    ] {
        let table = cli.volley(&["emt", "static", text, "-o", "table"]).done().stdout;
        let rows: Vec<&str> = table.lines().skip(1).collect();
        assert!(rows.len() == 1 && rows[0].starts_with(label) && rows[0].contains(formula), "{table}");
        assert!(!table.contains("STEPS"), "{table}");
    }
    for text in ["three.xyz@3", "three.xyz@-4"] {
        let reason = format!("error: {text}: there are 3 structures in the file; @0 is the first, @-1 the last");
        cli.volley(&["emt", "static", text]).failed(1, &reason);
    }
}

#[test]
fn a_run_that_time_ended_says_so() {
    let cli = Cli::unconfigured();
    let ran = cli.volley(&["emt", "md", "bulk:Cu", "--set", "md_params.max_runtime=0"]).done();
    let expected = "bulk:Cu: the state is partial: it ended after 0 of 20000 steps (walltime)";
    assert!(ran.stderr.contains(expected), "{ran:?}");
}

#[test]
fn what_a_fit_finds_comes_before_what_everything_has() {
    let cli = Cli::unconfigured();
    let table = cli.volley(&["emt", "elastic", "bulk:Cu", "-o", "table"]).done().stdout;
    let head = table.lines().next().expect("a head");
    let place = |name: &str| head.find(name).unwrap_or_else(|| panic!("{name}: {head}"));
    assert!(place("DEBYE (K)") < place("ENERGY (eV)") && place("ENERGY (eV)") < place("MAX FORCE"), "{head}");
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
            line.split_whitespace().nth(6).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{line}"))
        })
        .collect();
    assert!(energies.iter().all(|energy| (0.01..0.2).contains(energy)), "{table}");
    cli.volley(&["emt", "slabs", "molecule:N2"]).failed(1, "periodic in all three directions");
}

#[test]
fn vacancies_come_in_one_table() {
    let cli = Cli::unconfigured();
    let few = ["--set", "make_defects_kwargs.min_atoms=8", "--set", "make_defects_kwargs.min_length=5"];
    let defects = |more: &[&str]| cli.volley(&[&["emt", "defects", "bulk:Cu"], few.as_slice(), more].concat());
    let table = defects(&["-o", "table"]).done().stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3, "two geometries: {table}");
    for head in ["DEFECT", "SITE", "DISTORTION", "FORMATION ENERGY (eV)"] {
        assert!(lines[0].contains(head), "{table}");
    }
    assert!(lines[1].contains("v_Cu") && lines[1].contains("Rattled") && lines[2].contains("Dimer"), "{table}");
    let document = defects(&["--set", "distortions=false", "--set", "run_static=false"]).json();
    assert_eq!(document["lowest"][0]["distortion"], "Unperturbed");
    cli.volley(&["emt", "defects", "molecule:N2"]).failed(1, "periodic in all three directions");
    let tight = ["--set", "make_defects_kwargs.max_atoms=9"];
    defects(&tight).failed(1, "no supercell has 8 to 9 atoms and vectors of at least 5 Angstrom");
    defects(&["--set", "defect_gen=AntiSiteGenerator"]).failed(1, "defect_gen: AntiSiteGenerator is not supported yet");
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

#[test]
fn dynamics_goes_on_from_a_file() {
    let cli = Cli::unconfigured();
    let run = |structure: &str, steps: usize, more: &[&str]| {
        let steps = format!("steps={steps}");
        let settings = ["emt", "md", structure, "--set", "timestep_fs=4", "--set", &steps, "--set", "seed=5"];
        cli.volley(&[settings.as_slice(), more].concat())
    };
    let start = "md_params.maxwell_boltzmann_kwargs.temperature_K=300";
    let crystal = "bulk:Cu:cubic";
    let whole = run(crystal, 20, &["--set", start]).json();
    run(crystal, 12, &["--set", start, "--out", "last.extxyz"]).done();
    let rest = run("last.extxyz", 8, &[]).json();
    let energy = |document: &serde_json::Value| document["results"]["energy"].as_f64().expect("a number");
    assert!((energy(&whole) - energy(&rest)).abs() < 1e-10, "{} and {}", energy(&whole), energy(&rest));
    let table = run(crystal, 4, &["--set", start, "-o", "table"]).done().stdout;
    assert!(table.contains("MEAN T (K)") && table.contains("4"), "{table}");
    assert_eq!(std::fs::read_dir(cli.folder()).expect("reads").count(), 1, "there is only what was asked for");
}

#[test]
fn a_long_trajectory_is_thinned_and_says_so() {
    let cli = Cli::unconfigured();
    // An atom by itself costs next to nothing.
    let ran = cli.volley(&["emt", "md", "molecule:O", "--set", "steps=20001"]).done();
    assert!(ran.stderr.contains("has a frame every 2 steps"), "{}", ran.stderr);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(document["trajectory_interval"], 2);
    assert_eq!(document["trajectory"].as_array().map(Vec::len), Some(10_002), "the last one, too");
}

#[test]
fn phonons_come_with_their_thermal_properties() {
    let cli = Cli::sqlite();
    let few = ["emt", "phonons", "bulk:Cu", "--set", "min_lengths=6"];
    let table = cli.volley(&[few.as_slice(), &["-o", "table"]].concat()).done().stdout;
    let head = table.lines().next().expect("a head").to_lowercase();
    assert!(
        head.contains("lowest (thz)") && head.contains("zero point (kj/mol)") && head.contains("cv 300 k"),
        "{table}"
    );
    assert!(!head.contains("steps"), "{table}");
    let document = cli.volley(&[few.as_slice(), &["-o", "json"]].concat()).json();
    assert_eq!(document["name"], "EMT Phonons");
    assert_eq!(document["results"]["thermal_properties"]["heat_capacity"].as_array().map(Vec::len), Some(101));
    cli.volley(&["emt", "phonons", "molecule:N2"]).failed(1, "three independent vectors");
}

#[test]
fn a_workflow_goes_on_from_a_result() {
    let cli = Cli::sqlite();
    cli.volley(&["emt", "relax", "bulk:Cu", "--out", "copper.json"]).done();
    let task = json!({"_fw_name": "EmtStaticTask", "structure": {"file": "copper.json"}});
    cli.write("static.json", &json!({"fws": [{"fw_id": 1, "spec": {"_tasks": [task]}}], "links": {}}).to_string());
    cli.lpad(&["add", "static.json"]).done();
    cli.rapidfire();
    assert_eq!(cli.lpad(&["results"]).json()[0]["formula"], "Cu");
}
