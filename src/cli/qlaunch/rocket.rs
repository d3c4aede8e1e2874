//! How jobs find the launchpad and the worker of `qlaunch`.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::cli::common::CommonArgs;
use crate::config::Settings;
use crate::launcher::rocket_launch::RocketOptions;
use crate::store::Location;

/// Options of what a job runs, and what is added to its environment. A URI with a password goes the
/// second way: command lines and scripts can be read by others.
pub fn rocket_options(common: &CommonArgs, settings: &Settings) -> Result<(RocketOptions, Vec<(String, String)>)> {
    const VARIABLE: &str = "VOLLEY_LAUNCHPAD";
    let mut environment = Vec::new();
    let launchpad = match (&settings.launchpad_file, &settings.location) {
        (Some(path), _) | (None, Location::Sqlite(path)) => Some(path.to_string_lossy().into_owned()),
        (None, Location::Mongo(_)) => match common.launchpad.clone().or_else(|| std::env::var(VARIABLE).ok()) {
            Some(uri) if has_secret(&uri) => {
                environment.push((VARIABLE.to_owned(), uri));
                None
            }
            uri => uri,
        },
    };
    let config_dir = common.config_dir.as_ref().map(std::path::absolute).transpose().context("no current folder")?;
    let text = |path: &PathBuf| path.to_string_lossy().into_owned();
    let options = RocketOptions {
        launchpad,
        fworker: settings.fworker_file.as_ref().map(text),
        config_dir: config_dir.as_ref().map(text),
    };
    Ok((options, environment))
}

/// Whether a URI has a password, of the user or of a key, or a token.
pub fn has_secret(uri: &str) -> bool {
    let uri = uri.to_lowercase();
    ["@", "password", "token"].iter().any(|sign| uri.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_secrets_off_the_command_line() {
        assert!(has_secret("mongodb://me:secret@db.example/fireworks"));
        assert!(has_secret("mongodb://db.example/?tlsCertificateKeyFilePassword=secret"));
        assert!(!has_secret("mongodb://db.example:27017/fireworks"));
    }
}
