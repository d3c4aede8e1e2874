//! `lpad webgui`: there are no web pages; the command is known because people type it.

use anyhow::Result;

use super::Context;
use crate::cli::exit::{Exit, failure};

/// Arguments of `lpad webgui`: FireWorks', none of which matters.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What FireWorks takes
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    ignored: Vec<String>,
}

pub fn run(_context: &Context, _args: &Args) -> Result<Exit> {
    let words = "there are no web pages: `lpad monitor` shows the launchpad on a terminal, and acts on it; \
                 `lpad monitor --once` prints its first screen";
    Err(failure(Exit::Usage, words))
}
