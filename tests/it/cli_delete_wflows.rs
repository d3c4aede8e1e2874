//! `lpad delete_wflows`, and when a change needs a yes.

use serde_json::json;

use crate::support::cli::Cli;

#[test]
fn the_whole_workflow_goes_and_nothing_else() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        let ran = cli.lpad(&["delete_wflows", "-i", "2"]).done();
        assert!(ran.stderr.contains("Finished deleting 1 WFs (2 FWs)"), "{ran:?}");
        assert_eq!(cli.lpad(&["get_fws", "-d", "ids"]).json(), json!([3, 4, 5]));
        cli.lpad(&["delete_wfs", "-n", "pair"]).done();
        assert_eq!(cli.lpad(&["get_fws", "-d", "ids"]).json(), 5);
    }
}

#[test]
fn a_name_that_nobody_has_deletes_nothing() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.lpad(&["delete_wflows", "-n", "no such name"]).failed(4, "nothing is called `no such name`");
        cli.lpad(&["delete_wflows"]).failed(2, "required");
        cli.lpad(&["delete_wflows", "-i", "1,99"]).failed(1, "there is no firework 99");
        cli.lpad(&["delete_wflows", "-s", "ARCHIVED", "--yes"]).failed(4, "nothing is ARCHIVED");
        assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 5);
    }
}

#[test]
fn more_than_ten_need_a_yes() {
    let cli = Cli::sqlite();
    cli.write("one.yaml", "spec: {_tasks: [{_fw_name: X}]}\n");
    cli.lpad(&[&["add"], ["one.yaml"; 12].as_slice()].concat()).done();
    let count = || cli.lpad(&["get_fws", "-d", "count"]).json();
    cli.lpad(&["delete_wflows", "-s", "READY"]).failed(1, "this would delete 12 workflows with 12 fireworks");
    cli.lpad(&["set_priority", "1", "-s", "READY"]).failed(1, "add --yes");
    cli.lpad(&["delete_wflows", "-s", "READY", "--password", "2001-01-01"]).failed(1, "today's date");
    assert_eq!(count(), 12);
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    cli.lpad(&["set_priority", "1", "-s", "READY", "--password", &today]).done();
    cli.lpad(&["delete_wflows", "-i", "1,2"]).done();
    assert_eq!(count(), 10);
    cli.write("FW_config.yaml", "PW_CHECK_NUM: 3\n");
    cli.lpad(&["delete_wflows", "-s", "READY"]).failed(1, "this would delete 10 workflows");
    cli.lpad(&["delete_wflows", "-s", "READY", "--yes"]).done();
    assert_eq!(count(), 0);
}

#[test]
fn on_a_terminal_every_delete_is_shown_and_asked_for() {
    let cli = Cli::sqlite().with_five_fireworks();
    let Some(ran) = cli.on_a_terminal("delete_wflows -i 1", "n\n") else { return };
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("delete 1 workflow with 2 fireworks"), "{ran:?}");
    assert!(ran.stdout.contains("1 pair (READY, 2 fireworks)"), "{ran:?}");
    assert!(ran.stdout.contains("nothing was changed"), "{ran:?}");
    assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 5);
    cli.on_a_terminal("delete_wflows -i 1", "y\n").expect("is installed").done();
    assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 3);
    cli.on_a_terminal("set_priority 5 -s READY", "").expect("is installed").done();
}
