//! `lpad check_wflow`, and `lpad add --check`.

use crate::support::cli::Cli;

/// Two calls; the second reads what the first is said to write.
fn calls(output: &str) -> String {
    let call = |name: &str, more: &str| {
        format!(
            "  - {{fw_id: {name}, name: f{name}, spec: {{_tasks: [{{_fw_name: PyTask, func: math.sqrt, {more}}}]}}}}\n"
        )
    };
    let fws = call("1", &format!("outputs: [{output}]")) + &call("2", "inputs: [x]");
    format!("fws:\n{fws}links: {{1: [2]}}\nname: calls\n")
}

#[test]
fn a_sound_workflow_is_met_with_silence() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        for when in ["before", "after"] {
            for fw_id in ["1", "5"] {
                let ran = cli.lpad(&["check_wflow", "-i", fw_id]).done();
                assert_eq!(ran.stdout, "", "{when}");
            }
            cli.rapidfire();
        }
        cli.lpad(&["check_wflow", "-i", "99"]).failed(1, "there is no firework 99");
    }
}

#[test]
fn inputs_that_nothing_gives_are_named() {
    for cli in Cli::everywhere() {
        cli.write("good.yaml", &calls("x"));
        cli.write("bad.yaml", &calls("y"));
        let fault = "firework 2 (f2): nothing gives it its input `x`";
        cli.lpad(&["add", "-c", "good.yaml", "bad.yaml"]).failed(1, &format!("workflow `calls`: {fault}"));
        assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 0, "nothing was added");
        cli.lpad(&["add", "--check", "good.yaml"]).done();
        cli.lpad(&["check_wflow", "-i", "1"]).done();
        cli.lpad(&["add", "bad.yaml"]).done();
        cli.lpad(&["check_wflow", "-i", "3"]).failed(1, "firework 4 (f2): nothing gives it its input `x`");
    }
}

#[test]
fn states_that_do_not_agree_are_named() {
    let Some(cli) = Cli::mongo() else { return };
    let cli = cli.with_five_fireworks();
    let (host, port, name) = cli.address();
    let client = mongodb::sync::Client::with_uri_str(format!("mongodb://{host}:{port}")).expect("connects");
    let workflows = client.database(name).collection::<bson::Document>("workflows");
    let update = bson::doc! { "$set": { "fw_states.2": "READY", "parent_links": {} } };
    workflows.update_one(bson::doc! { "nodes": 1 }, update).run().expect("updates");
    cli.lpad(&["check_wflow", "-i", "1"]).failed(1, "`parent_links` lacks 1 -> 2");
    let update = bson::doc! { "$set": { "parent_links": { "2": [1] } } };
    workflows.update_one(bson::doc! { "nodes": 1 }, update).run().expect("updates");
    cli.lpad(&["check_wflow", "-i", "1"]).failed(1, "firework 2 is WAITING, its workflow has READY");
    cli.lpad(&["admin", "refresh", "-i", "1"]).done();
    cli.lpad(&["check_wflow", "-i", "1"]).done();
}
