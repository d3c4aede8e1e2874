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
    let words = "there are no web pages: `lpad status`, `lpad errors` and `lpad get_fws --watch` show the launchpad \
                 in a terminal (`lpad monitor`, one screen for all of it, is not there yet)";
    Err(failure(Exit::Usage, words))
}
