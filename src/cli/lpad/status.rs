//! `lpad status`: the whole launchpad on one screen.

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::{Context, errors};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, Ink, Table, ago, paint, plain};
use crate::cli::watch::WatchArgs;
use crate::launchpad::errors::Group;
use crate::launchpad::status::{Status, status};
use crate::launchpad::tally::Tally;
use crate::store::examine::age;
use crate::workflow::{State, time};

/// Arguments of `lpad status`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// So many workers, lost runs and causes of failures have a line.
const MOST: usize = 5;

pub fn run(context: &Context, _args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let found = status(&*store)?;
    match context.format {
        Format::Table => draw(&found)?,
        format => output::value(format, &value(&found))?,
    }
    Ok(Exit::Done)
}

fn draw(found: &Status) -> Result<()> {
    output::wrapped("", &found.place)?;
    output::text("")?;
    counts(found)?;
    output::text("")?;
    work(found)?;
    stuck(found)?;
    failures(found)
}

fn counts(found: &Status) -> Result<()> {
    let mut table = Table::new(&["", "fireworks", "workflows"]);
    for state in State::ALL {
        let of = |counts: &std::collections::BTreeMap<State, u64>| counts.get(&state).copied().unwrap_or(0);
        let (fireworks, workflows) = (of(&found.counts.fireworks), of(&found.counts.workflows));
        if fireworks + workflows > 0 {
            table.row([state.into(), number(fireworks), number(workflows)]);
        }
    }
    table.print("the launchpad is empty")?;
    let old = found.at.duration_since(found.counts.at);
    if old.as_secs() >= 1 {
        let words = format!("counted {}", ago(found.counts.at, found.at));
        output::text(&paint(&words, Ink::Faint))?;
    }
    Ok(())
}

fn number(count: u64) -> Cell {
    if count == 0 { "".into() } else { count.to_string().into() }
}

/// Who runs something, and what is in the queue.
fn work(found: &Status) -> Result<()> {
    let workers = found.crew.workers();
    let running: usize = workers.iter().map(|worker| worker.running).sum();
    let mut words: Vec<String> =
        workers.iter().take(MOST).map(|one| format!("{} on {} ({})", one.name, one.host, one.running)).collect();
    if workers.len() > MOST {
        words.push(format!("and {} more", workers.len() - MOST));
    }
    let words = if running == 0 { "nothing runs".to_owned() } else { words.join(", ") };
    output::wrapped("workers", &words)?;
    let jobs = found.jobs.iter().map(|(key, tally)| format!("{}: {}", key.cluster, places(tally)));
    // Only a launcher looks into the queue.
    let looks = |key| found.launchers.iter().any(|(one, _)| one == key);
    let is_old = found.jobs.iter().any(|(key, _)| !looks(key));
    let old = if is_old { " (as `qlaunch` saw them last: none goes on)" } else { "" };
    output::wrapped("jobs", &(jobs.collect::<Vec<_>>().join("; ") + old))?;
    for (_, daemon) in &found.launchers {
        let words = format!(
            "{} on {}, since {}: {}",
            daemon.id,
            daemon.holder.host,
            age(found.at, daemon.began),
            daemon.status
        );
        output::wrapped("launcher", &words)?;
    }
    output::wrapped("last hour", &format!("{} completed", output::number(count(found.completed_last_hour), "firework")))
}

fn count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// `3 queued, 2 running`
fn places(tally: &Tally) -> String {
    let counts = [
        (tally.submitting, "being submitted"),
        (tally.queued, "queued"),
        (tally.running, "running"),
        (tally.idle, "idle"),
        (tally.ending, "ending"),
    ];
    let shown = counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    shown.collect::<Vec<_>>().join(", ")
}

/// What does not go on by itself.
fn stuck(found: &Status) -> Result<()> {
    if found.crew.lost.is_empty() && found.unable.is_empty() {
        return Ok(());
    }
    output::text("")?;
    for (fw_id, loss) in found.crew.lost.iter().take(MOST) {
        output::wrapped("lost", &format!("{fw_id}: {loss}"))?;
    }
    if found.crew.lost.len() > MOST {
        output::wrapped("lost", &format!("and {} more; idle workers see to them", found.crew.lost.len() - MOST))?;
    }
    for record in &found.unable {
        let things = record.cannot.iter().chain(&record.lacks);
        for (thing, why) in things.take(MOST) {
            output::wrapped("unable", &format!("{} on {} cannot run {thing}: {why}", record.name, record.host))?;
        }
    }
    Ok(())
}

fn failures(found: &Status) -> Result<()> {
    if found.failures.is_empty() {
        return Ok(());
    }
    output::text("")?;
    let mut table = Table::new(&["failures", "last", "cause", "at"]);
    for group in found.failures.iter().take(MOST) {
        table.row([
            group.fw_ids.len().to_string().into(),
            group.newest.into(),
            group.cause.words().into(),
            group.cause.place.as_deref().map(plain).unwrap_or_default().into(),
        ]);
    }
    table.print("")?;
    let of = if found.failures_since.is_some() { "those of the last day; " } else { "" };
    output::text(&paint(&format!("{of}lpad errors shows all"), Ink::Faint))
}

/// All of it as data.
pub fn value(found: &Status) -> Value {
    let counts = |counts: &std::collections::BTreeMap<State, u64>| -> Map<String, Value> {
        State::ALL
            .into_iter()
            .map(|state| (state.to_string(), counts.get(&state).copied().unwrap_or(0).into()))
            .collect()
    };
    json!({
        "launchpad": found.place,
        "at": time::to_iso(found.at),
        "counted_on": time::to_iso(found.counts.at),
        "fireworks": counts(&found.counts.fireworks),
        "workflows": counts(&found.counts.workflows),
        "workers": found.crew.workers().iter().map(|one| json!({"name": one.name, "host": one.host, "running": one.running})).collect::<Vec<_>>(),
        "lost": found.crew.lost.iter().map(|(fw_id, loss)| json!({"fw_id": fw_id, "why": loss.text})).collect::<Vec<_>>(),
        "jobs": found.jobs.iter().map(|(key, tally)| json!({
            "cluster": key.cluster,
            "user": key.user,
            "submitting": tally.submitting,
            "queued": tally.queued,
            "running": tally.running,
            "idle": tally.idle,
            "ending": tally.ending,
        })).collect::<Vec<_>>(),
        "launchers": found.launchers.iter().map(|(key, daemon)| json!({
            "id": daemon.id,
            "host": daemon.holder.host,
            "cluster": key.cluster,
            "user": key.user,
            "began": time::to_iso(daemon.began),
            "heard": time::to_iso(daemon.heard),
            "status": daemon.status,
        })).collect::<Vec<_>>(),
        "unable": found.unable.iter().map(|record| json!({
            "worker": record.name,
            "host": record.host,
            "cannot": record.cannot,
            "lacks": record.lacks,
        })).collect::<Vec<_>>(),
        "failures": found.failures.iter().map(failure).collect::<Vec<_>>(),
        "failures_since": found.failures_since.map(time::to_iso),
        "completed_last_hour": found.completed_last_hour,
    })
}

/// A group without its number: `lpad errors` counts all failures, and numbers by that.
fn failure(group: &Group) -> Value {
    let mut value = errors::value(group);
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("group");
    }
    value
}
