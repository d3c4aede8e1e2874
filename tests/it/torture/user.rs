//! A user who meddles while the fleet works: adds, appends, steers and deletes, by the real `lpad`, which
//! is killed now and then.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use bson::Document;
use volley::store::WorkflowQuery;
use volley::workflow::{FwId, int_list};

use super::fleet::{LOG, RUN};
use super::workload::{Kind, Workflow, Workload};
use crate::support::random::Random;
use crate::support::site::Site;

/// What a workflow of the ledger has become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was added, and said to be.
    Added,
    /// It was deleted, and said to be.
    Deleted,
    /// Who was about it was killed, or could not reach the store: all of it is there, or nothing.
    Unknown,
}

/// What must be in the launchpad.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By the number of its first firework, a workflow: its numbers.
    pub workflows: BTreeMap<i64, (Vec<i64>, Fate)>,
    /// How many verbs did what they were told to, and how many refused.
    pub done: usize,
    pub refused: Vec<String>,
    /// Verbs that ended as none may.
    pub broken: Vec<String>,
    /// How often `lpad` was killed.
    pub kills: usize,
}

/// The user.
pub struct User<'a> {
    site: &'a Site,
    run: String,
    random: Random,
    workload: Workload,
    pub ledger: Ledger,
    files: usize,
}

impl<'a> User<'a> {
    pub fn new(site: &'a Site, run: &str, seed: u64) -> Self {
        let (random, workload) = (Random::new(!seed), Workload::new(seed));
        User { site, run: run.to_owned(), random, workload, ledger: Ledger::default(), files: 0 }
    }

    /// Adds a workflow.
    pub fn add(&mut self, kind: Kind) {
        let workflow = self.workload.workflow(kind);
        let file = self.write(&workflow);
        let fate = if self.lpad(&["add", &file]) { Fate::Added } else { Fate::Unknown };
        self.ledger.workflows.insert(workflow.numbers[0], (workflow.numbers, fate));
    }

    fn write(&mut self, workflow: &Workflow) -> String {
        for (number, growth) in &workflow.growths {
            self.site.write(&format!("evidence.{number}"), growth);
        }
        self.files += 1;
        let name = format!("wf_{}.json", self.files);
        self.site.write(&name, &workflow.document.to_string());
        name
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.site.volley(&[&["lpad"], words].concat());
        command.env(RUN, &self.run).env(LOG, "none").stdin(Stdio::null());
        command
    }

    /// Runs `lpad`; whether it did what it was told to.
    fn lpad(&mut self, words: &[&str]) -> bool {
        let output = self.command(words).output().expect("runs");
        let code = output.status.code();
        let said = || format!("lpad {}: {code:?}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr));
        match code {
            Some(0) => self.ledger.done += 1,
            // Refused, nothing selected, or some of them refused; or the store is away.
            Some(1 | 4 | 5) => self.ledger.refused.push(said()),
            _ => self.ledger.broken.push(said()),
        }
        output.status.success()
    }

    /// Workflows of a kind that are there.
    fn workflows(&self, kind: Kind) -> Vec<Document> {
        let mut found = self.site.launchpad.store.find_workflows(&WorkflowQuery::default()).unwrap_or_default();
        found
            .retain(|one| one.get_str("name").is_ok_and(|name| name.starts_with(kind.prefix()) && !name.contains(' ')));
        found
    }

    fn some_firework(&mut self) -> Option<FwId> {
        let workflows = self.workflows(Kind::Steered);
        let workflow = workflows.get(self.random.below(workflows.len().max(1)))?;
        let nodes = int_list(workflow.get("nodes"));
        (!nodes.is_empty()).then(|| self.random.of(&nodes))
    }

    /// Does one thing.
    pub fn meddle(&mut self) {
        let Some(fw_id) = self.some_firework().map(|id| id.to_string()) else { return };
        let priority = self.random.below(9).to_string();
        let change = format!(r#"{{"note": {priority}}}"#);
        let words: &[&str] = match self.random.below(14) {
            0 | 1 => &["rerun_fws", "-i", &fw_id],
            2 => &["pause_fws", "-i", &fw_id],
            3 => &["pause_wflows", "-i", &fw_id],
            4 => &["resume_fws", "-s", "PAUSED"],
            5 => &["defuse_fws", "-i", &fw_id],
            6 => &["defuse_wflows", "-i", &fw_id],
            7 => &["reignite_fws", "-s", "DEFUSED"],
            8 => &["set_priority", &priority, "-i", &fw_id],
            9 => &["update_fws", "-i", &fw_id, "-u", &change],
            10 => return self.append(&fw_id),
            11 => return self.delete(),
            12 => return self.die_adding(),
            _ => return self.add_any(),
        };
        self.lpad(&[words, &["--yes"]].concat());
    }

    fn add_any(&mut self) {
        let kind = self.random.of(&[Kind::Strict, Kind::Steered, Kind::Doomed]);
        self.add(kind);
    }

    fn append(&mut self, fw_id: &str) {
        let workflow = self.workload.appendix();
        let file = self.write(&workflow);
        let detour: &[&str] = if self.random.percent(40) { &["--detour"] } else { &[] };
        let done = self.lpad(&[&["append_wflow", "-i", fw_id, "-f", &file], detour].concat());
        let fate = if done { Fate::Added } else { Fate::Unknown };
        self.ledger.workflows.insert(workflow.numbers[0], (workflow.numbers, fate));
    }

    fn delete(&mut self) {
        let doomed = self.workflows(Kind::Doomed);
        let Some(workflow) = doomed.get(self.random.below(doomed.len().max(1))) else { return };
        let Some(first) = workflow.get_str("name").ok().and_then(|name| name.rsplit('-').next()?.parse::<i64>().ok())
        else {
            return;
        };
        let Some(&fw_id) = int_list(workflow.get("nodes")).first() else { return };
        let done = self.lpad(&["delete_wflows", "-i", &fw_id.to_string(), "--yes"]);
        if let Some((_, fate)) = self.ledger.workflows.get_mut(&first) {
            *fate = if done { Fate::Deleted } else { Fate::Unknown };
        }
    }

    /// Is killed while it adds a workflow.
    fn die_adding(&mut self) {
        let workflow = self.workload.workflow(Kind::Strict);
        let file = self.write(&workflow);
        let mut child =
            self.command(&["add", &file]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("runs");
        std::thread::sleep(Duration::from_millis(self.random.below(60) as u64));
        let _ = child.kill();
        child.wait().expect("ends");
        self.ledger.kills += 1;
        self.ledger.workflows.insert(workflow.numbers[0], (workflow.numbers, Fate::Unknown));
    }

    /// Lets go on what is held; nothing of a command that a user gives up may be left.
    pub fn let_go(&mut self) {
        for words in [["resume_fws", "-s", "PAUSED"], ["reignite_fws", "-s", "DEFUSED"]] {
            self.lpad(&[&words[..], &["--yes"]].concat());
        }
    }
}
