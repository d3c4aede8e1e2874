//! What a worker has to work with: how many slots fit into its Slurm job or machine, and the nodes of
//! a node file.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;

/// How many fireworks run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotCount {
    /// As many as the Slurm job has tasks, or has CPUs for; or as this machine has cores.
    Auto,
    /// So many.
    Exactly(usize),
}

/// A number of slots that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a number from 1, or `auto`")]
pub struct BadSlotCount;

impl FromStr for SlotCount {
    type Err = BadSlotCount;

    fn from_str(text: &str) -> Result<Self, BadSlotCount> {
        match text {
            "auto" => Ok(SlotCount::Auto),
            _ => text.parse().ok().filter(|&count| count > 0).map(SlotCount::Exactly).ok_or(BadSlotCount),
        }
    }
}

impl SlotCount {
    /// The number, in this process.
    pub fn resolve(self) -> usize {
        let cores = || thread::available_parallelism().map_or(1, usize::from);
        match self {
            SlotCount::Exactly(count) => count,
            SlotCount::Auto => count(|name| std::env::var(name).ok(), cores),
        }
    }
}

fn count(variable: impl Fn(&str) -> Option<String>, cores: impl Fn() -> usize) -> usize {
    let number = |name| variable(name).and_then(|text| text.parse().ok()).filter(|&number: &usize| number > 0);
    if let Some(tasks) = number("SLURM_NTASKS") {
        return tasks;
    }
    let cpus = variable("SLURM_JOB_CPUS_PER_NODE").and_then(|text| sum(&text)).unwrap_or_else(cores);
    (cpus / number("SLURM_CPUS_PER_TASK").unwrap_or(1)).max(1)
}

/// The CPUs of all nodes in Slurm's short form: `72(x2),36`.
fn sum(text: &str) -> Option<usize> {
    let all = text.split(',').map(|item| {
        let (cpus, nodes) = match item.split_once("(x") {
            Some((cpus, nodes)) => (cpus, nodes.strip_suffix(')')?),
            None => (item, "1"),
        };
        cpus.parse::<usize>().ok()?.checked_mul(nodes.parse().ok()?)
    });
    all.sum()
}

/// A node file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("node file {}: {reason}", .path.display())]
pub struct BadNodeFile {
    path: PathBuf,
    reason: String,
}

/// The hosts of a node file, one a line, each once; `without` is left out.
pub fn read_node_file(path: &Path, without: Option<&str>) -> Result<Vec<String>, BadNodeFile> {
    let bad = |reason: String| BadNodeFile { path: path.to_owned(), reason };
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    let mut nodes: Vec<String> = Vec::new();
    for node in text.lines().map(str::trim).filter(|node| !node.is_empty() && Some(*node) != without) {
        if !nodes.iter().any(|known| known == node) {
            nodes.push(node.to_owned());
        }
    }
    if nodes.is_empty() { Err(bad("it names no node".to_owned())) } else { Ok(nodes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_follow_from_the_job() {
        for (variables, expected) in [
            (vec![], 6),
            (vec![("SLURM_NTASKS", "4"), ("SLURM_JOB_CPUS_PER_NODE", "72")], 4),
            (vec![("SLURM_JOB_CPUS_PER_NODE", "72(x2),36")], 180),
            (vec![("SLURM_JOB_CPUS_PER_NODE", "72(x2)"), ("SLURM_CPUS_PER_TASK", "36")], 4),
            (vec![("SLURM_CPUS_PER_TASK", "4")], 1),
            (vec![("SLURM_JOB_CPUS_PER_NODE", "nonsense"), ("SLURM_NTASKS", "")], 6),
        ] {
            let variable =
                |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            assert_eq!(count(variable, || 6), expected, "{variables:?}");
        }
    }

    #[test]
    fn counts_are_numbers_or_auto() {
        assert_eq!("auto".parse(), Ok(SlotCount::Auto));
        assert_eq!("3".parse(), Ok(SlotCount::Exactly(3)));
        for text in ["0", "-1", "many", ""] {
            assert_eq!(text.parse::<SlotCount>(), Err(BadSlotCount));
        }
    }

    #[test]
    fn a_node_file_names_each_node_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("nodes");
        std::fs::write(&path, "n2\nn1\n\nn2\n n3 \n").expect("writes");
        assert_eq!(read_node_file(&path, None).expect("reads"), ["n2", "n1", "n3"]);
        assert_eq!(read_node_file(&path, Some("n2")).expect("reads"), ["n1", "n3"]);
        std::fs::write(&path, "n1\n").expect("writes");
        let error = read_node_file(&path, Some("n1")).expect_err("is empty").to_string();
        assert!(error.contains("names no node") && error.contains("nodes"), "{error}");
    }
}
