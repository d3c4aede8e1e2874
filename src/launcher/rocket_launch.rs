//! What a job runs.
//!
//! Without a `rocket_launch` it is this very binary, on the launchpad and with the worker of
//! `qlaunch`. A user's own command is taken as it is, except for the bare word `rlaunch`: that is
//! this binary, too, whether or not a link of that name is on the PATH of the job, and where it
//! names no launchpad or worker it gets those of `qlaunch`.

use std::path::Path;

use crate::queue::template::shell_word;

const NAME: &str = "rlaunch";
/// What a job runs when nothing is said.
const USUAL: &str = "rlaunch rapidfire";

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
    let lines = given.unwrap_or(USUAL).lines();
    lines.map(|line| rewritten(line, program, options)).collect::<Vec<_>>().join("\n")
}

/// How many fireworks each worker runs side by side that this command starts, where that is known.
pub fn slots(given: Option<&str>) -> Option<usize> {
    let all: Vec<&str> = given.unwrap_or(USUAL).lines().filter_map(|line| Some(split(line)?.1)).collect();
    let [rest] = all.as_slice() else { return None };
    let is_edge = |c: char| c.is_whitespace() || ";&|".contains(c);
    let words: Vec<&str> = rest.split(is_edge).filter(|word| !word.is_empty()).collect();
    let after = |word: &str| words.iter().position(|one| *one == word).map(|at| words.get(at + 1).copied());
    let number = |word: Option<&str>| word.and_then(|word| word.parse().ok());
    let equals = words.iter().find_map(|word| word.strip_prefix("--slots="));
    match after("multi").or(after("--slots")).or(equals.map(Some)) {
        Some(count) => number(count),
        None => words.iter().any(|word| ["singleshot", "rapidfire"].contains(word)).then_some(1),
    }
}

/// What is before and after the bare word `rlaunch`, if it is there.
fn split(line: &str) -> Option<(&str, &str)> {
    let edge = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let mut all = line.match_indices(NAME).map(|(at, _)| (&line[..at], &line[at + NAME.len()..]));
    all.find(|(before, rest)| edge(before.chars().next_back()) && edge(rest.chars().next()))
}

fn rewritten(line: &str, program: &Path, options: &RocketOptions) -> String {
    let Some((before, rest)) = split(line) else { return line.to_owned() };
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
    format!("{before}{}{rest}", words.join(" "))
}

/// The command with more options of the verb that it must have.
pub fn with_options(command: &str, verb: &str, options: &str) -> Option<String> {
    let is_edge = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || ";&|".contains(c));
    let end = command.match_indices(verb).map(|(at, _)| at + verb.len()).find(|&end| {
        let start = end - verb.len();
        is_edge(command[..start].chars().next_back()) && is_edge(command[end..].chars().next())
    })?;
    Some(format!("{} {options}{}", &command[..end], &command[end..]))
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

    #[test]
    fn slots_are_those_of_our_own_workers() {
        for (given, expected) in [
            (None, Some(1)),
            (Some("rlaunch -s singleshot; date"), Some(1)),
            (Some("export A=1\nrlaunch multi 4 --max-idle 5m"), Some(4)),
            (Some("rlaunch rapidfire --slots 3 --nlaunches 2"), Some(3)),
            (Some("rlaunch rapidfire --slots=3"), Some(3)),
            (Some("rlaunch rapidfire --slots auto"), None),
            (Some("rlaunch multi --nlaunches 2 4"), None),
            (Some("rlaunch singleshot &\nrlaunch multi 4"), None),
            (Some("/opt/py/bin/rlaunch singleshot"), None),
            (Some("./run.sh"), None),
        ] {
            assert_eq!(slots(given), expected, "{given:?}");
        }
    }
}
