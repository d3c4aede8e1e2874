//! `my_qadapter.yaml`: which queue, and what its job scripts are filled with.
//!
//! FireWorks' keys begin with `_fw_` or `_q_`; `rocket_launch` is what a job runs; everything
//! else is a key of the template. `array` is among them, as the user's own wish: each job is an array
//! then, which is refused where jobs are counted or each is for one firework. Without a file, or without
//! `_fw_q_type`, the queue is Slurm where there is an `sbatch`, and this machine elsewhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use serde_json::Value;

use super::read::SettingsFile;
use super::{ConfigError, nearest};
use crate::queue::Template;
use crate::queue::slurm::Programs;

/// The template that comes with Volley. The local queue uses it, too: it reads from it where the
/// output goes, and to the shell the rest is comments.
const TEMPLATE: &str = include_str!("../../templates/queue/SLURM_template.txt");
/// How long a listing of the queue may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Keys that are no template's.
const OWN_KEYS: [&str; 8] = [
    "_fw_name",
    "_fw_q_type",
    "_fw_q_name",
    "_fw_template_file",
    "_fw_timeout",
    "_q_commands_override",
    "logdir",
    "rocket_launch",
];
/// What Slurm calls FireWorks' `queue`, and everybody tries first.
const PARTITION: &str = "partition";
/// Keys that every script gets from the launcher.
const GIVEN_KEYS: [&str; 1] = ["launch_dir"];

/// A kind of queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueType {
    /// Slurm.
    Slurm,
    /// This machine.
    Local,
}

/// How jobs are submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueAdapter {
    /// To which queue.
    pub queue: QueueType,
    /// Nobody said which queue.
    pub is_guess: bool,
    /// With which script.
    pub template: Template,
    /// What the script runs; `None` for what the launcher thinks best.
    pub rocket_launch: Option<String>,
    /// The other keys of the template.
    pub keys: BTreeMap<String, String>,
    /// Slurm's programs.
    pub programs: Programs,
    /// How long a listing of the queue may take.
    pub timeout: Duration,
    /// What is strange in the file, but no error.
    pub warnings: Vec<String>,
}

impl QueueAdapter {
    /// The adapter of a file, or the default one.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let found = if is_on_path("sbatch") { QueueType::Slurm } else { QueueType::Local };
        file.map_or_else(|| Ok(QueueAdapter::new(found)), |path| QueueAdapter::read(path, found))
    }

    fn new(queue: QueueType) -> Self {
        QueueAdapter {
            queue,
            is_guess: true,
            template: Template::new(TEMPLATE),
            rocket_launch: None,
            keys: BTreeMap::new(),
            programs: Programs::default(),
            timeout: TIMEOUT,
            warnings: Vec::new(),
        }
    }

    /// Reads a file; `found` is the queue where it names none.
    fn read(path: &Path, found: QueueType) -> Result<Self, ConfigError> {
        let file = SettingsFile::read(path)?;
        if let Some(name) = file.text("_fw_name")?.filter(|name| name != "CommonAdapter") {
            return Err(file.wrong("_fw_name", format!("CommonAdapter; `{name}` is Python, which Volley does not run")));
        }
        let mut adapter = QueueAdapter::new(found);
        read_commands(&file, &mut adapter)?;
        if let Some(name) = file.text("_fw_q_type")? {
            adapter.queue = queue_type(&file, &name)?;
            adapter.is_guess = false;
        }
        if let Some(timeout) = file.duration("_fw_timeout")? {
            adapter.timeout = timeout;
        }
        if let Some(template) = file.text("_fw_template_file")? {
            adapter.template = read_template(path, &template)?;
        }
        adapter.rocket_launch = value(&file, "rocket_launch")?;
        if file.get("requeue").is_some_and(|value| !value.is_boolean()) {
            return Err(file.wrong("requeue", "true or false"));
        }

        let mut unknown = Vec::new();
        for key in file.keys().filter(|key| !OWN_KEYS.contains(key)) {
            let Some(value) = value(&file, key)? else { continue };
            let known = adapter.template.keys();
            let key = match key {
                PARTITION if !known.contains(PARTITION) && known.contains("queue") => "queue",
                key => key,
            };
            if !known.contains(key) {
                let mut names: Vec<&str> = known.into_iter().filter(|name| !GIVEN_KEYS.contains(name)).collect();
                names.extend(OWN_KEYS);
                names.push(PARTITION);
                let hint = nearest::hint(key, &names);
                unknown.push(format!("{}: `{key}` is no key of the template{hint}, ignored", path.display()));
            } else if adapter.keys.insert(key.to_owned(), value).is_some() {
                return Err(file.wrong(PARTITION, "left out when `queue` is there: they are the same"));
            }
        }
        adapter.warnings = unknown;
        Ok(adapter)
    }
}

