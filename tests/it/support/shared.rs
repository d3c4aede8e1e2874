//! A MongoDB launchpad that the Python FireWorks of VOLLEY_TEST_PYTHON shares.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use volley::store::Location;

use super::site::Site;
use super::{Launchpad, service};

/// What Python imports: the classes of our tasks, and what tests need there.
const MODULES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/python:", env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/python");

/// The launchpad, a folder, and the Python.
pub struct Shared {
    pub site: Site,
    pub python: String,
    address: [String; 3],
}

impl Shared {
    /// With both services, or not at all.
    pub fn new() -> Option<Self> {
        let python = service("VOLLEY_TEST_PYTHON", "python")?;
        let launchpad = Launchpad::mongo()?;
        let Location::Mongo(settings) = &launchpad.location else { unreachable!("it is MongoDB") };
        let hosts = settings.host.trim_start_matches("mongodb://").trim_end_matches('/');
        let (host, port) = hosts.rsplit_once(':').expect("HOST:PORT");
        let address = [host.to_owned(), port.to_owned(), settings.name.clone()];
        let site = Site::on(launchpad);
        site.write("FW_config.yaml", "ADD_USER_PACKAGES: [volley_firetasks]\n");
        Some(Shared { site, python, address })
    }

    /// A program in the Python of the tests: `SCRIPT HOST PORT DATABASE ARGUMENT...`.
    pub fn script(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(format!("{}/tests/fixtures/python/{name}", env!("CARGO_MANIFEST_DIR")));
        command.args(&self.address).args(arguments);
        self.at_home(&mut command);
        command
    }

    /// Our `rlaunch`, with this Python and its modules for what is not native.
    pub fn rlaunch(&self, arguments: &[&str]) -> Command {
        let mut command = self.site.rlaunch(arguments);
        command.env("PYTHONPATH", MODULES);
        command
    }

    /// Where FireWorks finds its settings and modules.
    pub fn at_home(&self, command: &mut Command) {
        command.current_dir(self.site.path()).env("HOME", self.site.path()).env("PYTHONPATH", MODULES);
    }

    /// What `peer.py` answers.
    pub fn python(&self, arguments: &[&str]) -> Value {
        let output = self.script("peer.py", arguments).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(text.lines().last().expect("prints")).expect("is JSON")
    }

    /// The state of a workflow and those of its fireworks, as Python reads them.
    pub fn states(&self, fw_id: i64) -> Value {
        let read = self.python(&["read", &fw_id.to_string()]);
        json!([read["state"], read["states"]])
    }

    /// What FireWorks' own `lpad` prints.
    pub fn lpad(&self, arguments: &[&str]) -> Value {
        let lpad = Path::new(&self.python).with_file_name("lpad");
        let mut command = Command::new(lpad);
        self.at_home(&mut command);
        let output = command.args(arguments).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        // Its log goes to the same stream.
        let log = text.lines().take_while(|line| !line.starts_with(['{', '['])).map(|line| line.len() + 1).sum();
        serde_json::from_str::<Value>(&text[log..]).expect("is JSON")
    }
}
