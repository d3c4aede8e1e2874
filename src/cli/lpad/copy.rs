//! `lpad copy --from A --to B`: a whole launchpad into another store.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::number;
use crate::config::launchpad_named;
use crate::launchpad::copy::copy;
use crate::launchpad::error::list;
use crate::store::{self, FireworkQuery, Location};

/// Arguments of `lpad copy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The launchpad to copy: a my_launchpad.yaml, a mongodb:// URI or an SQLite file [default: the
    /// one that other commands use]
    #[arg(long, value_name = "FILE|URI|PATH")]
    from: Option<String>,

    /// Where to, likewise; an SQLite file is made. What is there already must be empty
    #[arg(long, value_name = "FILE|URI|PATH")]
    to: String,
}

/// Copies that are done by then need no bar.
const QUICK: Duration = Duration::from_secs(1);

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let cwd = std::env::current_dir().context("cannot find the current folder")?;
    let from = match &args.from {
        None => context.settings.location.clone(),
        Some(name) => launchpad_named(name, &cwd)?,
    };
    let to = launchpad_named(&args.to, &cwd)?;
    // Opening it would make it.
    if let Location::Sqlite(path) = &from
        && !path.exists()
    {
        bail!("there is no launchpad {}", path.display());
    }
    if let Location::Sqlite(path) = &to
        && let Some(folder) = path.parent().filter(|folder| *folder != Path::new("") && !folder.is_dir())
    {
        bail!("there is no folder {}", folder.display());
    }
    let from = store::open(&from)?;
    let bar = ProgressBar::hidden();
    bar.set_length(from.count_fireworks(&FireworkQuery::default())?);
    let begun = Instant::now();
    let copied = copy(&*from, &to, &mut |fireworks| {
        if bar.is_hidden() && begun.elapsed() >= QUICK {
            // Draws nothing where standard error is no terminal.
            bar.set_draw_target(indicatif::ProgressDrawTarget::stderr());
            bar.set_style(style());
        }
        bar.set_position(fireworks as u64);
    });
    bar.finish_and_clear();
    let copied = copied?;
    tracing::info!(
        "Copied {} with {} and {} from {}",
        number(copied.workflows.len(), "workflow"),
        number(copied.fireworks.len(), "firework"),
        if copied.launches.len() == 1 { "1 launch".to_owned() } else { format!("{} launches", copied.launches.len()) },
        from.describe(),
    );
    if !copied.active.is_empty() {
        let active: Vec<_> = copied.active.into_iter().collect();
        tracing::warn!(
            "{} RUNNING or RESERVED: {}. So it says in the copy, too, where nobody runs them",
            number(active.len(), "firework"),
            list(&active)
        );
    }
    Ok(Exit::Done)
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_bar} {pos}/{len} fireworks [{elapsed}]")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
