//! The real binary in a folder and with an environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use volley::store::{Location, MongoSettings};

use super::run::{Ran, VOLLEY, private};
use super::service;

/// A private home with a launchpad.
pub struct Cli {
    folder: TempDir,
    launchpad: Option<String>,
    database: Option<(String, String)>,
}

impl Cli {
    /// Without any setting: Volley finds its launchpad itself.
    pub fn unconfigured() -> Self {
        Cli::at(None, None)
    }

    fn at(launchpad: Option<String>, database: Option<(String, String)>) -> Self {
        Cli { folder: tempfile::tempdir().expect("a temporary folder"), launchpad, database }
    }

    /// On an SQLite file.
    pub fn sqlite() -> Self {
        Cli::at(Some("launchpad.db".to_owned()), None)
    }

    /// On a database of the private mongod, when there is one.
    pub fn mongo() -> Option<Self> {
        service("VOLLEY_TEST_MONGO", "mongo").map(|uri| Cli::on_server(&uri))
    }

    /// On a database of a server.
    pub fn on_server(uri: &str) -> Self {
        let name = format!("volley_test_{}", uuid::Uuid::now_v7().simple());
        let launchpad = Some(format!("{}/{name}", uri.trim_end_matches('/')));
        Cli::at(launchpad, Some((uri.to_owned(), name)))
    }

    /// One on each store that there is.
    pub fn everywhere() -> Vec<Self> {
        [Some(Cli::sqlite()), Cli::mongo()].into_iter().flatten().collect()
    }

    /// The launchpad.
    pub fn location(&self) -> Location {
        match &self.database {
            Some((uri, name)) => {
                let settings = MongoSettings { host: uri.clone(), name: name.clone(), ..MongoSettings::default() };
                Location::Mongo(Box::new(settings))
            }
            None => Location::Sqlite(self.folder().join("launchpad.db")),
        }
    }

    /// Host, port and name of the database, as FireWorks' LaunchPad wants them.
    pub fn address(&self) -> (&str, &str, &str) {
        let (uri, name) = self.database.as_ref().expect("a MongoDB launchpad");
        let hosts = uri.trim_start_matches("mongodb://").trim_end_matches('/');
        let (host, port) = hosts.rsplit_once(':').expect("HOST:PORT");
        (host, port, name)
    }

    /// The folder in which commands run; it is also the home.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder().join(name);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("makes folders");
        std::fs::write(&path, text).expect("writes");
        path
    }

    /// The command that `run` runs.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = private(program, self.folder());
        if let Some(launchpad) = &self.launchpad {
            command.env("VOLLEY_LAUNCHPAD", launchpad);
        }
        command
    }

    /// Runs `volley ARGS`.
    pub fn volley(&self, args: &[&str]) -> Ran {
        let mut command = self.command(Path::new(VOLLEY));
        Ran::of(command.args(args))
    }

    /// Runs `lpad ARGS`.
    pub fn lpad(&self, args: &[&str]) -> Ran {
        self.volley(&[&["lpad"], args].concat())
    }

    /// Runs everything that is ready.
    pub fn rapidfire(&self) {
        self.volley(&["rlaunch", "-s", "rapidfire"]).done();
    }

    /// Runs `lpad ARGS` on a terminal and types `keys`. None where `script` is not installed.
    pub fn on_a_terminal(&self, args: &str, keys: &str) -> Option<Ran> {
        let mut child = self.at_a_terminal(60, args)?;
        let mut stdin = child.stdin.take().expect("is piped");
        std::io::Write::write_all(&mut stdin, keys.as_bytes()).expect("types");
        let output = child.wait_with_output().expect("ends");
        drop(stdin);
        Some(Ran::from(output))
    }

    /// The lines that `lpad ARGS` prints on a terminal of so many columns, without colours.
    pub fn picture(&self, columns: usize, args: &str) -> Option<Vec<String>> {
        let mut child = self.at_a_terminal(columns, &format!("{args} --color never"))?;
        let stdin = child.stdin.take();
        let ran = Ran::from(child.wait_with_output().expect("ends")).done();
        drop(stdin);
        let lines: Vec<String> = ran.stdout.lines().map(|line| line.trim_end().to_owned()).collect();
        for line in &lines {
            // A path or an address that is longer than the terminal is wide stands as it is.
            let is_one_word = line.chars().count() > 11 && !line.chars().skip(11).any(char::is_whitespace);
            assert!(is_one_word || line.chars().count() <= columns, "{} columns: {line}", line.chars().count());
        }
        Some(lines)
    }

    /// `lpad ARGS` on a terminal, which still runs. None where `script` is not installed.
    pub fn at_a_terminal(&self, columns: usize, args: &str) -> Option<Child> {
        let line = format!("stty cols {columns} rows 50 2>/dev/null; exec {} lpad {args}", shell_binary());
        let mut command = self.command(Path::new("script"));
        command.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm").stdin(Stdio::piped());
        command.env("SHELL", "/bin/sh").stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.spawn() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!("SKIPPED {}: needs `script`", std::thread::current().name().unwrap_or("?"));
                None
            }
            child => Some(child.expect("runs")),
        }
    }

    /// Adds two chains of two no-ops and a lone one that fails: fireworks 1 to 5.
    pub fn with_five_fireworks(self) -> Self {
        self.write("two.yaml", TWO);
        self.write("bad.yaml", BAD);
        self.lpad(&["add", "two.yaml", "two.yaml", "bad.yaml"]).done();
        self
    }

    /// The states of all fireworks, by id.
    pub fn states(&self) -> Vec<String> {
        let all = self.lpad(&["get_fws"]).json();
        let one = std::slice::from_ref(&all);
        let list = all.as_array().map_or(one, Vec::as_slice);
        list.iter().map(|firework| firework["state"].as_str().expect("a state").to_owned()).collect()
    }
}

/// `first` -> `second`.
pub const TWO: &str = "
fws:
- fw_id: 1
  name: first
  spec: {formula: Si2, _tasks: [{_fw_name: ScriptTask, script: 'true'}]}
- fw_id: 2
  name: second
  spec: {_tasks: [{_fw_name: ScriptTask, script: 'true'}]}
links: {1: [2]}
metadata: {project: test}
name: pair
";

/// A single firework that fails.
pub const BAD: &str = "
name: fails
spec: {_tasks: [{_fw_name: ScriptTask, script: 'exit 3'}]}
";

impl Drop for Cli {
    fn drop(&mut self) {
        if let Some((uri, name)) = &self.database {
            let client = mongodb::sync::Client::with_uri_str(uri).expect("connects");
            let _ = client.database(name).drop().run();
        }
    }
}

/// The binary as a word of a shell: the checkout may be in a folder with spaces.
pub fn shell_binary() -> String {
    shlex::try_quote(VOLLEY).expect("can be quoted").into_owned()
}
