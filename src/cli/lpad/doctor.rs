//! `lpad doctor`: what is not as it should be. Changes nothing.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Cell, Format, Table};
use crate::store::Finding;

pub fn run(context: &Context) -> Result<Exit> {
    let store = context.open()?;
    let mut found = store.examine(Timestamp::now())?;
    found.sort_by_key(|finding| (finding.trouble, finding.fw_id));
    if context.format == Format::Table {
        let mut table = Table::new(&["finding", "id", "what"]);
        for finding in &found {
            let id = finding.fw_id.map(|id| id.to_string()).unwrap_or_default();
            table.row([Cell::from(finding.trouble.as_str()), id.into(), finding.text.as_str().into()]);
        }
        table.print(&format!("{} is as it should be", store.describe()))?;
    } else {
        output::value(context.format, &found.iter().map(value).collect())?;
    }
    // As `grep` and its like: scripts ask whether there is anything.
    Ok(if found.is_empty() { Exit::Done } else { Exit::Error })
}

fn value(finding: &Finding) -> Value {
    json!({ "finding": finding.trouble.as_str(), "fw_id": finding.fw_id, "message": finding.text })
}
