//! `lpad config`: every setting, and where it comes from.

use anyhow::{Result, bail};
use serde_json::{Map, Value, json};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output::{self, Format, Table};
use crate::config::nearest::hint;
use crate::config::shown::{Shown, shown};

/// Arguments of `lpad config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only settings with this in their names
    #[arg(value_name = "WORD")]
    word: Option<String>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let mut all = shown(&context.settings)?;
    if let Some(word) = args.word.as_ref().map(|word| word.to_lowercase()) {
        let keys: Vec<String> = all.iter().map(|one| one.key.clone()).collect();
        all.retain(|one| one.key.to_lowercase().contains(&word));
        if all.is_empty() {
            let known: Vec<&str> = keys.iter().flat_map(|key| [key.as_str(), last(key)]).collect();
            bail!("no setting has `{word}` in its name{}", hint(&word, &known));
        }
    }
    if context.format == Format::Table {
        table(&all)?
    } else {
        output::value(context.format, &value(all))?
    }
    Ok(Exit::Done)
}

/// `python` of `fworker.python`.
fn last(key: &str) -> &str {
    key.rsplit_once('.').map_or(key, |(_, last)| last)
}

fn table(all: &[Shown]) -> Result<()> {
    let mut table = Table::new(&["setting", "value", "from"]);
    for one in all {
        table.row([one.key.as_str().into(), text(&one.value).into(), one.origin.to_string().into()]);
    }
    table.print("no such setting")
}

/// A value as it could be written in a file.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `{KEY: {"value": …, "from": …}}`
fn value(all: Vec<Shown>) -> Value {
    let entry = |one: Shown| (one.key, json!({"value": one.value, "from": one.origin.to_string()}));
    Value::Object(all.into_iter().map(entry).collect::<Map<_, _>>())
}
