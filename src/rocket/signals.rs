//! Hears the signals that end a worker: SIGTERM, SIGINT, SIGHUP, and SIGUSR1, which Slurm sends
//! ahead of a time limit when it is asked to.

use std::thread::Scope;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::{Handle, Signals};
use tracing::warn;

use super::RocketError;
use super::desk::{Desk, Stop};
use super::walltime::Walltime;
use crate::queue::process;
use crate::workflow::{Cause, Loss};

/// Passes signals on to the desk until it is dropped.
pub struct Ear(Handle);

impl Ear {
    /// Listens from now on, in a thread of the scope.
    pub fn open<'scope>(
        scope: &'scope Scope<'scope, '_>,
        desk: &'scope Desk,
        walltime: Option<&'scope Walltime>,
    ) -> Result<Self, RocketError> {
        // `nohup` and a shell's `&` have a signal ignored on purpose.
        let is_wanted = |signal: &i32| !matches!(*signal, SIGHUP | SIGINT) || !process::ignores(*signal);
        let wanted = [SIGTERM, SIGINT, SIGHUP, SIGUSR1].into_iter().filter(is_wanted);
        let mut signals = Signals::new(wanted).map_err(RocketError::Signals)?;
        let ear = Ear(signals.handle());
        scope.spawn(move || {
            for signal in signals.forever() {
                warn!("{} received: stopping", name(signal));
                let near_end = signal == SIGUSR1 && walltime.is_some_and(Walltime::is_near);
                desk.stop(Stop { signal: Some(signal), near_end });
            }
        });
        Ok(ear)
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Stop {
    /// Why a run is given back that it has cut short; `walltime` is that of the worker.
    pub fn loss(self, walltime: Option<&Walltime>) -> Loss {
        if self.near_end {
            return Loss::new(Cause::Timeout, walltime.map(Walltime::describe).unwrap_or_default());
        }
        Loss::new(Cause::Stopped, self.signal.map_or("", name))
    }
}

/// The name of a signal.
pub fn name(signal: i32) -> &'static str {
    signal_hook::low_level::signal_name(signal).unwrap_or("a signal")
}
