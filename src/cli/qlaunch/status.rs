//! `qlaunch status`: the launchers of this launchpad, and the places of their jobs, on all clusters.

use std::process::ExitCode;

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Options;
use crate::cli::common::open_store;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, Table};
use crate::launcher::{Presence, Tally, tallies};
use crate::store::Author;
use crate::store::examine::age;
use crate::store::ledger::{Daemon, Key};
use crate::workflow::time;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How it is printed [default: table on a terminal, else json]
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    output: Option<Format>,
}

/// Prints them.
pub fn run(args: &Args, options: &Options) -> Result<ExitCode> {
    let store = open_store(&options.common.settings_with_queue(options.queueadapter_file.as_deref())?)?;
    let (ledgers, now) = (store.ledgers()?, store.clock()?);
    let launchers: Vec<(&Key, &Daemon)> =
        ledgers.iter().flat_map(|(key, ledger)| ledger.daemons.iter().map(move |daemon| (key, daemon))).collect();
    let places: Vec<(&Key, Tally)> =
        ledgers.iter().flat_map(|(key, ledger)| tallies(ledger).into_iter().map(move |tally| (key, tally))).collect();
    let looks =
        |key: &Key| launchers.iter().any(|(one, daemon)| *one == key && Presence::of(daemon, now) == Presence::Alive);
    if places.iter().any(|(key, _)| !looks(key)) {
        output::note("where no launcher goes on, the numbers of jobs are those that were seen last");
    }
    match Format::resolve(args.output) {
        Format::Table => {
            table(&launchers, now).print("no launcher goes on")?;
            if !places.is_empty() {
                output::text("")?;
                table_of_places(&places).print("")?;
            }
        }
        format => {
            let launchers: Vec<Value> = launchers.iter().map(|(key, daemon)| launcher(key, daemon, now)).collect();
            let places: Vec<Value> = places.iter().map(|(key, tally)| place(key, tally)).collect();
            output::value(format, &json!({ "launchers": launchers, "places": places }))?;
        }
    }
    Ok(Exit::Done.into())
}

fn launcher(key: &Key, daemon: &Daemon, now: Timestamp) -> Value {
    json!({
        "id": daemon.id,
        "host": daemon.holder.host,
        "pid": daemon.holder.pid,
        "presence": match Presence::of(daemon, now) {
            Presence::Alive => "alive",
            Presence::Dead => "dead",
            Presence::Silent(_) => "silent",
        },
        "command": daemon.command,
        "status": daemon.status,
        "stopping": daemon.stop,
        "began": time::to_iso(daemon.began),
        "heard": time::to_iso(daemon.heard),
        "log": daemon.log,
        "cluster": key.cluster,
        "user": key.user,
    })
}

fn place(key: &Key, tally: &Tally) -> Value {
    json!({
        "cluster": key.cluster,
        "user": key.user,
        "resources": tally.group.as_deref().and_then(|group| serde_json::from_str::<Value>(group).ok()),
        "submitting": tally.submitting,
        "queued": tally.queued,
        "running": tally.running,
        "idle": tally.idle,
        "ending": tally.ending,
    })
}

fn table(launchers: &[(&Key, &Daemon)], now: Timestamp) -> Table {
    let mut table = Table::new(&["id", "host", "process", "", "since", "command", "status", "log"]);
    for (_, daemon) in launchers {
        let presence = match Presence::of(daemon, now) {
            Presence::Alive if daemon.stop => "stopping".to_owned(),
            Presence::Alive => "alive".to_owned(),
            Presence::Dead => "dead".to_owned(),
            Presence::Silent(_) => format!("not heard of for {}", age(now, daemon.heard)),
        };
        table.row([
            Cell::from(daemon.id.as_str()),
            daemon.holder.host.as_str().into(),
            daemon.holder.pid.to_string().into(),
            presence.into(),
            age(now, daemon.began).into(),
            daemon.command.as_str().into(),
            daemon.status.as_str().into(),
            daemon.log.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}

/// The name of a user; the system's names of others are not asked for.
fn name_of(user: &str) -> &str {
    let is_own = user.parse() == Ok(rustix::process::geteuid().as_raw());
    if is_own { &Author::here().user } else { user }
}

fn table_of_places(places: &[(&Key, Tally)]) -> Table {
    let head = ["cluster", "user", "resources", "submitting", "queued", "running", "idle", "ending"];
    let mut table = Table::new(&head);
    for (key, tally) in places {
        let counts = [tally.submitting, tally.queued, tally.running, tally.idle, tally.ending];
        let words = [&key.cluster, name_of(&key.user), tally.group.as_deref().unwrap_or_default()].map(Cell::from);
        table.row(words.into_iter().chain(counts.map(|count| Cell::from(count.to_string()))));
    }
    table
}
