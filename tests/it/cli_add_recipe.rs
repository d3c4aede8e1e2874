//! `lpad add_recipe`.

use serde_json::json;

use crate::support::cli::Cli;

#[test]
fn every_structure_becomes_a_workflow() {
    for cli in Cli::everywhere() {
        cli.write("two.xyz", "1\n\nCu 0 0 0\n2\n\nN 0 0 0\nN 0 0 1.1\n");
        let ids =
            cli.lpad(&["add_recipe", "emt.relax_static", "two.xyz", "bulk:Ni", "--set", "opt_params.fmax=0.02"]).json();
        assert_eq!(ids, json!([{"1": 1, "2": 2}, {"1": 3, "2": 4}, {"1": 5, "2": 6}]));
        assert_eq!(cli.states(), ["READY", "WAITING"].repeat(3));
        let workflow = cli.lpad(&["get_wflows", "-i", "3", "-d", "more"]).json();
        let name = workflow["name"].as_str().expect("a name");
        assert!(name.starts_with("emt.relax_static two.xyz@1"), "{name}");
        let first = cli.lpad(&["get_fws", "-i", "3", "-d", "all"]).json();
        assert_eq!(first["spec"]["_tasks"][0]["opt_params"], json!({"fmax": 0.02}));
        assert_eq!(first["spec"]["structure"]["symbols"], json!(["N", "N"]), "no worker needs the file");
        // Workers do not: it may be gone before they come.
        std::fs::remove_file(cli.folder().join("two.xyz")).expect("removes");
        cli.rapidfire();
        let results = cli.lpad(&["results", "-i", "3"]).json();
        assert_eq!((&results[0]["converged"], &results[1]["formula"]), (&json!(true), &json!("N2")));
        assert!(
            (results[0]["energy"].as_f64().expect("a number") - results[1]["energy"].as_f64().expect("a number")).abs()
                < 1e-12
        );
    }
}

#[test]
fn builders_are_stored_as_they_were_typed() {
    let cli = Cli::sqlite();
    cli.lpad(&["add_recipe", "emt.static", "bulk:Cu:a=3.6,cubic"]).done();
    let spec = &cli.lpad(&["get_fws", "-i", "1", "-d", "all"]).json()["spec"];
    assert_eq!(spec["structure"], json!({"bulk": {"name": "Cu", "a": 3.6, "cubic": true}}));
}

#[test]
fn mistakes_add_nothing() {
    let cli = Cli::sqlite();
    for (args, reason) in [
        (&["emt.relax", "bulk:Cu", "bulk:Fe"][..], "bulk:Fe"),
        (&["emt.relax", "bulk:Cu", "nowhere.cif"], "nowhere.cif"),
        (&["emt.relax", "bulk:Cu", "--set", "opt_parms.fmax=1"], "did you mean `opt_params`?"),
        (&["emt.relax", "bulk:Cu", "--set", "opt_params.fmx=1"], "did you mean \"fmax\"?"),
        (&["emt.static", "bulk:Cu", "--set", "opt_params.fmax=1"], "emt.static has no setting `opt_params`"),
        (&["emt.slabs", "bulk:Cu", "--set", "make_slabs_kwargs.max_idx=2"], "max_index"),
        (&["emt.defects", "bulk:Cu", "--set", "make_defects_kwargs.min_atom=2"], "min_atoms"),
        (&["emt.defects", "bulk:Cu", "--set", "make_defects_kwargs.rm_species=Al"], "there is no Al in Cu"),
        (
            &["emt.defects", "bulk:Cu", "--set", "defect_gen=SubstitutionGenerator"],
            "SubstitutionGenerator is not supported",
        ),
        (&["emt.defects", "molecule:N2"], "periodic in all three directions"),
        (&["emt.slabs", "molecule:N2"], "periodic in all three directions"),
        (&["emt.relax", "bulk:Cu", "--set", "fmax=1"], "did you mean `opt_params.fmax`?"),
        (&["emt.elastic", "bulk:Cu", "--set", "relax_cell=false"], "did you mean `job_params.relax_job.relax_cell`?"),
        (&["emt.md", "bulk:Cu", "--set", "md_params.taut=1"], "did you mean \"md_params.dynamics_kwargs.taut\"?"),
        (&["emt.phonons", "bulk:Cu", "--set", "min_length=10"], "did you mean `min_lengths`?"),
        (&["emt.phonons", "bulk:Cu", "--set", "supercell_matrix=[[1,0,0],[0,1,0],[1,1,0]]"], "determinant above 0"),
    ] {
        cli.lpad(&[&["add_recipe"], args].concat()).failed(1, reason);
    }
    cli.lpad(&["add_recipe", "emt.relaks", "bulk:Cu"]).failed(2, "emt.relax");
    assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 0);
}
