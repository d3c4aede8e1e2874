//! How `sbatch` is called.

use std::ffi::OsStr;
use std::path::Path;

use super::{LONGEST, Slurm, mark};
use crate::queue::command::{self, Call};
use crate::queue::{Job, Kind, QueueError, Result, directives};

/// What Slurm says of a job that could not start on the nodes that are up now. It may take it all the
/// same, and says so itself where it does not.
const WAITS: [&str; 4] = [
    "Requested node configuration is not available",
    "Requested partition configuration not available now",
    "Required node not available",
    "Required partition not available",
];

impl Slurm {
    /// What `sbatch` is told of a job.
    pub(super) fn sbatch_arguments(&self, job: &Job) -> Result<Vec<String>> {
        let path = job.dir.join(&job.script);
        let script = std::fs::read_to_string(&path).map_err(|source| QueueError::Io { path, source })?;
        Ok(self.arguments(job, &script))
    }

    /// The command that hands over a job.
    pub(super) fn sbatch_line(&self, job: &Job, script: &str) -> String {
        let arguments = self.arguments(job, script);
        let arguments: Vec<&str> = std::iter::once("--parsable").chain(arguments.iter().map(String::as_str)).collect();
        command::line(&self.programs.submit, &arguments)
    }

    /// Has Slurm look at a job. That it would wait is no reason not to hand it over.
    pub(super) fn test(&self, job: &Job) -> Result<()> {
        // A site's own program need not know the option, and would submit.
        let is_sbatch = |word: &String| Path::new(word).file_name() == Some(OsStr::new("sbatch"));
        if !self.programs.submit.iter().any(is_sbatch) {
            return Ok(());
        }
        match self.sbatch(job, &["--test-only"], &self.sbatch_arguments(job)?) {
            Err(error @ QueueError::Failed { .. }) if WAITS.iter().any(|sign| error.to_string().contains(sign)) => {
                tracing::warn!(
                    "Slurm has no nodes for such jobs now, or never; they are submitted, and may wait for ever: {error}"
                );
                Ok(())
            }
            Err(error) if error.kind() == Kind::Full => Ok(()),
            answer => answer.map(drop),
        }
    }

    fn arguments(&self, job: &Job, script: &str) -> Vec<String> {
        let variables: Vec<&str> = self.environment.iter().map(|(name, _)| name.as_str()).collect();
        arguments(job, script, &self.mark(), &variables)
    }

    /// Runs `sbatch` with these options.
    pub(super) fn sbatch(&self, job: &Job, options: &[&str], arguments: &[String]) -> Result<String> {
        let arguments: Vec<&str> = options.iter().copied().chain(arguments.iter().map(String::as_str)).collect();
        let stdin = job.held_open.as_ref().map(|file| file.try_clone()).transpose();
        let call = Call {
            dir: Some(&job.dir),
            environment: &self.environment,
            stdin: stdin.map_err(|source| QueueError::Io { path: job.dir.clone(), source })?,
            timeout: Some(self.timeout.max(LONGEST)),
        };
        command::run(&self.programs.submit, &arguments, call)
    }
}

/// The options, and the script. An option overrides what the script says, so that it has to say both.
fn arguments(job: &Job, script: &str, mark: &str, variables: &[&str]) -> Vec<String> {
    let own = |option: &str| directives::value(script, option, None);
    let mut arguments = vec![format!("--comment={}", mark::comment(own("comment").as_deref(), mark, &job.token))];
    arguments.extend(job.elements.map(|elements| format!("--array=0-{}", elements.saturating_sub(1))));
    let names = || variables.iter().copied();
    arguments.extend(own("export").filter(|_| !variables.is_empty()).and_then(|own| match own.as_str() {
        "NONE" | "NIL" => Some(format!("--export={}", names().collect::<Vec<_>>().join(","))),
        list if list.split(',').any(|name| name == "ALL") => None,
        list => Some(format!("--export={}", std::iter::once(list).chain(names()).collect::<Vec<_>>().join(","))),
    }));
    arguments.push(job.script.clone());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_told_by_its_comment() {
        let mut job = Job::new("/d/a b".into(), "s");
        assert_eq!(arguments(&job, "#!/bin/sh\n", "volley:a", &["X"]), ["--comment=volley:a /d/a b", "s"]);
        job.elements = Some(3);
        let script = "#!/bin/sh\n#SBATCH --comment='my own'\n";
        let expected = ["--comment=my own volley:a /d/a b", "--array=0-2", "s"];
        assert_eq!(arguments(&job, script, "volley:a", &[]), expected);
    }

    /// How it finds its launchpad, whatever else it is not to have.
    #[test]
    fn a_job_gets_what_it_needs() {
        let job = Job::new("/d".into(), "s");
        for (own, variables, expected) in [
            ("NONE", &["X", "Y"][..], Some("--export=X,Y")),
            ("A=1,B", &["X"], Some("--export=A=1,B,X")),
            ("ALL,A=1", &["X"], None),
            ("NONE", &[], None),
        ] {
            let found = arguments(&job, &format!("#!/bin/sh\n#SBATCH --export={own}\n"), "volley:a", variables);
            assert_eq!(found.iter().find(|word| word.starts_with("--export")).map(String::as_str), expected, "{own}");
        }
    }
}
