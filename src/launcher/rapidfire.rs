//! `qlaunch rapidfire`: keeps jobs in the queue for what is READY.
//!
//! In rounds: read the ledger, count what is READY, submit what is missing. Rounds follow each other
//! after a second while something changes, and ever more rarely, up to `sleep`, while nothing does.
//! The queue itself is listed every `poll` only, and when a job has said that it ends whose place is
//! needed. A queue that is full or busy for a while is no error, only a reason to wait. In between
//! we look for fireworks whose jobs have died: those are READY again, and want new ones.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::book::{free, has_news};
use super::directories::Blocks;
use super::hand_over::Settling;
use super::plan::{Places, doings};
use super::{Launcher, LauncherError};
use crate::queue::{JobId, Kind, Queue};
use crate::store::ledger::{Entry, Ledger};
use crate::workflow::FwId;

/// Time between rounds while something changes.
const SHORTEST: Duration = Duration::from_secs(1);
/// Time between looks for what died.
pub const MEND: Duration = Duration::from_secs(5);
/// For so long in a row a controller or a launchpad may be away.
const PATIENCE: Duration = Duration::from_secs(600);
/// The longest time between two listings because of what jobs have said.
const LONGEST_NEWS: Duration = Duration::from_secs(15);
/// After so many fireworks in a row that are refused for what they ask for, others will be, too.
const MANY: usize = 10;
/// So many places are taken at once.
const HANDFUL: usize = 16;
/// And given back where their jobs have not been handed over after so long: other hosts take places for
/// left behind that are much older.
const SLOW: Duration = Duration::from_secs(120);

/// How many jobs are submitted in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Launches {
    /// Until nothing READY is left without a job.
    UntilSettled,
    /// So many.
    Count(usize),
    /// Until it is stopped.
    Infinite,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Rapidfire {
    /// How many jobs in all.
    pub launches: Launches,
    /// How many may be queued or running at a time.
    pub most: Option<usize>,
    /// How many launch folders fit in a block.
    pub block: usize,
    /// Not in the newest block, but in a new one.
    pub new_block: bool,
    /// The longest time between two rounds.
    pub sleep: Duration,
    /// So many jobs at once as an array, where the queue has such.
    pub array: Option<u32>,
    /// When to end, whatever is left.
    pub timeout: Option<Duration>,
    /// Where blocks are made.
    pub dir: PathBuf,
    /// The first block, from there.
    pub block_dir: Option<PathBuf>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The jobs, as they were submitted.
    pub submitted: Vec<JobId>,
    /// Why there are no more.
    pub ended: Ended,
    /// Fireworks that the queue does not take as they are, and why not.
    pub refused: Vec<(FwId, String)>,
}

/// Why a rapidfire ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As many as asked for were submitted, or nothing READY is left without a job.
    Done,
    /// The time is over.
    Timeout,
    /// Somebody stopped it.
    Stopped,
}

/// What a round came to.
struct Round {
    settled: bool,
    changed: bool,
}

/// What came of a part of a round.
enum Step {
    /// The places of this revision were taken, and their jobs handed over.
    Taken(i64),
    /// Others have changed the ledger.
    Stale,
    /// There is nothing left to submit a job for.
    Nothing,
}

/// A rapidfire under way.
struct Run<'a> {
    launcher: &'a Launcher<'a>,
    asked: &'a Rapidfire,
    blocks: Blocks,
    started: Instant,
    submitted: Vec<JobId>,
    /// The places that this process had before: of the last time, where it does this again and again.
    before: Option<BTreeSet<(String, Option<u32>)>>,
    listed: bool,
    counted: bool,
    mended: Option<Instant>,
    /// Time between two listings because of what jobs have said.
    news: Duration,
    /// How many jobs we do not know the fate of.
    unheard: usize,
    /// How many elements the next array may have: fewer than asked for where the queue had no room for so
    /// many.
    elements: u32,
    /// Fireworks that the queue does not take as they are, and how many of them came one after the other.
    refused: Vec<(FwId, String)>,
    refused_in_a_row: usize,
}

