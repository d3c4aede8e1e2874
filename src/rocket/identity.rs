//! Who runs a launch: the worker process, unique for ever, its host, and the queue job it is in.

use std::net::ToSocketAddrs;

use jiff::{SignedDuration, Timestamp};

use crate::config::VolleyConfig;
use crate::queue::{LOCAL_JOB_ID, local, process};
use crate::workflow::{Lease, QueueJob};

/// This process.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Unique for ever.
    pub owner: String,
    /// Host name.
    pub host: String,
    /// Address of the host.
    pub ip: String,
    boot_id: String,
    pid: u32,
    born: Option<u64>,
    job: Option<QueueJob>,
    slots: Option<usize>,
}

impl Identity {
    /// Asks the system.
    pub fn of_this_process() -> Self {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let ip = (host.as_str(), 0).to_socket_addrs().ok().and_then(|mut all| all.find(std::net::SocketAddr::is_ipv4));
        Identity {
            owner: uuid::Uuid::now_v7().to_string(),
            host,
            ip: ip.map_or_else(|| "127.0.0.1".to_owned(), |address| address.ip().to_string()),
            boot_id: process::boot(),
            pid: std::process::id(),
            born: process::started(std::process::id()),
            job: own_job(|name| std::env::var(name).ok().filter(|value| !value.is_empty())),
            slots: None,
        }
    }

    /// That it runs so many fireworks side by side.
    pub fn with_slots(self, slots: usize) -> Self {
        Identity { slots: Some(slots), ..self }
    }

    /// The queue job that this process is part of.
    pub fn queue_job(&self) -> Option<&QueueJob> {
        self.job.as_ref()
    }

    /// A lease that begins now.
    pub fn lease(&self, now: Timestamp, config: &VolleyConfig) -> Lease {
        Lease {
            owner: self.owner.clone(),
            host: self.host.clone(),
            boot_id: self.boot_id.clone(),
            pid: self.pid,
            born: self.born,
            job: self.job.clone(),
            slots: self.slots,
            renew: SignedDuration::try_from(config.renew).ok(),
            until: now.checked_add(config.lease).unwrap_or(Timestamp::MAX),
            ..Lease::default()
        }
    }
}

/// The queue job that this process is part of: a queue of this machine may itself be in a job of Slurm.
fn own_job(variable: impl Fn(&str) -> Option<String>) -> Option<QueueJob> {
    let local = variable(LOCAL_JOB_ID).map(|id| QueueJob { id, cluster: Some(local::realm()), restarts: 0 });
    local.or_else(|| slurm_job(variable))
}

/// The Slurm job that this process is part of. Whoever has called `salloc` has most of the variables
/// but is not: it stays when the job ends.
fn slurm_job(variable: impl Fn(&str) -> Option<String>) -> Option<QueueJob> {
    variable("SLURMD_NODENAME")?;
    let element = variable("SLURM_ARRAY_JOB_ID").zip(variable("SLURM_ARRAY_TASK_ID"));
    Some(QueueJob {
        id: element.map(|(array, task)| format!("{array}_{task}")).or_else(|| variable("SLURM_JOB_ID"))?,
        cluster: variable("SLURM_CLUSTER_NAME"),
        restarts: variable("SLURM_RESTART_COUNT").and_then(|count| count.parse().ok()).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(variables: &[(&str, &str)]) -> Option<QueueJob> {
        own_job(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn knows_the_job_it_is_in() {
        let (node, id, cluster) = (("SLURMD_NODENAME", "n1"), ("SLURM_JOB_ID", "13"), ("SLURM_CLUSTER_NAME", "east"));
        let expected = |id: &str, restarts| Some(QueueJob { id: id.into(), cluster: Some("east".into()), restarts });
        assert_eq!(job(&[node, id, cluster]), expected("13", 0));
        assert_eq!(job(&[node, id, cluster, ("SLURM_RESTART_COUNT", "2")]), expected("13", 2));
        let element = [("SLURM_ARRAY_JOB_ID", "12"), ("SLURM_ARRAY_TASK_ID", "3")];
        assert_eq!(job(&[node, id, cluster, element[0], element[1]]), expected("12_3", 0));
        assert_eq!(job(&[node, id]), Some(QueueJob { id: "13".into(), cluster: None, restarts: 0 }));
        assert_eq!(job(&[]), None);
        let here = Some(QueueJob { id: "5".into(), cluster: Some(local::realm()), restarts: 0 });
        assert_eq!(job(&[node, id, cluster, (LOCAL_JOB_ID, "5")]), here, "in the local queue of a node");
        assert_eq!(job(&[id, cluster]), None, "the shell of an salloc");
    }
}
