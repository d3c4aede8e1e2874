//! Completion in a shell: it asks this binary, which knows the launchpad.

use std::ffi::{OsStr, OsString};
use std::io::Write;

use anyhow::{Context, Result, anyhow};
use clap::Command;
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::Shells;

use crate::config::{self, Flags, Surroundings};
use crate::store::{self, Direction, Fields, FireworkQuery, Location, SortKey};
use crate::workflow::State;

/// By this variable the shell says that it wants to be answered.
const ASKED: &str = "VOLLEY_COMPLETE";

/// As many ids are offered, the newest.
const IDS: usize = 100;

/// Answers a shell that asks, as the program `name`, and ends the program then.
pub fn answer(name: &'static str, command: impl Fn() -> Command, args: &[OsString]) {
    let here = std::env::current_dir().ok();
    let asked = CompleteEnv::with_factory(|| with_values(command())).var(ASKED).bin(name);
    match asked.try_complete(args, here.as_deref()) {
        Ok(false) => {}
        Ok(true) => std::process::exit(0),
        Err(error) => error.exit(),
    }
}

/// Writes what makes a shell ask, for each of the names of this program.
pub fn register(shell: &str, names: &[&str], out: &mut Vec<u8>) -> Result<()> {
    let shells = Shells::builtins();
    let shell = shells.completer(shell).ok_or_else(|| anyhow!("no completion for the shell `{shell}`"))?;
    for name in names {
        shell.write_registration(ASKED, name, name, name, out).context("cannot write")?;
        writeln!(out)?;
    }
    Ok(())
}

/// The options whose values depend on the launchpad, or are more than one word.
fn with_values(command: Command) -> Command {
    let command = command.mut_args(|arg| match arg.get_long() {
        Some("fw_id" | "wf_fw_id" | "fw_fw_id") => arg.add(ArgValueCompleter::new(ids)),
        Some("state" | "wf_state" | "fw_state") => arg.add(ArgValueCompleter::new(states)),
        _ => arg,
    });
    command.mut_subcommands(with_values)
}

/// What has been typed of a list, up to its last comma, and the rest.
fn last_of_list(typed: &OsStr) -> Option<(&str, &str)> {
    let typed = typed.to_str()?;
    Some(typed.split_at(typed.rfind(',').map_or(0, |comma| comma + 1)))
}

fn states(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some((before, begun)) = last_of_list(typed) else { return Vec::new() };
    let names = State::ALL.into_iter().map(State::as_str);
    let fitting = names.filter(|name| name.starts_with(&begun.to_uppercase()));
    fitting.map(|name| CompletionCandidate::new(format!("{before}{name}"))).collect()
}

/// Ids of the newest fireworks, with their names and states. Whatever is wrong, there are none: a
/// shell has no place for complaints.
fn ids(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some((before, begun)) = last_of_list(typed) else { return Vec::new() };
    newest(begun)
        .unwrap_or_default()
        .into_iter()
        .map(|(id, help)| CompletionCandidate::new(format!("{before}{id}")).help(Some(help.into())))
        .collect()
}

fn newest(begun: &str) -> Result<Vec<(String, String)>> {
    let settings = config::load(&Flags::default(), &Surroundings::of_process()?)?.settings;
    if matches!(&settings.location, Location::Sqlite(path) if !path.exists()) {
        return Ok(Vec::new());
    }
    let newest = Some((SortKey::FwId, Direction::Descending));
    let query = FireworkQuery { sort: newest, limit: IDS, ..FireworkQuery::default() };
    let mut found = Vec::new();
    store::open(&settings.location)?.each_firework(&query, Fields::Head, &mut |some| {
        found.extend(
            some.into_iter()
                .map(|firework| (firework.fw_id.to_string(), format!("{} {}", firework.state, firework.name))),
        );
        std::ops::ControlFlow::Continue(())
    })?;
    found.retain(|(id, _)| id.starts_with(begun));
    Ok(found)
}
