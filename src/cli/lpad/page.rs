//! The page of one firework, for people.

use anyhow::Result;

use super::Context;
use crate::cli::output::{self, Ink, SummaryColumns, Table, ago, paint, plain, stretch};
use crate::launchpad::explain::{Parent, facts, subjects};
use crate::launchpad::page::{Page, Period, page};
use crate::store::Store;
use crate::workflow::FwId;

/// Shows it.
pub fn show(context: &Context, store: &dyn Store, fw_id: FwId) -> Result<()> {
    let subjects = subjects(store, &[fw_id])?;
    let facts = facts(store, &subjects, &context.here(store))?;
    for (subject, facts) in subjects.iter().zip(&facts) {
        draw(&page(store, subject, facts)?, facts.at)?;
    }
    Ok(())
}

fn draw(page: &Page, now: jiff::Timestamp) -> Result<()> {
    let (id, name, state) = (page.fw_id, plain(&page.name), page.state);
    output::text(&format!(
        "{} {}",
        paint(&format!("{id} {name}"), Ink::Strong),
        paint(state.as_str(), Ink::State(state))
    ))?;
    output::wrapped("", &page.sentence)?;
    output::text("")?;
    if let Some((id, name, state, size)) = &page.workflow {
        let of = output::number(*size, "firework");
        let by = page.owner.as_ref().map_or_else(String::new, |owner| format!(", added by {owner}"));
        output::wrapped("workflow", &format!("{id} {name}, {state}, {of}{by}"))?;
    }
    if let Some(priority) = &page.priority {
        output::wrapped("priority", priority)?;
    }
    output::wrapped("parents", &family(&page.parents, page.parent_count))?;
    output::wrapped("children", &family(&page.children, page.child_count))?;
    for (number, task) in page.tasks.iter().enumerate() {
        output::wrapped(if number == 0 { "tasks" } else { "·" }, task)?;
    }
    if let Some(run) = &page.run {
        output::wrapped("directory", &run.dir)?;
        let launch = run.launch_id;
        output::wrapped("worker", &format!("{} on {}, launch {launch}", run.worker, run.host))?;
        if let Some(job) = &run.job {
            let cluster = job.cluster.as_ref().map_or_else(String::new, |cluster| format!(" on {cluster}"));
            output::wrapped("queue job", &format!("{}{cluster}", job.id))?;
        }
    }
    output::text("")?;
    history(&page.periods, now)?;
    if !page.summaries.is_empty() {
        output::text("")?;
        let columns = SummaryColumns::of(&page.summaries);
        let mut table = Table::new(&columns.head());
        page.summaries.iter().for_each(|summary| table.row(columns.cells(Some(summary))));
        table.print("")?;
    }
    if let Some(error) = &page.error {
        output::text("")?;
        error.lines().try_for_each(|line| output::wrapped("", line))?;
    }
    output::text("")?;
    let widest = page.next.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    for (command, does) in &page.next {
        let gap = " ".repeat(widest - command.len() + 2);
        output::fitting(&format!("{command}{gap}"), &paint(does, Ink::Faint), does)?;
    }
    Ok(())
}

/// `3 relax COMPLETED, 4 relax FIZZLED and 12 more`
fn family(members: &[Parent], count: usize) -> String {
    let some: Vec<String> = members.iter().map(|one| format!("{} {} {}", one.fw_id, one.name, one.state)).collect();
    let more = count.saturating_sub(some.len());
    match (some.is_empty(), more) {
        (true, 0) => String::new(),
        (_, 0) => some.join(", "),
        (_, more) => format!("{} and {more} more", some.join(", ")),
    }
}

fn history(periods: &[Period], now: jiff::Timestamp) -> Result<()> {
    let mut table = Table::new(&["state", "for", "since", "launch", ""]);
    for (number, period) in periods.iter().enumerate() {
        let goes_on = number + 1 == periods.len();
        let is_end = period.state.is_some_and(|state| state.is_final());
        // How long it has been over is said by the date.
        let length = if is_end && goes_on { String::new() } else { stretch(period.length) };
        table.row([
            period.state.map_or_else(|| "waited".into(), Into::into),
            length.into(),
            ago(period.from, now).into(),
            period.launch.map(|id| id.to_string()).unwrap_or_default().into(),
            period.note.clone().unwrap_or_default().into(),
        ]);
    }
    table.print("")
}
