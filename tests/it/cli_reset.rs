//! `lpad reset`.

use serde_json::json;

use crate::support::cli::Cli;

#[test]
fn without_a_terminal_it_must_be_meant() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.lpad(&["reset"]).failed(1, "delete 3 workflows with all data");
        cli.lpad(&["reset", "--password", "2001-01-01"]).failed(1, "today's date");
        assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 5);
        cli.lpad(&["reset", "--yes"]).done();
        assert_eq!(cli.lpad(&["get_fws"]).json(), json!([]));
        assert_eq!(cli.lpad(&["get_wflows"]).json(), json!([]));
        assert_eq!(cli.lpad(&["add", "bad.yaml"]).json(), json!({"-1": 1}), "ids begin again");
    }
}

#[test]
fn on_a_terminal_the_name_is_typed() {
    let cli = Cli::sqlite().with_five_fireworks();
    let Some(ran) = cli.on_a_terminal("reset", "yes\n") else { return };
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 5);
    cli.on_a_terminal("reset", "launchpad.db\n").expect("is installed").done();
    assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 0);
}
