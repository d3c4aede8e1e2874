//! Torture: a fleet of workers drains random workflows while its members, the server and a user's commands
//! are killed, frozen and cut off. When that is over, and nobody has put anything right by hand, nothing is
//! lost, nothing is doubled, and nothing is stuck.
//!
//! `VOLLEY_TEST_SEEDS=FIRST..END` chooses the seeds, and longer runs; `scripts/torture` runs many. A seed is
//! the workload, and what is done to it; what comes of it depends on the machine, too.

mod check;
mod disk;
mod fleet;
mod jobs;
mod picture;
mod user;
mod workload;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use volley::store::{self, FireworkQuery, Store, WorkflowQuery};
use volley::workflow::State;

use crate::support::mongod::Mongod;
use crate::support::random::Random;
use crate::support::site::Site;
use crate::support::{Launchpad, is_long, seeds};
use fleet::{Fleet, Toll, processes};
use jobs::Jobs;
use picture::Picture;
use user::User;
use workload::Kind;

/// No state is waited for any longer.
const CEILING: Duration = Duration::from_secs(600);

/// How much of it.
struct Extent {
    workers: usize,
    workflows: usize,
    attacks: usize,
    /// Between two of them, in milliseconds.
    longest_pause: usize,
    /// In milliseconds.
    longest_outage: usize,
}

impl Extent {
    fn new() -> Self {
        if is_long() {
            Extent { workers: 8, workflows: 60, attacks: 120, longest_pause: 600, longest_outage: 20_000 }
        } else {
            Extent { workers: 6, workflows: 8, attacks: 16, longest_pause: 900, longest_outage: 4_000 }
        }
    }
}

#[test]
fn nothing_is_lost_doubled_or_stuck_on_sqlite() {
    for seed in seeds(1..2) {
        torture(&Site::sqlite(), None, seed);
    }
}

#[test]
fn nothing_is_lost_doubled_or_stuck_on_mongodb() {
    for seed in seeds(1..2) {
        let Some(mut server) = Mongod::start() else { return };
        let site = Site::on(Launchpad::on_server(&server.uri()));
        torture(&site, Some(&mut server), seed);
    }
}

/// One seed; a server is tortured, too.
fn torture(site: &Site, server: Option<&mut Mongod>, seed: u64) {
    let begun = Instant::now();
    let run = uuid::Uuid::now_v7().to_string();
    let extent = Extent::new();
    site.write("evidence", "");
    let mut user = User::new(site, &run, seed);
    for at in 0..extent.workflows {
        user.add([Kind::Strict, Kind::Steered, Kind::Strict, Kind::Doomed][at % 4]);
    }
    let mut fleet = Fleet::start(site, &run, extent.workers);
    let mut jobs = is_long().then(|| Jobs::start(site, &run, 2)).flatten();
    let outages = attack(site, server, &mut fleet, jobs.as_mut(), &mut user, &extent, seed);
    let mut wrong = settle(site, &mut fleet, &mut user);
    let ledger = user.ledger;
    let (cancelled, requeued) = jobs.as_ref().map_or((0, 0), |jobs| (jobs.cancelled, jobs.requeued));
    jobs.iter().for_each(Jobs::end);
    wrong.extend(fleet.end());
    wrong.extend(leftovers(&run));
    let picture = Picture::take(&*site.launchpad.store, &site.path().join("evidence"));
    wrong.extend(check::violations(&*site.launchpad.store, &picture, &ledger));
    let Toll { kills, freezes, signals, restarts, full } = fleet.toll;
    let lost = picture.launches.values().filter(|launch| launch.loss().is_some()).count();
    let summary = format!(
        "seed {seed} on {}: {kills} kills, {freezes} freezes, {signals} signals, {restarts} restarts, {outages} outages, {full} full disks, \
         {cancelled} jobs cancelled and {requeued} requeued, {} verbs ({} refused, {} killed), {} fireworks, {} launches ({lost} lost), {:.0} s, {} violations",
        if site.is_mongo() { "MongoDB" } else { "SQLite" },
        ledger.done + ledger.refused.len() + ledger.kills,
        ledger.refused.len(),
        ledger.kills,
        picture.fireworks.len(),
        picture.launches.len(),
        begun.elapsed().as_secs_f64(),
        wrong.len(),
    );
    eprintln!("{summary}");
    if !wrong.is_empty() {
        site.write("refused", &ledger.refused.join("\n"));
        let kept = keep(site, seed);
        panic!("{summary}; its files: {kept}\n  {}", wrong.join("\n  "));
    }
}

