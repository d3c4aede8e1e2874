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
    /// How many elements an array may have, where there are arrays.
    pub elements: Option<u32>,
}

impl Site {
    /// One that does not say.
    pub fn unknown() -> Self {
        Site { cluster: "slurm".into(), accounting: false, private: true, elements: None }
    }
}

/// The site of this configuration.
pub fn parse(answer: &str) -> Option<Site> {
    let values = || answer.lines().filter_map(|line| line.split_once('='));
    let value = |key: &str| values().find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim());
    let private = value("PrivateData")?;
    Some(Site {
        cluster: value("ClusterName").filter(|name| !name.is_empty())?.to_owned(),
        accounting: value("AccountingStorageType").is_some_and(|kind| kind.ends_with("slurmdbd")),
        elements: elements(&value),
        private: private.split(',').any(|kind| matches!(kind.trim(), "jobs" | "all")),
    })
}

/// The least of what the site allows: the greatest index is below `MaxArraySize`, and each element counts
/// as a job.
fn elements<'a>(value: &dyn Fn(&str) -> Option<&'a str>) -> Option<u32> {
    let number = |key: &str| value(key)?.parse::<u32>().ok();
    let scheduler = value("SchedulerParameters").into_iter().flat_map(|parameters| parameters.split(','));
    let tasks = scheduler.filter_map(|one| one.trim().strip_prefix("max_array_tasks=")?.parse().ok()).next();
    let limits = [number("MaxArraySize"), number("MaxJobCount"), tasks];
    number("MaxArraySize").and(limits.into_iter().flatten().min()).filter(|most| *most > 1)
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
        let east = |accounting, private| Some(Site { cluster: "east".into(), accounting, private, elements: None });
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

    #[test]
    fn arrays_have_limits() {
        let elements = |lines: &str| {
            let text = format!("ClusterName = east\nPrivateData = none\n{lines}");
            parse(&text).expect("is read").elements
        };
        assert_eq!(elements("MaxArraySize            = 1001\nMaxJobCount             = 10000\n"), Some(1001));
        assert_eq!(elements("MaxArraySize = 50001\nMaxJobCount = 10000\n"), Some(10_000));
        assert_eq!(elements("MaxArraySize = 1001\nSchedulerParameters = bf_max=1,max_array_tasks=100\n"), Some(100));
        assert_eq!(elements("MaxArraySize = 0\nMaxJobCount = 10000\n"), None);
        assert_eq!(elements("MaxJobCount = 10000\n"), None);
    }
}
