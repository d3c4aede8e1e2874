//! The monitor in a terminal: it comes and goes, and keys are answered whatever the store does.

use std::io::IsTerminal;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use ratatui::widgets::Paragraph;
use rustix::process::Signal;
use volley::tui::terminal::Screen;
use volley::tui::{Event, threads};

use crate::support::cli::Cli;
use crate::support::mongod::Mongod;
use crate::support::run::wait_until;
use crate::support::tmux::Tmux;

const USUAL: (u16, u16) = (100, 30);

#[test]
fn the_terminal_is_as_it_was_however_the_monitor_ends() {
    let cli = Cli::sqlite();
    let Some(tmux) = Tmux::start(&cli, USUAL) else { return };
    let before = tmux.modes();
    let by_key = |key| move |tmux: &Tmux| tmux.press(&[key]);
    let by_signal = |signal| move |tmux: &Tmux| tmux.signal(signal);
    type End = Box<dyn Fn(&Tmux)>;
    let ends: [(&str, End); 7] = [
        ("q", Box::new(by_key("q"))),
        ("Ctrl-C", Box::new(by_key("C-c"))),
        ("SIGINT", Box::new(by_signal(Signal::INT))),
        ("SIGTERM", Box::new(by_signal(Signal::TERM))),
        ("SIGHUP", Box::new(by_signal(Signal::HUP))),
        ("SIGQUIT", Box::new(by_signal(Signal::QUIT))),
        ("q in the help", Box::new(|tmux: &Tmux| tmux.press(&["?", "q", "q"]))),
    ];
    for (name, end) in ends {
        tmux.monitor("");
        assert_eq!(tmux.show("#{alternate_on}"), "1", "{name}");
        end(&tmux);
        assert_eq!(tmux.code(), 0, "{name}");
        assert_eq!(tmux.modes(), before, "{name}");
    }
}

#[test]
fn it_stops_and_goes_on_like_every_program() {
    let cli = Cli::sqlite();
    let Some(tmux) = Tmux::start(&cli, USUAL) else { return };
    let before = tmux.modes();
    tmux.line(&format!("clear; {} lpad monitor", crate::support::cli::shell_binary()));
    tmux.wait_for("1 Overview");
    for round in 0..2 {
        tmux.press(&["C-z"]);
        tmux.wait_without("1 Overview");
        assert_eq!(tmux.modes(), before, "round {round}");
        tmux.line("fg");
        tmux.wait_for("1 Overview");
        tmux.press(&["?", "G"]);
        tmux.wait_for("any other key leaves it");
        tmux.press(&["x"]);
        tmux.wait_without("any other key leaves it");
    }
    tmux.press(&["q"]);
    tmux.wait_without("1 Overview");
    assert_eq!(tmux.modes(), before);
}

#[test]
fn it_is_drawn_anew_when_others_have_written_over_it() {
    let cli = Cli::sqlite();
    let Some(tmux) = Tmux::start(&cli, USUAL) else { return };
    let before = tmux.modes();
    tmux.monitor("");
    // The shell says so in the middle of the screen, on a terminal that is not set for it: Enter is no end of a line.
    tmux.signal(Signal::STOP);
    tmux.wait_for("Stopped");
    tmux.press(&["f", "g", "C-j"]);
    tmux.wait_without("Stopped");
    tmux.wait_for("1 Overview");
    std::fs::write(tmux.show("#{pane_tty}"), "\u{1b}[2J\u{1b}[HBroadcast message").expect("writes");
    tmux.wait_for("Broadcast");
    tmux.press(&["C-l"]);
    tmux.wait_without("Broadcast");
    tmux.wait_for("1 Overview");
    tmux.press(&["q"]);
    tmux.wait_without("1 Overview");
    assert_eq!(tmux.modes(), before);
}

