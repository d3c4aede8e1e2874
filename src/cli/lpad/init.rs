//! `lpad init`: writes a my_launchpad.yaml and prepares the launchpad it names.

use std::fs::OpenOptions;
use std::io::{BufRead, ErrorKind, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use serde_json::{Map, Value};

use super::Context;
use crate::cli::exit::Exit;
use crate::cli::output;
use crate::config::{self, read_launchpad_file};
use crate::store;

/// Arguments of `lpad init`. What is not given is asked for on a terminal, and FireWorks' default
/// otherwise.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write; it must not exist
    #[arg(long = "config-file", alias = "config_file", default_value = "my_launchpad.yaml")]
    config_file: PathBuf,

    /// Ask for the URI of a MongoDB server only
    #[arg(short = 'u', long = "uri_mode")]
    uri_mode: bool,

    /// HOST, HOST:PORT, mongodb://…/NAME or sqlite:///path [default: localhost]
    #[arg(long)]
    host: Option<String>,

    /// Port of the server [default: 27017]
    #[arg(long)]
    port: Option<u16>,

    /// Name of the database [default: that of the URI, or fireworks]
    #[arg(long)]
    name: Option<String>,

    /// User; the password is asked for on a terminal, or read from the first line of a pipe
    #[arg(long)]
    username: Option<String>,

    /// Database the user belongs to [default: the database itself]
    #[arg(long)]
    authsource: Option<String>,

    /// File with the certificates that are trusted; the connection is encrypted then
    #[arg(long = "ssl_ca_file")]
    ssl_ca_file: Option<PathBuf>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let path = &args.config_file;
    if path.exists() {
        // Before anything is asked.
        bail!("{}", taken(path));
    }
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let answers = if terminal { ask(args)? } else { without_asking(context, args)? };
    let text = serde_saphyr::to_string(&Value::Object(answers)).context("cannot write YAML")?;
    if terminal {
        offer(path, &text)?;
    }
    write_new(path, &text)?;
    // The file is read back: what it says is what counts.
    match prepare(path) {
        Ok(place) => {
            if !context.silent {
                output::note(&format!("lpad: wrote {}, and {place} is ready", path.display()));
            }
            Ok(Exit::Done)
        }
        Err(error) => Err(error.context(format!(
            "wrote {}, but its launchpad cannot be used yet; mend the file, or delete it and begin again",
            path.display()
        ))),
    }
}

/// Prepares the launchpad that a file names, and says which that is.
fn prepare(path: &Path) -> Result<String> {
    let store = store::open(&read_launchpad_file(path)?)?;
    store.initialise()?;
    Ok(store.describe())
}

/// Tries what is to be written, and asks whether it is wanted although it does not work.
fn offer(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let cannot_write = || format!("cannot write {}", path.display());
    let mut trial = tempfile::Builder::new().suffix(".yaml").tempfile_in(folder).with_context(cannot_write)?;
    trial.write_all(text.as_bytes()).with_context(cannot_write)?;
    let Err(error) = prepare(trial.path()) else { return Ok(()) };
    output::note(&format!("lpad: this launchpad cannot be used: {error:#}"));
    output::prompt(&format!("write {} all the same? [y/N] ", path.display()));
    match line()?.to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(error.context("nothing was written")),
    }
}

/// What a person says who is asked for as little as possible.
fn ask(args: &Args) -> Result<Map<String, Value>> {
    let given = |flag: &Option<String>, key: &str, default: &str, help: &str| match flag {
        Some(value) => Ok(value.clone()),
        None => question(key, default, help),
    };
    let host = if args.uri_mode {
        given(&args.host, "URI", "mongodb://localhost:27017/fireworks", "mongodb://USER:PASSWORD@HOST/NAME")?
    } else {
        given(&args.host, "host", "localhost", "HOST, HOST:PORT, a mongodb:// URI, or sqlite:///path of a file")?
    };
    let mut place = Place::new(&host, args)?;
    if place.is_file() {
        return Ok(place.map);
    }
    if !place.is_uri && !place.has_port {
        let port = question("port", "27017", "of the server")?;
        let port: u16 = port.parse().ok().with_context(|| format!("`{port}` is no port number"))?;
        place.map.insert("port".into(), port.into());
    }
    if !place.has_name {
        place.set("name", &given(&args.name, "name", "fireworks", "the database")?);
    }
    if !place.is_uri {
        let username = given(&args.username, "username", "", "leave empty when the server asks for none")?;
        if !username.is_empty() {
            place.set("username", &username);
            place.set("password", &hidden_line()?);
            place.set("authsource", &given(&args.authsource, "authsource", "", "the user's database, if another one")?);
        }
    }
    Ok(place.map)
}

