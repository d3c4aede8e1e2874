//! `lpad completion SHELL`: what a shell reads at its start.

use anyhow::Result;

use super::Context;
use crate::cli::complete;
use crate::cli::exit::Exit;
use crate::cli::output;

/// The shells that can be told.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    /// In ~/.bashrc: source <(lpad completion bash)
    Bash,
    /// In ~/.zshrc, after compinit: source <(lpad completion zsh)
    Zsh,
    /// In ~/.config/fish/config.fish: lpad completion fish | source
    Fish,
}

/// Arguments of `lpad completion`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

pub fn run(_context: &Context, args: &Args) -> Result<Exit> {
    let shell = match args.shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
    };
    let mut script = Vec::new();
    complete::register(shell, &["lpad", "rlaunch", "qlaunch", "volley"], &mut script)?;
    output::text(String::from_utf8_lossy(&script).trim_end())?;
    Ok(Exit::Done)
}
