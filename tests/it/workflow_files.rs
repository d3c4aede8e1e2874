//! Workflow files: every bad one in `fixtures/workflows/bad` is refused with file, line and
//! reason, and nothing is stored. The first line of each says what is expected.

use std::path::PathBuf;

use volley::launchpad::workflow_file::read;

use crate::support::cli::Cli;

fn bad_files() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/workflows/bad");
    let entries = std::fs::read_dir(folder).expect("the fixtures");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.sort();
    files
}

#[test]
fn every_bad_file_is_refused_where_it_is_wrong() {
    let cli = Cli::sqlite();
    let mut checked = 0;
    for file in bad_files() {
        let text = std::fs::read_to_string(&file).expect("readable");
        let Some(expected) = text.lines().next().and_then(|line| line.strip_prefix("# expect ")) else { continue };
        let (line, reason) = expected.split_once(": ").expect("a line and a reason");
        let ran = cli.lpad(&["-s", "add", file.to_str().expect("UTF-8")]).failed(1, reason);
        let place = format!("{}:{line}: ", file.display());
        assert!(ran.stderr.contains(&place), "no `{place}` in {}", ran.stderr);
        assert!(ran.stderr.contains("nothing was added"), "{}", ran.stderr);
        checked += 1;
    }
    assert!(checked >= 25, "only {checked} fixtures");
    assert_eq!(cli.lpad(&["get_fws", "-d", "count"]).json(), 0);
}

#[test]
fn files_without_room_for_a_comment() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/workflows/bad");
    for (name, line, reason) in [
        ("trailing_comma.json", Some(4), "trailing comma"),
        ("duplicate_key.json", Some(4), "the key `name` stands here twice"),
        ("emoji_and_unknown_key.json", Some(3), "unknown key `nam` in a firework (did you mean `name`?)"),
        ("cycle.json", Some(6), "`links` form a cycle: 1 -> 1"),
        (".", None, "is a folder; to add the workflow files in it, say -d"),
        ("empty.yaml", None, "there is no workflow in it"),
        ("words.txt", None, "a workflow file ends with .yaml, .yml or .json"),
        ("missing.yaml", None, "No such file"),
    ] {
        let error = read(&PathBuf::from(folder).join(name)).expect_err("is refused");
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn what_fireworks_dumps_can_be_added_again() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("dump.yaml");
    let text = "created_on: 2026-11-22 15:04:08.651000\nfws:\n- created_on: '2026-11-22T15:04:08.651151+00:00'\n  fw_id: 1\n  \
                launches:\n  - {launch_id: 4, state: COMPLETED}\n  archived_launches: []\n  name: relax\n  spec:\n    \
                _tasks: [{_fw_name: ScriptTask, script: echo}]\n  state: COMPLETED\n  updated_on: x\nlinks:\n  '1': []\n\
                metadata: {}\nname: again\nnodes: [1]\nparent_links: {}\nstate: COMPLETED\nupdated_on: 2026-11-22 15:05:52.590000\n";
    std::fs::write(&path, text).expect("writes");
    let found = read(&path).expect("reads");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].draft.name, "again");
    assert_eq!(found[0].base(), folder.path());
}

#[test]
fn the_examples_are_right() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/templates");
    for (name, count) in [
        ("guide/serial.yaml", 2),
        ("guide/parallel.yaml", 2),
        ("guide/slabs.yaml", 3),
        ("guide/two_workers.yaml", 2),
        ("workflows/dataflow.yaml", 2),
        ("workflows/defects.yaml", 3),
        ("workflows/elastic.yaml", 1),
        ("workflows/dynamics.yaml", 3),
        ("workflows/phonons.yaml", 2),
    ] {
        let found = read(&PathBuf::from(folder).join(name)).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(found[0].draft.fireworks().len(), count, "{name}");
    }
}
