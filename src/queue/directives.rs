//! What a job script asks of Slurm in its own `#SBATCH` lines.

/// The last value of an option; Slurm reads them up to the first command.
pub fn value(script: &str, long: &str, short: Option<char>) -> Option<String> {
    let options = script.lines().take_while(|line| is_head(line)).filter_map(|line| line.strip_prefix("#SBATCH"));
    let words: Vec<String> = options.flat_map(|options| shlex::split(options).unwrap_or_default()).collect();
    let long = format!("--{long}");
    let short = short.map(|short| format!("-{short}"));
    let value = |(at, word): (usize, &String)| {
        if *word == long || Some(word) == short.as_ref() {
            return words.get(at + 1).cloned();
        }
        let joined = word.strip_prefix(&long).and_then(|rest| rest.strip_prefix('='));
        joined.or_else(|| word.strip_prefix(short.as_ref()?.as_str())).map(str::to_owned)
    };
    words.iter().enumerate().rev().find_map(value)
}

/// Whether a line may stand before the first command.
pub fn is_head(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with('#')
}

/// Whether a script is for a shell that understands what `sh` does; one that names none is.
pub fn is_for_sh(script: &str) -> bool {
    let Some(line) = script.lines().next().and_then(|line| line.strip_prefix("#!")) else { return true };
    let is_program = |word: &&str| !word.starts_with('-') && !word.contains('=');
    let mut names = line.split_whitespace().filter(is_program).map(|word| word.rsplit('/').next().unwrap_or(word));
    let name = names.next().filter(|name| *name != "env").or_else(|| names.next());
    name.is_some_and(|name| ["sh", "bash", "zsh", "dash", "ksh", "mksh", "ash"].contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_counts() {
        let script = "#!/bin/bash -l\n\n#SBATCH --comment=one -p a\n# --comment=two\n#SBATCH --comment 'it is \"three\"'\n\
                      #SBATCH -pdebug # --comment=four\nls\n#SBATCH --comment=five\n";
        assert_eq!(value(script, "comment", None).as_deref(), Some("it is \"three\""));
        assert_eq!(value(script, "partition", Some('p')).as_deref(), Some("debug"));
        assert_eq!(value(script, "account", Some('A')), None);
    }

    #[test]
    fn knows_shells() {
        for line in
            ["", "ls", "#!/bin/bash -l", "#! /usr/bin/env  zsh", "#!/usr/bin/env -S A=b bash -l", "#!/opt/bin/ksh"]
        {
            assert!(is_for_sh(&format!("{line}\nls\n")), "{line}");
        }
        for line in ["#!/bin/csh -f", "#!/usr/bin/env python3", "#!/bin/tcsh", "#!", "#!/usr/bin/env"] {
            assert!(!is_for_sh(&format!("{line}\nls\n")), "{line}");
        }
    }
}
