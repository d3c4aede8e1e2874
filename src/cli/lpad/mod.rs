//! `lpad`: the launchpad.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::cli::common::{CommonArgs, open_store};
use crate::cli::exit::Exit;

/// Arguments of `lpad`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: CommonArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the version
    Version,
}

/// Runs `lpad`.
pub fn run(args: Args) -> Result<ExitCode> {
    match args.verb {
        Verb::Version => {
            let settings = args.common.settings()?;
            open_store(&settings)?;
            Ok(Exit::Done.into())
        }
    }
}
