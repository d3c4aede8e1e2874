//! The tasks on files, as `lpad add` takes them and `rlaunch` runs them; that they do what FireWorks
//! does is shown in `firetask_peer`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};
use volley::firetask;
use volley::workflow::State;

use crate::support::draft;
use crate::support::run::wait_until;
use crate::support::site::Site;

/// What is said of a task that is to be added.
pub fn refused(task: &Value) -> String {
    let mut draft = draft(json!({"spec": {"_tasks": [task]}}));
    firetask::prepare(&mut draft, Path::new("/")).err().map_or_else(|| "nothing".to_owned(), |error| error.message)
}

/// What is said of each task, run in the folder of the site, when it fails.
pub fn failures(site: &Site, cases: &[(Value, Value)]) -> Vec<String> {
    let fireworks = cases.iter().enumerate().map(|(number, (task, spec))| {
        let mut spec = spec.clone();
        spec["_tasks"] = json!([task]);
        spec["_launch_dir"] = json!(site.path());
        json!({"fw_id": number, "spec": spec})
    });
    let ids = site.add(json!({"fws": fireworks.collect::<Vec<_>>()}));
    site.run_well(&["rapidfire"]);
    ids.into_iter().map(|fw_id| site.stacktrace(fw_id).lines().last().unwrap_or_default().to_owned()).collect()
}

#[test]
fn what_cannot_work_is_not_added() {
    for (task, expected) in [
        (json!({"_fw_name": "FileDeleteTask"}), "FileDeleteTask needs `files_to_delete`: a list of names of files"),
        (json!({"_fw_name": "FileDeleteTask", "files_to_delete": "a"}), "must be a list of names of files"),
        (json!({"_fw_name": "FileDeleteTask", "files_to_delet": []}), "did you mean `files_to_delete`?"),
        (json!({"_fw_name": "FileTransferTask", "files": []}), "FileTransferTask needs `mode`: one of move, mv, copy"),
        (json!({"_fw_name": "Transfer Task", "mode": "rsync", "files": []}), "`mode` must be one of move, mv, copy"),
        (
            json!({"_fw_name": "FileTransferTask", "mode": "rtransfer", "files": [], "server": "there"}),
            "`mode: rtransfer` is not supported here: use a ScriptTask with `rsync` or `scp`",
        ),
        (
            json!({"_fw_name": "FileTransferTask", "mode": "cp", "files": ["a"]}),
            "FileTransferTask needs `dest`: where to put files that name no `dest` of their own",
        ),
        (
            json!({"_fw_name": "FileTransferTask", "mode": "cp", "files": [["a", "b"]]}),
            "a list of names, or of {src, dest}",
        ),
        (
            json!({"_fw_name": "FileTransferTask", "mode": "cp", "files": [{"dest": "b"}]}),
            "a list of names, or of {src, dest}",
        ),
        (
            json!({"_fw_name": "FileTransferTask", "mode": "cp", "files": [], "max_retry": -1}),
            "`max_retry` must be a whole number",
        ),
        (
            json!({"_fw_name": "FileTransferTask", "mode": "cp", "files": [], "retry_delay": "soon"}),
            "`retry_delay` must be a number of seconds",
        ),
        (json!({"_fw_name": "CompressDirTask", "compression": "xz"}), "`compression` must be gz or bz2"),
        (json!({"_fw_name": "DecompressDirTask", "dst": "x"}), "unknown key `dst` (did you mean `dest`?)"),
        (json!({"_fw_name": "ArchiveDirTask"}), "ArchiveDirTask needs `base_name`"),
        (
            json!({"_fw_name": "ArchiveDirTask", "base_name": "a", "format": "rar"}),
            "`format` must be one of gztar, tar, bztar, xztar, zip",
        ),
        (json!({"_fw_name": "FileTransferTask", "mode": "cp", "files": [{"src": "a", "dest": "b"}]}), "nothing"),
    ] {
        let message = refused(&task);
        assert!(message.contains(expected), "{task}: {message}");
    }
}

