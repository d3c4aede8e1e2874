//! What each verb prints, for people and for programs: the transcripts in `tests/cmd`, on both stores.
//! After a change that is meant, `SNAPSHOTS=overwrite cargo test golden` writes them anew; read the
//! difference.

use std::path::{Path, PathBuf};

use snapbox::assert::DEFAULT_ACTION_ENV;
use snapbox::{Assert, Data, Redactions};

use crate::support::cli::Cli;
use crate::support::run::{Ran, VOLLEY};

/// The transcripts; each is of a launchpad of its own.
fn transcripts() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd");
    let mut found: Vec<PathBuf> = files(&folder).filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    found.sort();
    found
}

fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).expect("is there").map(|entry| entry.expect("is readable").path())
}

/// Types the commands of a transcript once more, on this launchpad, and compares what comes of them.
fn replay(transcript: &Path, cli: &Cli) {
    for file in files(transcript.parent().expect("has a parent")) {
        let name = file.file_name().expect("has a name");
        if name.to_str().is_some_and(|name| !name.ends_with(".txt")) {
            std::fs::copy(&file, cli.folder().join(name)).expect("copies");
        }
    }
    // One of the stores would say that it is new.
    cli.lpad(&["admin", "tuneup"]).done();
    let text = std::fs::read_to_string(transcript).expect("is readable");
    let mut replayed = String::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("$ ")) {
        replayed.push_str(&format!("$ {line}\n"));
        let mut command = cli.command(Path::new("sh"));
        let ran = Ran::of(command.args([
            "-c",
            "lpad() { \"$0\" lpad \"$@\"; }; rlaunch() { \"$0\" rlaunch \"$@\"; }; eval \"$1\"",
            VOLLEY,
            line,
        ]));
        replayed.push_str(&ran.stdout);
        // What is logged has a time of its own in every line.
        replayed.extend(ran.stderr.lines().map(|line| format!("! {line}\n")));
        if ran.code != 0 {
            replayed.push_str(&format!("? {}\n", ran.code));
        }
    }
    let assert = Assert::new().action_env(DEFAULT_ACTION_ENV).normalize_paths(false).redact_with(redactions(cli));
    assert.eq(replayed, Data::read_from(transcript, None));
}

/// What differs from run to run has a name.
fn redactions(cli: &Cli) -> Redactions {
    let mut redactions = Redactions::new();
    let host = regex::escape(&gethostname::gethostname().to_string_lossy());
    for (name, pattern) in [
        ("[DATE]", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?".to_owned()),
        ("[TIME]", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d([.,]\d+)?".to_owned()),
        ("[LAUNCHPAD]", r"(SQLite file \S*launchpad\.db|MongoDB \S+/volley_test_\w+)".to_owned()),
        ("[HOME]", regex::escape(&cli.folder().display().to_string())),
        ("[LAUNCHER]", r"launcher_[\d-]+".to_owned()),
        ("[TODAY]", regex::escape(&jiff::Timestamp::now().to_string()[..10])),
        ("[HOST]", format!(r"\b{host}\b")),
    ] {
        redactions.insert(name, regex::Regex::new(&pattern).expect("is a pattern")).expect("is a name");
    }
    redactions
}

#[test]
fn transcripts_hold_on_sqlite() {
    transcripts().iter().for_each(|transcript| replay(transcript, &Cli::sqlite()));
}

#[test]
fn transcripts_hold_on_mongodb() {
    for transcript in transcripts() {
        let Some(cli) = Cli::mongo() else { return };
        replay(&transcript, &cli);
    }
}
