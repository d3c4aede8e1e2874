//! A small disk that can be full: a tmpfs, for which one must be root.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder on it; unmounted in the end.
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts it over a folder, where that is allowed.
    pub fn mount(folder: &Path) -> Option<Self> {
        let options = ["-t", "tmpfs", "-o", "size=32m", "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(folder).output().is_ok_and(|ran| ran.status.success());
        if !mounted {
            eprintln!("SKIPPED full disks: need a tmpfs, and so root");
        }
        mounted.then(|| Disk(folder.to_owned()))
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    pub fn fill(&self) {
        let mut file = File::create(self.ballast()).expect("creates");
        for size in [1 << 16, 1 << 12, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    pub fn clear(&self) {
        // It may not have been full.
        let _ = std::fs::remove_file(self.ballast());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: what was started there may not be gone yet.
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}
