//! Job scripts: the template with its values, written whole or not at all, with plain line ends.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use super::LauncherError;
use crate::config::duration;
use crate::queue::Template;
use crate::queue::template::Value;

/// FireWorks' name for jobs.
const JOB_NAME: &str = "FW_job";
/// What Slurm is asked for where nobody says anything else, so that the end of the time is heard of.
const SIGNAL: &str = "B:USR1@60";
/// In a shorter job it would come at once: Slurm looks every half minute.
const SHORT: Duration = Duration::from_secs(300);

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
        let verbatim = |(key, value): (&String, &String)| (key.clone(), Value::Verbatim(value.clone()));
        let mut values: BTreeMap<_, _> = keys.iter().map(verbatim).collect();
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
        match value {
            Some(text) => drop(script.values.insert(key.to_owned(), Value::Verbatim(text))),
            None => drop(script.values.remove(key)),
        }
        script
    }

    /// Its file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether what it runs hears of the end of the job's time.
    pub fn passes_signals_on(&self) -> bool {
        ["TERM", "USR1"].iter().any(|signal| self.template.passes_on(signal))
    }

    /// It, for jobs that start in `dir`.
    pub fn text(&self, dir: &Path) -> String {
        let mut values = self.values.clone();
        values.insert("launch_dir".into(), Value::Path(dir.to_string_lossy().into_owned()));
        self.template.fill(&values)
    }

    /// Writes it for jobs that start in `dir`, into `dir`. A job that runs an older one there goes
    /// on with that: the file is replaced, not changed.
    pub fn write(&self, dir: &Path) -> Result<(), LauncherError> {
        let path = dir.join(&self.name);
        let failed = |source| LauncherError::Io { path: path.clone(), source };
        let text = self.text(dir);
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

    #[test]
    fn the_end_of_long_jobs_is_announced() {
        let signal = |text: &str, keys: &[(&str, &str)]| {
            let keys = keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
            let text = Script::new("s", Template::new(text), &keys, "rlaunch rapidfire".into()).text(Path::new("/d"));
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
        Script::new("FW_submit.script", template, &keys, "rlaunch singleshot".into()).write(&dir).expect("written");
        let text = std::fs::read_to_string(dir.join("FW_submit.script")).expect("read");
        let expected = format!(
            "#!/bin/bash -l\n\n#SBATCH --job-name=FW_job\n#SBATCH --output=FW_job-%j.out\n\
             #SBATCH --error=FW_job-%j.error\n#SBATCH --time=00:02:00\n#SBATCH --gpu-bind=closest\n\n\
             echo $$\nulimit -s\ncd '{}'\n\n# Slurm tells",
            dir.display()
        );
        assert_eq!(text.get(..expected.len()), Some(expected.as_str()));
        assert!(text.contains("\nrlaunch singleshot\n} &\n"), "{text}");
        assert_eq!(std::fs::read_dir(&dir).expect("listed").count(), 1);
    }
}
