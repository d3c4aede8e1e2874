//! Who runs a launch: the worker process, unique for ever, and its host.

use std::net::ToSocketAddrs;
use std::time::Duration;

use jiff::Timestamp;

use crate::workflow::Lease;

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
}

impl Identity {
    /// Asks the system.
    pub fn of_this_process() -> Self {
        let host = gethostname::gethostname().to_string_lossy().into_owned();
        let ip = (host.as_str(), 0).to_socket_addrs().ok().and_then(|mut all| all.find(std::net::SocketAddr::is_ipv4));
        // Where there is no /proc the pid alone has to do.
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Identity {
            owner: uuid::Uuid::now_v7().to_string(),
            host,
            ip: ip.map_or_else(|| "127.0.0.1".to_owned(), |address| address.ip().to_string()),
            boot_id: boot_id.trim().to_owned(),
            pid: std::process::id(),
        }
    }

    /// A lease that begins now.
    pub fn lease(&self, now: Timestamp, length: Duration) -> Lease {
        Lease {
            owner: self.owner.clone(),
            host: self.host.clone(),
            boot_id: self.boot_id.clone(),
            pid: self.pid,
            until: now.checked_add(length).unwrap_or(Timestamp::MAX),
        }
    }
}
