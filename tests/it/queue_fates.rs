//! What a real Slurm says became of jobs, and what a Slurm with accounting would, played by scripts.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use volley::queue::slurm::{Programs, Slurm};
use volley::queue::{Fate, JobId, Kind, KnownJob, LaunchpadId, Queue, QueueError};
use volley::store::Location;
use volley::workflow::Cause;

use crate::support::jobs::{fate, job, launchpad, over, scontrol};
use crate::support::place::{Cleanup, local, slurm};
use crate::support::run::wait_until;
use crate::support::service;

#[test]
fn a_real_slurm_tells_what_became_of_jobs() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let queue = Cleanup(slurm(&launchpad(&folder), &conf));
    let submit = |options: &str, script: &str| {
        queue.0.submit(&job(&folder, &format!("#SBATCH --output=/dev/null\n{options}"), script)).expect("submitted")
    };
    let cancelled = submit("", "sleep 1000");
    let requeued = submit("#SBATCH --requeue", "sleep 1000");
    let [failed, completed, held] = [submit("", "exit 3"), submit("", "true"), submit("#SBATCH --hold", "true")];
    let array = submit("#SBATCH --array=1-2", "sleep 1000");
    let element = JobId::new(format!("{}_2", array.id));
    let nobody = JobId::new("67000000");

    for job in [&cancelled, &requeued, &element] {
        wait_until("it runs", || fate(&queue.0, job) == Fate::Running { restarts: 0 });
    }
    assert_eq!((fate(&queue.0, &held), fate(&queue.0, &nobody)), (Fate::Waiting, Fate::Gone));
    queue.0.cancel(&[cancelled.clone(), element.clone()]).expect("cancelled");
    scontrol(&conf, &["requeue", &requeued.id]);

    let asked = [cancelled, requeued, failed, completed, element, nobody];
    let expected = [
        over(Cause::Cancelled, "CANCELLED"),
        Fate::Waiting,
        over(Cause::Unexplained, "FAILED"),
        over(Cause::Unexplained, "COMPLETED"),
        over(Cause::Cancelled, "CANCELLED"),
        Fate::Gone,
    ];
    wait_until("all is as it comes", || {
        let known = queue.0.fates(&asked).expect("answers");
        known.iter().map(|job| &job.fate).eq(&expected)
    });
    let known = queue.0.fates(&asked[..1]).expect("answers");
    assert_eq!(known[0].dir, folder.path().canonicalize().ok(), "where it was submitted from");

    // This Slurm has no accounting, and so knows no other clusters; its own it does.
    let on = |cluster: &str| JobId { cluster: Some(cluster.into()), ..asked[0].clone() };
    assert_eq!(fate(&queue.0, &on("elsewhere")), Fate::Unknown);
    assert_eq!(fate(&queue.0, &on("volley-test")), expected[0]);
}

/// A Slurm of scripts: what `scontrol show config`, `squeue` and `sacct` do, and where their calls go.
fn played(folder: &Path, config: &str, squeue: &str, sacct: &str) -> Slurm {
    let program = |name: &str, script: &str| {
        let path = folder.join(name);
        let calls = folder.join("calls").display().to_string();
        std::fs::write(&path, format!("#!/bin/sh\necho \"{name} $*\" >> '{calls}'\n{script}\n")).expect("written");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("made executable");
        vec![path.display().to_string()]
    };
    let programs = Programs {
        control: program("scontrol", &format!("printf '{config}'")),
        status: program("squeue", squeue),
        accounting: program("sacct", sacct),
        ..Programs::default()
    };
    let launchpad = LaunchpadId::of(&Location::Sqlite(folder.join("pad.db")));
    Slurm::new(launchpad, programs, Vec::new(), Duration::from_secs(60))
}

fn calls(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("calls")).unwrap_or_default();
    text.lines().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

const ACCOUNTING: &str = "AccountingStorageType = accounting_storage/slurmdbd\\n";
const EAST: &str = "ClusterName = east\\nPrivateData = none\\n";
const PRIVATE: &str = "ClusterName = east\\nPrivateData = jobs\\n";

