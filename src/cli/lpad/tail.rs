//! `lpad tail -i ID`: the output of a firework while it runs.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::launchpad::tail::{Growing, Place, Spot, place};
use crate::launchpad::{LaunchpadError, last_lines};
use crate::store::Store;
use crate::workflow::FwId;

/// Arguments of `lpad tail`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The firework
    #[arg(short = 'i', long = "fw_id", value_name = "ID")]
    fw_id: FwId,

    /// This file of its launch directory [default: the one with output that was written last]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// So many lines of what is there already
    #[arg(short = 'n', long, default_value_t = 10)]
    lines: usize,

    /// Show what is there, and do not wait for more
    #[arg(long)]
    no_follow: bool,
}

/// A file is looked at so often, the launchpad more seldom.
const FILE: Duration = Duration::from_millis(200);
const LAUNCHPAD: Duration = Duration::from_secs(1);

/// A shared file system shows a new directory by then.
const LATE: Duration = Duration::from_secs(5);

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let mut now = place(&*store, args.fw_id)?;
    if now.launch.is_none() {
        let state = now.state;
        if args.no_follow {
            bail!("firework {} is {state}, and has not run yet: `lpad explain -i {0}` tells why", args.fw_id);
        }
        output::note(&format!("firework {} is {state}; waiting until it runs", args.fw_id));
        while now.launch.is_none() {
            sleep(LAUNCHPAD);
            now = place_by_now(&*store, args.fw_id)?.unwrap_or(now);
        }
    }
    if let Place { state, launch: Some(spot), is_earlier: true } = &now {
        let (id, launch) = (args.fw_id, spot.launch_id);
        output::note(&format!("firework {id} is {state} again; this is what its last run wrote, launch {launch}"));
    }
    loop {
        let Place { launch: Some(spot), .. } = &now else { return Ok(Exit::Done) };
        let next = if reachable(spot) { follow(&*store, args, spot)? } else { told(&*store, args, spot)? };
        match next.and_then(|next| next.launch.is_some().then_some(next)) {
            Some(next) => {
                if let Some(Spot { launch_id, host, dir, .. }) = &next.launch {
                    let words = format!(
                        "firework {} runs again: launch {launch_id} on {host} in {}",
                        args.fw_id,
                        dir.display()
                    );
                    output::note(&words);
                }
                now = next;
            }
            None => return Ok(Exit::Done),
        }
    }
}

