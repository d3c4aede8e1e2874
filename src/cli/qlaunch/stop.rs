//! `qlaunch stop`: asks launchers to stop, wherever they run.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::Options;
use crate::cli::common::open_store;
use crate::cli::exit::{self, Exit};
use crate::cli::output;
use crate::launcher::Presence;
use crate::store::Store;
use crate::store::examine::age;
use crate::store::ledger::{Daemon, Key};

/// For so long one may take to hear of it, and to end what it is at.
const PATIENCE: Duration = Duration::from_secs(90);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which one, as `qlaunch status` names it; it may be left out where there is one only
    #[arg(value_name = "ID", conflicts_with = "all")]
    id: Option<String>,

    /// All of this user
    #[arg(long)]
    all: bool,
}

/// Asks, and waits until they are gone.
pub fn run(args: &Args, options: &Options) -> Result<ExitCode> {
    let store = open_store(&options.common.settings_with_queue(options.queueadapter_file.as_deref())?)?;
    let chosen = choose(args, known(&*store)?)?;
    let mut waiting = Vec::new();
    for (key, daemon) in &chosen {
        let now = store.clock()?;
        let why = match Presence::of(daemon, now) {
            Presence::Alive => {
                store.stop_daemon(key, &daemon.id)?;
                waiting.push((key, daemon));
                continue;
            }
            Presence::Dead => "its process is gone".to_owned(),
            Presence::Silent(_) => format!("it was not heard of for {}", age(now, daemon.heard)),
        };
        store.drop_daemon(key, &daemon.id)?;
        output::text(&format!("{} is forgotten: {why}", name(daemon)))?;
    }
    let begun = Instant::now();
    while !waiting.is_empty() {
        let left = known(&*store)?;
        let now = store.clock()?;
        let mut still = Vec::new();
        for (key, daemon) in waiting {
            match left.iter().find(|(_, one)| one.id == daemon.id) {
                None => output::text(&format!("{} has stopped", name(daemon)))?,
                Some((_, one)) if Presence::of(one, now) == Presence::Dead => {
                    store.drop_daemon(key, &daemon.id)?;
                    output::text(&format!("{} is gone", name(daemon)))?;
                }
                Some(_) => still.push((key, daemon)),
            }
        }
        waiting = still;
        if !waiting.is_empty() && begun.elapsed() > PATIENCE {
            let names: Vec<String> = waiting.iter().map(|(_, daemon)| name(daemon)).collect();
            let exit = if waiting.len() < chosen.len() { Exit::SomeFailed } else { Exit::Error };
            let (names, seconds) = (names.join(", "), PATIENCE.as_secs());
            return Err(exit::failure(exit, format!("asked to stop, and has not ended within {seconds} s: {names}")));
        }
        std::thread::sleep(Duration::from_millis(200).min(PATIENCE));
    }
    Ok(Exit::Done.into())
}

/// All launchers that are in the ledgers.
fn known(store: &dyn Store) -> Result<Vec<(Key, Daemon)>> {
    let ledgers = store.ledgers()?.into_iter();
    Ok(ledgers.flat_map(|(key, ledger)| ledger.daemons.into_iter().map(move |daemon| (key.clone(), daemon))).collect())
}

/// Those that are meant.
fn choose(args: &Args, known: Vec<(Key, Daemon)>) -> Result<Vec<(Key, Daemon)>> {
    let me = rustix::process::getuid().as_raw().to_string();
    let is_meant = |(key, daemon): &(Key, Daemon)| match &args.id {
        Some(id) => daemon.id == *id,
        None => key.user == me,
    };
    let chosen: Vec<_> = known.into_iter().filter(is_meant).collect();
    if chosen.is_empty() {
        let what =
            args.id.as_ref().map_or("no launcher of yours goes on".to_owned(), |id| format!("no launcher is {id}"));
        return Err(exit::failure(Exit::NothingSelected, format!("{what}; `qlaunch status` lists them")));
    }
    if chosen.len() > 1 && !args.all {
        let names: Vec<String> = chosen.iter().map(|(_, daemon)| name(daemon)).collect();
        return Err(exit::failure(Exit::Usage, format!("which one, or --all? {}", names.join(", "))));
    }
    Ok(chosen)
}

fn name(daemon: &Daemon) -> String {
    format!("launcher {} (process {} on {})", daemon.id, daemon.holder.pid, daemon.holder.host)
}
