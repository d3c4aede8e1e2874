//! `lpad results`: energies and forces at a glance, for spreadsheets, and as structures.

use std::collections::BTreeSet;
use std::io::Write;
use std::ops::ControlFlow;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use super::{Asked, Context};
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, SummaryColumns, Table};
use crate::cli::select::SelectArgs;
use crate::cli::watch::WatchArgs;
use crate::launchpad::results::{Condition, FIELDS, FireworkResult, each, special};
use crate::recipes::Summary;
use crate::science::io::extxyz;
use crate::workflow::FwId;

/// Arguments of `lpad results`.
///
/// Ids stand for their whole workflows; without -i, every firework that has found something is shown.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    select: SelectArgs,

    /// Only rows for which this holds: 'energy_per_atom<0.1 and converged=true'
    #[arg(long = "where", value_name = "CONDITION")]
    condition: Option<Condition>,

    #[command(flatten)]
    pub watch: WatchArgs,
}

/// A row, with the summary that it comes from.
type Row<'r> = (Map<String, Value>, Option<&'r Summary>);

impl Args {
    /// The rows of a firework that are wanted, with their numbers.
    fn rows<'r>(&self, found: &'r FireworkResult) -> Vec<(usize, Row<'r>)> {
        let fits = |row: &Map<String, Value>| self.condition.as_ref().is_none_or(|condition| condition.fits(row));
        let rows = found.rows().into_iter().enumerate().filter(|(_, row)| fits(row));
        rows.map(|(number, row)| (number, (row, found.summaries.get(number)))).collect()
    }
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    match (context.asked, context.format) {
        (Some(Asked::Csv), _) => {
            line(&FIELDS.map(str::to_owned))?;
            stream(context, args, |found| {
                args.rows(found).iter().try_for_each(|(_, (row, _))| line(&FIELDS.map(|field| in_csv(&row[field]))))
            })?;
        }
        (Some(Asked::Extxyz), _) => stream(context, args, |found| {
            let frames = found.frames();
            for (number, _) in args.rows(found) {
                let Some(frame) = frames.get(number).and_then(Option::as_ref) else { continue };
                write!(output::Out, "{}", extxyz::write(std::slice::from_ref(frame)))
                    .context("cannot write to standard output")?;
            }
            Ok(())
        })?,
        (_, Format::Table) => table(context, args)?,
        (_, Format::Jsonl) => stream(context, args, |found| {
            args.rows(found).into_iter().try_for_each(|(_, (row, _))| output::text(&value(found, row).to_string()))
        })?,
        (_, Format::Ids) => {
            let mut ids: BTreeSet<FwId> = BTreeSet::new();
            stream(context, args, |found| {
                ids.extend((!args.rows(found).is_empty()).then_some(found.fw_id));
                Ok(())
            })?;
            super::listing::print_ids(Format::Ids, ids)?;
        }
        (_, format) => {
            // Always a list, however many fireworks there are: this is no listing of FireWorks.
            let mut values = Vec::new();
            stream(context, args, |found| {
                values.extend(args.rows(found).into_iter().map(|(_, (row, _))| value(found, row)));
                Ok(())
            })?;
            output::value(format, &values.into())?;
        }
    }
    Ok(Exit::Done)
}

/// Gives every firework to `show`, as they come.
fn stream(context: &Context, args: &Args, mut show: impl FnMut(&FireworkResult) -> Result<()>) -> Result<()> {
    let store = context.open()?;
    let mut trouble = None;
    each(&*store, &args.select.selection(), &mut |some| match some.iter().try_for_each(&mut show) {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => {
            trouble = Some(error);
            ControlFlow::Break(())
        }
    })?;
    trouble.map_or(Ok(()), Err)
}

fn table(context: &Context, args: &Args) -> Result<()> {
    let mut rows: Vec<([Cell; 3], Option<Summary>, String)> = Vec::new();
    let mut collections: Vec<(FwId, String, Vec<Value>)> = Vec::new();
    let mut notes: Vec<String> = Vec::new();
    stream(context, args, |found| {
        let wanted = args.rows(found);
        if !wanted.is_empty() {
            notes.extend(found.warnings.iter().map(|warning| format!("firework {}: {warning}", found.fw_id)));
        }
        for (_, (_, summary)) in wanted {
            let start: [Cell; 3] = [found.fw_id.to_string().into(), found.name.as_str().into(), found.state.into()];
            rows.push((start, summary.cloned(), found.directory.clone().unwrap_or_default()));
        }
        if !found.collected.is_empty() {
            collections.push((found.fw_id, found.name.clone(), found.collected.clone()));
        }
        Ok(())
    })?;
    let columns = SummaryColumns::of(rows.iter().filter_map(|(_, summary, _)| summary.as_ref()));
    let mut table = Table::new(&[&["id", "name", "state"], columns.head().as_slice(), &["directory"]].concat());
    for (start, summary, directory) in rows {
        table.row(start.into_iter().chain(columns.cells(summary.as_ref())).chain([directory.into()]));
    }
    table.print(if args.condition.is_some() { "no results for which this holds" } else { "no results" })?;
    let left_out = table.left_out();
    if !left_out.is_empty() {
        let words = format!("no room for {}: `-o csv` and `-o json` show all", left_out.join(", "));
        output::wrapped("", &words)?;
    }
    notes.iter().for_each(|note| output::note(&output::plain(note)));
    if args.condition.is_none() {
        collections.iter().try_for_each(|(fw_id, name, rows)| collected(*fw_id, name, rows))?;
    }
    Ok(())
}

/// What one firework has collected from others.
fn collected(fw_id: FwId, name: &str, rows: &[Value]) -> Result<()> {
    let rows: Vec<(&Value, Summary)> = rows.iter().filter_map(|row| Some((row, Summary::from_value(row)?))).collect();
    // Other tasks, too, may store a list of this name.
    if rows.is_empty() {
        return Ok(());
    }
    let columns = SummaryColumns::of(rows.iter().map(|(_, row)| row));
    let mut table = Table::new(&[&["id"], columns.head().as_slice()].concat());
    for (row, summary) in &rows {
        let id = row["fw_id"].as_i64().map(|id| id.to_string()).unwrap_or_default();
        table.row([id.into()].into_iter().chain(columns.cells(Some(summary))));
    }
    output::text(&format!("\nCollected by firework {fw_id} ({}):", output::plain(name)))?;
    table.print("nothing")
}

/// A row as data: what slabs, defects and so on alone have is left out of the others.
fn value(found: &FireworkResult, mut row: Map<String, Value>) -> Value {
    for fields in special() {
        if row[fields[0]].is_null() {
            fields.iter().for_each(|key| drop(row.shift_remove(*key)));
        }
    }
    if !found.warnings.is_empty() {
        row.insert("warnings".to_owned(), found.warnings.clone().into());
    }
    if !found.collected.is_empty() {
        row.insert("collected".to_owned(), found.collected.clone().into());
    }
    Value::Object(row)
}

fn line(cells: &[String]) -> Result<()> {
    output::text(&cells.join(","))
}

/// A value between commas (RFC 4180).
fn in_csv(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(several) => several.iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}