#[test]
fn accounting_tells_who_cancelled_and_what_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let squeue = "echo '12|~|12|~|CANCELLED|~|0|~|/a'; echo '13|~|13|~|RUNNING|~|0|~|/a'; \
                  echo '14|~|14|~|TIMEOUT|~|0|~|/a'";
    let sacct = "echo '12|~|CANCELLED by 0|~|/a'; echo '15|~|OUT_OF_MEMORY|~|/b'; echo '16|~|RUNNING|~|/b'";
    let queue = played(folder.path(), &format!("{ACCOUNTING}{EAST}"), squeue, sacct);
    let jobs = ["12", "13", "14", "15", "16", "17"].map(JobId::new);
    let expected = [
        over(Cause::Cancelled, "CANCELLED by user 0 (root)"),
        Fate::Running { restarts: 0 },
        over(Cause::Timeout, "TIMEOUT"),
        over(Cause::OutOfMemory, "OUT_OF_MEMORY"),
        Fate::Gone,
        Fate::Gone,
    ];
    for _ in 0..2 {
        let known: Vec<Fate> = queue.fates(&jobs).expect("answers").into_iter().map(|job| job.fate).collect();
        assert_eq!(known, expected);
    }
    // Two commands for all of them; what the site is like is asked once.
    assert_eq!(calls(folder.path()), ["scontrol", "squeue", "sacct", "squeue", "sacct"]);
    let text = std::fs::read_to_string(folder.path().join("calls")).expect("read");
    assert!(text.contains("-j 12,15,16,17 "), "only what is open: {text}");

    std::fs::remove_file(folder.path().join("calls")).expect("removed");
    assert_eq!(queue.fates(&jobs[1..3]).expect("answers").len(), 2);
    assert_eq!(calls(folder.path()), ["squeue"], "nothing is open");
}

#[test]
fn other_clusters_are_asked_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let squeue = "case \"$*\" in *'-M west'*) echo 'CLUSTER: west'; echo '12|~|12|~|PREEMPTED|~|0|~|/a';; \
                  *) echo '12|~|12|~|RUNNING|~|0|~|/a'; echo '13|~|13|~|RUNNING|~|0|~|/a';; esac";
    let queue = played(folder.path(), &format!("{ACCOUNTING}{EAST}"), squeue, "true");
    let on = |id: &str, cluster: Option<&str>| JobId { id: id.into(), cluster: cluster.map(Into::into) };
    let jobs = [on("12", None), on("13", Some("east")), on("12", Some("west")), on("13", Some("west"))];
    let known: Vec<Fate> = queue.fates(&jobs).expect("answers").into_iter().map(|job| job.fate).collect();
    let running = Fate::Running { restarts: 0 };
    assert_eq!(known, [running.clone(), running, over(Cause::Preempted, "PREEMPTED"), Fate::Unknown]);
}

#[test]
fn what_is_not_shown_may_be_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let invalid = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1";
    let job = JobId::new("12");
    assert_eq!(fate(&played(folder.path(), EAST, invalid, "false"), &job), Fate::Gone);
    assert_eq!(fate(&played(folder.path(), PRIVATE, invalid, "false"), &job), Fate::Unknown);
    // Accounting that does not answer is no accounting.
    let config = format!("{ACCOUNTING}{EAST}");
    assert_eq!(fate(&played(folder.path(), &config, invalid, "exit 1"), &job), Fate::Gone);

    let away = "echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1";
    let queue = played(folder.path(), EAST, away, "false");
    assert_eq!(queue.fates(std::slice::from_ref(&job)).expect_err("fails").kind(), Kind::Sick);
    let strange = played(folder.path(), EAST, "echo closed today", "false");
    assert!(matches!(strange.fates(&[job]), Err(QueueError::Strange { .. })));
}

#[test]
fn a_local_job_has_its_record() {
    let folder = tempfile::tempdir().expect("a folder");
    let queue = Cleanup(local(&folder.path().join("queue"), &launchpad(&folder)));
    let long = queue.0.submit(&job(&folder, "", "sleep 1000")).expect("submitted");
    let short = queue.0.submit(&job(&folder, "", "exit 3")).expect("submitted");
    assert_eq!(fate(&queue.0, &long), Fate::Running { restarts: 0 });
    wait_until("it is over", || fate(&queue.0, &short) == over(Cause::Unexplained, "exit code 3"));
    let elsewhere = JobId { cluster: Some("east".into()), ..short.clone() };
    let unknown = KnownJob { fate: Fate::Unknown, dir: None };
    assert_eq!(queue.0.fates(&[elsewhere, JobId::new("99")]).expect("answers"), [unknown.clone(), unknown]);
    assert_eq!(queue.0.fates(&[short]).expect("answers")[0].dir, folder.path().canonicalize().ok());
}
