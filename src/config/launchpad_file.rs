//! `my_launchpad.yaml`: where the launchpad is. FireWorks' keys; `host` may also be
//! `sqlite:///path`.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::read::SettingsFile;
use super::{ConfigError, LogLevel, Origin};
use crate::store::{Location, MongoSettings};

const KEYS: [&str; 14] = [
    "host",
    "port",
    "name",
    "username",
    "password",
    "authsource",
    "ssl_ca_file",
    "uri_mode",
    "mongoclient_kwargs",
    "user_indices",
    "wf_user_indices",
    "logdir",
    "strm_lvl",
    // Older releases of FireWorks wrote it; MongoDB's `tls` options have replaced it.
    "ssl",
];

/// Its keys that have a value of their own, and what they are called elsewhere.
const NAMES: [(&str, &str); 8] = [
    ("port", "launchpad.port"),
    ("username", "launchpad.username"),
    ("password", "launchpad.password"),
    ("authsource", "launchpad.authsource"),
    ("mongoclient_kwargs", "launchpad.mongoclient_kwargs"),
    ("user_indices", "launchpad.user_indices"),
    ("wf_user_indices", "launchpad.wf_user_indices"),
    ("strm_lvl", "loglvl"),
];

/// What the file says.
#[derive(Debug)]
pub(super) struct LaunchpadFile {
    pub location: Location,
    pub log_level: Option<LogLevel>,
    pub origins: Vec<(&'static str, Origin)>,
}

/// Reads the file.
pub(super) fn read(path: &Path, warnings: &mut Vec<String>) -> Result<LaunchpadFile, ConfigError> {
    let file = SettingsFile::read(path)?;
    file.warn_of_unknown(&KEYS, warnings);
    let log_level = match file.text("strm_lvl")? {
        Some(word) => {
            Some(word.parse().map_err(|_| file.wrong("strm_lvl", "DEBUG, INFO, WARNING, ERROR or CRITICAL"))?)
        }
        None => None,
    };
    let host = file.text("host")?.unwrap_or_else(|| MongoSettings::default().host);
    let location = match host.strip_prefix("sqlite://") {
        Some(file_path) => Location::Sqlite(beside(path, file_path)),
        None => Location::Mongo(Box::new(mongo(&file, host)?)),
    };
    if has_password(&location) {
        warn_of_readers(path, warnings);
    }
    Ok(LaunchpadFile { location, log_level, origins: file.origins(&NAMES) })
}

fn has_password(location: &Location) -> bool {
    let Location::Mongo(mongo) = location else { return false };
    mongo.password.is_some() || uri_password(&mongo.host).is_some()
}

/// What is in a file that others can read is no secret.
fn warn_of_readers(path: &Path, warnings: &mut Vec<String>) {
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if mode & 0o004 != 0 {
        let path = path.display();
        warnings.push(format!("{path}: everybody on this machine can read the password in it; `chmod o-r {path}`"));
    }
}

/// A path as it is written in a file: relative to that file.
fn beside(file: &Path, path: &str) -> PathBuf {
    file.parent().unwrap_or(Path::new("")).join(path)
}

fn mongo(file: &SettingsFile<'_>, host: String) -> Result<MongoSettings, ConfigError> {
    let default = MongoSettings::default();
    let port = match file.get("port") {
        None => default.port,
        // `lpad init` of some releases quotes it.
        Some(value) => value
            .as_u64()
            .or_else(|| value.as_str()?.trim().parse().ok())
            .and_then(|port| u16::try_from(port).ok())
            .ok_or_else(|| file.wrong("port", "a port number"))?,
    };
    if file.flag("uri_mode")? == Some(true) && !is_uri(&host) {
        return Err(file.wrong("host", "a mongodb:// URI, since uri_mode is true"));
    }
    let name = file.text("name")?.or_else(|| uri_database(&host)).unwrap_or(default.name);
    let mut options = file.mapping("mongoclient_kwargs")?.cloned().unwrap_or_default();
    if let Some(ca_file) = file.text("ssl_ca_file")? {
        options.entry("tls").or_insert(true.into());
        options.entry("tlsCAFile").or_insert(ca_file.into());
    }
    Ok(MongoSettings {
        host,
        port,
        name,
        username: file.text("username")?,
        password: file.text("password")?,
        authsource: file.text("authsource")?,
        options,
        user_indices: file.strings("user_indices")?,
        wf_user_indices: file.strings("wf_user_indices")?,
    })
}

/// Whether a text is a URI of a MongoDB server.
pub(super) fn is_uri(text: &str) -> bool {
    text.starts_with("mongodb://") || text.starts_with("mongodb+srv://")
}

/// The settings of a URI alone: the database is the one it names.
pub(super) fn mongo_uri(uri: &str) -> MongoSettings {
    let default = MongoSettings::default();
    MongoSettings { host: uri.to_owned(), name: uri_database(uri).unwrap_or(default.name), ..MongoSettings::default() }
}

/// The database in `mongodb://user:password@host:port/DATABASE?options`.
pub fn uri_database(uri: &str) -> Option<String> {
    let (_, rest) = uri.split_once("://")?;
    let (_, path) = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest).split_once('/')?;
    let name = path.split('?').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// `mongodb://user:PASSWORD@host`
fn uri_password(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let (credentials, _) = rest.split(['/', '?']).next()?.rsplit_once('@')?;
    credentials.split_once(':').map(|(_, password)| password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_its_database() {
        for (uri, name) in [
            ("mongodb://h:1/db", Some("db")),
            ("mongodb://u:p@h1:1,h2:2/db?tls=true", Some("db")),
            ("mongodb+srv://u:p@h.example.org/db", Some("db")),
            ("mongodb://h", None),
            ("mongodb://h/?tls=true", None),
        ] {
            assert_eq!(uri_database(uri).as_deref(), name, "{uri}");
        }
    }

    #[test]
    fn a_uri_may_have_a_password() {
        for (uri, password) in [
            ("mongodb://u:p@h:1/db", Some("p")),
            ("mongodb://u@h:1/db", None),
            ("mongodb://h/db?x=a:b@c", None),
            ("mongodb+srv://u:a%40b@h", Some("a%40b")),
        ] {
            assert_eq!(uri_password(uri), password, "{uri}");
        }
    }
}
