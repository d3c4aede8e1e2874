//! `qlaunch elastic`: as many pilots as there is work for.
//!
//! In rounds: count what is READY by the resources that it asks for, see which pilots there are, and
//! submit what is missing. Pilots end by themselves when they find nothing.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::book::has_news;
use super::directories::Blocks;
use super::hand_over::Settling;
use super::plan::{Doing, doings};
use super::rapidfire::MEND;
use super::reserve::with_keys;
use super::{Launcher, LauncherError, Script};
use crate::queue::{JobId, Kind};
use crate::store::ledger::{Entry, Ledger};
use crate::store::{self, Demand};
use crate::workflow::json;
use health::{Allowed, Health};
use plan::{Limits, PLAIN, Pilot, plan};

mod health;
mod plan;

/// Time between rounds while something changes.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest time between two attempts to reach a queue or a launchpad that is away.
const LONGEST: Duration = Duration::from_secs(300);
/// Time between two listings of the queue because of what jobs have said.
const NEWS: Duration = Duration::from_secs(15);

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Elastic {
    /// So many pilots are kept, whether there is work for them or not.
    pub least: usize,
    /// There are never more jobs than this.
    pub most: usize,
    /// So many fireworks run side by side in one.
    pub slots: u64,
    /// After so long without work one ends.
    pub max_idle: Duration,
    /// The longest time between two rounds.
    pub sleep: Duration,
    /// How many launch folders fit in a block.
    pub block: usize,
    /// Not in the newest block, but in a new one.
    pub new_block: bool,
    /// Where blocks are made.
    pub dir: PathBuf,
    /// The first block, from there.
    pub block_dir: Option<PathBuf>,
}

/// Where work and pilots come from.
pub struct Pilots<'a> {
    /// What is READY, by the resources that it asks for.
    pub demand: &'a dyn Fn() -> store::Result<Vec<Demand>>,
    /// What a pilot runs that takes only what asks for these resources, as JSON.
    pub command: &'a dyn Fn(&str) -> String,
}

/// Pilots with the same resources.
struct Group {
    /// None where no template can take what they ask for.
    script: Option<Script>,
    is_checked: bool,
    health: Health,
}

struct Run<'a> {
    launcher: &'a Launcher<'a>,
    pilots: &'a Pilots<'a>,
    asked: &'a Elastic,
    blocks: Blocks,
    groups: BTreeMap<String, Group>,
    submitted: Vec<JobId>,
    /// The queue and the launchpad have answered.
    is_reached: bool,
    mended: Option<Instant>,
}

impl Launcher<'_> {
    /// Submits pilots until it is stopped. The jobs, as they were submitted.
    pub fn elastic(&self, asked: &Elastic, pilots: &Pilots<'_>) -> Result<Vec<JobId>, LauncherError> {
        let blocks = Blocks::new(&asked.dir, asked.block_dir.as_deref(), asked.block, asked.new_block)?;
        let (groups, submitted) = (BTreeMap::new(), Vec::new());
        Run { launcher: self, pilots, asked, blocks, groups, submitted, is_reached: false, mended: None }.go()
    }
}

