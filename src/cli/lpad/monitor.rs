//! `lpad monitor`: the launchpad on a terminal, and all that can be done to it.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Context;
use crate::cli::exit::{Exit, failure};
use crate::cli::output::Format;
use crate::cli::{log, output};
use crate::config::duration;
use crate::launchpad::crew::Member;
use crate::launchpad::forecast::{Doubts, Forecast, forecast};
use crate::launchpad::jobs::Job;
use crate::launchpad::status::{Status, jobs, launchers};
use crate::launchpad::throughput::Throughput;
use crate::launchpad::words::date;
use crate::store::Location;
use crate::tui::view::Look;
use crate::tui::{self, Desk, Once, Options};
use crate::workflow::time;

/// Arguments of `lpad monitor`.
#[derive(Debug, clap::Args)]
#[command(after_help = SHAPE)]
pub struct Args {
    /// Show only: no key changes anything
    #[arg(long = "read-only")]
    read_only: bool,

    /// How often it looks whether anything has changed
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = often)]
    interval: Duration,

    /// Print the overview once, and end
    #[arg(long)]
    once: bool,

    /// The same as JSON: what `lpad status -o json` tells, and crew, throughput, forecast and queue (see below)
    #[arg(long)]
    json: bool,
}

const SHAPE: &str = "\
With --json, or -o json or yaml: the keys of `lpad status -o json`, and
crew: a list of {worker, host, pid, job: {id, cluster}, fw_ids, slots, busy, taken_ahead, heard, idle_since, \
seconds_left}: who is at work, and jobs that are idle. So many of fw_ids are busy, each in a slot; the others are \
taken ahead, and wait for one. seconds_left is what is left of the walltime of the job.
throughput: {minutes, hours}, each {until, completed, fizzled}: how many fireworks in each of the last 60 minutes and \
24 hours, the oldest first; the last one is not over.
forecast: {left, per_hour, seconds, words}: so many fireworks to go at most, how many are completed in an hour, and \
how many seconds that takes.
queue: {name, jobs} or {error}; jobs is a list of {id, cluster, state, reason, hosts, partition, seconds, \
seconds_left, fw_ids, launcher}: for how many seconds a job has run, and may still run.
Times are UTC. What is not known is null.";

/// As wide where nobody says how wide, and as long at most.
const SIZE: (usize, usize) = (100, 200);

fn often(text: &str) -> Result<Duration, String> {
    const SHORTEST: Duration = Duration::from_millis(500);
    let every = duration::parse(text).map_err(|error| error.to_string())?;
    if every < SHORTEST { Err("not more often than every 0.5 s".to_owned()) } else { Ok(every) }
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let format = context.text_or().or(args.json.then_some(Format::Json));
    if args.read_only || args.once || format.is_some() {
        exists(&context.settings.location)?;
    }
    let store = context.open()?;
    if args.once || format.is_some() {
        return once(&Desk::new(context.settings.clone(), store), format);
    }
    if !output::is_terminal() {
        return Err(failure(
            Exit::Usage,
            "the monitor draws on a terminal, and standard output is none; --once prints the overview",
        ));
    }
    let options = Options { read_only: args.read_only, interval: args.interval, colours: output::is_coloured() };
    let desk = Desk::new(context.settings.clone(), store);
    let lines = log::divert();
    let ended = tui::run(desk, options, lines);
    log::restore();
    ended?;
    Ok(Exit::Done)
}

/// Who only looks makes no launchpad.
fn exists(location: &Location) -> Result<()> {
    match location {
        Location::Sqlite(path) if !path.exists() => {
            bail!("there is no launchpad to look at: the SQLite file {} does not exist", path.display())
        }
        _ => Ok(()),
    }
}

