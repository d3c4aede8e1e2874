//! `lpad append_wflow`: a workflow goes below fireworks that are there.

use std::path::PathBuf;

use anyhow::{Result, bail};
use jiff::Timestamp;

use super::change::selected;
use super::{Context, add};
use crate::cli::exit::Exit;
use crate::cli::select::Ids;
use crate::launchpad::error::list;
use crate::launchpad::{Selection, deed};
use crate::store::Appendix;

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
    let these = Selection { ids: Some(parents.clone()), ..Selection::default() };
    selected(these.find_fireworks(&*store))?;
    let appendix = Appendix { draft, parents, detour: args.detour, pull_spec_mods: !args.no_pull_spec_mods };
    let ids = store.append(&appendix, Timestamp::now())?;
    let appended = ids.iter().map(|(_, fw_id)| *fw_id).collect();
    deed::of_fireworks(&*store, "append_wflow", appended, Some(format!("below {}", list(&appendix.parents))));
    add::print(context.format, &[appendix.draft], &[ids])?;
    Ok(Exit::Done)
}