impl Launcher<'_> {
    /// Submits jobs as asked. An error says how many had been submitted before.
    pub fn rapidfire(&self, asked: &Rapidfire) -> Result<Summary, LauncherError> {
        let blocks = Blocks::new(&asked.dir, asked.block_dir.as_deref(), asked.block, asked.new_block)?;
        let run = Run {
            launcher: self,
            asked,
            blocks,
            started: Instant::now(),
            submitted: Vec::new(),
            before: None,
            listed: false,
            counted: false,
            mended: None,
            news: SHORTEST,
            unheard: 0,
            elements: asked.array.unwrap_or(1),
            refused: Vec::new(),
            refused_in_a_row: 0,
        };
        if let Some(reserve) = self.reserve {
            // Somebody may have changed them since.
            reserve.refused.borrow_mut().clear();
        }
        run.go()
    }
}

impl Run<'_> {
    fn go(mut self) -> Result<Summary, LauncherError> {
        let mut wait = SHORTEST;
        let mut away_since: Option<Instant> = None;
        loop {
            self.mend();
            match self.round() {
                Ok(round) => {
                    away_since = None;
                    let done = match self.asked.launches {
                        Launches::UntilSettled => round.settled,
                        Launches::Count(count) => self.submitted.len() >= count,
                        Launches::Infinite => false,
                    };
                    if let Some(ended) = self.given_up().or(done.then_some(Ended::Done)) {
                        return Ok(self.summary(ended));
                    }
                    wait = if round.changed { SHORTEST } else { (wait * 2).min(self.asked.sleep).max(SHORTEST) };
                }
                Err(error) => {
                    let limit = match self.passes(&error) {
                        None => return Err(self.counting(error)),
                        Some(Kind::Full | Kind::Wrong) => None,
                        Some(Kind::Sick) => Some(*away_since.get_or_insert_with(Instant::now)),
                    };
                    let is_endless = self.asked.launches == Launches::Infinite;
                    if !is_endless && limit.is_some_and(|since| since.elapsed() > PATIENCE) {
                        return Err(self.counting(error));
                    }
                    wait = (wait * 2).min(self.asked.sleep.max(LONGEST_NEWS)).max(SHORTEST);
                    self.launcher.book.say(|| format!("waits: {error}"));
                    tracing::warn!("{error}; trying again in {} s", wait.as_secs());
                }
            }
            if self.sleep(wait) {
                wait = SHORTEST;
            }
            if let Some(ended) = self.given_up() {
                return Ok(self.summary(ended));
            }
        }
    }

    fn summary(self, ended: Ended) -> Summary {
        Summary { submitted: self.submitted, ended, refused: self.refused }
    }

    /// Reads, counts and submits once.
    fn round(&mut self) -> Result<Round, LauncherError> {
        let book = self.launcher.book;
        let mut ledger = if book.queue.is_due() { self.list()?.0 } else { book.read()? };
        let mut changed = false;
        loop {
            self.hear(&ledger);
            let places = self.places(&ledger);
            let ready = (self.launcher.claimable)(places.ready_limit())?;
            self.counted = true;
            let plan = if self.launcher.fill { places.fill() } else { places.plan(ready) };
            tracing::debug!("{} jobs, {ready} READY: submitting {}", ledger.jobs.len(), plan.submit);
            book.say(|| {
                let (jobs, submitted) = (ledger.jobs.len() + plan.submit, self.submitted.len() + plan.submit);
                format!("{jobs} queued or running, {submitted} submitted")
            });
            // Nobody knows yet what has become of these.
            let is_open = ledger.jobs.iter().any(|entry| book.is_abandoned(entry));
            let settled = plan.settled && !is_open;
            if plan.submit == 0 && (!settled || self.launcher.fill) && self.is_news(&ledger) {
                let (read, freed) = self.list()?;
                self.news = if freed > 0 { SHORTEST } else { (self.news * 2).min(LONGEST_NEWS) };
                ledger = read;
                if freed > 0 {
                    continue;
                }
            }
            let before = self.submitted.len();
            let ended = self.submit_many(ledger.revision, plan.submit)?;
            changed |= self.submitted.len() > before;
            match ended {
                // Others have taken or given back places meanwhile: what is wanted is another number now.
                Step::Stale if !self.is_over() => ledger = book.read()?,
                Step::Stale => return Ok(Round { settled: false, changed }),
                Step::Taken(_) | Step::Nothing => return Ok(Round { settled, changed }),
            }
        }
    }

    /// Counts jobs that were submitted, as has turned out, when the queue did not say so.
    fn hear(&mut self, ledger: &Ledger) {
        let book = self.launcher.book;
        let place = |entry: &Entry| (entry.token.clone(), entry.element);
        let ours = || ledger.jobs.iter().filter(|entry| book.is_ours(entry));
        let before = self.before.get_or_insert_with(|| ours().map(place).collect());
        let own = ours().filter(|entry| !before.contains(&place(entry)));
        self.unheard = own.clone().filter(|entry| entry.job.is_none()).count();
        let known: BTreeSet<&str> = self.submitted.iter().map(|job| job.id.as_str()).collect();
        let news = own.filter_map(|entry| entry.job.as_ref()).filter(|job| !known.contains(job.id.as_str()));
        let news: Vec<JobId> = news.map(|job| JobId { id: job.id.clone(), cluster: job.cluster.clone() }).collect();
        self.submitted.extend(news);
    }

    /// What there is room for.
    fn places(&self, ledger: &Ledger) -> Places {
        let left = match self.asked.launches {
            Launches::Count(count) => Some(count.saturating_sub(self.submitted.len() + self.unheard)),
            _ => None,
        };
        let (listed, age) = self.launcher.book.queue.listed().unwrap_or_default();
        let places = Places::of(&doings(ledger, &listed, age, self.launcher.book.now()), self.asked.most, left);
        if self.launcher.reserve.is_some() { places.reserving() } else { places }
    }

    /// Lists the queue. How many places were given back.
    fn list(&mut self) -> Result<(Ledger, usize), LauncherError> {
        let book = self.launcher.book;
        let ledger = book.read()?;
        // Short jobs may be over the next time.
        self.hear(&ledger);
        let reconciled = book.reconcile(ledger)?;
        self.listed = true;
        Ok(reconciled)
    }

    /// Whether a listing would give back a place: a job has said that it ends, or a launcher has died,
    /// and the queue was not asked so lately that it would say the same again.
    fn is_news(&self, ledger: &Ledger) -> bool {
        let book = self.launcher.book;
        has_news(ledger, book.now()) && book.queue.age().is_none_or(|age| age >= self.news)
    }

    /// Submits so many jobs, as long as there is something for them.
    fn submit_many(&mut self, revision: i64, wanted: usize) -> Result<Step, LauncherError> {
        let mut settling = Settling::default();
        let all = self.submitted.len() + wanted;
        let mut ended = Ok(Step::Taken(revision));
        while let Ok(Step::Taken(revision)) = ended {
            if self.submitted.len() >= all || self.is_over() {
                break;
            }
            ended = self.submit_some(revision, all - self.submitted.len(), &mut settling);
        }
        settling.tell(self.launcher.book)?;
        ended
    }

    /// Takes some places and hands over their jobs.
    fn submit_some(&mut self, revision: i64, left: usize, settling: &mut Settling) -> Result<Step, LauncherError> {
        match self.elements()? {
            Some(most) if left > 1 && most > 1 => self.submit_array(revision, left.min(most as usize), settling),
            _ => self.submit_handful(revision, left.min(HANDFUL), settling),
        }
    }

    /// The same of an array of so many.
    fn submit_array(&mut self, revision: i64, count: usize, settling: &mut Settling) -> Result<Step, LauncherError> {
        let (launcher, book) = (self.launcher, self.launcher.book);
        let dir = self.blocks.launcher()?;
        let token = dir.to_string_lossy();
        let places: Vec<Entry> =
            (0..count).zip(0..).map(|(_, element)| book.place(&token, Some(element), None)).collect();
        let Some(revision) = book.take(revision, &places, self.asked.most)? else {
            drop(std::fs::remove_dir(&dir));
            return Ok(Step::Stale);
        };
        let id = match launcher.hand_over_array(&places, &dir, settling) {
            Ok(id) => id,
            Err(error) => {
                launcher.clear(&error, &dir);
                if error.kind() != Some(Kind::Full) {
                    return Err(error);
                }
                // There may be room for some of them.
                self.elements = u32::try_from(count / 2).unwrap_or(1);
                return Ok(Step::Stale);
            }
        };
        self.elements = self.elements.saturating_mul(2);
        self.submitted.extend((0..count).map(|element| JobId { id: format!("{}_{element}", id.id), ..id.clone() }));
        settling.tell_many(book)?;
        Ok(Step::Taken(revision))
    }

    /// The same of so many single jobs.
    fn submit_handful(&mut self, revision: i64, count: usize, settling: &mut Settling) -> Result<Step, LauncherError> {
        let (launcher, book) = (self.launcher, self.launcher.book);
        let dirs = (0..count).map(|_| self.blocks.launcher()).collect::<Result<Vec<_>, _>>()?;
        let places: Vec<Entry> =
            dirs.iter().map(|dir| book.place(&dir.to_string_lossy(), None, launcher.group())).collect();
        let Some(revision) = book.take(revision, &places, self.asked.most)? else {
            dirs.iter().for_each(|dir| drop(std::fs::remove_dir(dir)));
            return Ok(Step::Stale);
        };
        let begun = Instant::now();
        let mut ended = Ok(Step::Taken(revision));
        for (place, dir) in places.iter().zip(&dirs) {
            let is_late = begun.elapsed() >= SLOW;
            if self.is_stopped() || is_late || !matches!(ended, Ok(Step::Taken(_))) {
                settling.push(free(place));
                drop(std::fs::remove_dir(dir));
                continue;
            }
            match launcher.hand_over(place, self.blocks.parent(), dir, None, settling) {
                Ok(Some(id)) => {
                    self.refused_in_a_row = 0;
                    self.elements = self.elements.saturating_mul(2);
                    self.submitted.push(id);
                }
                // Others have reserved what was READY.
                Ok(None) => {
                    drop(std::fs::remove_dir(dir));
                    ended = Ok(Step::Nothing);
                }
                Err(LauncherError::Firework { fw_id, source }) if self.refused_in_a_row < MANY => {
                    tracing::warn!("firework {fw_id} stays READY, and is left out from now on: {source}");
                    drop(std::fs::remove_dir(dir));
                    self.refused.push((fw_id, source.to_string()));
                    self.refused_in_a_row += 1;
                }
                Err(error) => {
                    launcher.clear(&error, dir);
                    ended = Err(error);
                }
            }
            settling.tell_many(book)?;
        }
        ended
    }

    /// How many elements an array may have, where arrays are wanted.
    fn elements(&self) -> Result<Option<u32>, LauncherError> {
        // An element that cannot be told which it is would do what the others do.
        let wanted = self.asked.array.filter(|_| self.launcher.reserve.is_none() && self.launcher.script.can_board());
        let Some(wanted) = wanted else { return Ok(None) };
        let most = self.launcher.book.queue.most_elements();
        let most = most.map_err(LauncherError::queue)?;
        Ok(most.map(|most| most.min(wanted).min(self.elements)))
    }

    /// Whether an error passes by itself. A launchpad or a controller must have answered once: what
    /// was never reached is more likely misspelt than away.
    fn passes(&self, error: &LauncherError) -> Option<Kind> {
        match error {
            LauncherError::Queue { source, .. } => match source.kind() {
                Kind::Sick if !self.listed => None,
                Kind::Wrong => None,
                kind => Some(kind),
            },
            LauncherError::Store(source) => (self.counted && source.is_transient()).then_some(Kind::Sick),
            LauncherError::Io { .. }
            | LauncherError::NotSingleshot
            | LauncherError::Key { .. }
            | LauncherError::Array
            | LauncherError::Firework { .. } => None,
        }
    }

    fn counting(&self, error: LauncherError) -> LauncherError {
        match error {
            LauncherError::Queue { source, .. } => LauncherError::Queue { submitted: self.submitted.len(), source },
            error => error,
        }
    }

    fn is_stopped(&self) -> bool {
        (self.launcher.stop)()
    }

    /// Whether nothing more is to be submitted; one round there is in any case.
    fn is_over(&self) -> bool {
        let is_late = |timeout: Duration| !timeout.is_zero() && self.started.elapsed() >= timeout;
        self.is_stopped() || self.asked.timeout.is_some_and(is_late)
    }

    fn given_up(&self) -> Option<Ended> {
        if self.is_stopped() {
            return Some(Ended::Stopped);
        }
        self.asked.timeout.is_some_and(|timeout| self.started.elapsed() >= timeout).then_some(Ended::Timeout)
    }

    /// Puts right what dead workers have left behind, if that is due. Returns whether there was
    /// anything.
    fn mend(&mut self) -> bool {
        if self.mended.is_some_and(|last| last.elapsed() < MEND) {
            return false;
        }
        let news = (self.launcher.mend)();
        self.mended = Some(Instant::now());
        news
    }

    /// Sleeps, with an ear open. Returns whether something was mended, which ends the sleep.
    fn sleep(&mut self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while self.given_up().is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(Duration::from_millis(50)));
            if self.mend() {
                return true;
            }
        }
        false
    }
}