#[test]
fn it_follows_the_size_of_the_terminal() {
    let cli = Cli::sqlite();
    let Some(tmux) = Tmux::start(&cli, USUAL) else { return };
    tmux.monitor("");
    tmux.resize((40, 10));
    tmux.wait_for("at least 60x15 is needed");
    for size in [(60, 15), (200, 50), (80, 24)] {
        tmux.resize(size);
        tmux.wait_until("the foot is in the last line", |pane| {
            pane.lines().count() <= usize::from(size.1)
                && pane.lines().nth(usize::from(size.1) - 1).is_some_and(|line| line.contains("help"))
        });
    }
    tmux.press(&["q"]);
    assert_eq!(tmux.code(), 0);
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told() {
    let cli = Cli::sqlite();
    let Some(tmux) = Tmux::start(&cli, USUAL) else { return };
    let before = tmux.modes();
    let own = std::env::current_exe().expect("is known");
    let own = shlex::try_quote(own.to_str().expect("UTF-8")).expect("can be quoted").into_owned();
    for (test, words) in [("draws", "as if it were broken"), ("serves", "a thread of the monitor panicked")] {
        let name = format!("monitor_terminal::panics_where_it_{test}");
        tmux.run(&format!("{own} --exact {name} --ignored --nocapture"));
        assert_ne!(tmux.code(), 0, "{test}");
        tmux.wait_for(words);
        assert!(!tmux.pane().contains("a frame"), "{test}");
        assert_eq!(tmux.modes(), before, "{test}");
    }
}

/// What the test above runs in a terminal.
#[test]
#[ignore = "is run in a terminal by another one"]
fn panics_where_it_draws() {
    if !std::io::stdout().is_terminal() {
        return;
    }
    let mut screen = Screen::open().expect("a terminal");
    screen.terminal.draw(|frame| frame.render_widget(Paragraph::new("a frame"), frame.area())).expect("draws");
    panic!("as if it were broken");
}

/// Likewise: a thread panics while another one draws.
#[test]
#[ignore = "is run in a terminal by another one"]
fn panics_where_it_serves() {
    if !std::io::stdout().is_terminal() {
        return;
    }
    let mut screen = Screen::open().expect("a terminal");
    screen.terminal.draw(|frame| frame.render_widget(Paragraph::new("a frame"), frame.area())).expect("draws");
    let (events, received) = channel();
    threads::start(&events, || panic!("as if it were broken"));
    let Ok(Event::Broken(why)) = received.recv() else { panic!("nothing is told") };
    screen.terminal.draw(|frame| frame.render_widget(Paragraph::new("a frame, too"), frame.area())).expect("draws");
    drop(screen);
    panic!("{why}");
}

#[test]
fn keys_are_answered_while_the_store_hangs() {
    let Some(mongod) = Mongod::start() else { return };
    let cli = Cli::on_server(&mongod.uri());
    cli.lpad(&["add_scripts", "true"]).done();
    let Some(tmux) = Tmux::start(&cli, USUAL) else { return };
    tmux.monitor("--interval 0.5");
    tmux.wait_without("connecting");
    mongod.freeze();
    tmux.wait_for("waiting for an answer");
    let begun = Instant::now();
    for tab in ["2", "3", "4", "1"] {
        tmux.press(&[tab, "?", "G"]);
        tmux.wait_for("any other key leaves it");
        tmux.press(&["x"]);
        tmux.wait_without("any other key leaves it");
    }
    // Were it to wait for the store it would do so until that is thawed.
    assert!(begun.elapsed() < Duration::from_secs(60));
    mongod.thaw();
    tmux.wait_without("waiting for an answer");
    mongod.freeze();
    tmux.wait_for("waiting for an answer");
    tmux.press(&["q"]);
    assert_eq!(tmux.code(), 0, "it ends though the store hangs");
    mongod.thaw();
}

#[test]
fn a_store_that_went_away_is_told_and_found_again() {
    let Some(mut mongod) = Mongod::start() else { return };
    let cli = Cli::on_server(&mongod.uri());
    cli.lpad(&["add_scripts", "true"]).done();
    let Some(tmux) = Tmux::start(&cli, USUAL) else { return };
    tmux.monitor("--interval 0.5");
    tmux.wait_without("connecting");
    mongod.away(|| tmux.wait_for("the store is away"));
    tmux.wait_without("the store is away");
    tmux.press(&["q"]);
    assert_eq!(tmux.code(), 0);
    wait_until("its launchpad is there again", || cli.lpad(&["get_fws"]).code == 0);
}
