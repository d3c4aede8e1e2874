//! `lpad wait`: the exit code tells how a workflow ended.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;

use crate::support::cli::Cli;
use crate::support::mongod::Mongod;
use crate::support::run::{Ran, VOLLEY};

#[test]
fn the_exit_code_is_the_outcome() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        let idle = cli.lpad(&["wait", "-i", "1", "--timeout", "10ms"]);
        assert!(idle.code == 6 && idle.stderr.contains("nothing runs at the moment"), "{idle:?}");
        cli.rapidfire();
        assert_eq!(cli.lpad(&["wait", "-i", "1"]).done().stdout, "");
        assert_eq!(cli.lpad(&["wait", "-i", "5"]).code, 5);
        cli.lpad(&["wait", "-i", "99"]).failed(1, "there is no firework 99");
        cli.lpad(&["wait", "-i", "1", "--timeout", "soon"]).failed(2, "`soon` is no duration");
    }
}

#[test]
fn it_waits_while_something_runs() {
    let cli = Cli::sqlite().with_five_fireworks();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| cli.lpad(&["wait", "-i", "2", "--timeout", "120s"]));
        cli.rapidfire();
        waiting.join().expect("ends").done();
    });
}

#[test]
fn several_are_waited_for_together() {
    for cli in Cli::everywhere() {
        let cli = cli.with_five_fireworks();
        cli.rapidfire();
        cli.lpad(&["wait", "-i", "1,3"]).done();
        assert_eq!(cli.lpad(&["wait", "-i", "1,5"]).code, 5);
        cli.lpad(&["wait", "-s", "COMPLETED"]).done();
        cli.lpad(&["wait", "-i", "1,99"]).failed(1, "there is no firework 99");
        cli.lpad(&["wait"]).failed(2, "say which");
    }
}

#[test]
fn a_workflow_that_is_deleted_meanwhile_is_told_of() {
    let cli = Cli::sqlite().with_five_fireworks();
    let mut command = cli.command(Path::new(VOLLEY));
    command.args(["lpad", "--loglvl", "DEBUG", "wait", "-i", "1,5", "--timeout", "90s"]);
    let mut waiting = command.stderr(Stdio::piped()).spawn().expect("starts");
    let mut log = BufReader::new(waiting.stderr.take().expect("is piped"));
    let mut said = String::new();
    while !said.contains("found 1 WAITING") {
        assert!(log.read_line(&mut said).expect("is text") > 0, "it has ended: {said}");
    }
    cli.lpad(&["delete_wflows", "-i", "1"]).done();
    log.read_to_string(&mut said).expect("is text");
    assert_eq!(waiting.wait().expect("ends").code(), Some(1), "{said}");
    assert!(said.contains("the workflow of firework 1 was deleted meanwhile"), "{said}");
}

#[test]
fn it_outlives_a_launchpad_that_is_away() {
    let Some(mut server) = Mongod::start() else { return };
    let cli = Cli::unconfigured();
    cli.write("one.yaml", "spec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}]}");
    let volley = |args: &[&str]| {
        let mut command = cli.command(Path::new(VOLLEY));
        command.env("VOLLEY_LAUNCHPAD", format!("{}/volley_test", server.uri())).args(args);
        command
    };
    Ran::of(&mut volley(&["lpad", "add", "one.yaml"])).done();
    let wait = ["lpad", "--loglvl", "DEBUG", "wait", "-i", "1", "--timeout", "300s"];
    let mut waiting = volley(&wait).stderr(Stdio::piped()).spawn().expect("starts");
    let mut work = volley(&["rlaunch", "-s", "rapidfire"]);
    let mut log = BufReader::new(waiting.stderr.take().expect("is piped"));
    let mut said = String::new();
    let mut until = |part: &str| {
        while !said.contains(part) {
            assert!(log.read_line(&mut said).expect("is text") > 0, "it has ended: {said}");
        }
    };
    until("found 1 READY");
    server.away(|| until("waiting goes on"));
    Ran::of(&mut work).done();
    log.read_to_string(&mut said).expect("is text");
    assert_eq!(waiting.wait().expect("ends").code(), Some(0), "{said}");
}
