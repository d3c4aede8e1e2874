//! The options every face has, before and after the subcommand, and what follows from them: the
//! settings, the log, the store.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::cli::log;
use crate::config::{self, Flags, LogLevel, Origin, Settings, Surroundings};
use crate::store::{self, Location, Store};

/// Options of `lpad`, `rlaunch` and `qlaunch` alike.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CommonArgs {
    /// The launchpad: a my_launchpad.yaml, a mongodb:// URI or an SQLite file [env: VOLLEY_LAUNCHPAD]
    #[arg(short, long, alias = "launchpad_file", global = true, value_name = "FILE|URI|PATH",
        value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub launchpad: Option<String>,

    /// Where my_launchpad.yaml, my_fworker.yaml and my_qadapter.yaml are looked for first [default: .]
    #[arg(short, long = "config_dir", global = true, value_name = "DIR")]
    pub config_dir: Option<PathBuf>,

    /// The worker's file, instead of my_fworker.yaml
    #[arg(short = 'w', long = "fworker_file", global = true, value_name = "FILE")]
    pub fworker_file: Option<PathBuf>,

    /// Accepted, as FireWorks has it; the log goes to stderr
    #[arg(long, global = true, value_name = "DIR", hide_short_help = true)]
    pub logdir: Option<PathBuf>,

    /// What is logged on stderr: DEBUG, INFO, WARNING, ERROR or CRITICAL [default: INFO]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub loglvl: Option<LogLevel>,

    /// Log errors only
    #[arg(long = "silencer", global = true)]
    silencer: bool,

    /// The same; after a subcommand -s may mean something else (`lpad get_fws -s STATE`)
    #[arg(short = 's', hide = true)]
    short_silencer: bool,
}

impl CommonArgs {
    /// Reads the settings, and starts the log as they say. To be called once.
    pub fn settings(&self) -> Result<Settings> {
        self.settings_with_queue(None)
    }

    /// The same, with a `-q FILE` of the face.
    pub fn settings_with_queue(&self, queueadapter_file: Option<&Path>) -> Result<Settings> {
        let flags = Flags {
            launchpad: self.launchpad.clone(),
            config_dir: self.config_dir.clone(),
            fworker_file: self.fworker_file.clone(),
            queueadapter_file: queueadapter_file.map(Path::to_owned),
        };
        let mut loaded = config::load(&flags, &Surroundings::of_process()?)?;
        if let Some(level) = if self.is_silent() { Some(LogLevel::Error) } else { self.loglvl } {
            loaded.settings.log_level = Some(level);
            loaded.settings.origins.push(("loglvl", Origin::Flag));
        }
        log::start(loaded.settings.log_level.unwrap_or(LogLevel::Info));
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        for (key, origin) in &loaded.settings.origins {
            tracing::debug!("{key}: {origin}");
        }
        Ok(loaded.settings)
    }

    /// Whether `-s` was given.
    pub fn is_silent(&self) -> bool {
        self.silencer || self.short_silencer
    }
}

/// Opens the launchpad of the settings.
pub fn open_store(settings: &Settings) -> Result<Box<dyn Store>> {
    // Only our own folder is made on the way: elsewhere a missing one is a slip of the pen.
    if let (Location::Sqlite(path), false) = (&settings.location, settings.location_origin == Origin::Default)
        && let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
    {
        bail!("launchpad {}: there is no folder {}", path.display(), folder.display());
    }
    Ok(store::open(&settings.location)?)
}