/// Where it runs by now; none while the launchpad is away: the file grows all the same.
fn place_by_now(store: &dyn Store, fw_id: FwId) -> Result<Option<Place>> {
    match place(store, fw_id) {
        Ok(now) => Ok(Some(now)),
        Err(LaunchpadError::Store(error)) if error.is_transient() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether its directory can be seen from here. A worker makes it a moment after it has claimed the
/// firework, and another host's may be seen still later.
fn reachable(spot: &Spot) -> bool {
    let is_here = gethostname::gethostname().to_string_lossy() == spot.host;
    let begun = Instant::now();
    while !spot.dir.is_dir() {
        if spot.is_over || is_here || begun.elapsed() > LATE {
            return is_here && !spot.is_over;
        }
        sleep(FILE);
    }
    true
}

/// Shows a file until the launch has ended; returns where the firework runs when that is another one by
/// then.
fn follow(store: &dyn Store, args: &Args, spot: &Spot) -> Result<Option<Place>> {
    let mut file: Option<Growing> = None;
    let mut asked = Instant::now();
    let mut is_over = spot.is_over || args.no_follow;
    let (mut next, mut is_told) = (None, false);
    loop {
        if file.is_none()
            && let Some(path) = chosen(args, spot)?
        {
            file = Some(begin(&path, args.lines)?);
        }
        let grown = file.as_mut().map(drain).transpose()?.unwrap_or(false);
        if is_over {
            if file.is_none() && next.is_none() {
                bail!("there is no output in {}; {}", spot.dir.display(), elsewhere(spot));
            }
            return Ok(next);
        }
        if file.is_none() && !std::mem::replace(&mut is_told, true) {
            let (id, dir) = (args.fw_id, spot.dir.display());
            output::note(&format!("waiting for output of firework {id} in {dir}; {}", elsewhere(spot)));
        }
        if asked.elapsed() >= LAUNCHPAD {
            asked = Instant::now();
            // The file of its queue job is there first; its own comes before that.
            if file.as_ref().is_some_and(|file| !file.path().starts_with(&spot.dir))
                && let Some(own) = spot.newest().filter(|path| path.starts_with(&spot.dir))
            {
                file = Some(begin(&own, args.lines)?);
            }
            let Some(now) = place_by_now(store, args.fw_id)? else { continue };
            // What was written until then is shown in the next round.
            let here = now.launch.as_ref().filter(|launch| launch.launch_id == spot.launch_id);
            is_over = here.is_none_or(|launch| launch.is_over);
            next = here.is_none().then_some(now);
        } else if !grown {
            sleep(FILE);
        }
    }
}

/// Where the output is that is in no file of the directory.
fn elsewhere(spot: &Spot) -> String {
    let other = if spot.job.is_none() { "; -f FILE names another file" } else { "" };
    spot.elsewhere() + other
}

/// The file to show, once it is there.
fn chosen(args: &Args, spot: &Spot) -> Result<Option<PathBuf>> {
    let Some(name) = &args.file else { return Ok(spot.newest()) };
    let path = spot.dir.join(name);
    match (path.exists(), spot.is_over || args.no_follow) {
        (true, _) => Ok(Some(path)),
        (false, false) => Ok(None),
        (false, true) => bail!("there is no file {}", path.display()),
    }
}

/// Says which file it is, and shows its end.
fn begin(path: &Path, lines: usize) -> Result<Growing> {
    output::note(&format!("==> {} <==", path.display()));
    let growing = Growing::new(path)?;
    let end = growing.end(lines)?;
    if !end.is_empty() {
        output::text(&end)?;
    }
    Ok(growing)
}

/// Shows what a file has grown by; whether it has.
fn drain(file: &mut Growing) -> Result<bool> {
    let bytes = file.more()?;
    if !bytes.is_empty() {
        let mut out = output::Out;
        out.write_all(&bytes).and_then(|()| out.flush())?;
    }
    Ok(!bytes.is_empty())
}

/// What the launchpad has of the files of another host.
fn told(store: &dyn Store, args: &Args, spot: &Spot) -> Result<Option<Place>> {
    let is_asked = |name: &str| args.file.as_ref().is_none_or(|file| file == Path::new(name));
    let dir = spot.dir.display();
    if !spot.seen.iter().any(|tracker| is_asked(&tracker.filename)) {
        let fw_id = args.fw_id;
        bail!(
            "the directory of firework {fw_id}, {dir}, cannot be seen from here: it is on {}. \
             What its spec names in `_trackers` could be shown from here, too",
            spot.host
        );
    }
    output::note(&format!(
        "{dir} on {} cannot be seen from here; its tracked files, as they were last seen:",
        spot.host
    ));
    let mut shown: Vec<String> = vec![String::new(); spot.seen.len()];
    let mut seen = spot.seen.clone();
    let mut is_over = spot.is_over || args.no_follow;
    loop {
        for (tracker, shown) in seen.iter().zip(&mut shown).filter(|(tracker, _)| is_asked(&tracker.filename)) {
            if tracker.content != *shown {
                output::note(&format!("==> {} <==", tracker.filename));
                output::text(&last_lines::of_bytes(tracker.content.as_bytes(), args.lines))?;
                shown.clone_from(&tracker.content);
            }
        }
        if is_over {
            return Ok(None);
        }
        sleep(LAUNCHPAD);
        let Some(now) = place_by_now(store, args.fw_id)? else { continue };
        match &now.launch {
            Some(launch) if launch.launch_id == spot.launch_id => {
                is_over = launch.is_over;
                shown.resize(launch.seen.len(), String::new());
                seen.clone_from(&launch.seen);
            }
            _ => return Ok(Some(now)),
        }
    }
}
