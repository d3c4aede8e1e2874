//! The monitor as people use it: the real binary in a terminal, with workers beside it, on both stores.

use std::path::Path;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::cli::Cli;
use crate::support::relaxation::never_done;
use crate::support::run::VOLLEY;
use crate::support::tmux::Tmux;

const USUAL: (u16, u16) = (100, 30);

/// A worker that runs until it has nothing to do, or the test ends.
struct Worker(Child);

impl Worker {
    fn start(cli: &Cli, arguments: &[&str]) -> Self {
        let mut command = cli.command(Path::new(VOLLEY));
        command.arg("rlaunch").args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        Worker(command.spawn().expect("starts"))
    }

    fn end(mut self) {
        self.0.wait().expect("ends");
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
            let _ = self.0.wait();
        }
    }
}

/// Waits until the row of a firework shows a state.
fn wait_for_row(tmux: &Tmux, name: &str, state: &str) {
    tmux.wait_until(&format!("{name} is {state}"), |pane| {
        pane.lines().any(|line| line.contains(name) && line.contains(state))
    });
}

fn add(cli: &Cli, name: &str, tasks: serde_json::Value) {
    let workflow = json!({"name": name, "spec": {"_tasks": tasks}});
    cli.write(&format!("{name}.json"), &workflow.to_string());
    cli.lpad(&["add", &format!("{name}.json")]).done();
}

fn script(text: &str) -> serde_json::Value {
    json!([{"_fw_name": "ScriptTask", "script": text, "use_shell": true}])
}

#[test]
fn a_firework_is_seen_to_run_and_one_that_fizzled_runs_again() {
    for cli in Cli::everywhere() {
        let Some(tmux) = Tmux::start(&cli, USUAL) else { return };
        let (go, fixed) = (cli.folder().join("go"), cli.folder().join("fixed"));
        add(&cli, "fails", script(&format!("test -e {}", fixed.display())));
        add(
            &cli,
            "waits",
            script(&format!("echo at work > my.log; until test -e {}; do sleep 0.05; done", go.display())),
        );
        tmux.monitor("--interval 0.5");
        tmux.press(&["3"]);
        wait_for_row(&tmux, "fails", "READY");
        wait_for_row(&tmux, "waits", "READY");
        let worker = Worker::start(&cli, &["rapidfire"]);
        wait_for_row(&tmux, "fails", "FIZZLED");
        wait_for_row(&tmux, "waits", "RUNNING");
        // The newest is the first row, and what it writes is seen while it runs.
        tmux.press(&["g", "t"]);
        tmux.wait_for("at work");
        std::fs::write(&go, "").expect("writes");
        worker.end();
        tmux.press(&["q", "q"]);
        wait_for_row(&tmux, "waits", "COMPLETED");
        std::fs::write(&fixed, "").expect("writes");
        tmux.press(&["j", "r"]);
        tmux.wait_for("fails");
        tmux.wait_until("it is asked", |pane| pane.contains("again"));
        tmux.press(&["y"]);
        wait_for_row(&tmux, "fails", "READY");
        Worker::start(&cli, &["rapidfire"]).end();
        wait_for_row(&tmux, "fails", "COMPLETED");
        tmux.press(&["C-c"]);
        assert_eq!(tmux.code(), 0);
        assert_eq!(cli.states(), ["COMPLETED", "COMPLETED"]);
    }
}

#[test]
fn a_relaxation_is_drawn_while_it_runs() {
    let cli = Cli::sqlite();
    let Some(tmux) = Tmux::start(&cli, USUAL) else { return };
    add(&cli, "relax", never_done(1, json!({})));
    let _worker = Worker::start(&cli, &["singleshot"]);
    tmux.monitor("--interval 0.5");
    tmux.press(&["3"]);
    wait_for_row(&tmux, "relax", "RUNNING");
    tmux.press(&["t"]);
    tmux.wait_for("max force, eV/Å");
    let step = |pane: &str| -> Option<usize> {
        pane.lines().find_map(|line| line.split_once("step ")?.1.split_once(':')?.0.parse().ok())
    };
    tmux.wait_until("some steps are made", |pane| step(pane).is_some());
    let first = step(&tmux.pane());
    tmux.wait_until("some more are made", |pane| step(pane) > first);
    tmux.press(&["v"]);
    tmux.wait_for("FIRE:");
    tmux.press(&["C-c"]);
    assert_eq!(tmux.code(), 0);
}
