//! The terminal: another screen of it while the monitor runs, and as it was when it ends, however it ends.

use std::io::{self, BufWriter, Stdout, Write, stdout};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, ThreadId};

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::layout::Rect;
use rustix::process::{Signal, kill_current_process_group};

use super::threads::keep_words;

/// A frame goes out in one piece.
const FRAME: usize = 64 * 1024;

/// The screen; the one before is back when this is dropped.
pub struct Screen {
    /// What is drawn on.
    pub terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

/// The thread that draws, while there is a screen.
static DRAWS: Mutex<Option<ThreadId>> = Mutex::new(None);

fn draws() -> MutexGuard<'static, Option<ThreadId>> {
    DRAWS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Screen {
    /// Opens it. Where this thread panics the terminal is given back before anything is said; the others must not
    /// write over what it draws.
    pub fn open() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                let who = *draws();
                match who {
                    Some(who) if who != thread::current().id() => keep_words(panic),
                    Some(_) => {
                        leave();
                        before(panic);
                    }
                    None => before(panic),
                }
            }));
        });
        *draws() = Some(thread::current().id());
        let backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME, stdout()));
        let opened = enter().and_then(|()| Terminal::new(backend));
        Ok(Screen { terminal: opened.inspect_err(|_| close())? })
    }

    /// The shell has the terminal until it continues this process.
    pub fn suspend(&mut self) -> io::Result<()> {
        leave();
        // A script that waits for it stops, too, as with every other program.
        kill_current_process_group(Signal::TSTP)?;
        self.resume()
    }

    /// Has the terminal again, whatever a shell has made of it.
    pub fn resume(&mut self) -> io::Result<()> {
        disable_raw_mode()?;
        enter()?;
        self.redraw()
    }

    /// The next frame is drawn as a whole, not only what is new in it.
    pub fn redraw(&mut self) -> io::Result<()> {
        // `clear` would ask the terminal where its cursor is, and the thread that reads keys has the answer.
        let size = self.terminal.size()?;
        self.terminal.resize(Rect::from((Default::default(), size)))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        close();
    }
}

fn close() {
    leave();
    *draws() = None;
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, Hide, EnableBracketedPaste, EnableFocusChange)
}

/// Where the terminal is gone there is nothing to put right.
fn leave() {
    let _ = execute!(stdout(), DisableFocusChange, DisableBracketedPaste, Show, LeaveAlternateScreen);
    let _ = disable_raw_mode();
    let _ = stdout().flush();
}
