//! `--watch`, and colours.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};

use crate::support::cli::Cli;
use crate::support::run::wait_until;

#[test]
fn the_picture_follows_the_launchpad() {
    let cli = Cli::sqlite().with_five_fireworks();
    let Some(mut child) = cli.at_a_terminal(60, "get_fws --watch 0.1") else { return };
    let mut stdout = child.stdout.take().expect("is piped");
    let seen = Arc::new(Mutex::new(String::new()));
    let reader = std::thread::spawn({
        let seen = Arc::clone(&seen);
        move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = stdout.read(&mut bytes) {
                seen.lock().expect("is whole").push_str(&String::from_utf8_lossy(&bytes[..length]));
            }
        }
    });
    let sees = |part: &str| seen.lock().expect("is whole").contains(part);
    wait_until("the picture is there", || sees("WAITING"));
    cli.lpad(&["defuse_fws", "-i", "5"]).done();
    wait_until("the picture shows the change", || sees("DEFUSED"));
    let mut keys = child.stdin.take().expect("is piped");
    keys.write_all(b"\x03").expect("types Ctrl-C");
    keys.flush().expect("types");
    let status = child.wait().expect("ends");
    reader.join().expect("ends");
    assert_eq!(status.code(), Some(0));
    let seen = seen.lock().expect("is whole");
    assert!(seen.contains("\u{1b}[?1049h") && seen.trim_end().ends_with("\u{1b}[?25h\u{1b}[?1049l"), "{seen:?}");
}

#[test]
fn it_is_for_terminals_only() {
    let cli = Cli::sqlite();
    cli.lpad(&["status", "--watch"]).failed(2, "--watch draws on a terminal");
    cli.lpad(&["status", "--watch", "0"]).failed(2, "not more often than every 0.1 s");
    cli.lpad(&["add", "--watch"]).failed(2, "--watch");
}

#[test]
fn colours_are_as_one_wishes() {
    let cli = Cli::sqlite().with_five_fireworks();
    let green = "\u{1b}[34mREADY";
    let shown = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = cli.command(std::path::Path::new(crate::support::run::VOLLEY));
        command.args([&["lpad", "get_fws", "-o", "table"], args].concat()).envs(env.iter().copied());
        crate::support::run::Ran::of(&mut command).done().stdout.contains(green)
    };
    assert!(!shown(&[], &[]), "a pipe");
    assert!(shown(&["--color", "always"], &[("NO_COLOR", "1")]));
    let Some(ran) = cli.on_a_terminal("get_fws", "") else { return };
    assert!(ran.done().stdout.contains(green));
    let ran = cli.on_a_terminal("get_fws --color never", "").expect("as before");
    assert!(!ran.done().stdout.contains('\u{1b}'));
}