#[test]
fn failures_say_what_and_why() {
    let site = Site::sqlite();
    site.write("a", "a\n");
    site.write("broken.gz", "this is no gzip at all\n");
    symlink("nowhere", site.path().join("loose")).expect("links");
    fs::create_dir(site.path().join("there")).expect("makes it");
    fs::write(site.path().join("there/a"), "older\n").expect("writes");
    let transfer = |mode: &str, src: &str, dest: &str| json!({"_fw_name": "FileTransferTask", "mode": mode, "files": [src], "dest": dest});
    let no_dest = json!({"_fw_name": "FileTransferTask", "mode": "cp", "files": [{"src": "none", "dest": "x"}]});
    let root = site.path().display();
    let cases = [
        (
            json!({"_fw_name": "FileDeleteTask", "files_to_delete": ["none"], "ignore_errors": false}),
            format!("cannot delete {root}/none: No such file or directory (os error 2)"),
        ),
        // FireWorks: KeyError: 'dest'.
        (no_dest, format!("cannot copy {root}/none to {root}/x: {root}/none: No such file or directory (os error 2)")),
        (
            transfer("mv", "none", "x"),
            format!("cannot move {root}/none to {root}/x: {root}/none: No such file or directory (os error 2)"),
        ),
        (
            transfer("mv", "a", "there"),
            format!("cannot move {root}/a to {root}/there: {root}/there/a is there already"),
        ),
        (
            transfer("mv", "there", "there/below"),
            format!("cannot move {root}/there to {root}/there/below: a folder cannot be moved into itself"),
        ),
        (
            transfer("cp", "there", "x"),
            format!("cannot copy {root}/there to {root}/x: it is a folder: use the mode `copytree`"),
        ),
        (transfer("cp", "a", "a"), format!("cannot copy {root}/a to {root}/a: both are the same file")),
        (
            transfer("cp", "a", "no/such/a"),
            format!(
                "cannot copy {root}/a to {root}/no/such/a: {root}/no/such/a: No such file or directory (os error 2)"
            ),
        ),
        (
            transfer("copytree", "there", "."),
            format!("cannot copy {root}/there to {root}: {root}: File exists (os error 17)"),
        ),
        (transfer("copytree", "a", "x"), format!("cannot copy {root}/a to {root}/x: it is not a folder")),
        (
            json!({"_fw_name": "DecompressDirTask", "dest": "."}),
            format!("cannot decompress {root}/./broken.gz: invalid gzip header"),
        ),
        (
            json!({"_fw_name": "ArchiveDirTask", "base_name": "a/archive"}),
            format!("cannot make the archive {root}/a/archive.tar.gz: File exists (os error 17)"),
        ),
    ];
    let tasks: Vec<(Value, Value)> = cases.iter().map(|(task, _)| (task.clone(), json!({}))).collect();
    for ((task, expected), failure) in cases.iter().zip(failures(&site, &tasks)) {
        assert_eq!(&failure, expected, "{task}");
    }
    assert_eq!(fs::read_to_string(site.path().join("a")).expect("is still there"), "a\n");
}

