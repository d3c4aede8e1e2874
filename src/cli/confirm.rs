//! When a change needs a yes, and who gives it.
//!
//! On a terminal every delete and reset, and any other change of more than `PW_CHECK_NUM` (10),
//! is shown and asked for. Without one, changes up to that number go ahead as in FireWorks, more
//! need `--yes` or FireWorks' `--password DATE`; a reset always does.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, Result, bail};

use crate::cli::output::{note, prompt};

/// The options that say yes in advance.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ConfirmArgs {
    /// Do it without asking
    #[arg(short = 'y', long)]
    yes: bool,

    /// Do it without asking: today's date (2012-02-25), as FireWorks has it
    #[arg(long, value_name = "DATE")]
    password: Option<String>,
}

/// What is about to happen.
#[derive(Debug)]
pub struct Change<'a> {
    /// In words: `delete 3 workflows with 12 fireworks`.
    pub what: String,
    /// How many entries change.
    pub count: usize,
    /// What can be shown of them.
    pub preview: Vec<String>,
    /// What it is, and so when it needs a yes.
    pub kind: Kind<'a>,
}

/// What a change is.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// It can be changed back.
    Change,
    /// It cannot.
    Delete,
    /// Everything goes; a person types this name.
    Reset(&'a str),
}

/// Lines of a preview; more are only counted.
const SHOWN: usize = 10;

impl ConfirmArgs {
    /// Whether `--yes` was given.
    pub fn says_yes(&self) -> bool {
        self.yes
    }

    /// Returns when the change may be made.
    pub fn confirm(&self, change: &Change<'_>, free: usize) -> Result<()> {
        if let Some(password) = &self.password {
            let today = jiff::Zoned::now().date().to_string();
            if *password != today {
                bail!("--password must be today's date, {today}; nothing was changed");
            }
            return Ok(());
        }
        if self.yes {
            return Ok(());
        }
        let asks = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        if !asks {
            return match change.kind {
                Kind::Change | Kind::Delete if change.count <= free => Ok(()),
                _ => bail!("this would {}; to do it without a terminal, add --yes", change.what),
            };
        }
        match change.kind {
            Kind::Change if change.count <= free => Ok(()),
            Kind::Reset(name) => {
                show(change);
                answer(&format!("Type `{name}` to go on: "), |answer| answer == name)
            }
            _ => {
                show(change);
                answer("Go on? [y/N] ", |answer| matches!(answer.to_lowercase().as_str(), "y" | "yes"))
            }
        }
    }
}

fn show(change: &Change<'_>) {
    note(&format!("This will {}.", change.what));
    for line in change.preview.iter().take(SHOWN) {
        note(&format!("  {line}"));
    }
    if change.preview.len() > SHOWN {
        note(&format!("  ... and {} more lines like these", change.preview.len() - SHOWN));
    }
}

fn answer(question: &str, accepts: impl Fn(&str) -> bool) -> Result<()> {
    prompt(question);
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line).context("cannot read the answer")? == 0 {
        // Nobody has ended the line of the question.
        note("");
    }
    if !accepts(line.trim()) {
        bail!("nothing was changed");
    }
    Ok(())
}
