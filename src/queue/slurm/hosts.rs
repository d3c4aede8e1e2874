//! Where jobs run: reads what `sinfo` prints of nodes.

use super::{Slurm, strange};
use crate::queue::{Job, QueueError, Result, directives};

/// Partition, host and address, which none of them can contain.
const FORMAT: &str = "%R|%n|%o|%P";

impl Slurm {
    /// The hosts of the partition of a job, without this one.
    pub(super) fn find_other_hosts(&self, job: &Job) -> Result<Vec<String>> {
        let path = job.dir.join(&job.script);
        let script = std::fs::read_to_string(&path).map_err(|source| QueueError::Io { path, source })?;
        // For `sbatch` a variable weighs more than the script.
        let named = std::env::var("SBATCH_PARTITION").ok().filter(|name| !name.is_empty());
        let partition = named.or_else(|| directives::value(&script, "partition", Some('p')));
        let answer = self.run(&self.programs.nodes, &["-h", "-a", "-N", "-o", FORMAT])?;
        let here = gethostname::gethostname();
        let hosts = others(&answer, partition.as_deref(), &here.to_string_lossy());
        // No host at all would be as wrong a reason to think that all is here as what cannot be read.
        hosts.ok_or_else(|| strange(&self.programs.nodes, answer))
    }
}

/// Hosts of a partition, or of the default one, other than `here`. `None` when there is none at all,
/// or the answer cannot be read.
fn others(answer: &str, partition: Option<&str>, here: &str) -> Option<Vec<String>> {
    let mut is_empty = true;
    let mut hosts = Vec::new();
    for line in answer.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, host, address, shown] = fields[..] else { return None };
        let is_wanted = match partition {
            // A job may name several, of which it gets one.
            Some(wanted) => wanted.split(',').any(|wanted| wanted.trim() == name),
            None => shown.ends_with('*'),
        };
        if is_wanted {
            is_empty = false;
            if !is_here(host, address, here) && !hosts.iter().any(|other| other == host) {
                hosts.push(host.to_owned());
            }
        }
    }
    (!is_empty).then_some(hosts)
}

/// Whether a node is on this host; several may be.
fn is_here(host: &str, address: &str, here: &str) -> bool {
    let short = |name: &str| name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let is_loopback = address == "localhost" || address.starts_with("127.") || address == "::1";
    is_loopback || short(host) == short(here)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "debug|vm|127.0.0.1|debug*\ndebug|VM|10.0.0.1|debug*\nlong|nid01|10.0.0.2|long\n\
                          long|nid01|10.0.0.2|long\nlong|nid02|10.0.0.3|long\nlong|vm|10.0.0.1|long\n";

    #[test]
    fn finds_hosts_of_a_partition() {
        let found = |partition| others(ANSWER, partition, "vm.site.org");
        assert_eq!(found(None), Some(Vec::new()));
        assert_eq!(found(Some("long")), Some(vec!["nid01".into(), "nid02".into()]));
        assert_eq!(found(Some("debug,long")).map(|hosts| hosts.len()), Some(2));
        assert_eq!(found(Some("nosuch")), None);
        assert_eq!(others("down for maintenance\n", None, "vm"), None);
        assert_eq!(others("", None, "vm"), None);
    }
}
