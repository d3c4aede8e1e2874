//! What is said of arguments that cannot be understood: shorter than clap says it, and with what was
//! probably meant.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

use super::select::Ids;
use crate::science::nearest::nearest_few;
use crate::workflow::State;

/// The group of options of which one must say what a verb is about.
const SELECTOR: &str = "selector";

/// The verb of care, whose parts people type alone.
const ADMIN: &str = "admin";

/// The commands with usage lines that do not list every selector.
pub fn shortened(command: Command, path: &str) -> Command {
    let path = path.to_owned();
    command.mut_subcommands(move |verb| {
        let path = format!("{path} {}", verb.get_name());
        let verb = shortened(verb, &path);
        if !verb.get_groups().any(|group| group.get_id() == SELECTOR && group.is_required_set()) {
            return verb;
        }
        let mut words = vec![path, "[OPTIONS]".to_owned(), "<-i IDS|-s STATE|...>".to_owned()];
        words.extend(verb.get_arguments().filter(|arg| arg.is_required_set()).map(spell));
        verb.override_usage(words.join(" "))
    })
}

/// The commands as they are completed: `-i` is followed by ids, which may be left out otherwise.
pub fn strict(command: Command) -> Command {
    command
        .mut_args(|arg| if arg.get_id() == "ids" && arg.get_short() == Some('i') { arg.num_args(1) } else { arg })
        .mut_subcommands(strict)
}

/// The error with tips that help.
pub fn helpful(mut error: Error, command: &Command, args: &[OsString]) -> Error {
    let said = |error: &Error, kind| match error.get(kind) {
        Some(ContextValue::String(said)) => vec![said.clone()],
        Some(ContextValue::Strings(said)) => said.clone(),
        _ => Vec::new(),
    };
    let (path, verb, rest) = verb_of(command, args);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            for typed in said(&error, ContextKind::InvalidSubcommand) {
                mistyped(&mut error, &path, verb, &typed);
            }
        }
        ErrorKind::UnknownArgument => {
            let meant = said(&error, ContextKind::InvalidArg).iter().find_map(|typed| meant(verb, typed, rest));
            if let Some(meant) = meant {
                tip(&mut error, format!("say `{meant}`"));
            }
        }
        ErrorKind::MissingRequiredArgument => {
            let missing = said(&error, ContextKind::InvalidArg);
            let (selectors, others): (Vec<_>, Vec<_>) = missing.into_iter().partition(|one| one.contains('|'));
            if let [selectors] = selectors.as_slice() {
                let which = spelled(verb, selectors);
                if others.is_empty() {
                    let words = format!("say which: {which} (`{path} --help` tells more)\n");
                    return Error::raw(ErrorKind::MissingRequiredArgument, words);
                }
                let all = others.into_iter().chain([which]).collect();
                error.insert(ContextKind::InvalidArg, ContextValue::Strings(all));
            }
        }
        _ => {}
    }
    error
}

/// The verb that was typed, how one gets there, and what stands behind it.
fn verb_of<'a>(command: &'a Command, args: &'a [OsString]) -> (String, &'a Command, &'a [OsString]) {
    let (mut path, mut verb, mut rest) = (command.get_name().to_owned(), command, &args[args.len().min(1)..]);
    for (at, arg) in args.iter().enumerate().skip(1) {
        if let Some(found) = verb.find_subcommand(arg) {
            path = format!("{path} {}", found.get_name());
            (verb, rest) = (found, &args[at + 1..]);
        }
    }
    (path, verb, rest)
}

/// Names the verbs that are closest to one that is not there.
fn mistyped(error: &mut Error, path: &str, command: &Command, typed: &str) {
    error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::Suggested);
    if command.find_subcommand(ADMIN).is_some_and(|admin| admin.find_subcommand(typed).is_some()) {
        tip(error, format!("say `{path} {ADMIN} {typed}`"));
        return;
    }
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
    let close = nearest_few(typed, verbs.flat_map(Command::get_name_and_visible_aliases), 3);
    if !close.is_empty() {
        let close = close.into_iter().map(str::to_owned).collect();
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(close));
    }
}

/// The option that was left out before ids or states, with all of these that were typed.
fn meant(verb: &Command, typed: &str, rest: &[OsString]) -> Option<String> {
    let is_id = |text: &str| text.parse::<Ids>().is_ok();
    let is_state = |text: &str| text.split(',').all(|state| state.parse::<State>().is_ok());
    let has = |short| verb.get_arguments().any(|arg| arg.get_short() == Some(short));
    let (short, fits): (_, &dyn Fn(&str) -> bool) = match typed {
        id if is_id(id) => ('i', &is_id),
        state if is_state(state) => ('s', &is_state),
        _ => return None,
    };
    let words: Vec<&str> = rest.iter().filter_map(|arg| arg.to_str()).collect();
    let at = words.iter().position(|word| *word == typed)?;
    let first = words[..at].iter().rposition(|word| !fits(word)).map_or(0, |before| before + 1);
    // What stands before it belongs to it when the option was given: `-i 1 2`, but not `set_priority 10 4`.
    let is_given = words[..first].last().is_some_and(|option| *option == format!("-{short}"));
    let all: Vec<&str> =
        words[if is_given { first } else { at }..].iter().copied().take_while(|word| fits(word)).collect();
    has(short).then(|| format!("-{short} {}", all.join(",")))
}

/// `-i IDS, -s STATE, ...` for `<--fw_id <IDS>|--state <STATE>|...>`.
fn spelled(verb: &Command, group: &str) -> String {
    let long = |one: &str| one.trim_start_matches(['<', '-']).split([' ', '>']).next().unwrap_or_default().to_owned();
    let of = |one: &str| verb.get_arguments().find(|arg| arg.get_long() == Some(&long(one))).map(spell);
    group.split('|').filter_map(of).collect::<Vec<_>>().join(", ")
}

/// `-i IDS`, `--qid JOB`, `--mine`, `<PRIORITY>`
fn spell(arg: &Arg) -> String {
    let value = match arg.get_value_names() {
        Some([name, ..]) => name.to_string(),
        _ => arg.get_id().as_str().to_uppercase(),
    };
    let name = match (arg.get_short(), arg.get_long()) {
        (Some(short), _) => format!("-{short}"),
        (None, Some(long)) => format!("--{long}"),
        (None, None) => return format!("<{value}>"),
    };
    if arg.get_action().takes_values() { format!("{name} {value}") } else { name }
}

fn tip(error: &mut Error, words: String) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(words)]));
}
