//! Where a job's output goes: what the script asks of Slurm holds here, too.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::queue::directives;

/// The files of a job; the same one twice when both go together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// Its stdout.
    pub stdout: PathBuf,
    /// Its stderr.
    pub stderr: PathBuf,
}

/// As `#SBATCH --output` and `--error` say, else `<job name>-<id>.out` and `.error`. As in Slurm
/// an output without an error takes both, and a job without a name has that of its script.
pub fn files(script: &str, dir: &Path, script_name: &str, id: u64) -> Files {
    let name = directives::value(script, "job-name", Some('J')).unwrap_or_else(|| script_name.to_owned());
    let place = |pattern: &str| dir.join(expand(pattern, &name, id));
    let output = directives::value(script, "output", Some('o'));
    let error = directives::value(script, "error", Some('e'));
    let stderr = error.as_ref().or(output.as_ref()).map_or_else(|| place("%x-%j.error"), |pattern| place(pattern));
    Files { stdout: place(output.as_deref().unwrap_or("%x-%j.out")), stderr }
}

fn expand(pattern: &str, name: &str, id: u64) -> String {
    let mut text = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match (letter, letters.as_str().chars().next()) {
            ('%', Some('j' | 'J' | 'A')) => text.push_str(&id.to_string()),
            ('%', Some('x')) => text.push_str(name),
            ('%', Some('%')) => text.push('%'),
            _ => {
                text.push(letter);
                continue;
            }
        }
        letters.next();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_where_the_script_says() {
        let script = |head: &str| format!("#!/bin/bash -l\n\n{head}\ncd /x\n#SBATCH --output=too-late\n");
        for (head, stdout, stderr) in [
            (
                "#SBATCH --job-name=relax\n#SBATCH --output=relax-%j.out\n#SBATCH --error=relax-%j.error",
                "relax-3.out",
                "relax-3.error",
            ),
            ("#SBATCH -J relax -o %x.%A -e/tmp/%%j", "relax.3", "/tmp/%j"),
            ("#SBATCH --output 'my out'", "my out", "my out"),
            ("#SBATCH --output=a\n#SBATCH --output=b\n#SBATCH --open-mode=append", "b", "b"),
            ("#SBATCH --job-name=relax", "relax-3.out", "relax-3.error"),
            ("# nothing", "run.sh-3.out", "run.sh-3.error"),
        ] {
            let found = files(&script(head), Path::new("/d"), "run.sh", 3);
            let expected = Files { stdout: Path::new("/d").join(stdout), stderr: Path::new("/d").join(stderr) };
            assert_eq!(found, expected, "{head}");
        }
    }
}
