//! `lpad track_fws`: the ends of the files that fireworks track, as text in FireWorks' form.

use std::collections::HashMap;

use anyhow::Result;
use bson::{Bson, Document};
use serde_json::{Value, json};

use super::Context;
use super::listing::stream;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::cli::select::SelectArgs;
use crate::science::io::python::repr_text;
use crate::store::{Fields, Store};
use crate::workflow::json::from_document;
use crate::workflow::{Firework, FwId, Launch, LaunchId};

/// Arguments of `lpad track_fws`.
#[derive(Debug, clap::Args)]
#[command(after_help = SHAPE)]
pub struct Args {
    #[command(flatten)]
    select: SelectArgs,

    /// Only these files [FireWorks: -c]
    #[arg(long, num_args = 1.., value_name = "FILE")]
    include: Vec<String>,

    /// Without these files
    #[arg(short = 'x', long, num_args = 1.., value_name = "FILE")]
    exclude: Vec<String>,
}

const SHAPE: &str = "\
Fireworks that track nothing are left out. With -o json: a list of {fw_id, name, launches: [{launch_id, trackers: \
[{filename, nlines, allow_zipped, content}]}]}.";

/// So many fireworks have their launches read at once.
const TOGETHER: usize = 100;

/// A firework and its launches that track something.
struct Tracked<'a> {
    firework: &'a Firework,
    launches: Vec<(LaunchId, Vec<&'a Document>)>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let store = context.open()?;
    let query = args.select.selection().fireworks(&*store, None)?;
    let format = context.text_or();
    let (mut rows, mut is_first) = (Vec::new(), true);
    let mut show = |tracked: &Tracked<'_>| {
        if format.is_some() {
            rows.push(tracked.value());
            return Ok(());
        }
        let between = if std::mem::take(&mut is_first) { "" } else { ">------<\n" };
        let text = format!("{between}{}", tracked.text());
        // A program gets what the file holds, a terminal what it can show.
        output::text(&if output::is_terminal() { output::printable(&text) } else { text })
    };
    stream(
        |take| store.each_firework(&query, Fields::Head, take),
        |found| {
            for some in found.chunks(TOGETHER) {
                let launches = launches(&*store, some)?;
                for firework in some {
                    let own = launches.get(&firework.fw_id).map(Vec::as_slice).unwrap_or_default();
                    let tracked = args.tracked(firework, own);
                    if !tracked.launches.is_empty() {
                        show(&tracked)?;
                    }
                }
            }
            Ok(())
        },
    )?;
    if let Some(format) = format {
        output::rows(format, rows)?;
    }
    Ok(Exit::Done)
}

/// All launches that the fireworks have had, by firework.
fn launches(store: &dyn Store, fireworks: &[Firework]) -> Result<HashMap<FwId, Vec<Launch>>> {
    let mut ids: Vec<LaunchId> = fireworks
        .iter()
        .flat_map(|firework| firework.launches.iter().chain(&firework.archived_launches))
        .copied()
        .collect();
    ids.sort_unstable();
    let mut of: HashMap<FwId, Vec<Launch>> = HashMap::new();
    for launch in store.find_launches(&ids)? {
        of.entry(launch.fw_id).or_default().push(launch);
    }
    Ok(of)
}

impl Args {
    fn tracked<'a>(&self, firework: &'a Firework, launches: &'a [Launch]) -> Tracked<'a> {
        let is_wanted = |tracker: &&Document| {
            let name = filename(tracker);
            (self.include.is_empty() || self.include.iter().any(|file| file == name))
                && !self.exclude.iter().any(|file| file == name)
        };
        let seen = |launch: &'a Launch| {
            let trackers = launch.trackers.iter().filter_map(Bson::as_document).filter(is_wanted);
            (launch.launch_id, trackers.collect::<Vec<_>>())
        };
        Tracked { firework, launches: launches.iter().map(seen).filter(|(_, trackers)| !trackers.is_empty()).collect() }
    }
}

fn filename(tracker: &Document) -> &str {
    tracker.get_str("filename").unwrap_or_default()
}

impl Tracked<'_> {
    fn text(&self) -> String {
        let mut lines = vec![format!("# FW id: {}, FW name={}", self.firework.fw_id, repr_text(&self.firework.name))];
        for (launch_id, trackers) in &self.launches {
            for tracker in trackers {
                lines.push(format!("## Launch id: {launch_id}"));
                lines.push(format!("### Filename: {}", filename(tracker)));
                lines.push(tracker.get_str("content").unwrap_or_default().to_owned());
            }
        }
        lines.join("\n")
    }

    fn value(&self) -> Value {
        let launch = |(launch_id, trackers): &(LaunchId, Vec<&Document>)| {
            let trackers: Vec<Value> = trackers.iter().map(|tracker| Value::Object(from_document(tracker))).collect();
            json!({ "launch_id": launch_id, "trackers": trackers })
        };
        let launches: Vec<Value> = self.launches.iter().map(launch).collect();
        json!({ "fw_id": self.firework.fw_id, "name": self.firework.name, "launches": launches })
    }
}
