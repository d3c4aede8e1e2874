//! `ScriptTask`: every parameter, and what FireWorks gets wrong.

use std::path::Path;

use bson::{Document, doc};
use volley::firetask::{self, Interrupt, Run, Seat, TaskFailure};
use volley::workflow::FwAction;

fn run_in(directory: &Path, mut task: Document, spec: Document) -> Result<FwAction, TaskFailure> {
    task.insert("_fw_name", "ScriptTask");
    let interrupt = Interrupt::default();
    let run = Run {
        task: &task,
        spec: &spec,
        directory,
        seat: &Seat::default(),
        interrupt: &interrupt,
        fw_id: 1,
        position: 0,
        launch_id: 1,
        template_dir: None,
        previous: &|| None,
        keep: &|_| {},
    };
    firetask::find(&task).expect("is known").run(&run)
}

fn run(task: Document) -> Result<FwAction, TaskFailure> {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("in"), "one\ntwo\n").expect("writes");
    run_in(directory.path(), task, doc! {"text": "from the spec", "script": "echo global", "store_stdout": true})
}

#[test]
fn results_are_fireworks() {
    for (task, expected) in [
        (doc! {"script": "true"}, doc! {"returncode": 0, "all_returncodes": [0]}),
        (
            doc! {"script": "echo a; echo b >&2", "store_stdout": true, "store_stderr": true},
            doc! {"stdout": "a\n", "stderr": "b\n", "returncode": 0, "all_returncodes": [0]},
        ),
        (
            doc! {"script": ["echo a", "echo b"], "store_stdout": true},
            doc! {"stdout": "a\nb\n", "returncode": 0, "all_returncodes": [0, 0]},
        ),
        (
            doc! {"script": ["exit 3", "echo no"], "store_stdout": true, "fizzle_bad_rc": false},
            doc! {"stdout": "", "returncode": 3, "all_returncodes": [3]},
        ),
        (doc! {"script": "kill -9 $$", "fizzle_bad_rc": false}, doc! {"returncode": -9, "all_returncodes": [-9]}),
        (
            doc! {"script": "echo 'a b' $HOME", "use_shell": false, "store_stdout": true},
            doc! {"stdout": "a b $HOME\n", "returncode": 0, "all_returncodes": [0]},
        ),
        (
            doc! {"script": "echo ${BASH_VERSION:+bash}", "shell_exe": "/bin/bash", "store_stdout": true},
            doc! {"stdout": "bash\n", "returncode": 0, "all_returncodes": [0]},
        ),
        (
            doc! {"script": "cat", "stdin_file": "in", "store_stdout": true},
            doc! {"stdout": "one\ntwo\n", "returncode": 0, "all_returncodes": [0]},
        ),
        (
            doc! {"script": ["read x; echo $x", "cat"], "stdin_key": "text", "store_stdout": true},
            doc! {"stdout": "from the spec\nfrom the spec", "returncode": 0, "all_returncodes": [0, 0]},
        ),
        (doc! {"script": "cat", "store_stdout": true}, doc! {"stdout": "", "returncode": 0, "all_returncodes": [0]}),
        (doc! {"use_global_spec": true}, doc! {"stdout": "global\n", "returncode": 0, "all_returncodes": [0]}),
        (
            doc! {"script": "printf '\\377'", "store_stdout": true},
            doc! {"stdout": "\u{fffd}", "returncode": 0, "all_returncodes": [0]},
        ),
    ] {
        let action = run(task.clone()).unwrap_or_else(|failure| panic!("{task}: {failure}"));
        assert_eq!(action.stored_data, expected, "{task}");
        assert!(!action.defuse_children);
    }
}

#[test]
fn a_bad_return_code_can_defuse_the_children() {
    let action = run(doc! {"script": "exit 2", "defuse_bad_rc": true}).expect("completes");
    assert!(action.defuse_children);
    assert!(!run(doc! {"script": "true", "defuse_bad_rc": true}).expect("completes").defuse_children);
}

