//! `volley.yaml`: Volley's own settings. Nobody else reads it, so an unknown key is a mistake.

use std::path::Path;

use super::read::SettingsFile;
use super::{ConfigError, Origin, VolleyConfig};
use crate::workflow::{RetryPolicy, json};

const KEYS: [&str; 4] = ["lease", "max_lost", "renew", "retry"];

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct VolleyFile {
    pub config: VolleyConfig,
    pub origins: Vec<(&'static str, Origin)>,
}

/// Reads the file.
pub(super) fn read(path: &Path) -> Result<VolleyFile, ConfigError> {
    let file = SettingsFile::read(path)?;
    if let Some((key, hint)) = file.unknown(&KEYS).next() {
        return Err(ConfigError::UnknownKey { path: path.to_owned(), key: key.to_owned(), hint });
    }
    let default = VolleyConfig::default();
    let retry = file.mapping("retry")?.map(|policy| RetryPolicy::from_document(&json::to_document(policy)));
    let config = VolleyConfig {
        retry: retry.transpose().map_err(|error| file.wrong("retry", format!("a policy; {error}")))?,
        lease: file.duration("lease")?.unwrap_or(default.lease),
        renew: file.duration("renew")?.unwrap_or(default.renew),
        max_lost: file.count("max_lost")?.unwrap_or(default.max_lost),
    };
    if config.renew.is_zero() || config.lease < config.renew * 2 {
        let expected = format!("more than zero and at most half of `lease` ({} s)", config.lease.as_secs_f64());
        return Err(file.wrong("renew", expected));
    }
    Ok(VolleyFile { config, origins: file.origins(&KEYS.map(|key| (key, key))) })
}
