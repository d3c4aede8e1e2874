//! Removing launch directories: what another launch uses stays, by whatever way that one comes to it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use volley::launchpad::remove_dirs::remove;

use crate::support::Launchpad;
use crate::support::raw::{edit_launch, reserve};

/// Lets a launch be in a directory.
fn launch_in(pad: &Launchpad, fw_id: i64, directory: &Path) {
    let launch_id = reserve(&pad.location, fw_id, "1", jiff::Timestamp::now());
    edit_launch(&pad.location, launch_id, |launch| launch.launch_dir = directory.display().to_string());
}

#[test]
fn what_another_launch_uses_stays() {
    for pad in [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten() {
        let folder = tempfile::tempdir().expect("a folder");
        let runs = folder.path().canonicalize().expect("is there").join("runs");
        let make = |name: &str| {
            let directory = runs.join(name);
            fs::create_dir_all(&directory).expect("is made");
            directory
        };
        let [linked, deep, slashed, free] = ["launcher_1", "launcher_2", "launcher_3", "launcher_4"].map(make);
        symlink(&runs, folder.path().join("link")).expect("is made");
        launch_in(&pad, 1, &folder.path().join("link/launcher_1"));
        launch_in(&pad, 2, &runs.join("../runs/launcher_2/deep"));
        launch_in(&pad, 3, &slashed);
        // One of the name of another.
        launch_in(&pad, 4, Path::new("/elsewhere/launcher_4"));
        symlink(&free, runs.join("launcher_5")).expect("is made");
        let with_slash = |path: &Path| PathBuf::from(format!("{}/", path.display()));

        let doomed = vec![linked.clone(), deep.clone(), with_slash(&slashed), with_slash(&runs.join("launcher_5"))];
        let removal = remove(&*pad.store, doomed, &[]).expect("looks");
        assert_eq!((removal.removed, removal.left.len()), (Vec::new(), 4), "{:?}", removal.left);
        assert!(linked.is_dir() && deep.is_dir() && slashed.is_dir() && free.is_dir());
        let removal = remove(&*pad.store, vec![free.clone()], &[]).expect("looks");
        assert_eq!((removal.removed, free.exists()), (vec![free.clone()], false));
    }
}

#[test]
fn very_many_are_asked_about() {
    for pad in [Some(Launchpad::sqlite()), Launchpad::mongo()].into_iter().flatten() {
        let name = |n: i32| PathBuf::from(format!("/{}/launcher_{n}{}", "d".repeat(80), "-".repeat(100)));
        let removal = remove(&*pad.store, (0..500).map(name).collect(), &[]).expect("looks");
        assert_eq!(removal.absent, 500);
    }
}
