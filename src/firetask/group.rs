//! A process in a group of its own, so that everything it starts can be ended with it.
//!
//! The leader of the group is reaped last: until then its id cannot be given to anybody else, and
//! no signal hits a stranger.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, test_kill_process_group, waitid,
};

use super::guard;

/// How long a group may take between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(3);
/// How often we look whether a group is gone.
const LOOK: Duration = Duration::from_millis(20);
/// How long our own signal may take when a process has died of one: who ends a whole job, as
/// Slurm does, signals all its processes, and this one may be the first to go.
pub const HEARSAY: Duration = Duration::from_secs(1);

/// Starts the leader of a group. Whoever does reaps it by [`reap`], [`end`] or [`kill`].
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let mark = guard::announce(command);
    let leader = command.process_group(0).spawn();
    guard::began(&mark, leader.as_ref().ok().map(Pid::from_child));
    leader
}

/// Waits for the end of the leader. What it leaves behind in its group stays.
pub fn reap(leader: &mut Child) -> io::Result<ExitStatus> {
    // First: its id may be another's as soon as it is reaped.
    guard::ended(Pid::from_child(leader));
    leader.wait()
}

/// Tells when the leader has ended, and whether by a signal that may be meant for us, too. It is
/// left to be reaped.
pub fn watch(leader: &Child, ended: impl FnOnce(bool) + Send + 'static) {
    let pid = Pid::from_child(leader);
    thread::spawn(move || {
        let status = loop {
            match waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
                Err(rustix::io::Errno::INTR) => {}
                status => break status.ok().flatten(),
            }
        };
        ended(status.is_some_and(is_told_to_end));
    });
}

/// Died of one of the signals that end a worker, or is a shell whose command did.
fn is_told_to_end(status: WaitIdStatus) -> bool {
    let signal = status.terminating_signal().or(status.exit_status().map(|code| code - 128));
    [Signal::TERM, Signal::INT, Signal::HUP, Signal::USR1].iter().any(|one| signal == Some(one.as_raw()))
}

/// Ends the whole group: politely first, for good after [`GRACE`] or when it is urgent. `pause`
/// waits, at most so long.
pub fn end(leader: &mut Child, is_urgent: impl Fn() -> bool, pause: impl Fn(Duration)) {
    let group = Pid::from_child(leader);
    // A group that is gone already is what we want; a stopped one must wake up to hear us.
    let _ = kill_process_group(group, Signal::TERM);
    let _ = kill_process_group(group, Signal::CONT);
    let deadline = Instant::now() + GRACE;
    let mut reaped = false;
    while Instant::now() < deadline && !is_urgent() {
        // The group's id stays taken as long as a member lives, so it may be asked after its leader
        // has been reaped.
        reaped = reaped || matches!(leader.try_wait(), Ok(Some(_)));
        if reaped && test_kill_process_group(group).is_err() {
            return guard::ended(group);
        }
        pause(LOOK);
    }
    let _ = kill(leader);
}

/// Ends the whole group at once. Says how its leader ended, which may have been before.
pub fn kill(leader: &mut Child) -> io::Result<ExitStatus> {
    let _ = kill_process_group(Pid::from_child(leader), Signal::KILL);
    reap(leader)
}