#[test]
fn failures_say_what_and_why() {
    for (task, expected) in [
        (doc! {"script": ["true", "exit 3"]}, "ScriptTask fizzled! Return code: [0, 3]"),
        (doc! {}, "ScriptTask needs `script`: a command, or a list of commands"),
        (doc! {"script": true}, "ScriptTask: `script` must be a command, or a list of commands"),
        (doc! {"script": []}, "ScriptTask: `script` must be a command, or a list of commands"),
        (doc! {"script": "x", "stdin_key": "a", "stdin_file": "b"}, "`stdin_file` and `stdin_key` exclude each other"),
        (doc! {"script": "x", "defuse_bad_rc": true, "fizzle_bad_rc": true}, "exclude each other"),
        (doc! {"script": "cat", "stdin_key": "none"}, "the spec has no string `none`"),
        (doc! {"script": "cat", "stdin_file": "none"}, "none: No such file"),
        (doc! {"script": "/no/such", "use_shell": false}, "cannot run `/no/such`: No such file"),
        (doc! {"script": "echo 'a", "use_shell": false}, "quotes are not closed"),
        (doc! {"script": "true", "stdout_file": "no/such"}, "no/such: No such file"),
    ] {
        let failure = run(task.clone()).expect_err("fails").to_string();
        assert!(failure.contains(expected), "{task}: {failure}");
    }
    let Err(TaskFailure::ReturnCode { stderr, .. }) = run(doc! {"script": "seq 100 >&2; exit 1"}) else {
        panic!("fails with a return code");
    };
    assert_eq!(stderr.lines().count(), 20);
    assert!(stderr.ends_with("\n99\n100"), "{stderr}");
}

#[test]
fn outputs_are_appended_to_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).expect("exists");
    let task = doc! {"script": ["echo a; echo b >&2", "pwd"], "stdout_file": "out", "stderr_file": "err"};
    run_in(directory.path(), task.clone(), Document::new()).expect("completes");
    let mut stored = task;
    stored.extend(doc! {"store_stdout": true, "store_stderr": true});
    let action = run_in(directory.path(), stored, Document::new()).expect("completes");
    let once = format!("a\n{}\n", directory.path().canonicalize().expect("exists").display());
    assert_eq!(read("out"), once.clone() + &once);
    assert_eq!(read("err"), "b\nb\n");
    assert_eq!(action.stored_data.get_str("stdout").ok(), Some(once.as_str()));
    assert_eq!(action.stored_data.get_str("stderr").ok(), Some("b\n"));
}

#[test]
fn much_output_and_input_blocks_nobody() {
    let directory = tempfile::tempdir().expect("a directory");
    let script = "head -c 3000000 /dev/zero | tr '\\0' e >&2; cat; head -c 3000000 /dev/zero | tr '\\0' o";
    let task = doc! {"script": script, "stdin_key": "text", "store_stdout": true, "store_stderr": true};
    let action = run_in(directory.path(), task, doc! {"text": "i".repeat(1_000_000)}).expect("completes");
    assert_eq!(action.stored_data.get_str("stdout").map(str::len).ok(), Some(4_000_000));
    assert_eq!(action.stored_data.get_str("stderr").map(str::len).ok(), Some(3_000_000));
    // Nobody reads this input.
    let task = doc! {"script": "true", "stdin_key": "text"};
    run_in(directory.path(), task, doc! {"text": "i".repeat(1_000_000)}).expect("completes");
}

#[test]
fn something_left_in_the_background_is_not_waited_for() {
    let directory = tempfile::tempdir().expect("a directory");
    let task = doc! {"script": "sleep 100 & echo $! > pid"};
    let begin = std::time::Instant::now();
    run_in(directory.path(), task, Document::new()).expect("completes");
    assert!(begin.elapsed().as_secs() < 50);
    let pid = std::fs::read_to_string(directory.path().join("pid")).expect("exists").trim().parse().expect("a number");
    let pid = rustix::process::Pid::from_raw(pid).expect("not zero");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("is still there");
}
