//! What the refusals of Slurm mean, by its own words (`slurm_errno.c`, the same since 17.11).
//!
//! The words come with names of programs and functions before them, and with remarks of sites; so
//! they are looked for anywhere. What is in no list needs somebody to change something.

use super::error::Kind;

/// What it says when there are as many jobs as there may be. The first two are what EAGAIN reads
/// like: MaxJobCount of the whole cluster is reached.
const FULL: [&str; 5] = [
    "Resource temporarily unavailable",
    "temporarily unable to accept job",
    "Unable to create job record, try again",
    "job queue full",
    "Requested nodes are busy",
];

/// What it says when the way to the controller broke: nobody knows how far the question came.
const BROKEN: [&str; 11] = [
    "Socket timed out",
    "slurm controller (send failure)",
    "slurm controller (receive failure)",
    "slurm controller (shutdown failure)",
    "Communication shutdown failure",
    "Zero Bytes were transmitted or received",
    "Transport endpoint is not connected",
    "Connection reset by peer",
    "Broken pipe",
    "Unexpected message received",
    "Unexpected missing socket error",
];

/// What it says when the question has not come to where jobs are taken.
const AWAY: [&str; 18] = [
    "Unable to contact slurm controller",
    "slurm controller (connect failure)",
    "Communication connection failure",
    "Connection refused",
    "Connection timed out",
    "No route to host",
    "Network is unreachable",
    "Temporary failure in name resolution",
    "backup controller in standby mode",
    "Controller is in standby mode",
    "Munge encode failed",
    "Protocol authentication error",
    "I/O error writing script/environment to file",
    "Requested operation is presently disabled",
    "Currently unable to load job state information",
    // Of the accounting.
    "slurm_persist_conn_open",
    "Problem talking to the database",
    "Database connection reference is invalid",
];

/// What has to happen before the same call can succeed.
pub fn kind(stderr: &str) -> Kind {
    let says = |signs: &[&str]| signs.iter().any(|sign| stderr.contains(sign));
    if has_submit_limit(stderr) || says(&FULL) {
        Kind::Full
    } else if says(&BROKEN) || says(&AWAY) {
        Kind::Sick
    } else {
        Kind::Wrong
    }
}

/// Whether a job may have been taken although its submission failed.
pub fn is_unheard(stdout: &str, stderr: &str) -> bool {
    let is_id = |line: &str| line.starts_with(|c: char| c.is_ascii_digit()) || line.contains("Submitted batch job");
    stdout.lines().any(|line| is_id(line.trim())) || BROKEN.iter().any(|sign| stderr.contains(sign))
}

/// Whether a reason is a limit on the number of jobs: `QOSMaxSubmitJobPerUserLimit`,
/// `AssocMaxSubmitJobLimit`, `AssocGrpSubmitJobsLimit`, ... Other limits of QOS and association refuse
/// what would never run. Slurm names its reasons since 20.11; what earlier ones say of all of them
/// alike ("Job violates accounting/QOS policy") may be either, and is not waited for.
fn has_submit_limit(stderr: &str) -> bool {
    let mut words = stderr.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| {
        (word.starts_with("QOS") || word.starts_with("Assoc")) && word.contains("Submit") && word.ends_with("Limit")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";

    fn sbatch(why: &str) -> String {
        format!("sbatch: error: Batch job submission failed: {why}\n")
    }

    #[test]
    fn full_is_what_ends_with_some_jobs() {
        for reason in [
            "QOSMaxSubmitJobPerUserLimit",
            "QOSMaxSubmitJobPerAccountLimit",
            "QOSGrpSubmitJobsLimit",
            "AssocMaxSubmitJobLimit",
            "AssocGrpSubmitJobsLimit",
        ] {
            let text = format!("sbatch: error: {reason}\n{}", sbatch(POLICY));
            assert_eq!((kind(&text), is_unheard("", &text)), (Kind::Full, false), "{text}");
        }
        for why in [
            "Resource temporarily unavailable",
            "Slurm temporarily unable to accept job, sleeping and retrying",
            "Unable to create job record, try again",
            "Requested nodes are busy",
        ] {
            assert_eq!((kind(&sbatch(why)), is_unheard("", &sbatch(why))), (Kind::Full, false), "{why}");
        }
    }

    #[test]
    fn sick_is_what_recovers() {
        for (text, unheard) in [
            (sbatch("Socket timed out on send/recv operation"), true),
            (sbatch("Unable to contact slurm controller (connect failure)"), false),
            (sbatch("Unable to contact slurm controller (send failure)"), true),
            (sbatch("Unable to contact slurm controller (receive failure)"), true),
            (sbatch("Zero Bytes were transmitted or received"), true),
            (sbatch("Transport endpoint is not connected"), true),
            (sbatch("Unexpected message received"), true),
            (sbatch("Slurm backup controller in standby mode"), false),
            (sbatch("Controller is in standby mode, try a different controller"), false),
            (sbatch("I/O error writing script/environment to file"), false),
            (sbatch("Connection refused"), false),
            ("slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n".into(), false),
            ("squeue: error: slurm_receive_msg: Socket timed out on send/recv operation\n".into(), true),
            (
                "sbatch: error: If munged is up, restart with --num-threads=10\nsbatch: error: Munge encode failed: Failed to \
                 access \"/run/munge/munge.socket.2\": No such file or directory\nsbatch: error: Batch job submission failed: \
                 Protocol authentication error\n"
                    .into(),
                false,
            ),
            ("sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection\n".into(), false),
            ("sacct: error: Problem talking to the database: Connection refused\n".into(), false),
        ] {
            assert_eq!((kind(&text), is_unheard("", &text)), (Kind::Sick, unheard), "{text}");
        }
    }

    #[test]
    fn wrong_is_what_somebody_has_to_change() {
        for why in [
            POLICY,
            "Invalid account or account/partition combination specified",
            "Invalid partition name specified",
            "No partition specified or system default partition",
            "User's group not permitted to use this partition",
            "Invalid qos specification",
            "Invalid feature specification",
            "Invalid generic resource (gres) specification",
            "Requested node configuration is not available",
            "Requested partition configuration not available now",
            "Requested time limit is invalid (missing or exceeds some limit)",
            "Time limit specification required, but not provided",
            "Node count specification invalid",
            "CPU count specification invalid",
            "Memory required by task is not available",
            "Requested reservation is invalid",
            "Access denied to requested reservation",
            "Job dependency problem",
            "Invalid job array specification",
            "Access/permission denied",
            "Pathname of a file, directory or other parameter too long",
            "Unspecified error",
        ] {
            assert_eq!((kind(&sbatch(why)), is_unheard("", &sbatch(why))), (Kind::Wrong, false), "{why}");
        }
        for text in [
            "sbatch: error: QOSMaxCpuPerUserLimit\n",
            "sbatch: error: QOSMaxWallDurationPerJobLimit\n",
            "sbatch: error: AssocMaxWallDurationPerJobLimit\n",
            "sbatch: error: Unable to open file FW_submit.script\n",
            "sbatch: error: Batch script is empty!\n",
            "sbatch: error: This does not look like a batch script.  The first\n",
            "sbatch: unrecognized option '--gpu-bnd=closest'\nTry \"sbatch --help\" for more information\n",
            "sbatch: error: Invalid --time specification\n",
            "sbatch: error: your project has no hours left\n",
            "",
        ] {
            assert_eq!((kind(text), is_unheard("", text)), (Kind::Wrong, false), "{text}");
        }
    }
}
