//! `volley.yaml`: Volley's own settings. Nobody else reads it, so an unknown key is a mistake.

use std::path::Path;

use super::read::SettingsFile;
use super::{ConfigError, Origin, VolleyConfig};

const KEYS: [&str; 2] = ["lease", "renew"];

/// Reads the file, and which keys it sets.
pub(super) fn read(path: &Path) -> Result<(VolleyConfig, Vec<(&'static str, Origin)>), ConfigError> {
    let file = SettingsFile::read(path)?;
    if let Some((key, hint)) = file.unknown(&KEYS).next() {
        return Err(ConfigError::UnknownKey { path: path.to_owned(), key: key.to_owned(), hint });
    }
    let default = VolleyConfig::default();
    let config = VolleyConfig {
        lease: file.duration("lease")?.unwrap_or(default.lease),
        renew: file.duration("renew")?.unwrap_or(default.renew),
    };
    if config.renew.is_zero() || config.lease < config.renew * 2 {
        let expected = format!("more than zero and at most half of `lease` ({} s)", config.lease.as_secs_f64());
        return Err(file.wrong("renew", expected));
    }
    let origins = KEYS.into_iter().filter(|key| file.get(key).is_some());
    Ok((config, origins.map(|key| (key, Origin::File(path.to_owned()))).collect()))
}
