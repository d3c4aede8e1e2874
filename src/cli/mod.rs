//! The command line: one binary with the faces `lpad`, `rlaunch` and `qlaunch`.
//!
//! Arguments come in here, results go out through [`output`]; nothing below prints. Errors are
//! printed once, here, and decide the exit code.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Arg, ArgAction, Args, Command, Subcommand};

use crate::firetask::guard;

use exit::Exit;

pub mod common;
mod complete;
pub mod confirm;
mod emt;
pub mod exit;
mod link;
mod log;
mod lpad;
pub mod output;
mod qlaunch;
mod rlaunch;
pub mod select;
pub mod settings;
pub mod structures;
mod usage;
mod watch;

/// A FireWorks launchpad in one binary: lpad, rlaunch and qlaunch; EMT recipes also right here
#[derive(Debug, Args)]
struct Volley {
    #[command(subcommand)]
    verb: Verb,
}

/// What `volley` can be asked; each face says itself what it is.
#[derive(Debug, Subcommand)]
enum Verb {
    Lpad(Box<lpad::Args>),
    Rlaunch(Box<rlaunch::Args>),
    Qlaunch(Box<qlaunch::Args>),
    Emt(emt::Args),
    /// Make the links `lpad`, `rlaunch` and `qlaunch` to this binary
    Link(link::Args),
    /// What a worker starts beside its children
    #[command(hide = true, name = GUARD)]
    Guard,
}

/// The verb of the guard.
const GUARD: &str = "guard";

/// Runs the program; `args` begin with the name it was called by.
pub fn main(args: Vec<OsString>) -> ExitCode {
    match run(parse(args)) {
        Ok(code) => code,
        Err(error) => report(&error),
    }
}

fn run(verb: Verb) -> Result<ExitCode> {
    match verb {
        Verb::Lpad(args) => lpad::run(*args),
        Verb::Rlaunch(args) => rlaunch::run(*args),
        Verb::Qlaunch(args) => qlaunch::run(*args),
        Verb::Emt(args) => emt::run(args),
        Verb::Link(args) => link::run(&args),
        Verb::Guard => {
            guard::stand(std::io::stdin().lock())?;
            Ok(Exit::Done.into())
        }
    }
}

/// Understands the arguments, under whichever name the program was called. Usage errors, help and
/// version end the program here, as clap does it.
fn parse(mut args: Vec<OsString>) -> Verb {
    spell_out(&mut args);
    let called = args.first().map(Path::new).and_then(Path::file_stem).and_then(|name| name.to_str());
    match called {
        Some("lpad") => Verb::Lpad(Box::new(parse_as("lpad", args))),
        Some("rlaunch") => Verb::Rlaunch(Box::new(parse_as("rlaunch", args))),
        Some("qlaunch") => Verb::Qlaunch(Box::new(parse_as("qlaunch", args))),
        _ => parse_as::<Volley>("volley", args).verb,
    }
}

/// FireWorks' short options that clap cannot have, after the verb or the face that has them: those of
/// several letters, and those that mean something else before the verb.
const LONG: &[(&str, &str, &str)] = &[
    ("rerun_fws", "-lid", "--launch_id"),
    ("rerun_fws", "-cp", "--copy-data"),
    ("rerun_fws", "-pd", "--previous-dir"),
    ("detect_lostruns", "-lq", "--launch_query"),
    ("recover_offline", "-pe", "--print-errors"),
    ("lpad", "-lm", "--launches_mode"),
    // Before the verb these letters are those of all faces.
    ("add", "-c", "--check"),
    ("add_wf", "-c", "--check"),
    ("add_scripts", "-w", "--wf_name"),
    ("track_fws", "-c", "--include"),
    ("report", "-c", "--collection"),
    ("lpad", "-wf", "--wf"),
    ("get_fws_in_wflows", "-wfi", "--wf_fw_id"),
    ("get_fws_in_wflows", "-wfn", "--wf_name"),
    ("get_fws_in_wflows", "-wfs", "--wf_state"),
    ("get_fws_in_wflows", "-wfq", "--wf_query"),
    ("get_fws_in_wflows", "-fwi", "--fw_fw_id"),
    ("get_fws_in_wflows", "-fwn", "--fw_name"),
    ("get_fws_in_wflows", "-fws", "--fw_state"),
    ("get_fws_in_wflows", "-fwq", "--fw_query"),
    ("get_fws_in_wfs", "-wfi", "--wf_fw_id"),
    ("get_fws_in_wfs", "-wfn", "--wf_name"),
    ("get_fws_in_wfs", "-wfs", "--wf_state"),
    ("get_fws_in_wfs", "-wfq", "--wf_query"),
    ("get_fws_in_wfs", "-fwi", "--fw_fw_id"),
    ("get_fws_in_wfs", "-fwn", "--fw_name"),
    ("get_fws_in_wfs", "-fws", "--fw_state"),
    ("get_fws_in_wfs", "-fwq", "--fw_query"),
    ("qlaunch", "-fm", "--fill_mode"),
    ("qlaunch", "-rh", "--remote_host"),
    ("qlaunch", "-rc", "--remote_config_dir"),
    ("qlaunch", "-ru", "--remote_user"),
    ("qlaunch", "-rp", "--remote_password"),
    ("qlaunch", "-rsh", "--remote_shell"),
    ("qlaunch", "-rkf", "--remote_keyfile"),
    ("qlaunch", "-rs", "--remote_setup"),
];

/// Spells such options out.
fn spell_out(args: &mut [OsString]) {
    for &(verb, short, long) in LONG {
        let is_verb = |arg: &OsString| Path::new(arg).file_name().is_some_and(|name| name == verb);
        let after = args.iter().position(is_verb).unwrap_or(args.len());
        for arg in args[after..].iter_mut().filter(|arg| *arg == short) {
            *arg = long.into();
        }
    }
}

/// Understands the arguments as those of one program.
fn parse_as<T: Args>(name: &'static str, args: Vec<OsString>) -> T {
    complete::answer(name, || usage::strict(command::<T>(name)), &args);
    let mut command = command::<T>(name);
    let matches = command.try_get_matches_from_mut(&args);
    let matches = matches.unwrap_or_else(|error| usage::helpful(error, &command, &args).exit());
    T::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

/// What one program takes.
fn command<T: Args>(name: &'static str) -> Command {
    let command = Command::new(name)
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .infer_long_args(true)
        // FireWorks' letter, and the one that others use.
        .disable_version_flag(true)
        .arg(
            Arg::new("version")
                .short('v')
                .short_alias('V')
                .long("version")
                .help("Print the version")
                .action(ArgAction::Version),
        );
    usage::shortened(T::augment_args(command), name)
}

/// Prints an error with its causes, once. A reader that has gone away is no error: `lpad get_fws | head`.
fn report(error: &anyhow::Error) -> ExitCode {
    let gone = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
    };
    if error.chain().any(gone) {
        return Exit::Done.into();
    }
    let mut said = error.to_string();
    output::note(&format!("error: {said}"));
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Many errors already quote their cause.
        if !said.contains(&cause) {
            output::note(&format!("  because: {cause}"));
            said = cause;
        }
    }
    exit::of(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_do_not_clash() {
        command::<lpad::Args>("lpad").debug_assert();
        command::<rlaunch::Args>("rlaunch").debug_assert();
        command::<qlaunch::Args>("qlaunch").debug_assert();
        command::<Volley>("volley").debug_assert();
    }
}
