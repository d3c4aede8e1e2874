//! Background tasks (`_background_tasks`): tasks that are repeated in threads of their own while
//! the firework's tasks run, some of them once more at the end.
//!
//! What they return is not heeded, and one that fails ends its thread and nothing else, as in
//! FireWorks. Other than there, a pause ends with the firework, and nothing runs on after it.

use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use bson::{Bson, Document};
use tracing::warn;

use super::launch::{Surroundings, run_guarded};
use crate::firetask::{self, Interrupt, Python, PythonTask, Run, Seat, TaskFailure};
use crate::workflow::firework::is_true;
use crate::workflow::reserved::{background, background_tasks};
use crate::workflow::{Firework, Launch, as_int};

/// FireWorks' pause between two rounds.
const PAUSE: Duration = Duration::from_secs(60);
/// The longest; more than any firework lasts.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);
/// How long a round that has begun may take when the firework has ended.
const GRACE: Duration = Duration::from_secs(5);

/// The background tasks of one firework.
pub struct Background<'a> {
    repeated: Vec<Repeated<'a>>,
    firework: &'a Firework,
    launch: &'a Launch,
    seat: &'a Seat,
    template_dir: Option<&'a Path>,
}

/// One of them.
struct Repeated<'a> {
    tasks: Vec<&'a Document>,
    /// For those that are not native: while the firework's own is busy, it needs another.
    python: Python,
    /// It ends after so many rounds; never by itself when 0.
    rounds: i64,
    pause: Duration,
    run_on_finish: bool,
}

impl<'a> Background<'a> {
    /// Reads them; what cannot be run is left out, and the log says so.
    pub fn of(firework: &'a Firework, launch: &'a Launch, around: &Surroundings<'a>) -> Self {
        let repeated = background(&firework.spec).iter().filter_map(|one| Repeated::read(one, around.python));
        Background {
            repeated: repeated.collect(),
            firework,
            launch,
            seat: around.seat,
            template_dir: around.template_dir,
        }
    }

    /// Does `work` while they run.
    pub fn beside<T>(&self, work: impl FnOnce() -> Result<T, TaskFailure>) -> Result<T, TaskFailure> {
        let interrupts: Vec<Interrupt> = self.repeated.iter().map(|_| Interrupt::default()).collect();
        let rounds = Rounds { state: Mutex::new((false, self.repeated.len())), changed: Condvar::new() };
        thread::scope(|scope| {
            let mut ending = Ending { rounds: &rounds, interrupts: &interrupts, grace: Duration::ZERO };
            for (repeated, interrupt) in self.repeated.iter().zip(&interrupts) {
                scope.spawn(|| {
                    self.repeat(repeated, &rounds, interrupt);
                    rounds.leave();
                });
            }
            let result = work();
            if !matches!(result, Err(TaskFailure::Interrupted)) {
                ending.grace = GRACE;
            }
            result
        })
    }

    fn repeat(&self, repeated: &Repeated<'_>, rounds: &Rounds, interrupt: &Interrupt) {
        let (mut round, mut pause) = (0, Duration::ZERO);
        while !rounds.end_within(pause) {
            match self.run(repeated, interrupt) {
                Ok(()) => {}
                Err(TaskFailure::Interrupted) => return,
                Err(failure) => {
                    return warn!("background task {} has failed, and is not repeated: {failure}", repeated.name());
                }
            }
            round += 1;
            if round == repeated.rounds {
                return;
            }
            pause = repeated.pause;
        }
    }

    /// Once more those that ask for it. The first that fails fails the firework, as in FireWorks.
    pub fn finish(&self, interrupt: &Interrupt) -> Result<(), TaskFailure> {
        let mut last = self.repeated.iter().filter(|repeated| repeated.run_on_finish);
        last.try_for_each(|repeated| self.run(repeated, interrupt))
    }

    fn run(&self, repeated: &Repeated<'_>, interrupt: &Interrupt) -> Result<(), TaskFailure> {
        let python = PythonTask(&repeated.python);
        repeated.tasks.iter().try_for_each(|task| {
            let kind = firetask::find(task).unwrap_or(&python);
            let run = Run {
                task,
                spec: &self.firework.spec,
                directory: Path::new(&self.launch.launch_dir),
                seat: self.seat,
                interrupt,
                fw_id: self.firework.fw_id,
                position: 0,
                launch_id: self.launch.launch_id,
                template_dir: self.template_dir,
                previous: &|| None,
                keep: &|_| {},
            };
            run_guarded(kind, &run).map(drop)
        })
    }
}

impl<'a> Repeated<'a> {
    /// For the log.
    fn name(&self) -> String {
        self.tasks.iter().map(|task| firetask::name_of(task)).collect::<Vec<_>>().join(", ")
    }

    fn read(value: &'a Bson, python: &Python) -> Option<Self> {
        let tasks = background_tasks(value).inspect_err(|error| warn!("{error}; {value} is left out")).ok()?;
        let document = value.as_document()?;
        let seconds = match document.get("sleep_time") {
            None | Some(Bson::Null) => PAUSE.as_secs_f64(),
            Some(number) => number.as_f64().or(as_int(number).map(|whole| whole as f64)).unwrap_or(f64::NAN),
        };
        Some(Repeated {
            tasks,
            python: python.another(),
            rounds: document.get("num_launches").and_then(as_int).unwrap_or(0),
            pause: Duration::try_from_secs_f64(seconds.max(0.0)).map_or(PAUSE, |pause| pause.min(LONGEST)),
            run_on_finish: document.get("run_on_finish").is_some_and(is_true),
        })
    }
}

/// Whether the firework has ended, and how many threads are still there.
struct Rounds {
    state: Mutex<(bool, usize)>,
    changed: Condvar,
}

impl Rounds {
    /// Waits for the end of the firework, at most so long. Returns whether it has come.
    fn end_within(&self, time: Duration) -> bool {
        self.wait(time, |(ended, _)| !*ended).0
    }

    fn leave(&self) {
        self.lock().1 -= 1;
        self.changed.notify_all();
    }

    /// Waits while the condition holds, at most so long.
    fn wait(&self, time: Duration, condition: impl Fn(&mut (bool, usize)) -> bool) -> MutexGuard<'_, (bool, usize)> {
        self.changed.wait_timeout_while(self.lock(), time, condition).unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, (bool, usize)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends all rounds, whatever happens to the work beside them: a round that has begun has the grace
/// to come to its end, and is interrupted then.
struct Ending<'a> {
    rounds: &'a Rounds,
    interrupts: &'a [Interrupt],
    grace: Duration,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.rounds.lock().0 = true;
        self.rounds.changed.notify_all();
        let left = self.rounds.wait(self.grace, |(_, left)| *left > 0).1;
        if left > 0 {
            self.interrupts.iter().for_each(|interrupt| interrupt.raise(false));
        }
    }
}
