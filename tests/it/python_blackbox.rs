//! FireWorks' own tests, as they are installed with it, with their fireworks run by our `rlaunch`.
//!
//! All pass but those listed here, each with the reason; a listed one that passes is an error, too.
//! Not run is what launches nothing on a launchpad (the tests of serialisation, of tasks alone, of
//! FireWorks' command lines), and `AuthenticationTest`, which makes users on the server.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use serde_json::json;

use crate::support::cli::Cli;
use crate::support::run::{VOLLEY, private};
use crate::support::{is_long, service};

/// What goes to one process of pytest; they run at the same time.
const SHARES: [&[&str]; 3] = [
    &["fireworks.tests.mongo_tests", "-k", "not test_parallel_fibadder"],
    &["fireworks.core.tests.test_launchpad", "-k", "not AuthenticationTest and not WFLockTest"],
    &[
        "fireworks.core.tests.test_rocket",
        "fireworks.core.tests.test_tracker",
        "fireworks.tests.multiprocessing_tests",
        "fireworks.tests.test_deserialization",
    ],
];

/// These take most of a minute each.
const LONG_SHARES: [&[&str]; 3] = [
    &["fireworks.tests.mongo_tests", "-k", "test_parallel_fibadder"],
    &["fireworks.core.tests.test_launchpad", "-k", "WFLockTest and inconsistencies_completed"],
    &["fireworks.core.tests.test_launchpad", "-k", "WFLockTest and inconsistencies_fizzled"],
];

/// What cannot pass: the end of its name, what it says then, and why that is so.
const CANNOT: &[(&str, &str, &str)] = &[
    ("test_basic_fw_offline", "Offline", OFFLINE),
    ("test_offline_fw_passinfo", "Offline", OFFLINE),
    ("test__recover_completed", "Offline", OFFLINE),
    ("test_many_detours_offline", "Offline", OFFLINE),
    ("test_detect_lostruns", "pymongo major version > 3", SKIPPED),
    ("test_detect_lostruns_defuse", "pymongo major version > 3", SKIPPED),
    ("test_state_after_run_start", "pymongo major version > 3", SKIPPED),
    ("test_task_level_rerun", "assert 0 == 1", COUNTS),
    ("test_task_level_rerun_cp", "assert 0 == 1", COUNTS),
    ("test_task_level_rerun_prev_dir", "assert 0 == 1", COUNTS),
    ("test_fizzle_on_deserialization_failure", "'READY' == 'FIZZLED'", UNKNOWN),
    ("test_workflow_state_updated_on_deserialization_failure", "'READY' == 'FIZZLED'", UNKNOWN),
    ("test_queue_skips_bad_and_runs_next", "assert True is False", UNKNOWN),
    ("test_fix_db_inconsistencies_completed", "'COMPLETED' == 'RUNNING'", GIVES_UP),
    ("test_fix_db_inconsistencies_fizzled", "'FIZZLED' == 'RUNNING'", GIVES_UP),
];

const OFFLINE: &str = "our rlaunch has no --offline; FireWorks' own cannot either with the monty it installs";
const SKIPPED: &str = "FireWorks skips it with the pymongo it installs";
const COUNTS: &str = "counts in the process of the test how often a task has run; ours run in another";
const UNKNOWN: &str = "a task that is not here is left to workers that have it, and does not fizzle";
const GIVES_UP: &str = "wants a worker that gives up while Python holds the lock of the workflow; ours waits for it";

/// What pytest says of one test.
struct Report {
    name: String,
    outcome: String,
    reason: String,
    launches: u64,
    seconds: f64,
}

#[test]
fn fireworks_own_tests_pass_with_our_launches() {
    let Some(python) = service("VOLLEY_TEST_PYTHON", "python") else { return };
    let mut shares = SHARES.to_vec();
    shares.extend(is_long().then_some(LONG_SHARES).into_iter().flatten());
    let sites: Option<Vec<Cli>> = shares.iter().map(|_| Cli::mongo()).collect();
    let Some(sites) = sites else { return };
    let reports: Vec<Report> = thread::scope(|scope| {
        let start = |(share, site)| {
            let python = Path::new(&python);
            scope.spawn(move || run(python, share, site))
        };
        let running: Vec<_> = shares.into_iter().zip(&sites).map(start).collect();
        running.into_iter().flat_map(|share| share.join().expect("reports")).collect()
    });
    let mut surprises = Vec::new();
    let mut expected: BTreeMap<&str, _> = CANNOT.iter().map(|(name, said, why)| (*name, (*said, *why))).collect();
    for report in &reports {
        let short = report.name.rsplit("::").next().unwrap_or_default();
        let (passes, ours) = (report.outcome == "passed", if report.launches > 0 { " (launched by ours)" } else { "" });
        let (verdict, is_expected) = match expected.remove(short) {
            None if passes => (format!("passes{ours}"), true),
            None => (format!("{}: {}", report.outcome, report.reason), false),
            Some((_, why)) if passes => (format!("passes, but it is listed because it {why}"), false),
            Some((said, why)) if report.reason.contains(said) => (format!("cannot pass: {why}"), true),
            Some((said, _)) => (format!("{}: not `{said}`, but {}", report.outcome, report.reason), false),
        };
        let line = format!("{} {verdict}, {:.1} s", report.name, report.seconds);
        eprintln!("{line}");
        surprises.extend((!is_expected).then_some(line));
    }
    let all_ran = !is_long() || expected.is_empty();
    assert!(all_ran, "not among FireWorks' tests: {:?}", expected.keys());
    assert!(surprises.is_empty(), "{}", surprises.join("\n"));
}

/// Runs one process of pytest in a folder and on a database of its own.
fn run(python: &Path, share: &[&str], site: &Cli) -> Vec<Report> {
    let mut command = private(python, site.folder());
    command.args(["-m", "pytest", "-p", "launched_by_volley", "-p", "no:cacheprovider", "--pyargs"]).args(share);
    let (host, port, database) = site.address();
    command.env("VOLLEY_PEER", json!([VOLLEY, host, port, database]).to_string());
    command.env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/python"));
    // Their scripts run `python`, which is to be the one beside theirs.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = python.parent().map(Path::to_owned).into_iter().chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(folders).expect("are folders"));
    let output = command.output().expect("runs");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let reports: Vec<Report> = stdout.lines().filter_map(|line| read(line.strip_prefix('=')?)).collect();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)) && !reports.is_empty(), "{share:?}: {stdout}{stderr}");
    reports
}

/// One line of the plugin; pytest draws lines that begin like them.
fn read(line: &str) -> Option<Report> {
    let report: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| report[key].as_str().expect("a text").to_owned();
    Some(Report {
        name: text("test"),
        outcome: text("outcome"),
        reason: text("reason"),
        launches: report["launches"].as_u64().expect("a number"),
        seconds: report["seconds"].as_f64().expect("a number"),
    })
}
