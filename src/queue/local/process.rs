//! Tells a process from a later one with the same id.

use std::path::Path;
use std::process::Command;

/// The birth of a living process: boot and start time. `None` when it is gone or a zombie.
pub fn birth(pid: i32) -> Option<String> {
    if !Path::new("/proc/self/stat").exists() {
        return birth_by_ps(pid);
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks = start_ticks(&stat)?;
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    Some(format!("{}:{ticks}", boot.trim()))
}

/// Field 22 of `/proc/PID/stat` (`man 5 proc`): clock ticks since boot. Field 2, the name, is in
/// parentheses and may contain anything.
fn start_ticks(stat: &str) -> Option<u64> {
    let mut after_name = stat.rsplit_once(')')?.1.split_whitespace();
    let state = after_name.next()?;
    if matches!(state, "Z" | "X") {
        return None;
    }
    after_name.nth(18)?.parse().ok()
}

/// The same where there is no `/proc`.
fn birth_by_ps(pid: i32) -> Option<String> {
    let output = Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).env("LC_ALL", "C").output().ok()?;
    let start = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!start.is_empty()).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_proc() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 8 9";
        assert_eq!(start_ticks(stat), Some(4711));
        assert_eq!(start_ticks(&stat.replace(" S ", " Z ")), None);
        assert_eq!(start_ticks("7"), None);
    }

    #[test]
    fn a_process_has_one_birth() {
        let me = i32::try_from(std::process::id()).expect("is a pid");
        assert!(birth(me).is_some());
        assert_eq!(birth(me), birth(me));
        assert_ne!(birth(me), birth(1));
    }
}