#[test]
fn a_file_system_may_be_left() {
    let site = Site::sqlite();
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else { return eprintln!("SKIPPED: needs /dev/shm") };
    let device = |path: &Path| fs::metadata(path).expect("exists").dev();
    if device(other.path()) == device(site.path()) {
        return eprintln!("SKIPPED: needs a second file system");
    }
    let from = site.path().join("folder");
    fs::create_dir_all(from.join("deep")).expect("makes it");
    fs::write(from.join("deep/file"), "text\n").expect("writes");
    fs::set_permissions(from.join("deep/file"), fs::Permissions::from_mode(0o640)).expect("permits");
    symlink("deep/file", from.join("link")).expect("links");
    symlink("nowhere", from.join("loose")).expect("links");
    fs::write(site.path().join("single"), "single\n").expect("writes");
    fs::write(other.path().join("single"), "older\n").expect("writes");
    let to = other.path().join("folder");
    let files = json!([
        {"src": "folder", "dest": other.path()},
        {"src": "single", "dest": other.path().join("single")},
    ]);
    let task = json!({"_fw_name": "FileTransferTask", "mode": "mv", "files": files});
    let fw_id = site.add(json!({"spec": {"_tasks": [task], "_launch_dir": "."}}))[0];
    site.run_well(&["singleshot"]);
    assert_eq!(site.state(fw_id), State::Completed);
    assert!(!from.exists() && !site.path().join("single").exists());
    assert_eq!(fs::read_to_string(to.join("link")).expect("is followed"), "text\n");
    assert_eq!(fs::metadata(to.join("deep/file")).expect("exists").permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_link(to.join("loose")).expect("is a link"), Path::new("nowhere"));
    assert_eq!(fs::read_to_string(other.path().join("single")).expect("exists"), "single\n");
    assert_eq!(fs::read_dir(other.path()).expect("reads").count(), 2, "nothing else is left there");
}

#[test]
fn what_fails_is_tried_again() {
    let site = Site::sqlite();
    let tasks = json!([
        {"_fw_name": "ScriptTask", "script": "echo 1 > first; (sleep 0.3; echo 2 > late.new; mv late.new late) &"},
        {
            "_fw_name": "FileTransferTask", "mode": "mv", "files": ["first", "late"], "dest": "there",
            "max_retry": 10000, "retry_delay": 0.01,
        },
    ]);
    fs::create_dir(site.path().join("there")).expect("makes it");
    let fw_id = site.add(json!({"spec": {"_tasks": tasks, "_launch_dir": "."}}))[0];
    let log = site.run_well(&["singleshot"]);
    assert_eq!(site.state(fw_id), State::Completed, "{log}");
    assert!(log.contains("late: No such file or directory (os error 2) (tried again)"), "{log}");
    // FireWorks would try to move the first once more.
    assert!(site.path().join("there/first").exists() && site.path().join("there/late").exists());
}

#[test]
fn an_interrupted_task_leaves_nothing_half_done() {
    let waiting = json!({
        "_fw_name": "FileTransferTask", "mode": "mv", "files": ["none"], "dest": "x", "max_retry": 1, "retry_delay": 1000,
    });
    for task in [
        json!({"_fw_name": "CompressDirTask", "dest": "folder"}),
        json!({"_fw_name": "ArchiveDirTask", "base_name": "folder/archive", "format": "bztar"}),
        json!({"_fw_name": "ArchiveDirTask", "base_name": "folder/archive", "format": "zip"}),
        waiting,
    ] {
        let site = Site::sqlite();
        fs::create_dir(site.path().join("folder")).expect("makes it");
        // Nobody compresses that in the time a test may take.
        let huge = fs::File::create(site.path().join("folder/huge")).expect("makes it");
        huge.set_len(1 << 40).expect("grows");
        let marked = json!([{"_fw_name": "ScriptTask", "script": "touch begun"}, task]);
        let fw_id = site.add(json!({"spec": {"_tasks": marked, "_launch_dir": "."}}))[0];
        let worker = site.start(&["singleshot"]);
        wait_until("it has begun", || site.path().join("begun").exists());
        worker.signal(Signal::TERM);
        let (code, log) = worker.end();
        assert_eq!(code, Some(128 + Signal::TERM.as_raw()), "{task}: {log}");
        assert_eq!(site.state(fw_id), State::Ready, "{task}: {log}");
        let left: Vec<_> = fs::read_dir(site.path().join("folder")).expect("reads").collect();
        assert_eq!(left.len(), 1, "{task}: {left:?}");
    }
}