fn once(desk: &Desk, format: Option<Format>) -> Result<Exit> {
    let found = Once::look(desk)?;
    if let Some(format) = format {
        output::value(format, &value(&found)?)?;
        return Ok(Exit::Done);
    }
    // `watch` says so to what it calls.
    let told = |name| std::env::var(name).ok()?.parse().ok();
    let width = output::width().or_else(|| told("COLUMNS")).unwrap_or(SIZE.0);
    output::wrapped("", &format!("{}  {}", date(found.scene.now), found.scene.place))?;
    let look = Look { colours: output::is_coloured() };
    found.lines(&look, (width, SIZE.1)).iter().try_for_each(|line| output::text(&output::styled(line)))?;
    Ok(Exit::Done)
}

/// What `lpad status` tells, and what the monitor shows besides.
fn value(found: &Once) -> Result<Value> {
    let (one, at) = (&found.overview, found.scene.store_now());
    let status = Status {
        place: found.scene.place.clone(),
        at,
        counts: one.counts.clone().context("the store has not told its counts")?,
        crew: one.crew.clone().unwrap_or_default(),
        jobs: jobs(&one.ledgers),
        launchers: launchers(&one.ledgers, at),
        unable: one.unable.clone(),
        failures: one.failures.clone(),
        failures_since: one.failures_since,
        completed_last_hour: one.minutes.series(at).iter().map(|count| count.completed).sum(),
    };
    let mut value = super::status::value(&status);
    let forecast = forecast(&status.counts.fireworks, &one.minutes, &one.hours, at);
    value["crew"] = one.members().iter().map(|member| member_value(found, member)).collect();
    value["throughput"] = json!({"minutes": series(&one.minutes, at), "hours": series(&one.hours, at)});
    let doubts = Doubts::of(&status.counts.fireworks, !one.unable.is_empty());
    value["forecast"] = forecast_value(forecast, doubts);
    value["queue"] = match &one.jobs {
        Some((Ok(listing), _)) => {
            json!({"name": listing.queue, "jobs": listing.jobs.iter().map(job_value).collect::<Vec<_>>()})
        }
        Some((Err(why), _)) => json!({"error": why}),
        None => Value::Null,
    };
    Ok(value)
}

fn member_value(found: &Once, member: &Member) -> Value {
    let left = found.overview.time_left(member, found.scene.now);
    json!({
        "worker": member.name,
        "host": member.host,
        "pid": member.pid,
        "job": member.job.as_ref().map(|job| json!({"id": job.id, "cluster": job.cluster})),
        "fw_ids": member.runs,
        "slots": member.slots,
        "busy": member.busy(),
        "taken_ahead": member.ahead(),
        "heard": member.heard.map(time::to_iso),
        "idle_since": member.idle.map(time::to_iso),
        "seconds_left": left.map(|left| left.as_secs()),
    })
}

/// Numbers of periods, the oldest first; the last one is not over.
fn series(throughput: &Throughput, at: Timestamp) -> Value {
    let (completed, fizzled): (Vec<u64>, Vec<u64>) =
        throughput.series(at).iter().map(|count| (count.completed, count.fizzled)).unzip();
    json!({"until": time::to_iso(at), "completed": completed, "fizzled": fizzled})
}

fn forecast_value(forecast: Forecast, doubts: Doubts) -> Value {
    let (left, per_hour, within) = match forecast {
        Forecast::Empty | Forecast::Done => (0, None, None),
        Forecast::Stuck(left) | Forecast::Idle(left) | Forecast::Unknown(left) => (left, None, None),
        Forecast::Ends { left, per_hour, within } => (left, Some(per_hour), Some(within.as_secs())),
    };
    json!({"left": left, "per_hour": per_hour, "seconds": within, "words": forecast.words(doubts)})
}

fn job_value(job: &Job) -> Value {
    let details = &job.queued.details;
    json!({
        "id": job.queued.id.id,
        "cluster": job.cluster,
        "state": details.state,
        "reason": details.reason,
        "hosts": details.hosts,
        "partition": details.partition,
        "seconds": job.queued.running_for.map(|ran| ran.as_secs()),
        "seconds_left": details.left.map(|left| left.as_secs()),
        "fw_ids": job.runs.iter().map(|(fw_id, _)| *fw_id).collect::<Vec<_>>(),
        "launcher": job.launcher,
    })
}
