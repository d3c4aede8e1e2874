//! `qlaunch` and a controller of Slurm that is away for a while.

use std::process::{Child, Stdio};

use volley::workflow::State;

use crate::support::own_slurm::OwnSlurm;
use crate::support::place::Place;
use crate::support::run::wait_until;

/// A place of `qlaunch` at a Slurm of its own.
struct Site {
    place: Place,
    slurm: OwnSlurm,
}

impl Site {
    fn new() -> Option<Self> {
        let slurm = OwnSlurm::start()?;
        let place = Place::with_adapter("_fw_q_type: SLURM\nqueue: debug\nrocket_launch: rlaunch singleshot\n")
            .set("SLURM_CONF", &slurm.conf());
        Some(Site { place, slurm })
    }

    /// `qlaunch WORDS…`, whose log goes to the file `log`.
    fn qlaunch(&self, words: &[&str]) -> Launcher {
        let log = std::fs::File::create(self.place.path().join("log")).expect("made");
        let mut command = self.place.volley(&[&["qlaunch"], words].concat());
        Launcher(command.stdout(Stdio::null()).stderr(log).spawn().expect("starts"))
    }

    fn wait_until_logged(&self, text: &str) {
        wait_until(&format!("it logs `{text}`"), || {
            std::fs::read_to_string(self.place.path().join("log")).expect("read").contains(text)
        });
    }

    fn running(&self) -> usize {
        self.place.fireworks().iter().filter(|firework| firework.state == State::Running).count()
    }
}

/// A launcher, killed when the test gives up.
struct Launcher(Child);

impl Launcher {
    fn ends_well(mut self, site: &Site) {
        wait_until("qlaunch has ended", || self.0.try_wait().expect("waited for").is_some());
        let status = self.0.wait().expect("waited for");
        assert!(status.success(), "{}", std::fs::read_to_string(site.place.path().join("log")).expect("read"));
    }
}

impl Drop for Launcher {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_controller_that_is_away_is_waited_for() {
    for mode in [&[][..], &["-r"]] {
        let Some(mut site) = Site::new() else { return };
        let go = site.place.path().join("go");
        site.place.add_scripts(6, &format!("until [ -e '{}' ]; do sleep 0.1; done", go.display()));
        let words = [mode, &["rapidfire", "-m", "2", "--nlaunches", "6", "--sleep", "1", "--poll", "1"]].concat();
        let launcher = site.qlaunch(&words);
        wait_until("two are running", || site.running() == 2);
        site.slurm.stop_controller();
        std::fs::write(&go, "").expect("written");
        site.wait_until_logged("Unable to contact slurm controller");
        site.slurm.start_controller();
        launcher.ends_well(&site);
        site.place.wait_until_completed();
        site.place.assert_each_ran_once();
        assert_eq!(site.place.launchers().len(), 6);
    }
}

/// An `sbatch` that gives up waiting may have been heard all the same.
#[test]
fn what_sbatch_does_not_know_is_not_submitted_again() {
    for mode in [&[][..], &["-r"]] {
        let Some(site) = Site::new() else { return };
        site.place.add_scripts(20, "true");
        let launcher = site.qlaunch(&[mode, &["rapidfire", "--sleep", "1", "--poll", "1"]].concat());
        site.wait_until_logged("submitted job");
        site.slurm.freeze_controller();
        site.wait_until_logged("Socket timed out");
        site.slurm.thaw_controller();
        launcher.ends_well(&site);
        site.place.wait_until_completed();
        site.place.assert_each_ran_once();
        let jobs = site.slurm.ask("squeue", &["-h", "-t", "all", "-o", "%A"]);
        assert_eq!(String::from_utf8_lossy(&jobs.stdout).lines().count(), 20);
    }
}