/// Does everything to fleet and server that the seed says, while a user meddles. Returns how often the server
/// was away.
fn attack(
    site: &Site,
    mut server: Option<&mut Mongod>,
    fleet: &mut Fleet<'_>,
    mut jobs: Option<&mut Jobs<'_>>,
    user: &mut User<'_>,
    extent: &Extent,
    seed: u64,
) -> usize {
    let random = &mut Random::new(seed.rotate_left(32) + 7);
    let is_over = AtomicBool::new(false);
    let mut outages = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                user.meddle();
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        for _ in 0..extent.attacks {
            std::thread::sleep(Duration::from_millis(50 + random.below(extent.longest_pause) as u64));
            fleet.refill();
            let victim = random.below(fleet.size());
            if let Some(jobs) = jobs.as_mut().filter(|_| random.percent(15)) {
                jobs.attack(random);
            }
            match (random.below(12), &mut server) {
                (0, Some(server)) => {
                    server.freeze();
                    std::thread::sleep(Duration::from_millis(random.below(extent.longest_outage) as u64));
                    server.thaw();
                    outages += 1;
                }
                (1 | 2, Some(server)) => {
                    if random.percent(30) {
                        server.restart()
                    } else {
                        server.kill_and_restart()
                    }
                    outages += 1;
                }
                (3 | 4, _) => fleet.freeze(victim),
                (5, _) => fleet.signal(victim, Signal::USR1),
                (6, _) => fleet.signal(victim, Signal::TERM),
                (7, _) if is_long() => {
                    fleet.fill();
                    std::thread::sleep(Duration::from_millis(random.below(1_500) as u64));
                    fleet.clear();
                }
                _ => fleet.kill(victim),
            }
            wake(site, fleet);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    outages
}

/// Wakes up those that have been taken for dead: nothing that runs is theirs.
fn wake(site: &Site, fleet: &mut Fleet<'_>) {
    let holders = holders(&*site.launchpad.store).ok();
    fleet.thaw(|pid| holders.as_ref().is_some_and(|holders| !holders.contains(&pid)));
}

/// The processes that hold something.
fn holders(store: &dyn Store) -> store::Result<BTreeSet<u32>> {
    let running = FireworkQuery { states: vec![State::Running], ..FireworkQuery::default() };
    let running = store.find_fireworks(&running)?;
    let ids: Vec<i64> = running.iter().filter_map(|firework| firework.launches.last().copied()).collect();
    let launches = store.find_launches(&ids)?;
    let open = launches.iter().filter(|launch| launch.state == State::Running);
    Ok(open.filter_map(|launch| Some(launch.lease()?.pid)).collect())
}

/// Waits until nothing is left to do. Workers come in the place of those that have died, and the user lets go
/// on what was held: that is all that is done.
fn settle(site: &Site, fleet: &mut Fleet<'_>, user: &mut User<'_>) -> Vec<String> {
    let begun = Instant::now();
    let in_states = |states: &[State]| {
        let query = FireworkQuery { states: states.to_vec(), ..FireworkQuery::default() };
        // A server that was killed may not be back.
        let found = site.launchpad.store.find_fireworks(&query);
        found.map(|all| all.iter().map(|firework| (firework.fw_id, firework.state)).collect::<Vec<_>>())
    };
    let active = || in_states(&[State::Ready, State::Running, State::Reserved]);
    let mut patience = 5;
    while begun.elapsed() < CEILING {
        fleet.refill();
        wake(site, fleet);
        if active().is_ok_and(|active| active.is_empty()) {
            let is_free = in_states(&[State::Paused, State::Defused]).is_ok_and(|held| held.is_empty());
            if (patience == 0 || is_free) && !is_locked(site) {
                return Vec::new();
            }
            patience -= usize::from(!is_free && patience > 0);
            user.let_go();
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    vec![format!("stuck: {:?}, locked: {}", active(), is_locked(site))]
}

/// Whether the lock of somebody dead is still there.
fn is_locked(site: &Site) -> bool {
    let workflows = site.launchpad.store.find_workflows(&WorkflowQuery::default());
    workflows.map_or(true, |all| all.iter().any(|workflow| workflow.contains_key("locked")))
}

/// Processes that outlive their worker.
fn leftovers(run: &str) -> Vec<String> {
    let begun = Instant::now();
    while !processes(run).is_empty() && begun.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let name =
        |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default().replace('\0', " ");
    processes(run).into_iter().map(|pid| format!("a process is left: {pid} {}", name(pid))).collect()
}

/// Keeps what a bad end has left.
fn keep(site: &Site, seed: u64) -> String {
    let folder = std::env::temp_dir().join(format!("volley_torture_{seed}_{}", std::process::id()));
    let source = site.path().join(".");
    let copied = std::process::Command::new("cp").arg("-r").arg(source).arg(&folder).status();
    copied.map_or_else(|error| error.to_string(), |_| folder.display().to_string())
}
