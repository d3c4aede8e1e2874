//! Reads what `scontrol show config` prints: which cluster this is, and what may be learnt from it.

/// What the answers of this Slurm mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The name of the cluster that is asked where no other is named.
    pub cluster: String,
    /// It has accounting, and with it the other clusters it may know.
    pub accounting: bool,
    /// It does not show the jobs of others: a job that it does not know may be there.
    pub private: bool,
}

/// The site of this configuration.
pub fn parse(answer: &str) -> Option<Site> {
    let values = || answer.lines().filter_map(|line| line.split_once('='));
    let value = |key: &str| values().find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim());
    let private = value("PrivateData")?;
    Some(Site {
        cluster: value("ClusterName").filter(|name| !name.is_empty())?.to_owned(),
        accounting: value("AccountingStorageType").is_some_and(|kind| kind.ends_with("slurmdbd")),
        private: private.split(',').any(|kind| matches!(kind.trim(), "jobs" | "all")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(accounting: &str, private: &str) -> Option<Site> {
        parse(&format!(
            "Configuration data as of 2026-11-25T21:00:00\nAccountingStorageTRES   = cpu,mem\n\
             AccountingStorageType   = {accounting}\nClusterName             = east\nPrivateData             = {private}\n\
             SlurmctldHost[0]        = login1(10.0.0.1)\n\nSlurmctld(primary) at login1 is UP\n"
        ))
    }

    #[test]
    fn reads_every_version() {
        let east = |accounting, private| Some(Site { cluster: "east".into(), accounting, private });
        assert_eq!(site("accounting_storage/slurmdbd", "none"), east(true, false));
        assert_eq!(site("accounting_storage/slurmdbd", "accounts,jobs,usage"), east(true, true));
        // Up to 22.05, and from then on.
        assert_eq!(site("accounting_storage/none", "none"), east(false, false));
        assert_eq!(site("(null)", "nodes,reservations"), east(false, false));
    }

    #[test]
    fn an_answer_that_says_nothing_is_none() {
        assert_eq!(parse("ClusterName = east\n"), None);
        assert_eq!(parse("slurm is down for maintenance\n"), None);
    }
}
