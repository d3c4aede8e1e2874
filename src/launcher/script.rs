//! Job scripts: the template with its values, written whole or not at all, with plain line ends.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::LauncherError;
use crate::queue::Template;
use crate::queue::template::Value;

/// FireWorks' name for jobs.
const JOB_NAME: &str = "FW_job";

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
        values.insert("rocket_launch".into(), Value::Verbatim(rocket_launch));
        Script { name: name.to_owned(), template, values }
    }

    /// Its file name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes it for jobs that start in `dir`, into `dir`. A job that runs an older one there goes
    /// on with that: the file is replaced, not changed.
    pub fn write(&self, dir: &Path) -> Result<(), LauncherError> {
        let path = dir.join(&self.name);
        let failed = |source| LauncherError::Io { path: path.clone(), source };
        let mut values = self.values.clone();
        values.insert("launch_dir".into(), Value::Path(dir.to_string_lossy().into_owned()));
        let text = self.template.fill(&values);
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

#[cfg(test)]
mod tests {
    use super::*;

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
             echo $$\nulimit -s\ncd '{}'\nrlaunch singleshot\n",
            dir.display()
        );
        assert_eq!(text, expected);
        assert_eq!(std::fs::read_dir(&dir).expect("listed").count(), 1);
    }
}
