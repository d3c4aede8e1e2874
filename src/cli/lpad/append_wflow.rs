//! `lpad append_wflow`: a workflow goes below fireworks that are there.

use std::path::PathBuf;

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::{Context, add};
use crate::cli::exit::{self, Exit};
use crate::cli::select::Ids;
use crate::store::{Appendix, FireworkQuery, StoreError};

/// Arguments of `lpad append_wflow`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Ids of the parents: 7 or 1,2,5-9; all of one workflow
    #[arg(short = 'i', long = "fw_id", value_name = "IDS", required = true)]
    ids: Ids,

    /// The workflow or firework to append: .yaml, .yml or .json
    #[arg(short = 'f', long = "wf_file", value_name = "FILE", required = true)]
    file: PathBuf,

    /// The children of the parents wait for it
    #[arg(short, long)]
    detour: bool,

    /// Leave out the spec changes that completed parents ask of their children
    #[arg(long = "no_pull_spec_mods")]
    no_pull_spec_mods: bool,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let mut drafts = add::read_all(std::slice::from_ref(&args.file))?;
    add::warn_of_strangers(&drafts);
    let Some(draft) = drafts.pop().filter(|_| drafts.is_empty()) else {
        bail!("{} has several workflows; append one at a time", args.file.display());
    };
    let store = context.open()?;
    let parents = args.ids.0.clone();
    let query = FireworkQuery { ids: Some(parents.clone()), ..FireworkQuery::default() };
    let known: Vec<_> = store.find_fireworks(&query)?.into_iter().map(|firework| firework.fw_id).collect();
    if let Some(&unknown) = parents.iter().find(|id| !known.contains(id)) {
        return Err(exit::failure(Exit::NothingSelected, StoreError::UnknownFirework(unknown)));
    }
    let appendix = Appendix { draft, parents, detour: args.detour, pull_spec_mods: !args.no_pull_spec_mods };
    let ids = store.append(&appendix, Timestamp::now())?;
    add::print(context.format, &[appendix.draft], &[ids])?;
    Ok(Exit::Done)
}
