//! The lease that a worker holds on a launch.

use bson::{Document, doc};
use jiff::{SignedDuration, Timestamp};

use super::{as_int, int, time};

/// What a worker promises while it runs a launch: to renew before `until`. It lives inside the
/// RUNNING entry of the launch's history, where Python FireWorks keeps what it does not know.
///
/// An expired lease is first only suspected; it is lost when it is found unchanged some time later.
/// Whoever renews it writes it whole, and takes the suspicion away.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lease {
    /// The worker process, unique for ever.
    pub owner: String,
    /// Its host.
    pub host: String,
    /// That host's boot, so that a pid is never mistaken for one of an earlier boot.
    pub boot_id: String,
    /// Its process id.
    pub pid: u32,
    /// When the process began, in clock ticks since boot: a pid is given again to another.
    pub born: Option<u64>,
    /// The queue job it runs in.
    pub job: Option<QueueJob>,
    /// How many fireworks the process runs side by side.
    pub slots: Option<usize>,
    /// How often it is renewed.
    pub renew: Option<SignedDuration>,
    /// When the lease ends unless it is renewed, by the store's clock.
    pub until: Timestamp,
    /// When it was found to have ended, by the store's clock.
    pub suspected: Option<Timestamp>,
}

/// A job of a batch queue that a worker runs in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueJob {
    /// Its id; elements of arrays are `12_3`.
    pub id: String,
    /// The cluster, where it is known.
    pub cluster: Option<String>,
    /// How often the queue had begun it anew.
    pub restarts: u32,
}

impl QueueJob {
    fn to_document(&self) -> Document {
        let mut document = doc! { "id": &self.id };
        if let Some(cluster) = &self.cluster {
            document.insert("cluster", cluster);
        }
        if self.restarts > 0 {
            document.insert("restarts", int(i64::from(self.restarts)));
        }
        document
    }

    fn from_document(document: &Document) -> Option<Self> {
        let restarts = document.get("restarts").and_then(as_int).and_then(|count| u32::try_from(count).ok());
        Some(QueueJob {
            id: document.get_str("id").ok()?.to_owned(),
            cluster: document.get_str("cluster").ok().map(str::to_owned),
            restarts: restarts.unwrap_or_default(),
        })
    }
}

/// How often a lease is renewed that does not say so.
const RENEW: SignedDuration = SignedDuration::from_secs(30);

impl Lease {
    /// How often it is renewed.
    pub fn renewed_every(&self) -> SignedDuration {
        self.renew.unwrap_or(RENEW)
    }

    /// As it is stored.
    pub fn to_document(&self) -> Document {
        let mut document = doc! {
            "owner": &self.owner,
            "host": &self.host,
            "boot_id": &self.boot_id,
            "pid": int(i64::from(self.pid)),
        };
        if let Some(born) = self.born.and_then(|born| i64::try_from(born).ok()) {
            document.insert("born", int(born));
        }
        if let Some(job) = &self.job {
            document.insert("job", job.to_document());
        }
        if let Some(slots) = self.slots.and_then(|slots| i64::try_from(slots).ok()) {
            document.insert("slots", int(slots));
        }
        if let Some(renew) = self.renew {
            document.insert("renew", int(renew.as_secs()));
        }
        document.insert("until", time::to_iso(self.until));
        if let Some(suspected) = self.suspected {
            document.insert("suspected", time::to_iso(suspected));
        }
        document
    }

    /// Reads a stored lease.
    pub fn from_document(document: &Document) -> Option<Self> {
        let text = |key| document.get_str(key).ok().map(str::to_owned);
        let number = |key| document.get(key).and_then(as_int);
        Some(Lease {
            owner: text("owner")?,
            host: text("host")?,
            boot_id: text("boot_id").unwrap_or_default(),
            pid: number("pid").and_then(|pid| u32::try_from(pid).ok())?,
            born: number("born").and_then(|born| u64::try_from(born).ok()),
            job: document.get_document("job").ok().and_then(QueueJob::from_document),
            slots: number("slots").and_then(|slots| usize::try_from(slots).ok()),
            renew: number("renew").map(SignedDuration::from_secs),
            until: document.get("until").and_then(time::from_bson)?,
            suspected: document.get("suspected").and_then(time::from_bson),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_round_trip() {
        let at = Timestamp::from_second(1_000).expect("in range");
        let bare = Lease { owner: "me".into(), host: "h".into(), pid: 7, until: at, ..Lease::default() };
        let full = Lease {
            boot_id: "b".into(),
            born: Some(12_345),
            job: Some(QueueJob { id: "12_3".into(), cluster: Some("east".into()), restarts: 1 }),
            slots: Some(4),
            renew: Some(SignedDuration::from_secs(30)),
            suspected: Some(at),
            ..bare.clone()
        };
        for lease in [bare, full] {
            assert_eq!(Lease::from_document(&lease.to_document()), Some(lease));
        }
    }
}
