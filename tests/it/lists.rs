//! What all lists have in common: their formats, their readers, their size.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::cli::{Cli, shell_binary};
use crate::support::run::{Ran, VOLLEY};

/// Runs a line of a shell, in which `$LPAD` is `lpad`.
fn shell(cli: &Cli, line: &str) -> Ran {
    let line = line.replace("$LPAD", &format!("{} lpad", shell_binary()));
    Ran::of(cli.command(Path::new("sh")).args(["-c", &line]))
}

#[test]
fn every_format_has_one_shape() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let printed = |args: &[&str]| cli.lpad(args).done().stdout;
        let lines = printed(&["-o", "jsonl", "get_fws", "-i", "1-3"]);
        let ids = |text: &str| {
            let id = |line: &str| serde_json::from_str::<Value>(line).expect("is JSON")["fw_id"].clone();
            text.lines().map(id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&lines), [1, 2, 3]);
        assert_eq!(printed(&["get_wflows", "-d", "ids", "-o", "JSONL"]), "1\n3\n5\n");
        assert_eq!(printed(&["-o", "jsonl", "get_fws", "-i", "99"]), "");
        assert_eq!(printed(&["get_fws", "-o", "ids"]), "1-5\n");
        assert_eq!(printed(&["get_fws", "-o", "ids", "--rsort", "id", "-m", "2"]), "5,4\n");
        assert_eq!(printed(&["get_wflows", "-o", "ids", "-n", "pair"]), "1,3\n");
        assert_eq!(printed(&["get_fws", "-i", "99", "-o", "ids"]), "");
        assert_eq!(printed(&["add", "bad.yaml", "two.yaml", "-o", "ids"]), "6-8\n");
        assert_eq!(printed(&["-o", "yaml", "get_fws", "-i", "99"]), "[]\n\n");
        let yaml: Value = serde_saphyr::from_str(&printed(&["-o", "yaml", "get_fws", "-d", "all"])).expect("is YAML");
        assert_eq!(yaml, cli.lpad(&["get_fws", "-d", "all"]).json());
        assert!(printed(&["get_wflows", "-t"]).starts_with("ID"), "a table, also in a pipe");
        cli.lpad(&["-o", "ids", "report"]).failed(2, "`-o ids` is for verbs that list");
        cli.lpad(&["-o", "xml", "get_fws"]).failed(2, "xml");
    }
}

#[test]
fn what_is_listed_can_be_changed() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        assert_eq!(cli.states()[4], "FIZZLED");
        shell(&cli, "$LPAD rerun_fws -i $($LPAD get_fws -s FIZZLED -o ids)").done();
        assert_eq!(cli.states()[4], "READY");
        let none = shell(&cli, "$LPAD rerun_fws -i $($LPAD get_fws -s FIZZLED -o ids)");
        assert_eq!(none.code, 4, "no ids are nothing selected: {none:?}");
    }
}

#[test]
fn everything_shown_can_be_sorted_by() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.lpad(&["set_priority", "7", "-i", "4"]).done();
        cli.lpad(&["pause_fws", "-i", "1"]).done();
        cli.volley(&["rlaunch", "-s", "singleshot", "-f", "5"]).done();
        let of = |verb: &str, flag: &str, key: &str| cli.lpad(&[verb, "-d", "ids", flag, key]).json();
        assert_eq!(of("get_fws", "--rsort", "priority"), json!([4, 5, 3, 2, 1]));
        assert_eq!(of("get_fws", "--sort", "state"), json!([5, 1, 3, 2, 4]));
        assert_eq!(of("get_fws", "--sort", "NAME"), json!([5, 1, 3, 2, 4]));
        assert_eq!(of("get_fws", "--rsort", "launches"), json!([5, 4, 3, 2, 1]));
        assert_eq!(of("get_fws", "--rsort", "created"), json!([5, 4, 3, 2, 1]));
        assert_eq!(of("get_fws", "--rsort", "updated_on")[0], 5);
        assert_eq!(of("get_wflows", "--sort", "fireworks"), json!([5, 1, 3]));
        assert_eq!(of("get_wflows", "--rsort", "fw_id"), json!([5, 3, 1]));
        assert_eq!(of("get_wflows", "--sort", "name"), json!([5, 1, 3]));
        cli.lpad(&["get_wflows", "--sort", "priority"]).failed(2, "workflows have no priority");
        cli.lpad(&["get_fws", "--sort", "colour"]).failed(2, "colour");
        cli.lpad(&["get_fws", "--sort", "id", "--rsort", "id"]).failed(2, "cannot be used with");
        assert_eq!(cli.lpad(&["get_fws", "-d", "count", "-m", "2"]).json(), 2);
    }
}

