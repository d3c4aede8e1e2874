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
use crate::config::read_launchpad_file;
use crate::store;

/// Arguments of `lpad init`. What is not given is asked for on a terminal, and FireWorks' default
/// otherwise.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file to write
    #[arg(long = "config-file", alias = "config_file", default_value = "my_launchpad.yaml")]
    config_file: PathBuf,

    /// Host name, mongodb:// URI, or sqlite:///path
    #[arg(long)]
    host: Option<String>,

    /// Port [default: 27017]
    #[arg(long)]
    port: Option<u16>,

    /// Name of the database [default: fireworks]
    #[arg(long)]
    name: Option<String>,

    /// User; the password is asked for on a terminal, or read from the first line of a pipe
    #[arg(long)]
    username: Option<String>,

    /// Database the user belongs to [default: the database itself]
    #[arg(long)]
    authsource: Option<String>,

    /// File with the certificates that are trusted
    #[arg(long = "ssl_ca_file")]
    ssl_ca_file: Option<PathBuf>,
}

pub fn run(context: &Context, args: &Args) -> Result<Exit> {
    let text = serde_saphyr::to_string(&Value::Object(ask(args)?)).context("cannot write YAML")?;
    let path = &args.config_file;
    write_new(path, &text)?;
    // The file is read back: what it says is what counts.
    let prepared = read_launchpad_file(path).map_err(anyhow::Error::from).and_then(|location| {
        let store = store::open(&location)?;
        store.initialise()?;
        Ok(store.describe())
    });
    match prepared {
        Ok(place) => {
            if !context.silent {
                output::note(&format!("lpad: wrote {}, and {place} is ready", path.display()));
            }
            Ok(Exit::Done)
        }
        Err(error) => Err(error.context(format!("wrote {}, but its launchpad cannot be used yet", path.display()))),
    }
}

/// Every key of FireWorks' file that has a value, in FireWorks' order.
fn ask(args: &Args) -> Result<Map<String, Value>> {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let given = |flag: &Option<String>, key: &str, default: &str, help: &str| match flag {
        Some(value) => Ok(value.clone()),
        None if terminal => question(key, default, help),
        None => Ok(default.to_owned()),
    };
    let host = given(&args.host, "host", "localhost", "a host name, a mongodb:// URI, or sqlite:///path")?;
    let mut map = Map::new();
    let mut insert = |key: &str, value: String| {
        if !value.is_empty() {
            map.insert(key.to_owned(), value.into());
        }
    };
    insert("host", host.clone());
    if host.starts_with("sqlite://") {
        return Ok(map);
    }
    let is_uri = host.contains("://");
    insert("name", given(&args.name, "name", "fireworks", "the database")?);
    let port = if is_uri {
        String::new()
    } else {
        given(&args.port.map(|port| port.to_string()), "port", "27017", "the server's port")?
    };
    if !is_uri {
        let username = given(&args.username, "username", "", "leave empty when the server asks for none")?;
        let has_user = !username.is_empty();
        insert("username", username);
        if has_user {
            insert("password", password(terminal)?);
            insert("authsource", given(&args.authsource, "authsource", "", "the user's database, if another one")?);
        }
    }
    let ca_file = args.ssl_ca_file.as_ref().map(|path| path.display().to_string());
    insert("ssl_ca_file", given(&ca_file, "ssl_ca_file", "", "trusted certificates, if TLS needs them")?);
    if !port.is_empty() {
        let number: u16 = port.parse().with_context(|| format!("`{port}` is no port number"))?;
        map.insert("port".into(), number.into());
    }
    if is_uri {
        // FireWorks wants to be told.
        map.insert("uri_mode".into(), true.into());
    }
    Ok(map)
}

fn question(key: &str, default: &str, help: &str) -> Result<String> {
    output::prompt(&format!("{key} ({help}) [{default}]: "));
    let answer = line()?;
    Ok(if answer.is_empty() { default.to_owned() } else { answer })
}

/// Never an argument: those can be seen by everybody on the machine. A terminal does not show it.
fn password(terminal: bool) -> Result<String> {
    if !terminal {
        return line();
    }
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

/// Writes a file that did not exist, for its owner only: it may hold a password.
fn write_new(path: &Path, text: &str) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let mut file = match file {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!("{} exists; move it away or choose another --config-file", path.display())
        }
        file => file.with_context(|| format!("cannot write {}", path.display()))?,
    };
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
