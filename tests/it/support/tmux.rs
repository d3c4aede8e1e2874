//! A terminal that a test looks at and types into: a private tmux with a plain shell in it, which leaves the
//! terminal as programs leave it.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::cli::{Cli, shell_binary};
use crate::support::run::wait_until;

/// A terminal.
pub struct Tmux {
    folder: PathBuf,
    asked: Cell<usize>,
}

impl Tmux {
    /// In the folder of a test, with its environment; none where tmux is not installed.
    pub fn start(cli: &Cli, (width, height): (u16, u16)) -> Option<Self> {
        if !is_there() {
            return None;
        }
        let tmux = Tmux { folder: cli.folder().to_owned(), asked: Cell::new(0) };
        let mut command = cli.command(Path::new("tmux"));
        command.envs([("LC_ALL", "C.UTF-8"), ("SHELL", "/bin/sh"), ("PS1", "$ "), ("VOLLEY_LOCAL_QUEUE", "queue")]);
        command.env_remove("TMUX").arg("-S").arg(tmux.socket()).args(["-f", "/dev/null", "new-session", "-d"]);
        command.args(["-x", &width.to_string(), "-y", &height.to_string(), "/bin/sh"]);
        assert!(command.status().expect("runs").success(), "tmux starts");
        tmux.wait_for("$");
        Some(tmux)
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("tmux.socket")
    }

    fn tmux(&self, words: &[&str]) -> String {
        let mut command = Command::new("tmux");
        command.env("LC_ALL", "C.UTF-8").arg("-S").arg(self.socket()).args(words).stdin(Stdio::null());
        let output = command.output().expect("runs");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Presses keys by tmux's names: `j`, `Enter`, `C-c`.
    pub fn press(&self, keys: &[&str]) {
        self.tmux(&[&["send-keys"], keys].concat());
    }

    /// Types a line to the shell.
    pub fn line(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
        self.press(&["Enter"]);
    }

    /// Starts `lpad monitor` in the shell; its process is known then, and its exit code when it has ended.
    pub fn monitor(&self, arguments: &str) {
        self.run(&format!("{} lpad monitor {arguments}", shell_binary()));
        self.wait_for("1 Overview");
    }

    /// Runs a command of the shell in the same way.
    pub fn run(&self, words: &str) {
        for name in ["pid", "code"] {
            let _ = std::fs::remove_file(self.folder.join(name));
        }
        let child = format!("sh -c 'echo $$ > pid.part; mv pid.part pid; exec {words}'");
        self.line(&format!("clear; {child}; echo $? > code.part; mv code.part code"));
    }

    /// Sends a signal to what was started.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(self.number("pid")).expect("a process"), signal).expect("is there");
    }

    /// Its exit code, when it has ended.
    pub fn code(&self) -> i32 {
        self.number("code")
    }

    /// A number that a command writes to a file.
    fn number(&self, name: &str) -> i32 {
        let path = self.folder.join(name);
        wait_until(&format!("{name} is there; the terminal shows\n{}", self.pane()), || path.exists());
        std::fs::read_to_string(&path).expect("reads").trim().parse().expect("a number")
    }

    /// How the terminal is set, as its shell sees it, and what of it is not as usual.
    pub fn modes(&self) -> String {
        // As long as a program has the terminal it has the keys, too.
        wait_until("the shell is back", || self.show("#{pane_current_command}") == "sh");
        let number = self.asked.replace(self.asked.get() + 1);
        // What is shown after it was written after it.
        self.line(&format!("stty -g > modes; echo answer''{number}."));
        self.wait_for(&format!("answer{number}."));
        let flags = self.show("alternate #{alternate_on} cursor #{cursor_flag}");
        format!("{} {flags}", std::fs::read_to_string(self.folder.join("modes")).expect("reads").trim())
    }

    /// What tmux knows, by its formats.
    pub fn show(&self, format: &str) -> String {
        self.tmux(&["display-message", "-p", format]).trim().to_owned()
    }

    /// What is on the screen.
    pub fn pane(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
    }

    /// Waits until it shows this.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(&format!("`{text}` is shown"), |pane| pane.contains(text));
    }

    /// Waits until it no longer does.
    pub fn wait_without(&self, text: &str) {
        self.wait_until(&format!("`{text}` is gone"), |pane| !pane.contains(text));
    }

    /// Waits until the screen is as wished.
    pub fn wait_until(&self, what: &str, condition: impl Fn(&str) -> bool) {
        let last = RefCell::new(String::new());
        let shown = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait_until(what, || {
                last.replace(self.pane());
                condition(&last.borrow())
            });
        }));
        assert!(shown.is_ok(), "waited in vain until {what}; the terminal shows\n{}", last.borrow());
    }

    /// Gives it another size.
    pub fn resize(&self, (width, height): (u16, u16)) {
        self.tmux(&["resize-window", "-x", &width.to_string(), "-y", &height.to_string()]);
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new("tmux").arg("-S").arg(self.socket()).arg("kill-server").stderr(Stdio::null()).status();
    }
}

fn is_there() -> bool {
    let found = Command::new("tmux").arg("-V").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    let required = std::env::var("VOLLEY_TEST_REQUIRE").unwrap_or_default();
    assert!(found || !required.split(',').any(|one| one == "tmux"), "tmux is required, and not on the PATH");
    if !found {
        eprintln!("SKIPPED {}: needs tmux", std::thread::current().name().unwrap_or("?"));
    }
    found
}
