//! A worker may have died after its firework had ended and before the store heard of it. Whoever takes
//! its launch for lost, and sees the launch directory, records what is there instead.

use std::path::Path;

use tracing::warn;

use super::drain::{DrainError, Fate, rescue, tell};
use super::spool;
use crate::queue::LaunchpadId;
use crate::store::{Store, Witness};
use crate::workflow::{Launch, Loss};

/// A witness that looks into launch directories, too.
pub struct Rescuer<'a> {
    store: &'a dyn Store,
    launchpad: &'a LaunchpadId,
    witness: &'a dyn Witness,
}

impl<'a> Rescuer<'a> {
    /// Knows of the dead what `witness` knows.
    pub fn new(store: &'a dyn Store, launchpad: &'a LaunchpadId, witness: &'a dyn Witness) -> Self {
        Rescuer { store, launchpad, witness }
    }
}

impl Witness for Rescuer<'_> {
    fn losses(&self, launches: &[&Launch]) -> Vec<Option<Loss>> {
        self.witness.losses(launches)
    }

    fn rescue(&self, launch: &Launch) -> bool {
        let Some(file) = spool::file_of(Path::new(&launch.launch_dir), launch.launch_id) else { return false };
        match rescue(self.store, self.launchpad, &file) {
            Ok((_, fate)) => {
                tell(&file, &fate);
                matches!(fate, Fate::Recorded | Fate::Refused(_))
            }
            // The outcome is there, and a later look may find the store in a better mood.
            Err(DrainError::Store(error)) if error.is_transient() => {
                warn!("cannot record {} yet: {error}", file.display());
                true
            }
            Err(error) => {
                warn!("{error}; the run is taken for lost");
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::*;
    use crate::store::{self, Blind, Location, MongoSettings, Outcome};
    use crate::workflow::launch::Place;
    use crate::workflow::{FwAction, Lease, State};

    #[test]
    fn an_outcome_waits_for_a_store_that_is_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let host = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50".to_owned();
        let away = Location::Mongo(Box::new(MongoSettings { host, ..MongoSettings::default() }));
        let launchpad = LaunchpadId::of(&away);
        let away = store::open_ahead(&away, SignedDuration::ZERO).expect("asks nobody yet");
        let place = Place { launch_dir: folder.path().display().to_string(), ..Place::default() };
        let ended = Timestamp::now();
        let launch = Launch::running(3, 5, &place, &Lease::default(), ended);
        let rescue = || Rescuer::new(&*away, &launchpad, &Blind).rescue(&launch);
        assert!(!rescue(), "there is none");
        let action = FwAction::default();
        let outcome = Outcome { launch: launch.clone(), state: State::Completed, action, ended, followed: false };
        spool::write(&outcome, &launchpad).expect("writes");
        assert!(rescue() && spool::path(&outcome).exists());
    }
}
