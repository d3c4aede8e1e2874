//! `lpad graph -i ID`: a workflow as a picture.

use anyhow::Result;

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Format, Ink, paint, plain};
use crate::cli::watch::WatchArgs;
use crate::launchpad::graph::{Picture, graph, picture};
use crate::launchpad::progress::count_words;
use crate::workflow::{FwId, State};

/// Arguments of `lpad graph`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Any firework of the workflow
    #[arg(short = 'i', long = "fw_id", value_name = "ID")]
    fw_id: FwId,

    /// In the language of Graphviz: lpad graph -i 1 --dot | dot -Tsvg > workflow.svg
    #[arg(long, conflicts_with = "mermaid")]
    dot: bool,

    /// In the language of Mermaid, as Markdown pages take it
    #[arg(long)]
    mermaid: bool,

    #[command(flatten)]
    pub watch: WatchArgs,
}

/// How wide a picture is that is not for a terminal.
const WIDTH: usize = 100;

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let graph = graph(&*store, args.fw_id)?;
    if args.dot {
        output::text(&graph.dot())?;
    } else if args.mermaid {
        output::text(&graph.mermaid())?;
    } else {
        match context.format {
            Format::Table => {
                let state = graph.state.parse::<State>();
                let state =
                    state.map_or_else(|_| graph.state.clone(), |state| paint(state.as_str(), Ink::State(state)));
                let name = paint(&format!("{} {}", graph.id, plain(&graph.name)), Ink::Strong);
                output::text(&format!("{name} {state}"))?;
                output::wrapped("", &count_words(&graph.counts()))?;
                output::text("")?;
                draw(&picture(&graph, output::width().unwrap_or(WIDTH)))?;
            }
            Format::Ids => super::listing::print_ids(Format::Ids, graph.nodes.keys().copied())?,
            format => output::value(format, &graph.value())?,
        }
    }
    Ok(Exit::Done)
}

fn draw(picture: &Picture) -> Result<()> {
    for spans in &picture.lines {
        let mut line = String::new();
        let mut column = 0;
        for span in spans {
            line += &" ".repeat(span.column.saturating_sub(column));
            column = column.max(span.column) + span.text.chars().count();
            match span.state {
                Some(state) => line += &paint(&span.text, Ink::State(state)),
                None => line += &span.text,
            }
        }
        output::text(line.trim_end())?;
    }
    Ok(())
}
