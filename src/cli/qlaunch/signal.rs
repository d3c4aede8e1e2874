//! The signals that stop a launcher.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use anyhow::Result;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::cli::exit::Exit;
use crate::queue::process;

/// The first signal, 0 before.
pub struct Caught(Arc<AtomicUsize>);

impl Caught {
    /// Whether there was one.
    pub fn is_there(&self) -> bool {
        self.0.load(Ordering::Relaxed) != 0
    }

    /// The code of a program that it has ended; who was asked to stop otherwise has done as asked.
    pub fn code(&self) -> ExitCode {
        match u8::try_from(self.0.load(Ordering::Relaxed)).unwrap_or_default() {
            0 => Exit::Done.into(),
            signal => ExitCode::from(128 + signal),
        }
    }
}

/// From now on SIGTERM, Ctrl-C and the end of the terminal stop the launcher, and a second Ctrl-C ends
/// the program at once.
pub fn catch() -> Result<Caught> {
    let again = Arc::new(AtomicBool::new(false));
    let caught = Arc::new(AtomicUsize::new(0));
    // In this order: the first signal must not find the flag set by itself.
    signal_hook::flag::register_conditional_shutdown(SIGINT, 128 + SIGINT, Arc::clone(&again))?;
    // `nohup` has SIGHUP ignored on purpose.
    let wanted = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|&signal| signal == SIGINT || !process::ignores(signal));
    for signal in wanted {
        signal_hook::flag::register(signal, Arc::clone(&again))?;
        signal_hook::flag::register_usize(signal, Arc::clone(&caught), usize::try_from(signal)?)?;
    }
    Ok(Caught(caught))
}