#[test]
fn a_disk_that_is_full_is_an_error() {
    let cli = Cli::sqlite().with_five_fireworks();
    for args in ["get_fws", "get_fws -d ids", "get_fws -d count", "-o yaml get_wflows", "-o table get_fws", "report"] {
        let ran = shell(&cli, &format!("$LPAD {args} > /dev/full"));
        let reason = "cannot write to standard output";
        assert!(
            ran.code == 1 && ran.stderr.contains(reason) && ran.stderr.contains("No space left"),
            "{args}: {ran:?}"
        );
    }
}

/// Makes a launchpad of many fireworks, past the store: it is about those who read it.
fn fill(path: &Path, count: u32) {
    let sql = rusqlite::Connection::open(path).expect("opens");
    sql.execute_batch(&format!(
        "INSERT INTO workflows (id, name, state, metadata, created_on, updated_on)
           VALUES (7, 'many', 'READY', '{{}}', '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:00:00.000000+00:00');
         INSERT INTO fireworks (fw_id, workflow, name, state, spec, created_on, updated_on, is_leaf, lenient)
           WITH RECURSIVE ids(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM ids WHERE id < {count})
           SELECT id, 7, 'one of many', 'READY',
             '{{\"_tasks\": [{{\"_fw_name\": \"ScriptTask\", \"script\": \"' || hex(zeroblob(500)) || '\"}}]}}',
             '2026-01-01T00:00:00.000000+00:00', '2026-01-01T00:00:00.000000+00:00', 1, 0 FROM ids;"
    ))
    .expect("inserts");
}

#[test]
fn long_lists_take_little_memory_and_their_readers_may_leave() {
    let cli = Cli::sqlite();
    cli.lpad(&["get_fws"]).done();
    fill(&cli.folder().join("launchpad.db"), 100_000);
    // In kilobytes: who takes more dies.
    let ran = shell(&cli, "ulimit -d 102400 && $LPAD get_fws | tail -3").done();
    assert_eq!(ran.stdout, "        \"name\": \"one of many\"\n    }\n]\n", "{ran:?}");
    assert_eq!(ran.stderr, "");
    for args in ["get_fws", "-o jsonl get_fws", "-o yaml get_fws", "get_fws -d more", "get_fws -d ids"] {
        let ran = shell(&cli, &format!("{{ $LPAD {args}; echo $? >&2; }} | head -n 1")).done();
        assert_eq!((ran.stdout.lines().count(), ran.stderr.as_str()), (1, "0\n"), "{args}: {ran:?}");
    }
    // A reader that has gone before anything is written.
    let mut child = cli.command(Path::new(VOLLEY));
    let child = child.args(["lpad", "get_fws"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().expect("starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn nothing_is_asked_of_the_store_once_more_for_every_row() {
    let Some(cli) = Cli::mongo() else { return };
    let cli = cli.with_five_fireworks();
    let (host, port, name) = cli.address();
    let client = mongodb::sync::Client::with_uri_str(format!("mongodb://{host}:{port}")).expect("connects");
    let database = client.database(name);
    let asked = |args: &[&str]| {
        database.run_command(bson::doc! { "profile": 2 }).run().expect("is on");
        cli.lpad(args).done();
        database.run_command(bson::doc! { "profile": 0 }).run().expect("is off");
        let profile = database.collection::<bson::Document>("system.profile");
        let count = profile
            .count_documents(bson::doc! { "op": { "$in": ["query", "getmore", "command"] },
            "ns": { "$not": { "$regex": "system.profile" } } })
            .run()
            .expect("counts");
        profile.drop().run().expect("is dropped");
        count
    };
    for args in [
        ["get_fws", "-d", "more"],
        ["get_wflows", "-d", "all"],
        ["get_fws_in_wflows", "--wf_name=pair", "-dall"],
        ["track_fws", "-s", "COMPLETED,READY"],
    ] {
        let few = asked(&args);
        cli.lpad(&["add", "two.yaml", "two.yaml", "two.yaml", "two.yaml"]).done();
        assert_eq!(asked(&args), few, "{args:?}");
    }
}
