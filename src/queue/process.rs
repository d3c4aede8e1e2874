//! Processes of this machine, each told from a later one with the same id.

use std::path::Path;
use std::process::Command;

use rustix::io::Errno;
use rustix::process::Pid;

/// The first namespace of process ids, by the number that the kernel gives it always.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// Names this boot of this machine and, in a container that counts processes for itself, that
/// count: where two such names are the same, so are the processes of one id. Empty where there is
/// no `/proc`.
pub fn boot() -> String {
    let boot = boot_id();
    match std::fs::read_link("/proc/self/ns/pid") {
        Ok(namespace) if namespace != Path::new(FIRST_NAMESPACE) => format!("{boot}/{}", namespace.display()),
        _ => boot,
    }
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default().trim().to_owned()
}

/// When a living process began, in clock ticks since boot.
pub fn started(pid: u32) -> Option<u64> {
    start_ticks(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Whether a process that had begun then is certainly gone. What `/proc` hides of other users'
/// processes is no proof.
pub fn is_gone(pid: u32, began: Option<u64>) -> bool {
    let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    if rustix::process::test_kill_process(id) == Err(Errno::SRCH) {
        return true;
    }
    // There is one, and it may be another.
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    match start_ticks(&stat) {
        Some(ticks) => began.is_some_and(|began| began != ticks),
        None => is_dead(&stat),
    }
}

/// Whether this process was started to ignore a signal.
pub fn ignores(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

/// The birth of a living process: boot and start time. `None` when it is gone or a zombie.
pub fn birth(pid: i32) -> Option<String> {
    if !Path::new("/proc/self/stat").exists() {
        return birth_by_ps(pid);
    }
    let ticks = started(u32::try_from(pid).ok()?)?;
    Some(format!("{}:{ticks}", boot_id()))
}

/// Field 22 of `/proc/PID/stat` (`man 5 proc`): clock ticks since boot; none of what is dead.
fn start_ticks(stat: &str) -> Option<u64> {
    if is_dead(stat) {
        return None;
    }
    after_name(stat)?.nth(19)?.parse().ok()
}

/// Whether a process has ended, and only waits to be reaped.
fn is_dead(stat: &str) -> bool {
    matches!(after_name(stat).and_then(|mut fields| fields.next()), Some("Z" | "X"))
}

/// The fields from the third on. The second, the name, is in parentheses and may contain anything.
fn after_name(stat: &str) -> Option<std::str::SplitWhitespace<'_>> {
    Some(stat.rsplit_once(')')?.1.split_whitespace())
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

    #[test]
    fn a_process_is_gone_when_another_has_its_id() {
        let me = std::process::id();
        let began = started(me);
        assert!(began.is_some() && !boot().is_empty());
        assert!(!is_gone(me, began) && !is_gone(me, None), "it is here");
        assert!(is_gone(me, began.map(|ticks| ticks - 1)), "an earlier one");
        assert!(!is_gone(0, None), "0 is no process");
        let mut child = Command::new("true").spawn().expect("starts");
        let (pid, begun) = (child.id(), started(child.id()));
        while !is_gone(pid, begun) {
            std::thread::yield_now();
        }
        child.wait().expect("is reaped");
        assert!(is_gone(pid, begun) && is_gone(pid, None));
    }
}
