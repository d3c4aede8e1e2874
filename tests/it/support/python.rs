//! A site whose workers have a Python, with the tasks of tests/fixtures/python/user_package in it.

use std::path::Path;
use std::process::Command;

use bson::{Bson, Document};
use serde_json::Value;
use volley::workflow::{Draft, FwId, State};

use super::site::Site;
use super::{Launchpad, service};

/// A site, and the Python that FireWorks is installed in.
pub struct PythonSite {
    pub site: Site,
    pub python: String,
}

impl PythonSite {
    /// On an SQLite file, when there is a Python.
    pub fn sqlite() -> Option<Self> {
        PythonSite::on(Launchpad::sqlite())
    }

    /// On a given launchpad.
    pub fn on(launchpad: Launchpad) -> Option<Self> {
        let python = service("VOLLEY_TEST_PYTHON", "python")?;
        let site = PythonSite { site: Site::on(launchpad), python };
        site.site.write("FW_config.yaml", "ADD_USER_PACKAGES: [user_package]\nSORT_FWS: FIFO\n");
        site.set_python(&site.python);
        Some(site)
    }

    /// On a MongoDB, when there is one.
    pub fn mongo() -> Option<Self> {
        PythonSite::on(Launchpad::mongo()?)
    }

    /// One on each store there is.
    pub fn on_every_store() -> Vec<Self> {
        let mongo = PythonSite::sqlite().and_then(|_| PythonSite::mongo());
        PythonSite::sqlite().into_iter().chain(mongo).collect()
    }

    /// Names the command line of the worker's Python.
    pub fn set_python(&self, command: &str) {
        self.write_worker("my_fworker.yaml", "w", command);
    }

    /// Writes the file of a worker.
    pub fn write_worker(&self, file: &str, name: &str, python: &str) {
        let python = Value::from(python);
        let text = format!("name: {name}\ncategory: ''\nquery: '{{}}'\nenv: {{key: value}}\npython: {python}\n");
        self.site.write(file, &text);
    }

    /// The same Python without any package that was installed into it.
    pub fn bare_python(&self) -> String {
        format!("{} -S", self.python)
    }

    /// `volley` with the user's package in reach.
    pub fn volley(&self, arguments: &[&str]) -> Command {
        let mut command = self.site.volley(arguments);
        command.env("PYTHONPATH", packages());
        command
    }

    /// Runs `rlaunch` to its end, which must be a good one. Returns the log.
    pub fn run_well(&self, arguments: &[&str]) -> String {
        let output = self.volley(&[&["rlaunch"], arguments].concat()).output().expect("runs");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{:?}: {log}", output.status);
        log
    }

    /// The Python itself, in the folder of the site.
    pub fn python(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command.args(arguments).current_dir(self.site.path()).env("HOME", self.site.path());
        command.env("PYTHONPATH", packages());
        command
    }

    /// Runs everything with FireWorks' own `rlaunch`.
    pub fn run_fireworks(&self) {
        let rlaunch = Path::new(&self.python).with_file_name("rlaunch");
        let output = self.python(&[&rlaunch.to_string_lossy(), "-s", "rapidfire"]).output().expect("runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Stores a workflow, with MongoDB's types.
    pub fn add(&self, workflow: &Document) -> Vec<FwId> {
        let draft = Draft::from_document(workflow).expect("a workflow");
        let ids = self.site.launchpad.store.insert(&[draft], jiff::Timestamp::now()).expect("inserts");
        ids[0].iter().map(|(_, id)| *id).collect()
    }

    /// Stores a firework that calls a function.
    pub fn add_call(&self, function: &str, arguments: Value) -> FwId {
        self.site.add_tasks(Value::Array(vec![call(function, arguments)]))
    }

    /// The value that a call has stored.
    pub fn value(&self, fw_id: FwId) -> Bson {
        assert_eq!(self.site.state(fw_id), State::Completed, "{:?}", self.site.launch(fw_id).action);
        self.site.stored_data(fw_id).get("value").expect("is stored").clone()
    }

    /// A file in the directory of a launch, if it is there.
    pub fn launch_file(&self, fw_id: FwId, name: &str) -> Option<String> {
        std::fs::read_to_string(Path::new(&self.site.launch(fw_id).launch_dir).join(name)).ok()
    }
}

/// A PyTask that stores what a function of user_package.functions returns.
pub fn call(function: &str, arguments: Value) -> Value {
    serde_json::json!({
        "_fw_name": "PyTask",
        "func": format!("user_package.functions.{function}"),
        "args": arguments,
        "stored_data_varname": "value",
    })
}

fn packages() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/python")
}
