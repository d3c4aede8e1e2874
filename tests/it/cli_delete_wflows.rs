//! `lpad delete_wflows`, and when a change needs a yes.

use serde_json::json;

use volley::store::Location;
use volley::store::history::EventQuery;

use crate::support::cli::Cli;
use crate::support::draft;
use crate::support::run::Ran;

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
        cli.lpad(&["delete_wflows", "-n", "no such name"]).failed(4, "is called `no such name`");
        cli.lpad(&["delete_wflows"]).failed(2, "say which: -i IDS");
        cli.lpad(&["delete_wflows", "-i", "1,99"]).failed(4, "there is no firework 99");
        cli.lpad(&["delete_wflows", "-s", "ARCHIVED", "--yes"]).failed(4, "is ARCHIVED");
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
fn what_has_gone_before_a_failure_is_told_of() {
    let cli = Cli::sqlite();
    let one = draft(json!({"spec": {"_tasks": []}}));
    let store = volley::store::open(&cli.location()).expect("opens");
    store.insert(&vec![one; 501], jiff::Timestamp::now()).expect("inserts");
    let Location::Sqlite(path) = cli.location() else { return };
    let refuse =
        "CREATE TRIGGER refuse BEFORE DELETE ON fireworks WHEN old.fw_id = 501 BEGIN SELECT RAISE(ABORT, 'no'); END";
    rusqlite::Connection::open(path).expect("opens").execute_batch(refuse).expect("is SQL");
    cli.lpad(&["delete_wflows", "-s", "READY", "--yes"]).failed(5, "1 of 501 workflows are left");
    assert_eq!(cli.lpad(&["get_fws", "-d", "ids"]).json(), 501);
    let events = store.events(&EventQuery::default()).expect("reads");
    let last = events.last().expect("is noted");
    assert_eq!((last.deed.what.as_str(), last.deed.workflows.len()), ("delete_wflows", 500));
    cli.lpad(&["delete_wflows", "-i", "501"]).failed(1, "no");
    assert_eq!(store.events(&EventQuery::default()).expect("reads"), events, "nothing has been done");
}

#[test]
fn on_a_terminal_every_delete_is_shown_and_asked_for() {
    let cli = Cli::sqlite().with_five_fireworks();
    let Some(ran) = cli.on_a_terminal("delete_wflows -i 1", "n\n") else { return };
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("delete 1 workflow with 2 fireworks"), "{ran:?}");
    assert!(ran.stdout.contains("  1 READY pair (1)"), "{ran:?}");
    assert!(ran.stdout.contains("nothing was changed"), "{ran:?}");
    assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 5);
    cli.on_a_terminal("delete_wflows -i 1", "y\n").expect("is installed").done();
    assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 3);
    cli.on_a_terminal("set_priority 5 -s READY", "").expect("is installed").done();
}

#[test]
fn launch_directories_go_with_their_workflow_and_no_others() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        let dir = |id: &str| std::path::PathBuf::from(cli.lpad(&["get_launchdir", id]).done().stdout.trim());
        let dirs = ["1", "2", "3", "4", "5"].map(dir);
        // One that runs in a directory of its own choice, and one in the directory of another.
        let named = cli.folder().join("named");
        let task = "_tasks: [{_fw_name: ScriptTask, script: 'true'}]";
        cli.write("named.yaml", &format!("spec: {{_launch_dir: {}, {task}}}\n", named.display()));
        cli.write("guest.yaml", &format!("spec: {{_launch_dir: {}/deep, {task}}}\n", dirs[3].display()));
        cli.lpad(&["add", "named.yaml", "guest.yaml"]).done();
        cli.rapidfire();
        std::fs::remove_dir_all(&dirs[1]).expect("removes");
        let ran = cli.lpad(&["delete_wflows", "-i", "1", "--ldirs"]).done();
        assert!(ran.stderr.contains("Removed 1 launch directory"), "{ran:?}");
        assert!(!dirs[0].exists() && dirs[2].is_dir());
        let ran = cli.lpad(&["delete_wflows", "-i", "3,6", "--ldirs"]);
        let stays = |path: &std::path::Path, why: &str| format!("{} was not removed: {why}", path.display());
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(ran.stderr.contains(&stays(&named, "it was not made for a launch alone")), "{ran:?}");
        let deep = format!("another launch has {}/deep", dirs[3].display());
        assert!(ran.stderr.contains(&stays(&dirs[3], &deep)), "{ran:?}");
        assert!(!dirs[2].exists() && dirs[3].is_dir() && named.is_dir());
        // Where somebody stands is not pulled away under him.
        let mut command = cli.command(std::path::Path::new(crate::support::run::VOLLEY));
        if let Location::Sqlite(path) = cli.location() {
            command.env("VOLLEY_LAUNCHPAD", path);
        }
        command.args(["lpad", "delete_wflows", "-i", "5", "--ldirs"]).current_dir(&dirs[4]);
        Ran::of(&mut command).failed(5, &stays(&dirs[4], &format!("{} is in use", dirs[4].display())));
        assert!(dirs[4].is_dir());
        assert_eq!(cli.lpad(&["get_fws", "-d", "ids"]).json(), 7);
    }
}