/// What the flags say. Only a password comes from a pipe: as an argument everybody could see it.
fn without_asking(context: &Context, args: &Args) -> Result<Map<String, Value>> {
    if args.uri_mode && args.host.is_none() {
        bail!("there is no terminal to ask on: give --host mongodb://...");
    }
    let mut place = Place::new(args.host.as_deref().unwrap_or("localhost"), args)?;
    if place.is_file() {
        return Ok(place.map);
    }
    if !place.has_name {
        place.set("name", args.name.as_deref().unwrap_or("fireworks"));
    }
    if let Some(username) = &args.username {
        place.set("username", username);
        place.set("password", &line()?);
        place.set("authsource", args.authsource.as_deref().unwrap_or_default());
    }
    if !context.silent && (args.host.is_none() || (args.name.is_none() && !place.has_name)) {
        let words = "lpad: nothing was asked, since this is no terminal; what no option says is FireWorks' default";
        output::note(words);
    }
    Ok(place.map)
}

/// The keys of FireWorks' file that have a value, in FireWorks' order.
struct Place {
    map: Map<String, Value>,
    is_uri: bool,
    /// The port was given.
    has_port: bool,
    /// The URI names the database.
    has_name: bool,
}

impl Place {
    fn new(host: &str, args: &Args) -> Result<Self> {
        let is_uri = host.contains("://");
        if args.uri_mode && !host.starts_with("mongodb") {
            bail!("`{host}` is no mongodb:// URI; leave --uri_mode out for a host name");
        }
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !is_uri && !name.contains(':') => (name, Some(port)),
            _ => (host, None),
        };
        let port = match port.map(str::parse::<u16>) {
            None => args.port,
            Some(Ok(port)) => Some(port),
            Some(Err(_)) => bail!("`{host}` has no port number behind its `:`"),
        };
        let mut place = Place { map: Map::new(), is_uri, has_port: port.is_some(), has_name: false };
        place.set("host", name);
        if place.is_file() {
            return Ok(place);
        }
        if is_uri {
            // FireWorks wants to be told.
            place.map.insert("uri_mode".into(), true.into());
            // It does not read the name from the URI, so the file says it, too.
            let name = args.name.clone().or_else(|| config::uri_database(host));
            place.has_name = name.is_some();
            place.set("name", &name.unwrap_or_default());
        } else {
            place.map.insert("port".into(), port.unwrap_or(27017).into());
        }
        let ca_file = args.ssl_ca_file.as_ref().map(|path| path.display().to_string());
        place.set("ssl_ca_file", &ca_file.unwrap_or_default());
        Ok(place)
    }

    /// An SQLite file needs nothing else.
    fn is_file(&self) -> bool {
        self.map["host"].as_str().is_some_and(|host| host.starts_with("sqlite://"))
    }

    /// Notes an answer; an empty one is none.
    fn set(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.map.insert(key.to_owned(), value.into());
        }
    }
}

fn question(key: &str, default: &str, help: &str) -> Result<String> {
    output::prompt(&format!("{key} ({help}) [{default}]: "));
    let answer = line()?;
    Ok(if answer.is_empty() { default.to_owned() } else { answer })
}

/// A password: the terminal does not show it.
fn hidden_line() -> Result<String> {
    output::prompt("password: ");
    let stdin = std::io::stdin();
    let shown = tcgetattr(&stdin).context("cannot hide the password")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &hidden).context("cannot hide the password")?;
    let password = line();
    tcsetattr(&stdin, OptionalActions::Now, &shown).context("cannot show what you type again")?;
    output::note("");
    password
}

fn line() -> Result<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).context("cannot read the answer")?;
    Ok(line.trim().to_owned())
}

fn taken(path: &Path) -> String {
    format!("{} exists; move it away or choose another --config-file", path.display())
}

/// Writes a file that did not exist, for its owner only: it may hold a password.
fn write_new(path: &Path, text: &str) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match file {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{}", taken(path))
        }
        file => file.with_context(|| format!("cannot write {}", path.display()))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