impl Run<'_> {
    fn go(mut self) -> Result<Vec<JobId>, LauncherError> {
        let mut wait = SHORTEST;
        while !(self.launcher.stop)() {
            self.mend();
            wait = match self.round() {
                Ok(true) => SHORTEST,
                Ok(false) => (wait * 2).min(self.asked.sleep).max(SHORTEST),
                Err(error) if self.passes(&error) => {
                    // A place may become free at any time.
                    let longest = if error.kind() == Some(Kind::Full) { NEWS } else { LONGEST };
                    let wait = (wait * 2).min(longest);
                    self.launcher.book.say(|| format!("waits: {error}"));
                    tracing::warn!("{error}; trying again in {} s", wait.as_secs());
                    wait
                }
                Err(LauncherError::Queue { source, .. }) => {
                    return Err(LauncherError::Queue { submitted: self.submitted.len(), source });
                }
                Err(error) => return Err(error),
            };
            self.sleep(wait);
        }
        Ok(self.submitted)
    }

    /// Reads, counts and submits once. Whether anything was submitted.
    fn round(&mut self) -> Result<bool, LauncherError> {
        let ledger = self.read()?;
        let mut demand: BTreeMap<String, u64> = BTreeMap::new();
        for Demand { resources, slots } in (self.pilots.demand)()? {
            *demand.entry(json::from_bson(&resources).to_string()).or_default() += slots;
        }
        self.is_reached = true;
        let (now, at) = (self.launcher.book.now(), Instant::now());
        let (listed, age) = self.launcher.book.queue.listed().unwrap_or_default();
        let doings = doings(&ledger, &listed, age, now);
        let pilots: Vec<Pilot<'_>> = ledger.jobs.iter().zip(&doings).filter_map(pilot).collect();

        self.meet(&ledger, &demand);
        for (name, group) in &mut self.groups {
            let own: Vec<&Entry> = ledger.jobs.iter().filter(|entry| entry.group.as_ref() == Some(name)).collect();
            let ready = demand.get(name).copied().unwrap_or_default();
            group.health.look(&own, ready, self.asked.max_idle, now, at);
        }
        let ready: Vec<(&str, u64)> = demand.iter().map(|(group, slots)| (group.as_str(), *slots)).collect();
        let limits = Limits { least: self.asked.least, most: self.asked.most, slots: self.asked.slots };
        let plan = plan(&ready, &pilots, ledger.jobs.len(), limits);
        self.launcher.book.say(|| self.describe(&pilots, demand.values().sum(), at));
        let mut revision = ledger.revision;
        let before = self.submitted.len();
        for (name, count) in plan {
            let count = match self.groups.get(name).map(|group| group.health.allows(at)) {
                Some(Allowed::All) => count,
                Some(Allowed::One) => 1,
                Some(Allowed::None(..)) | None => 0,
            };
            let Some(next) = self.submit(name, count, revision)? else { break };
            revision = next;
        }
        Ok(self.submitted.len() > before)
    }

    /// The ledger, put right where that is due.
    fn read(&self) -> Result<Ledger, LauncherError> {
        let book = self.launcher.book;
        if book.queue.is_due() {
            return Ok(book.reconcile(book.read()?)?.0);
        }
        let ledger = book.read()?;
        let is_news = has_news(&ledger, book.now()) && book.queue.age().is_none_or(|age| age >= NEWS);
        if is_news { Ok(book.reconcile(ledger)?.0) } else { Ok(ledger) }
    }

    /// Makes the acquaintance of groups that are new; one whose keys no template can take is left out.
    fn meet(&mut self, ledger: &Ledger, demand: &BTreeMap<String, u64>) {
        let seen = ledger.jobs.iter().filter_map(|entry| entry.group.as_deref());
        let all = seen.chain(demand.keys().map(String::as_str)).chain([PLAIN]);
        for name in all {
            if self.groups.contains_key(name) {
                continue;
            }
            let keys = serde_json::from_str(name).map(|value| json::to_bson(&value)).unwrap_or_default();
            let script = with_keys(self.launcher.script, keys.as_document().unwrap_or(&bson::Document::new()));
            let refused = |key: &String| {
                tracing::warn!("no pilots for `_queueadapter` {name}: `{key}` must be a single value");
            };
            let is_array = keys.as_document().is_some_and(|own| own.contains_key("array"));
            if is_array {
                tracing::warn!("no pilots for `_queueadapter` {name}: with `array` one would be several");
            }
            let script = script.inspect_err(refused).ok().filter(|_| !is_array);
            let script = script.map(|script| script.with("rocket_launch", Some((self.pilots.command)(name))));
            self.groups.insert(name.to_owned(), Group { script, is_checked: false, health: Health::default() });
        }
    }

    /// Submits so many pilots of a group. The revision of the ledger that follows; none when others have
    /// changed it.
    fn submit(&mut self, name: &str, count: usize, mut revision: i64) -> Result<Option<i64>, LauncherError> {
        let Some(group) = self.groups.get_mut(name) else { return Ok(Some(revision)) };
        let Some(script) = &group.script else { return Ok(Some(revision)) };
        let book = self.launcher.book;
        let launcher = Launcher { script, reserve: None, checked: Cell::new(group.is_checked), ..*self.launcher };
        let mut settling = Settling::default();
        let mut ended = Ok(true);
        for _ in 0..count {
            if (launcher.stop)() {
                break;
            }
            let dir = self.blocks.launcher()?;
            let place = book.place(&dir.to_string_lossy(), None, Some(name));
            let Some(next) = book.take(revision, std::slice::from_ref(&place), Some(self.asked.most))? else {
                drop(std::fs::remove_dir(&dir));
                ended = Ok(false);
                break;
            };
            revision = next;
            match launcher.hand_over_array(std::slice::from_ref(&place), &dir, &mut settling) {
                Ok(id) => {
                    self.submitted.push(id);
                    group.health.expect(&place);
                }
                Err(error) => {
                    launcher.clear(&error, &dir);
                    ended = Err(error);
                    break;
                }
            }
            settling.tell_many(book)?;
        }
        group.is_checked = launcher.checked.get();
        settling.tell(book)?;
        match ended {
            Ok(is_ours) => Ok(is_ours.then_some(revision)),
            // It is of no use for others that one kind of work asks for what there is not.
            Err(error) if error.kind() == Some(Kind::Wrong) && (name != PLAIN || !self.submitted.is_empty()) => {
                group.health.refused(error.to_string(), Instant::now());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn describe(&self, pilots: &[Pilot<'_>], ready: u64, at: Instant) -> String {
        let count = |which: fn(Doing) -> bool| pilots.iter().filter(|pilot| which(pilot.doing)).count();
        let waiting = count(|doing| doing == Doing::Waits);
        let running = count(|doing| matches!(doing, Doing::Begins | Doing::Runs));
        let submitted = self.submitted.len();
        let mut words =
            format!("{waiting} pilots queued or idle, {running} at work, {ready} slots wanted, {submitted} submitted");
        for (name, group) in &self.groups {
            if let Allowed::None(left, reason) = group.health.allows(at) {
                let whose = if name == PLAIN { String::new() } else { format!(" {name}") };
                let what = if left.is_zero() { "tries one pilot".to_owned() } else { format!("paused for {left:.0?}") };
                words.push_str(&format!("; {what}{whose}: {reason}"));
            }
        }
        words
    }

    /// Whether an error passes by itself. Who has never answered is more likely misspelt than away.
    fn passes(&self, error: &LauncherError) -> bool {
        match error {
            LauncherError::Store(source) => self.is_reached && source.is_transient(),
            error => match error.kind() {
                Some(Kind::Full) => true,
                Some(Kind::Sick) => self.is_reached,
                _ => false,
            },
        }
    }

    /// Puts right what dead workers have left behind, if that is due.
    fn mend(&mut self) {
        if self.mended.is_none_or(|last| last.elapsed() >= MEND) {
            (self.launcher.mend)();
            self.mended = Some(Instant::now());
        }
    }

    /// Sleeps, with an ear open.
    fn sleep(&self, time: Duration) {
        let begun = Instant::now();
        while !(self.launcher.stop)() {
            let left = time.saturating_sub(begun.elapsed());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
        }
    }
}

fn pilot<'a>((entry, doing): (&'a Entry, &Doing)) -> Option<Pilot<'a>> {
    Some(Pilot { group: entry.group.as_deref()?, doing: *doing })
}
