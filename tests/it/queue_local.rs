//! The embedded queue runs scripts as Slurm would, without a daemon.

use std::path::Path;

use tempfile::TempDir;
use volley::queue::{Job, JobId, JobState, LaunchpadId, Queue, QueueError};
use volley::store::Location;

use crate::support::place::{Cleanup, local};
use crate::support::run::wait_until;

/// A queue of its own, and a folder with a script.
fn queue_with(script: &str) -> (TempDir, Cleanup<volley::queue::local::Local>, Job) {
    let folder = tempfile::tempdir().expect("a folder");
    let launchpad = LaunchpadId::of(&Location::Sqlite(folder.path().join("launchpad.db")));
    std::fs::write(folder.path().join("job.sh"), script).expect("written");
    let queue = local(&folder.path().join("queue"), &launchpad);
    let job = Job::new(folder.path().to_owned(), "job.sh");
    (folder, Cleanup(queue), job)
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_default()
}

/// The only record below `folder/queue` whose job is over.
fn done(folder: &Path, id: &JobId) -> serde_json::Value {
    let mut below = folder.join("queue");
    for _ in 0..2 {
        below = std::fs::read_dir(&below).expect("listed").next().expect("one").expect("listed").path();
    }
    let text = read(&below.join("done"), &format!("{id}.json"));
    serde_json::from_str(&text).unwrap_or_default()
}

#[test]
fn runs_a_script_to_its_end() {
    let script = "#!/bin/bash\n#SBATCH --job-name=relax\n#SBATCH --output=%x-%j.out\n#SBATCH --error=%x-%j.error\n\
                  pwd; echo $VOLLEY_JOB_ID; echo oops >&2; until [ -e go ]; do sleep 0.02; done; exit 3\n";
    let (folder, queue, job) = queue_with(script);
    let first = queue.0.submit(&job).expect("submitted");
    let second = queue.0.submit(&job).expect("submitted");
    let jobs = queue.0.list().expect("listed");
    assert_eq!(jobs.iter().map(|job| &job.id).collect::<Vec<_>>(), [&first, &second]);
    assert!(jobs.iter().all(|job| job.state == JobState::Running && job.running_for.is_some()));
    assert!(
        jobs.iter().all(|listed| listed.token.as_ref() == Some(&job.token) && listed.dir.as_ref() == Some(&job.dir))
    );

    std::fs::write(folder.path().join("go"), "").expect("written");
    wait_until("the jobs have ended", || queue.0.list().expect("listed").is_empty());
    assert_eq!(done(folder.path(), &first)["exit"], "exit code 3");
    assert_eq!(read(folder.path(), &format!("relax-{second}.error")), "oops\n");
    let dir = folder.path().canonicalize().expect("is there");
    assert_eq!(read(folder.path(), &format!("relax-{first}.out")), format!("{}\n{first}\n", dir.display()));
}

#[test]
fn cancels_what_a_script_runs() {
    let (folder, queue, job) = queue_with("#!/bin/bash\nsleep 1000 & echo $! > pid\necho there > ready\nwait\n");
    let id = queue.0.submit(&job).expect("submitted");
    wait_until("the script has started", || folder.path().join("ready").exists());
    queue.0.cancel(std::slice::from_ref(&id)).expect("cancelled");
    wait_until("the job has ended", || queue.0.list().expect("listed").is_empty());
    assert_eq!(done(folder.path(), &id)["exit"], "signal 15");
    let pid = read(folder.path(), "pid");
    let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
}

#[test]
fn says_why_a_script_did_not_start() {
    for (script, reason) in [
        ("#!/no/such/interpreter\n", "/no/such/interpreter"),
        ("#!/bin/sh\n#SBATCH --output=no/such/folder/%j.out\n", "no/such/folder"),
    ] {
        let (folder, queue, job) = queue_with(script);
        let error = queue.0.submit(&job).expect_err("fails");
        assert!(matches!(error, QueueError::NotStarted { .. }), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(queue.0.list().expect("listed"), []);
        assert_eq!(done(folder.path(), &JobId::new("1"))["state"], "failed");
    }
}

#[test]
fn a_job_whose_supervisor_was_killed_is_lost() {
    let (folder, queue, job) = queue_with("#!/bin/sh\necho $PPID > supervisor\nsleep 3\n");
    let id = queue.0.submit(&job).expect("submitted");
    wait_until("the script has started", || read(folder.path(), "supervisor").ends_with('\n'));
    let supervisor: i32 = read(folder.path(), "supervisor").trim().parse().expect("a number");
    let supervisor = rustix::process::Pid::from_raw(supervisor).expect("a process");
    rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).expect("killed");
    wait_until("the job is lost", || queue.0.list().expect("listed").is_empty());
    assert_eq!(done(folder.path(), &id)["state"], "lost");
}