/// Where local jobs and the turns of launchers are recorded: `$VOLLEY_LOCAL_QUEUE`, else below the
/// XDG state folder.
pub fn state_folder() -> Result<PathBuf, ConfigError> {
    if let Some(folder) = std::env::var_os("VOLLEY_LOCAL_QUEUE").filter(|value| !value.is_empty()) {
        return std::path::absolute(&folder).map_err(|source| ConfigError::Io { path: folder.into(), source });
    }
    let unknown = |reason: String| ConfigError::Surroundings { what: "home folder", reason };
    let base = etcetera::choose_base_strategy().map_err(|error| unknown(error.to_string()))?;
    Ok(base.state_dir().unwrap_or_else(|| base.data_dir()).join("volley/queue"))
}

fn queue_type(file: &SettingsFile<'_>, name: &str) -> Result<QueueType, ConfigError> {
    match name.to_ascii_uppercase().as_str() {
        "SLURM" => Ok(QueueType::Slurm),
        "LOCAL" => Ok(QueueType::Local),
        "PBS" | "SGE" | "COBALT" | "LOADLEVELER" | "LOADSHARINGFACILITY" | "MOAB" => {
            Err(file.wrong("_fw_q_type", format!("SLURM or LOCAL; {name} is not supported yet")))
        }
        _ => Err(file.wrong("_fw_q_type", format!("SLURM or LOCAL, not `{name}`"))),
    }
}

/// `_q_commands_override`: other programs than `sbatch` and `squeue`, with arguments if need be.
fn read_commands(file: &SettingsFile<'_>, adapter: &mut QueueAdapter) -> Result<(), ConfigError> {
    const KEY: &str = "_q_commands_override";
    let wrong = || file.wrong(KEY, "a mapping of submit_cmd and status_cmd to commands");
    for (key, command) in file.mapping(KEY)?.into_iter().flatten() {
        let words = command.as_str().and_then(shlex::split).filter(|words| !words.is_empty()).ok_or_else(wrong)?;
        match key.as_str() {
            "submit_cmd" => adapter.programs.submit = words,
            "status_cmd" => adapter.programs.status = words,
            _ => return Err(wrong()),
        }
        adapter.queue = QueueType::Slurm;
        adapter.is_guess = false;
    }
    Ok(())
}

/// A template, relative to the file that names it.
fn read_template(adapter: &Path, template: &str) -> Result<Template, ConfigError> {
    let path = adapter.parent().map_or_else(|| PathBuf::from(template), |folder| folder.join(template));
    let bytes = std::fs::read(&path).map_err(|source| ConfigError::Io { path: path.clone(), source })?;
    let text = super::read::text(bytes).map_err(|error| ConfigError::Syntax {
        path,
        line: None,
        reason: error.to_string(),
    })?;
    Ok(Template::new(&text))
}

/// A value as Python would print it; null and nothing are as if the key were not there.
fn value(file: &SettingsFile<'_>, key: &str) -> Result<Option<String>, ConfigError> {
    match file.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim_end().replace("\r\n", "\n")).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(Value::Bool(yes)) => Ok(Some(if *yes { "True" } else { "False" }.to_owned())),
        Some(_) => Err(file.wrong(key, "a single value (several lines: `|`)")),
    }
}

