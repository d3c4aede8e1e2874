//! `lpad admin tuneup`: indexes, and what the store knows of how its data are spread.

use anyhow::Result;

use super::super::Context;
use crate::cli::exit::Exit;

/// Arguments of `lpad admin tuneup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Give unused room back, too; best while nobody works
    #[arg(long)]
    full: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    tracing::info!("Performing db tune-up");
    context.open()?.tune(args.full)?;
    Ok(Exit::Done)
}
