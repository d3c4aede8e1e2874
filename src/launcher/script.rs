//! Job scripts: the template with its values, written whole or not at all, with plain line ends.
//!
//! Before the first command stand lines that tell a job which place in the ledger it has, and the
//! launcher that it has begun: a job that has ended long ago may be in no listing, but its file is
//! there. Elements of an array make themselves folders, for they all start in the same.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::LauncherError;
use super::intent::STARTED;
use crate::config::{duration, nearest};
use crate::queue::template::{Value, shell_word};
use crate::queue::{LOCAL_JOB_ID, Template, directives};

/// FireWorks' name for jobs.
const JOB_NAME: &str = "FW_job";
/// What Slurm is asked for where nobody says anything else, so that the end of the time is heard of.
const SIGNAL: &str = "B:USR1@60";
/// In a shorter job it would come at once: Slurm looks every half minute.
const SHORT: Duration = Duration::from_secs(300);

/// The variable that has the folder of an element.
const LAUNCH_DIR: &str = "VOLLEY_LAUNCH_DIR";

/// What a job is told of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Boarding {
    /// Its place in the ledger.
    pub token: String,
    /// The ledger: `CLUSTER/USER`.
    pub ledger: String,
    /// It is one of an array.
    pub elements: bool,
}

impl Boarding {
    /// The lines that do so, for jobs submitted from `dir`.
    fn lines(&self, dir: &Path) -> String {
        let file = shell_word(&dir.join(STARTED).to_string_lossy());
        let id = if self.elements {
            "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID".to_owned()
        } else {
            format!("${{{LOCAL_JOB_ID}:-${{SLURM_JOB_ID:-}}}}")
        };
        let mut lines = format!(
            "# So that Volley knows this job.\nexport VOLLEY_PLACE={} VOLLEY_LEDGER={}\n\
             printf '%s\\n' \"$VOLLEY_PLACE\" > {file}\"{id}\" || :\n",
            shell_word(&self.token),
            shell_word(&self.ledger),
        );
        if self.elements {
            let folder = shell_word(&dir.join("task_").to_string_lossy());
            lines.push_str(&format!(
                "{LAUNCH_DIR}={folder}\"$SLURM_ARRAY_TASK_ID\"\nmkdir -p \"${LAUNCH_DIR}\" && cd \"${LAUNCH_DIR}\" || exit\n"
            ));
        }
        lines
    }
}

/// The script of every job of one launcher.
#[derive(Debug, Clone)]
pub struct Script {
    name: String,
    template: Template,
    values: BTreeMap<String, Value>,
}

impl Script {
    /// A script that runs `rocket_launch`, under the file name `name`.
    pub fn new(name: &str, template: Template, keys: &BTreeMap<String, String>, rocket_launch: String) -> Self {
        let verbatim = |(key, text): (&String, &String)| {
            Some((key.clone(), Value::Verbatim(option(&template, key, text.clone())?)))
        };
        let mut values: BTreeMap<_, _> = keys.iter().filter_map(verbatim).collect();
        values.entry("job_name".into()).or_insert_with(|| Value::Verbatim(JOB_NAME.into()));
        let is_short = keys.get("walltime").and_then(|text| walltime(text)).is_some_and(|time| time < SHORT);
        if template.passes_on("USR1") && !is_short {
            values.entry("signal".into()).or_insert_with(|| Value::Verbatim(SIGNAL.into()));
        }
        values.insert("rocket_launch".into(), Value::Verbatim(rocket_launch));
        Script { name: name.to_owned(), template, values }
    }

    /// The same with another value for a key, or none.
    #[must_use]
    pub fn with(&self, key: &str, value: Option<String>) -> Self {
        // What people call it, and what the template does.
        let known = self.template.keys();
        let key = if key == "partition" && !known.contains(key) { "queue" } else { key };
        let mut script = self.clone();
        match value.and_then(|text| option(&self.template, key, text)) {
            Some(text) => drop(script.values.insert(key.to_owned(), Value::Verbatim(text))),
            None => drop(script.values.remove(key)),
        }
        script
    }

    /// Which of these keys of a `_queueadapter` the template does not have, each with what may be meant.
    pub fn strangers<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<String> {
        let mut known: Vec<&str> = self.template.keys().into_iter().collect();
        known.extend(["partition", "rocket_launch"]);
        keys.filter(|key| !known.contains(key)).map(|key| format!("`{key}`{}", nearest::hint(key, &known))).collect()
    }

    /// Its file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether what it runs hears of the end of the job's time.
    pub fn passes_signals_on(&self) -> bool {
        ["TERM", "USR1"].iter().any(|signal| self.template.passes_on(signal))
    }

