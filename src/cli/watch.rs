//! `--watch`: the same picture again and again, in the place of the one before.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGWINCH};

use super::exit::{Exit, failure};
use super::output;
use crate::config::duration;

/// The option of verbs that can be watched.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct WatchArgs {
    /// Show it again every so often, until Ctrl-C [default: 2 s]
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = often)]
    watch: Option<Duration>,
}

/// Nobody reads faster.
const SHORTEST: Duration = Duration::from_millis(100);

fn often(text: &str) -> Result<Duration, String> {
    let every = duration::parse(text).map_err(|error| error.to_string())?;
    if every < SHORTEST { Err("not more often than every 0.1 s".to_owned()) } else { Ok(every) }
}

impl WatchArgs {
    /// How often, if at all.
    pub fn every(&self) -> Option<Duration> {
        self.watch
    }
}

/// Shows what `act` prints until Ctrl-C. An error is shown as well: what failed may work the next time.
pub fn run(every: Duration, act: impl Fn() -> Result<Exit>) -> Result<Exit> {
    if !output::is_terminal() {
        return Err(failure(Exit::Usage, "--watch draws on a terminal, and standard output is none"));
    }
    let signals = Signals::new().context("cannot listen for signals")?;
    let screen = Screen::open()?;
    let exit = loop {
        let (picture, shown) = output::kept(&act);
        let words = shown.err().map(|error| format!("error: {error:#}"));
        screen.draw(&picture, words.as_deref())?;
        if signals.wait(every)? {
            break Exit::Done;
        }
    };
    drop(screen);
    Ok(exit)
}

/// The other screen of the terminal; the first one is back when this is dropped.
struct Screen;

const OPEN: &str = "\u{1b}[?1049h\u{1b}[?25l";
const CLOSE: &str = "\u{1b}[?25h\u{1b}[?1049l";

impl Screen {
    fn open() -> Result<Self> {
        let screen = Screen;
        say(OPEN)?;
        Ok(screen)
    }

    /// Draws over what is there, line by line, so that nothing flickers.
    fn draw(&self, picture: &str, words: Option<&str>) -> Result<()> {
        let lines: Vec<&str> = picture.lines().chain(words).collect();
        let room = output::size().map_or(usize::MAX, |(_, lines)| lines.max(2));
        let (shown, more) = if lines.len() > room { (room - 1, lines.len() - room + 1) } else { (lines.len(), 0) };
        let mut text = String::from("\u{1b}[H");
        for (number, line) in lines[..shown].iter().enumerate() {
            text += if number > 0 { "\r\n" } else { "" };
            text += line;
            text += "\u{1b}[0m\u{1b}[K";
        }
        if more > 0 {
            text += &format!("\r\n… and {} more\u{1b}[K", output::number(more, "line"));
        }
        text += "\u{1b}[J";
        say(&text)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to put right.
        let _ = say(CLOSE);
    }
}

fn say(text: &str) -> Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).context("cannot write to the terminal")
}

/// The signals that end it, and that of a terminal of another size.
struct Signals {
    end: UnixStream,
    size: UnixStream,
}

impl Signals {
    fn new() -> io::Result<Self> {
        let (end, says_end) = UnixStream::pair()?;
        let (size, says_size) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::low_level::pipe::register(signal, says_end.try_clone()?)?;
        }
        signal_hook::low_level::pipe::register(SIGWINCH, says_size)?;
        end.set_nonblocking(true)?;
        size.set_nonblocking(true)?;
        Ok(Signals { end, size })
    }

    /// Waits so long, or until the terminal has another size; whether it is to end.
    fn wait(&self, every: Duration) -> Result<bool> {
        let mut both = [PollFd::new(&self.end, PollFlags::IN), PollFd::new(&self.size, PollFlags::IN)];
        let timeout = Timespec::try_from(every).context("so long nobody waits")?;
        match poll(&mut both, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(io::Error::from(error)).context("cannot wait"),
        }
        let mut byte = [0; 64];
        while (&self.size).read(&mut byte).is_ok_and(|length| length > 0) {}
        Ok((&self.end).read(&mut byte).is_ok_and(|length| length > 0))
    }
}
