//! `lpad get_fws -i ID` on a terminal: the page of a firework.

use crate::cli_errors::mixed;
use crate::support::cli::Cli;

#[test]
fn a_page_tells_it_all() {
    for cli in Cli::everywhere() {
        mixed(&cli);
        for columns in [40, 90] {
            let Some(lines) = cli.picture(columns, "get_fws -i 2") else { return };
            let page = lines.join("\n");
            for part in [
                "2 relax a FIZZLED",
                "workflow   1 mixed, FIZZLED, 5",
                "parents    1 prepare COMPLETED",
                "children   5 report WAITING",
                "tasks      ScriptTask: ls /nowhere/12",
                "directory  /",
                "STATE    FOR",
                "RUNNING",
                "lpad rerun_fws -i 2",
                "lpad graph -i 2",
            ] {
                assert!(page.contains(part), "no `{part}` in\n{page}");
            }
        }
        let waiting = cli.picture(90, "get_fws -i 5").expect("as before").join("\n");
        assert!(waiting.contains("waits for 3 of its 3 parents") && waiting.contains("lpad explain -i 2"), "{waiting}");
        assert!(waiting.contains("5 fireworks, added by "), "{waiting}");
        // What failed without output offers none; a rerun is told, and so is what has become of reservations.
        cli.lpad(&["rerun_fws", "-i", "2"]).done();
        let again = cli.picture(90, "get_fws -i 2").expect("as before").join("\n");
        assert!(again.contains("rerun by ") && again.contains("READY"), "{again}");
        let reserved = cli.picture(90, "get_fws -d reservations").expect("as before");
        assert!(reserved[0].starts_with("ID  STATE") && reserved[0].ends_with("QUEUE JOB"), "{reserved:#?}");
        let explained = cli.on_a_terminal("explain -i 1", "").expect("as before").stdout;
        assert!(!explained.contains("lease_") && explained.contains(" ago"), "{explained}");
        let done = cli.picture(90, "get_fws -i 1").expect("as before").join("\n");
        assert!(!done.contains("lpad results") && !done.contains(" in /"), "{done}");
        let group = cli.lpad(&["rerun_fws", "--error-group", "1"]).done();
        assert!(group.stderr.contains("group 1 is fireworks "), "{group:?}");
        // With a display format it is the listing, and in a pipe FireWorks' JSON.
        let listed = cli.picture(90, "get_fws -i 2 -d less").expect("as before");
        assert!(listed[0].starts_with("ID"), "{listed:#?}");
        assert_eq!(cli.lpad(&["get_fws", "-i", "2"]).json()["fw_id"], 2);
        let unknown = cli.on_a_terminal("get_fws -i 99", "").expect("as before");
        assert!(unknown.code == 1 && unknown.stdout.contains("there is no firework 99"), "{unknown:?}");
    }
}

#[test]
fn what_a_recipe_found_is_on_it() {
    let cli = Cli::sqlite();
    cli.lpad(&["add_recipe", "emt.static", "bulk:Cu"]).done();
    cli.rapidfire();
    let Some(lines) = cli.picture(100, "get_fws -i 1") else { return };
    let page = lines.join("\n");
    assert!(page.contains("FORMULA  ENERGY (eV)") && page.contains("lpad results -i 1"), "{page}");
}

#[test]
fn a_script_of_any_length_leaves_a_page_that_can_be_read() {
    let cli = Cli::sqlite();
    cli.lpad(&["add_scripts", &"echo line; ".repeat(1000), "-d", "none"]).done();
    let Some(lines) = cli.picture(60, "get_fws -i 1") else { return };
    assert!(lines.len() < 30 && lines.iter().any(|line| line.ends_with('…')), "{lines:#?}");
}