    /// Whether a job can be told of itself: not by another shell than those like `sh`. Only then it can
    /// be one of an array.
    pub fn can_board(&self) -> bool {
        directives::is_for_sh(&self.template.fill(&self.values))
    }

    /// It, for jobs that are submitted from `dir`.
    pub fn text(&self, dir: &Path, boarding: &Boarding) -> String {
        let boards = self.can_board();
        let path = dir.to_string_lossy().into_owned();
        let launch_dir = if boarding.elements && boards {
            Value::Variable { name: LAUNCH_DIR.into(), path }
        } else {
            Value::Path(path)
        };
        let mut values = self.values.clone();
        values.insert("launch_dir".into(), launch_dir);
        let mut text = self.template.fill(&values);
        if boards {
            let head = text.split_inclusive('\n').take_while(|line| directives::is_head(line));
            text.insert_str(head.map(str::len).sum(), &boarding.lines(dir));
        }
        text
    }

    /// Writes it for jobs that are submitted from `dir`, into `dir`. A job that runs an older one there
    /// goes on with that: the file is replaced, not changed.
    pub fn write(&self, dir: &Path, boarding: &Boarding) -> Result<(), LauncherError> {
        let path = dir.join(&self.name);
        let failed = |source| LauncherError::Io { path: path.clone(), source };
        let text = self.text(dir, boarding);
        let mut file = tempfile::Builder::new()
            // As the umask has it, and no more.
            .permissions(Permissions::from_mode(0o777))
            .tempfile_in(dir)
            .map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// The text of a key that is an option by itself (`#SBATCH --$${requeue}`), where the template has it so:
/// yes, no, and for `exclusive` to whom.
fn option(template: &Template, key: &str, text: String) -> Option<String> {
    if !template.has_option(key) {
        return Some(text);
    }
    match (key, text.as_str()) {
        ("requeue", "False") => Some("no-requeue".into()),
        (_, "False") => None,
        (_, "True") => Some(key.to_owned()),
        _ => Some(format!("{key}={text}")),
    }
}

/// The `walltime` of a script as Slurm reads it: a plain number is minutes.
pub fn walltime(text: &str) -> Option<Duration> {
    match text.trim().parse::<u32>() {
        Ok(minutes) => Some(Duration::from_secs(60 * u64::from(minutes))),
        Err(_) => duration::parse(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boarding(elements: bool) -> Boarding {
        Boarding { token: "/a b".into(), ledger: "east/me".into(), elements }
    }

    fn bash(script: &Path, variables: &[(&str, &str)]) -> String {
        let mut command = std::process::Command::new("bash");
        let output = command.arg(script).current_dir("/").envs(variables.iter().copied()).output().expect("runs");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("is text")
    }

    #[test]
    fn a_job_says_that_it_has_begun() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("it's $HOME \"a\" `b` \\c");
        std::fs::create_dir(&dir).expect("made");
        let text = "#!/bin/bash -eu\n#SBATCH --chdir=$${launch_dir}\n\n# Now.\ncd $${launch_dir}\n$${rocket_launch}\n";
        let command = "echo \"$VOLLEY_PLACE $VOLLEY_LEDGER\"; pwd";
        let script = Script::new("job.sh", Template::new(text), &BTreeMap::new(), command.into());
        let mine = Boarding { token: dir.to_string_lossy().into_owned(), ..boarding(false) };
        script.write(&dir, &mine).expect("written");
        let started = |id: &str| std::fs::read_to_string(dir.join(format!("{STARTED}{id}"))).expect("is there");
        for variables in [&[("SLURM_JOB_ID", "7")][..], &[("SLURM_JOB_ID", "8"), ("VOLLEY_JOB_ID", "7")]] {
            let said = bash(&dir.join("job.sh"), variables);
            assert_eq!(said, format!("{0} east/me\n{0}\n", dir.display()));
            assert_eq!(started("7"), format!("{}\n", dir.display()));
        }

        script.write(&dir, &Boarding { elements: true, ..mine }).expect("written");
        let said = bash(
            &dir.join("job.sh"),
            &[("SLURM_JOB_ID", "9"), ("SLURM_ARRAY_JOB_ID", "8"), ("SLURM_ARRAY_TASK_ID", "3")],
        );
        assert_eq!(said, format!("{0} east/me\n{0}/task_3\n", dir.display()));
        assert_eq!(started("8_3"), format!("{}\n", dir.display()));
        let text = std::fs::read_to_string(dir.join("job.sh")).expect("read");
        assert!(text.contains(&format!("#SBATCH --chdir={}\n", dir.display())), "{text}");
        assert_eq!(std::fs::read_dir(&dir).expect("listed").count(), 4);
    }

    #[test]
    fn keys_may_be_options_by_themselves() {
        let template = Template::new("#SBATCH --$${requeue}\n#SBATCH --$${exclusive}\n#SBATCH --mem=$${mem}\n");
        for (keys, expected) in [
            (vec![("requeue", "True"), ("exclusive", "True")], "#SBATCH --requeue\n#SBATCH --exclusive\n"),
            (vec![("requeue", "False"), ("exclusive", "False")], "#SBATCH --no-requeue\n"),
            (vec![("exclusive", "user"), ("mem", "True")], "#SBATCH --exclusive=user\n#SBATCH --mem=True\n"),
        ] {
            let keys: BTreeMap<_, _> = keys.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            let script = Script::new("s", template.clone(), &keys, String::new());
            let text = script.text(Path::new("/d"), &boarding(false));
            assert!(text.starts_with(&format!("{expected}# So that")), "{text}");
            let all = Script::new("s", template.clone(), &BTreeMap::new(), String::new());
            let later = keys.iter().fold(all, |script, (key, value)| script.with(key, Some(value.clone())));
            assert_eq!(later.text(Path::new("/d"), &boarding(false)), text);
        }
    }

    #[test]
    fn other_shells_are_told_nothing() {
        for shebang in ["#!/bin/csh", "#!/usr/bin/env python3"] {
            let text = format!("{shebang}\ncd $${{launch_dir}}\n");
            let script = Script::new("s", Template::new(&text), &BTreeMap::new(), String::new());
            assert!(!script.can_board());
            assert_eq!(script.text(Path::new("/d"), &boarding(true)), format!("{shebang}\ncd /d\n"));
        }
    }

    #[test]
    fn the_end_of_long_jobs_is_announced() {
        let signal = |text: &str, keys: &[(&str, &str)]| {
            let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            let text = Script::new("s", Template::new(text), &keys, "rlaunch rapidfire".into());
            let text = text.text(Path::new("/d"), &boarding(false));
            text.lines().next().map(str::to_owned).filter(|line| line.starts_with("#SBATCH"))
        };
        let ours = "#SBATCH --signal=$${signal}\ntrap x USR1\n$${rocket_launch} &\n";
        let default = Some("#SBATCH --signal=B:USR1@60".to_owned());
        for (keys, expected) in [
            (vec![], default.clone()),
            (vec![("walltime", "10")], default.clone()),
            (vec![("walltime", "1-00:00:00")], default),
            (vec![("walltime", "00:02:00")], None),
            (vec![("signal", "B:TERM@600"), ("walltime", "1")], Some("#SBATCH --signal=B:TERM@600".to_owned())),
        ] {
            assert_eq!(signal(ours, &keys), expected, "{keys:?}");
        }
        // A shell that does not catch it would die of it.
        assert_eq!(signal("#SBATCH --signal=$${signal}\ntrap 'rm tmp' EXIT\n$${rocket_launch}\n", &[]), None);
    }

    #[test]
    fn is_the_template_with_its_values() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("with space");
        std::fs::create_dir(&dir).expect("made");
        let template = Template::new(include_str!("../../templates/queue/SLURM_template.txt"));
        let keys = [("walltime", "00:02:00"), ("gpu-bind", "closest"), ("pre_rocket", "echo $$\nulimit -s")];
        let keys = keys.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let script = Script::new("FW_submit.script", template, &keys, "rlaunch singleshot".into());
        script.write(&dir, &boarding(false)).expect("written");
        let text = std::fs::read_to_string(dir.join("FW_submit.script")).expect("read");
        let expected = format!(
            "#!/bin/bash -l\n\n#SBATCH --job-name=FW_job\n#SBATCH --output=FW_job-%j.out\n\
             #SBATCH --error=FW_job-%j.error\n#SBATCH --time=00:02:00\n#SBATCH --gpu-bind=closest\n\n\
             # So that Volley knows this job.\nexport VOLLEY_PLACE='/a b' VOLLEY_LEDGER=east/me\n\
             printf '%s\\n' \"$VOLLEY_PLACE\" > '{0}/volley.started.'\"${{VOLLEY_JOB_ID:-${{SLURM_JOB_ID:-}}}}\" || :\n\
             echo $$\nulimit -s\ncd '{0}'\n\n# Slurm tells",
            dir.display()
        );
        assert_eq!(text.get(..expected.len()), Some(expected.as_str()));
        assert!(text.contains("\nrlaunch singleshot\n} &\n"), "{text}");
        assert_eq!(std::fs::read_dir(&dir).expect("listed").count(), 1);
    }
}
