//! A real Slurm with accounting and limits, whose controller forgets jobs within seconds.

use std::process::Command;

use tempfile::TempDir;
use volley::queue::slurm::Slurm;
use volley::queue::{Fate, JobId, Kind, Queue, QueueError};
use volley::workflow::Cause;

use crate::support::jobs::{fate, job, launchpad, over, scontrol};
use crate::support::place::{Cleanup, slurm};
use crate::support::run::wait_until;
use crate::support::service;

/// A queue in a folder of its own.
struct Books {
    conf: String,
    folder: TempDir,
    queue: Cleanup<Slurm>,
}

impl Books {
    fn new() -> Option<Self> {
        let conf = service("VOLLEY_TEST_SLURM_BOOKS_CONF", "books")?;
        let folder = tempfile::tempdir().expect("a folder");
        let queue = Cleanup(slurm(&launchpad(&folder), &conf));
        Some(Books { conf, folder, queue })
    }

    fn try_submit(&self, options: &str, script: &str) -> Result<JobId, QueueError> {
        self.queue.0.submit(&job(&self.folder, &format!("#SBATCH --output=/dev/null\n{options}"), script))
    }

    fn submit(&self, options: &str, script: &str) -> JobId {
        self.try_submit(options, script).expect("submitted")
    }

    /// Whether the controller itself, without accounting, knows nothing of a job.
    fn has_forgotten(&self, job: &JobId) -> bool {
        let mut control = Command::new("scontrol");
        let output = control.args(["show", "job", &job.id]).env("SLURM_CONF", &self.conf).output().expect("runs");
        String::from_utf8_lossy(&output.stderr).contains("Invalid job id")
    }

    fn wait_until_forgotten(&self, jobs: &[&JobId]) {
        wait_until("the controller has forgotten the jobs", || jobs.iter().all(|job| self.has_forgotten(job)));
    }
}

/// What `sacct` says of somebody who cancels: the number, and the name.
fn cancelled_by_us() -> Fate {
    let name = Command::new("id").arg("-nu").output().expect("runs").stdout;
    let user = rustix::process::getuid().as_raw();
    let text = format!("CANCELLED by user {user} ({})", String::from_utf8_lossy(&name).trim());
    over(Cause::Cancelled, &text)
}

#[test]
fn accounting_tells_of_jobs_that_the_controller_has_forgotten() {
    let Some(books) = Books::new() else { return };
    let running = books.submit("", "sleep 1000");
    let array = books.submit("#SBATCH --array=0-1", "[ $SLURM_ARRAY_TASK_ID = 0 ] || sleep 1000");
    let [first, second] = [0, 1].map(|element| JobId::new(format!("{}_{element}", array.id)));
    let [failed, completed] = [books.submit("", "exit 3"), books.submit("", "true")];
    let cancelled = books.submit("#SBATCH --hold", "true");
    for job in [&running, &second] {
        wait_until("it runs", || fate(&books.queue.0, job) == Fate::Running { restarts: 0 });
    }
    books.queue.0.cancel(&[cancelled.clone(), second.clone()]).expect("cancelled");
    books.wait_until_forgotten(&[&failed, &completed, &cancelled, &array]);

    let asked = [running, failed, completed, cancelled, first, second];
    let expected = [
        Fate::Running { restarts: 0 },
        over(Cause::Unexplained, "FAILED"),
        over(Cause::Unexplained, "COMPLETED"),
        cancelled_by_us(),
        over(Cause::Unexplained, "COMPLETED"),
        cancelled_by_us(),
    ];
    wait_until("all is in the books", || {
        let known = books.queue.0.fates(&asked).expect("answers");
        known.iter().map(|job| &job.fate).eq(&expected)
    });
    let dir = books.folder.path().canonicalize().expect("is there");
    for job in books.queue.0.fates(&asked).expect("answers") {
        assert_eq!(job.dir.as_ref(), Some(&dir), "{job:?}");
    }
}

#[test]
fn a_job_that_ran_out_of_time_says_so() {
    let Some(books) = Books::new() else { return };
    let job = books.submit("#SBATCH --time=00:10:00", "sleep 1000");
    wait_until("it runs", || fate(&books.queue.0, &job) == Fate::Running { restarts: 0 });
    // The shortest limit is a minute. An administrator can set the end, which Slurm looks at twice a minute.
    scontrol(&books.conf, &["update", &format!("JobId={}", job.id), "EndTime=now"]);
    wait_until("it is over", || fate(&books.queue.0, &job) == over(Cause::Timeout, "TIMEOUT"));
    books.wait_until_forgotten(&[&job]);
    assert_eq!(fate(&books.queue.0, &job), over(Cause::Timeout, "TIMEOUT"));
}

#[test]
fn a_submit_limit_is_a_full_queue() {
    let Some(books) = Books::new() else { return };
    let few = "#SBATCH --qos=few --hold";
    let first = books.submit(few, "true");
    books.submit(few, "true");
    let error = books.try_submit(few, "true").expect_err("is one too many");
    assert!(error.to_string().contains("QOSMaxSubmitJobPerUserLimit"), "{error}");
    assert_eq!(error.kind(), Kind::Full);

    books.queue.0.cancel(&[first]).expect("cancelled");
    wait_until("there is room again", || books.try_submit(few, "true").is_ok());
    assert_eq!(books.queue.0.list().expect("listed").len(), 2);
}

#[test]
fn what_the_accounts_do_not_allow_is_wrong() {
    let Some(books) = Books::new() else { return };
    for (options, reason) in [
        ("#SBATCH --account=nosuch --hold", "Invalid account"),
        ("#SBATCH --qos=nosuch --hold", "Invalid qos specification"),
    ] {
        let error = books.try_submit(options, "true").expect_err("is refused");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(error.kind(), Kind::Wrong);
    }
    books.submit("#SBATCH --account=atoms --hold", "true");
}
