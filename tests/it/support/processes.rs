//! Scripts that start processes, and whether these are still there.

use std::path::Path;

use rustix::process::Pid;
use serde_json::{Value, json};

use super::run::wait_until;

/// Starts two processes, and tells their ids.
pub const SCRIPT: &str = "sleep 1000 & echo $! > child; echo $$ > leader; wait";
/// The same, and deaf to SIGTERM.
pub const DEAF: &str = "trap '' TERM; sleep 1000 & echo $! > child; echo $$ > leader; while true; do sleep 1000; done";

pub fn script(text: &str) -> Value {
    json!([{"_fw_name": "ScriptTask", "script": text}])
}

/// The processes of the script, once they are there.
pub fn processes(folder: &Path) -> [i32; 2] {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok()?.trim().parse().ok();
    wait_until("the script runs", || read("leader").is_some());
    [read("leader").expect("is written"), read("child").expect("is written")]
}

/// Whether a process is there, and not only waits to be reaped.
pub fn is_alive(pid: i32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X']))
}

/// Waits until none of them is.
pub fn wait_until_gone(processes: impl IntoIterator<Item = i32>) {
    for pid in processes {
        wait_until("the process is gone", || !is_alive(pid));
    }
}

/// The children of a process.
pub fn children(parent: i32) -> Vec<i32> {
    let entries = std::fs::read_dir("/proc").expect("is there").filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let is_child = |pid: &i32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(1) == Some(parent.to_string().as_str())
    };
    pids.filter(is_child).collect()
}

/// Whether a worker has come so far that SIGTERM stops it well.
pub fn catches_term(pid: Pid) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0");
    u64::from_str_radix(caught.trim(), 16).is_ok_and(|mask| mask & (1 << 14) != 0)
}
