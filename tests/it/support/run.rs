//! Running the real binary: in a folder and with an environment of its own, and what comes of it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary.
pub const VOLLEY: &str = env!("CARGO_BIN_EXE_volley");
/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(90);

/// A command in `folder`, which is also its home. It inherits the PATH and nothing else; whoever
/// runs the tests may have settings, and ignore signals.
pub fn private(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new("/usr/bin/env");
    command.args(["--default-signal=INT,HUP"]).arg(program).current_dir(folder).stdin(Stdio::null()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TZ", "UTC");
    command.env("HOME", folder).env("XDG_DATA_HOME", folder.join("data"));
    command
}

/// Waits until `condition` holds.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Ran {
            code: output.status.code().expect("ends by itself"),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

impl Ran {
    pub fn of(command: &mut Command) -> Self {
        Ran::from(command.output().expect("runs"))
    }

    /// It must have succeeded.
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }

    /// It must have failed so, with one error that says `reason`.
    pub fn failed(self, code: i32, reason: &str) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.stderr.contains(reason), "no `{reason}` in {self:?}");
        assert_eq!(self.stderr.matches("error: ").count(), 1, "{self:?}");
        assert_eq!(self.stdout, "", "errors are not output");
        self
    }

    /// What it printed, as JSON.
    pub fn json(self) -> Value {
        let ran = self.done();
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// What it printed, with every date as `DATE` and every launch directory as `DIR`.
    pub fn redacted(self) -> String {
        let ran = self.done();
        let line = |line: &str| {
            let Some((key, value)) = line.split_once("\": \"") else { return line.to_owned() };
            let comma = if value.ends_with(',') { "," } else { "" };
            match key.trim().trim_start_matches('"') {
                "created_on" | "updated_on" => format!("{key}\": \"DATE\"{comma}"),
                _ => line.to_owned(),
            }
        };
        ran.stdout.lines().map(line).collect::<Vec<_>>().join("\n")
    }
}
