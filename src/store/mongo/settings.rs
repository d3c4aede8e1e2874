//! How a MongoDB launchpad is reached, and the driver's options for it.

use std::time::Duration;

use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::{ClientOptions, Credential, ServerMonitoringMode};

use crate::store::{Result, StoreError};

/// A server that has not answered by then is reported as away; within the five seconds that a
/// person waits for a command.
const SELECTION: Duration = Duration::from_secs(4);

/// A thousand pilots must not exhaust the server.
const CONNECTIONS: u32 = 2;

/// How to reach a MongoDB launchpad: the keys of FireWorks' `my_launchpad.yaml`.
#[derive(Clone, PartialEq)]
pub struct MongoSettings {
    /// Host name, or a `mongodb://` or `mongodb+srv://` URI.
    pub host: String,
    /// Port; not used with a URI.
    pub port: u16,
    /// Name of the database.
    pub name: String,
    /// User, when the server asks for one.
    pub username: Option<String>,
    /// Password of the user.
    pub password: Option<String>,
    /// Database the user belongs to; `name` when nothing is said.
    pub authsource: Option<String>,
    /// Further options by pymongo's names (`tls`, `tlsCAFile`, `serverSelectionTimeoutMS`, ...).
    pub options: serde_json::Map<String, serde_json::Value>,
    /// Further indexes on `fireworks`.
    pub user_indices: Vec<String>,
    /// Further indexes on `workflows`.
    pub wf_user_indices: Vec<String>,
}

impl Default for MongoSettings {
    fn default() -> Self {
        MongoSettings {
            host: "localhost".into(),
            port: 27017,
            name: "fireworks".into(),
            username: None,
            password: None,
            authsource: None,
            options: serde_json::Map::new(),
            user_indices: Vec::new(),
            wf_user_indices: Vec::new(),
        }
    }
}

impl std::fmt::Debug for MongoSettings {
    /// Shows no password, neither the field nor the one in a URI.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MongoSettings")
            .field("place", &self.place())
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl MongoSettings {
    /// `HOST:PORT/NAME` for people, without credentials.
    pub fn place(&self) -> String {
        let after_scheme = self.host.split_once("://");
        let rest = after_scheme.map_or(self.host.as_str(), |(_, rest)| rest);
        // First the credentials: a password that nobody has escaped may hold `/` and `?`.
        let rest = rest.rsplit_once('@').map_or(rest, |(_, hosts)| hosts);
        let hosts = rest.split(['/', '?']).next().unwrap_or_default();
        let port = if after_scheme.is_none() { format!(":{}", self.port) } else { String::new() };
        format!("{hosts}{port}/{}", self.name)
    }

    /// The driver's options. Those of pymongo have the names that a connection string has, so they
    /// are handed over as one.
    pub(super) fn client_options(&self) -> Result<ClientOptions> {
        let refused = |reason: String| StoreError::Refused { place: format!("MongoDB {}", self.place()), reason };
        let mut options = ClientOptions::parse(self.connection_string())
            .run()
            .map_err(|error| refused(format!("cannot use these connection settings: {}", error.kind)))?;
        if let Some(username) = &self.username {
            options.credential = Some(
                Credential::builder()
                    .username(username.clone())
                    .password(self.password.clone())
                    .source(self.authsource.clone().unwrap_or_else(|| self.name.clone()))
                    .build(),
            );
        }
        options.app_name.get_or_insert_with(|| "volley".to_owned());
        options.server_selection_timeout.get_or_insert(SELECTION);
        options.connect_timeout.get_or_insert(SELECTION);
        options.max_pool_size.get_or_insert(CONNECTIONS);
        // The server is looked at now and then. To be told of its changes at once takes a second connection for
        // the looks, and who uses the server hears of them by that.
        options.server_monitoring_mode.get_or_insert(ServerMonitoringMode::Poll);
        options.command_event_handler = Some(EventHandler::callback(log_command));
        Ok(options)
    }

    fn connection_string(&self) -> String {
        let (base, has_query) = match self.host.split_once("://") {
            None => (format!("mongodb://{}:{}/", self.host, self.port), false),
            Some((_, rest)) if rest.contains('/') => (self.host.clone(), self.host.contains('?')),
            Some(_) => (format!("{}/", self.host), false),
        };
        let query: Vec<String> = self
            .options
            .iter()
            .map(|(name, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                format!("{name}={}", percent_encode(&value))
            })
            .collect();
        match (query.is_empty(), has_query) {
            (true, _) => base,
            (false, true) => format!("{base}&{}", query.join("&")),
            (false, false) => format!("{base}?{}", query.join("&")),
        }
    }
}

/// Everything but letters, digits and a few marks becomes `%XX`.
fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// One line per command in the log (`RUST_LOG=volley::mongo=trace`): who counts round trips counts
/// these.
fn log_command(event: CommandEvent) {
    if let CommandEvent::Started(event) = event {
        tracing::trace!(target: "volley::mongo", "{}", event.command_name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_a_connection_string() {
        let mut settings = MongoSettings::default();
        assert_eq!(settings.connection_string(), "mongodb://localhost:27017/");
        settings.options.insert("tls".into(), true.into());
        settings.options.insert("tlsCAFile".into(), "/etc/my ca.pem".into());
        assert_eq!(settings.connection_string(), "mongodb://localhost:27017/?tls=true&tlsCAFile=%2Fetc%2Fmy%20ca.pem");
        settings.host = "mongodb://u:p@a:1,b:2/?w=1".into();
        assert!(settings.connection_string().starts_with("mongodb://u:p@a:1,b:2/?w=1&tls=true&"));
    }

    #[test]
    fn no_password_is_shown() {
        let settings = MongoSettings {
            host: "mongodb://user:secret@host:1/db?x=y".into(),
            password: Some("secret".into()),
            ..MongoSettings::default()
        };
        assert_eq!(settings.place(), "host:1/fireworks");
        for host in ["mongodb://user:se/cret@host", "mongodb+srv://user:se?cret@host/db", "user:secret@host"] {
            let settings = MongoSettings { host: host.into(), ..MongoSettings::default() };
            assert!(settings.place().starts_with("host") && !settings.place().contains("cret"), "{}", settings.place());
        }
        assert!(!format!("{settings:?}").contains("secret"));
    }
}
