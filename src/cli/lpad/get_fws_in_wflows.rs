//! `lpad get_fws_in_wflows`: fireworks by what they and their workflows are.

use anyhow::Result;

use super::Context;
use super::get_fws::{SHAPE, show_all};
use super::listing::ListArgs;
use crate::cli::exit::Exit;
use crate::cli::select::{Ids, name_pattern, query};
use crate::launchpad::Selection;
use crate::store::NamePattern;
use crate::workflow::State;

/// Arguments of `lpad get_fws_in_wflows`.
#[derive(Debug, clap::Args)]
#[command(after_help = SHAPE)]
pub struct Args {
    /// In the workflows of these fireworks: 7 or 1,2,5-9 [FireWorks: -wfi]
    #[arg(long = "wf_fw_id", value_name = "IDS")]
    wf_ids: Option<Ids>,

    /// In workflows of exactly this name, or re:REGEX [FireWorks: -wfn]
    #[arg(long = "wf_name", value_name = "NAME", value_parser = name_pattern)]
    wf_name: Option<NamePattern>,

    /// In workflows in this state, or in one of several [FireWorks: -wfs]
    #[arg(long = "wf_state", value_delimiter = ',', value_name = "STATE")]
    wf_state: Vec<State>,

    /// In workflows that match, in MongoDB's language [FireWorks: -wfq]
    #[arg(long = "wf_query", value_name = "QUERY", value_parser = query)]
    wf_query: Option<bson::Document>,

    /// These fireworks: 7 or 1,2,5-9 [FireWorks: -fwi]
    #[arg(long = "fw_fw_id", value_name = "IDS")]
    fw_ids: Option<Ids>,

    /// Of exactly this name, or re:REGEX [FireWorks: -fwn]
    #[arg(long = "fw_name", value_name = "NAME", value_parser = name_pattern)]
    fw_name: Option<NamePattern>,

    /// In this state, or in one of several [FireWorks: -fws]
    #[arg(long = "fw_state", value_delimiter = ',', value_name = "STATE")]
    fw_state: Vec<State>,

    /// That match, in MongoDB's language [FireWorks: -fwq]
    #[arg(long = "fw_query", value_name = "QUERY", value_parser = query)]
    fw_query: Option<bson::Document>,

    /// --fw_query is about launches, as {"launch_id": 1} [FireWorks: -lm]
    #[arg(long = "launches_mode", requires = "fw_query")]
    launches_mode: bool,

    /// That this queue job was submitted for, or ran; the id of an array stands for all its elements
    #[arg(long, value_name = "ID")]
    qid: Option<String>,

    /// At most so many, the first ones; 0 for all
    #[arg(short, long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    max: usize,

    #[command(flatten)]
    pub list: ListArgs,
}

impl Args {
    fn selection(&self) -> Selection {
        let ids = |ids: &Option<Ids>| ids.as_ref().map(|ids| ids.0.clone());
        let workflows = Selection {
            ids: ids(&self.wf_ids),
            name: self.wf_name.clone(),
            states: self.wf_state.clone(),
            query: self.wf_query.clone(),
            ..Selection::default()
        };
        let (launch_query, query) = match self.launches_mode {
            true => (self.fw_query.clone(), None),
            false => (None, self.fw_query.clone()),
        };
        Selection {
            ids: ids(&self.fw_ids),
            name: self.fw_name.clone(),
            states: self.fw_state.clone(),
            query,
            launch_query,
            job: self.qid.clone(),
            workflows: Some(Box::new(workflows)),
            limit: self.max,
            ..Selection::default()
        }
    }
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let query = args.selection().fireworks(&*store, args.list.sort())?;
    show_all(context.format, &*store, &query, &args.list)?;
    Ok(Exit::Done)
}
