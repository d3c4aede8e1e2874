//! The shared store: FireWorks' collections in MongoDB.

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
        match self.host.split_once("://") {
            None => format!("{}:{}/{}", self.host, self.port, self.name),
            Some((_, rest)) => {
                let hosts = rest.split(['/', '?']).next().unwrap_or_default();
                let hosts = hosts.rsplit_once('@').map_or(hosts, |(_, hosts)| hosts);
                format!("{hosts}/{}", self.name)
            }
        }
    }
}