/// Whether a program can be called by its name.
fn is_on_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| {
        use std::os::unix::fs::PermissionsExt;
        folder.join(program).metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<QueueAdapter, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("mine.txt"), "\u{feff}#!/bin/sh\r\n# $${walltime} $${partition}\r\n")
            .expect("written");
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        QueueAdapter::read(&path, QueueType::Local)
    }

    fn keys(adapter: &QueueAdapter) -> Vec<(&str, &str)> {
        adapter.keys.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
    }

    #[test]
    fn reads_what_fireworks_documents() {
        let text = "\u{feff}_fw_name: CommonAdapter\r\n_fw_q_type: SLURM\r\nrocket_launch: rlaunch -c /a singleshot\r\n\
                    nodes: 1\r\nwalltime: 00:02:00\r\nqueue: null\r\naccount: ''\r\nlogdir: /tmp\r\n\
                    pre_rocket: |\r\n  module load a\r\n  echo $$\r\n";
        let adapter = read("my_qadapter.yaml", text).expect("is read");
        assert_eq!(adapter.queue, QueueType::Slurm);
        assert_eq!(adapter.rocket_launch.as_deref(), Some("rlaunch -c /a singleshot"));
        assert_eq!(
            keys(&adapter),
            [("nodes", "1"), ("pre_rocket", "module load a\necho $$"), ("walltime", "00:02:00")]
        );
        assert_eq!(adapter.warnings, Vec::<String>::new());
        assert!(adapter.template.keys().contains("gpu-bind"));
    }

    #[test]
    fn reads_json() {
        let adapter =
            read("my_qadapter.json", r#"{"_fw_q_type": "local", "ntasks": 4, "mem": "2G"}"#).expect("is read");
        assert_eq!(adapter.queue, QueueType::Local);
        assert_eq!(keys(&adapter), [("mem", "2G"), ("ntasks", "4")]);
    }

    #[test]
    fn warns_of_keys_that_fill_nothing() {
        let adapter = read("q.yaml", "waltime: 1\nbogus_key: 2\nrocket_lunch: x\n_fw_q_typ: SLURM\n").expect("is read");
        let [first, second, third, fourth] = adapter.warnings.as_slice() else { panic!("{:?}", adapter.warnings) };
        assert!(first.contains("`waltime`") && first.contains("did you mean `walltime`?"), "{first}");
        assert!(second.contains("`bogus_key`") && !second.contains("did you mean"), "{second}");
        assert!(third.contains("did you mean `rocket_launch`?"), "{third}");
        assert!(fourth.contains("did you mean `_fw_q_type`?"), "{fourth}");
        assert_eq!(keys(&adapter), []);
    }

    #[test]
    fn takes_what_fireworks_lacks() {
        let text = "array: 0-3\ndependency: singleton\nreservation: r\ncomment: my own\nexport: ALL\nrequeue: false\n\
                    exclusive: true\ngpu-bind: closest\n";
        let adapter = read("q.yaml", text).expect("is read");
        assert_eq!((adapter.keys.len(), adapter.warnings), (8, Vec::new()));
        let near = read("q.yaml", "gpu_bind: closest\nexklusive: true\n").expect("is read").warnings;
        assert!(near[0].contains("`gpu-bind`?") && near[1].contains("`exclusive`?"), "{near:?}");
    }

    #[test]
    fn a_partition_is_a_queue() {
        assert_eq!(keys(&read("q.yaml", "partition: debug\n").expect("is read")), [("queue", "debug")]);
        let error = read("q.yaml", "partition: debug\nqueue: long\n").expect_err("is refused").to_string();
        assert!(error.contains("the same"), "{error}");
        // A template that has it keeps it.
        let mine = read("q.yaml", "_fw_template_file: mine.txt\npartition: debug\nwalltime: 5\n").expect("is read");
        assert_eq!(keys(&mine), [("partition", "debug"), ("walltime", "5")]);
    }

    #[test]
    fn takes_other_commands() {
        let text = "_q_commands_override: {submit_cmd: 'env A=b sbatch', status_cmd: /opt/squeue}\n";
        let adapter = read("q.yaml", text).expect("is read");
        assert_eq!(adapter.queue, QueueType::Slurm);
        assert_eq!(adapter.programs.submit, ["env", "A=b", "sbatch"]);
        assert_eq!(adapter.programs.status, ["/opt/squeue"]);
    }

    #[test]
    fn refuses_with_a_reason() {
        for (text, reason) in [
            ("_fw_q_type: PBS\n", "PBS is not supported yet"),
            ("_fw_q_type: SLRUM\n", "not `SLRUM`"),
            ("_fw_name: MyAdapter\n", "`MyAdapter` is Python"),
            ("_fw_template_file: none.txt\n", "none.txt"),
            ("requeue: sometimes\n", "`requeue` must be true or false"),
            ("nodes: [1, 2]\n", "`nodes` must be a single value"),
            ("_q_commands_override: {kill_cmd: x}\n", "submit_cmd"),
            ("- 1\n", "mapping"),
        ] {
            let error = read("q.yaml", text).expect_err(text).to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
