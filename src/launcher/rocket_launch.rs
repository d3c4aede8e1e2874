//! What a job runs.
//!
//! Without a `rocket_launch` it is this very binary, on the launchpad and with the worker of
//! `qlaunch`. A user's own command is taken as it is, except for the bare word `rlaunch`: that is
//! this binary, too, whether or not a link of that name is on the PATH of the job, and where it
//! names no launchpad or worker it gets those of `qlaunch`.

use std::path::Path;

use crate::queue::template::shell_word;

/// The options that make `rlaunch` work on what `qlaunch` works on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RocketOptions {
    /// `-l`: the launchpad, unless a job finds it in its environment.
    pub launchpad: Option<String>,
    /// `-w`: the worker's file.
    pub fworker: Option<String>,
    /// `-c`: the folder of the settings.
    pub config_dir: Option<String>,
}

/// The command of a job; `program` is this binary.
pub fn rocket_launch(given: Option<&str>, program: &Path, options: &RocketOptions) -> String {
    let lines = given.unwrap_or("rlaunch rapidfire").lines();
    lines.map(|line| rewritten(line, program, options)).collect::<Vec<_>>().join("\n")
}

fn rewritten(line: &str, program: &Path, options: &RocketOptions) -> String {
    const NAME: &str = "rlaunch";
    let edge = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let at = line
        .match_indices(NAME)
        .map(|(at, _)| at)
        .find(|at| edge(line[..*at].chars().next_back()) && edge(line[at + NAME.len()..].chars().next()));
    let Some(at) = at else { return line.to_owned() };
    let rest = &line[at + NAME.len()..];
    // `-c` names a folder that may have both files.
    let names = |short: &str, long: &str| {
        rest.split_whitespace()
            .any(|word| word.starts_with("-c") || word.starts_with("--config") || is(word, short, long))
    };
    let mut words = vec![shell_word(&program.to_string_lossy()), NAME.to_owned()];
    let mut add = |flag: &str, value: &Option<String>| {
        words.extend(value.iter().flat_map(|value| [flag.to_owned(), shell_word(value)]));
    };
    if !names("-l", "--launchpad") {
        add("-l", &options.launchpad);
    }
    if !names("-w", "--fworker") {
        add("-w", &options.fworker);
    }
    if !names("-c", "--config") {
        add("-c", &options.config_dir);
    }
    format!("{}{}{rest}", &line[..at], words.join(" "))
}

/// Whether a word is an option, alone or with its value.
fn is(word: &str, short: &str, long: &str) -> bool {
    word.starts_with(long) || (word.starts_with(short) && !word.starts_with("--"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_this_binary_on_this_launchpad() {
        let options = RocketOptions {
            launchpad: Some("/home/me/my pad.db".into()),
            fworker: Some("/home/me/w.yaml".into()),
            config_dir: None,
        };
        let v = "'/opt/my bin/volley' rlaunch";
        let l = "-l '/home/me/my pad.db'";
        let w = "-w /home/me/w.yaml";
        for (given, expected) in [
            (None, format!("{v} {l} {w} rapidfire")),
            (Some("rlaunch singleshot"), format!("{v} {l} {w} singleshot")),
            (Some("srun -n 1 rlaunch -s rapidfire"), format!("srun -n 1 {v} {l} {w} -s rapidfire")),
            (Some("rlaunch -l other.yaml rapidfire"), format!("{v} {w} -l other.yaml rapidfire")),
            (Some("rlaunch -w o.yaml rapidfire"), format!("{v} {l} -w o.yaml rapidfire")),
            (Some("rlaunch -c /cfg singleshot"), format!("{v} -c /cfg singleshot")),
            (Some("export A=1\nrlaunch rapidfire"), format!("export A=1\n{v} {l} {w} rapidfire")),
            // Somebody who writes a path means that one.
            (Some("/opt/py/bin/rlaunch singleshot"), "/opt/py/bin/rlaunch singleshot".into()),
            (Some("volley rlaunch-like"), "volley rlaunch-like".into()),
            (Some("./run.sh"), "./run.sh".into()),
        ] {
            assert_eq!(rocket_launch(given, Path::new("/opt/my bin/volley"), &options), expected);
        }
    }
}
