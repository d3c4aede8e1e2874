//! `lpad add_scripts`: shell commands, one after the other, as a workflow.

use anyhow::Result;
use bson::{Document, doc};
use jiff::Timestamp;

use super::{Context, add};
use crate::cli::exit::{Exit, failure};
use crate::workflow::firework::DEFAULT_NAME;
use crate::workflow::{Draft, DraftFirework};

/// Arguments of `lpad add_scripts`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Shell commands, each a word of this command line: "echo hello"
    #[arg(required = true, value_name = "SCRIPT")]
    scripts: Vec<String>,

    /// Names of the fireworks, one for each script
    #[arg(short, long, num_args = 1.., value_name = "NAME")]
    names: Vec<String>,

    /// The name of the workflow [default: that of the first firework] [FireWorks: -w]
    #[arg(long = "wf_name", value_name = "NAME")]
    workflow_name: Option<String>,

    /// Accepted, as FireWorks has it: scripts are words of the command line
    #[arg(short, long, hide = true)]
    delimiter: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let (scripts, names) = (args.scripts.len(), args.names.len());
    if names > 0 && names != scripts {
        return Err(failure(
            Exit::Usage,
            format!("there are {scripts} scripts and {names} names; give a name for each"),
        ));
    }
    let mut names = args.names.iter().cloned();
    let fireworks = (0..).zip(&args.scripts).map(|(local_id, script)| DraftFirework {
        local_id,
        name: names.next().unwrap_or_else(|| DEFAULT_NAME.to_owned()),
        spec: doc! { "_tasks": [{ "_fw_name": "ScriptTask", "script": script, "use_shell": true }] },
        held: None,
        created_on: None,
    });
    let name = args.workflow_name.as_ref().or(args.names.first()).cloned();
    let links = (1..scripts as i64).map(|child| (child - 1, child));
    let draft = Draft::new(name, Document::new(), fireworks.collect(), links)?;
    let drafts = [draft];
    let ids = context.open()?.insert(&drafts, Timestamp::now())?;
    add::print(context.format, &drafts, &ids)?;
    Ok(Exit::Done)
}
