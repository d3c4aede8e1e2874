//! `volley link`: the names `lpad`, `rlaunch` and `qlaunch`, as links to this binary.

use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::cli::exit::Exit;
use crate::cli::output;

/// The three programs of FireWorks.
const FACES: [&str; 3] = ["lpad", "rlaunch", "qlaunch"];

/// Arguments of `volley link`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where to make them [default: beside the binary]
    #[arg(long)]
    dir: Option<PathBuf>,
}

/// Makes the links. What is there and not ours is left alone, and then no link is made.
pub fn run(args: &Args) -> Result<ExitCode> {
    let binary = std::env::current_exe().context("cannot tell where this binary is")?;
    let beside = binary.parent().context("this binary is in no folder")?;
    let dir = args.dir.as_deref().unwrap_or(beside);
    if !dir.is_dir() {
        bail!("{} is no folder", dir.display());
    }
    let links = FACES.map(|face| dir.join(face));
    for link in &links {
        if link.symlink_metadata().is_ok() && !is_ours(link, &binary) {
            bail!("{} exists and is no link to Volley; move it away or choose another --dir", link.display());
        }
    }
    for link in &links {
        match std::fs::remove_file(link) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {}", link.display()));
            }
            _ => symlink(&binary, link).with_context(|| format!("cannot make {}", link.display()))?,
        }
        output::text(&format!("{} -> {}", link.display(), binary.display()))?;
    }
    Ok(Exit::Done.into())
}

/// A link to a file of our name: this binary, or an older one that it replaces.
fn is_ours(link: &Path, binary: &Path) -> bool {
    std::fs::read_link(link).is_ok_and(|target| target.file_name() == binary.file_name())
}
