//! The place in the queue that a worker's job has, if a launcher has submitted it: the worker tells
//! the launcher's ledger when it begins, has nothing to do, and ends. See [`crate::store::ledger`].
//!
//! A launcher that hears nothing asks its queue in the end: so a word is tried once, and that it
//! cannot be said is no hindrance.

use jiff::Timestamp;
use tracing::debug;

use super::identity::Identity;
use crate::store::Store;
use crate::store::ledger::{JobName, Key, LEDGER_VARIABLE, PLACE_VARIABLE, Word};

/// A place in a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePlace {
    key: Key,
    token: String,
    element: Option<u32>,
    job: Option<JobName>,
}

impl QueuePlace {
    /// Asks the environment.
    pub fn of_this_job(identity: &Identity) -> Option<Self> {
        let job = identity.queue_job().map(|job| JobName { id: job.id.clone(), cluster: job.cluster.clone() });
        QueuePlace::read(job, |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn read(job: Option<JobName>, variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        Some(QueuePlace {
            key: Key::from_id(&variable(LEDGER_VARIABLE)?)?,
            token: variable(PLACE_VARIABLE)?,
            element: variable("SLURM_ARRAY_TASK_ID").and_then(|element| element.parse().ok()),
            job,
        })
    }

    /// Says something.
    pub fn tell(&self, store: &dyn Store, word: fn(Timestamp) -> Word) {
        let word = word(now(store));
        match store.tell_place(&self.key, &self.token, self.element, self.job.as_ref(), word) {
            Ok(true) => {}
            Ok(false) => debug!("{} knows nothing of the place {}", self.key.id(), self.token),
            Err(error) => debug!("cannot tell {}: {error}", self.key.id()),
        }
    }

    /// Leaves it, unless no more than `least` would be left; whether it has.
    pub fn leave(&self, store: &dyn Store, least: usize) -> bool {
        let left = store.leave_place(&self.key, &self.token, self.element, least, now(store));
        left.unwrap_or_else(|error| {
            debug!("cannot ask {}: {error}", self.key.id());
            false
        })
    }
}

/// By the clock that launchers on other hosts go by, too.
fn now(store: &dyn Store) -> Timestamp {
    store.clock().unwrap_or_else(|_| Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(variables: &[(&str, &str)], job: Option<JobName>) -> Option<QueuePlace> {
        QueuePlace::read(job, |name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_place_is_told_by_the_environment() {
        let (token, ledger) = ((PLACE_VARIABLE, "/a/launcher_1"), (LEDGER_VARIABLE, "east/ann"));
        let job = |id: &str| Some(JobName { id: id.into(), cluster: None });
        let expected = |element, job| {
            let key = Key { cluster: "east".into(), user: "ann".into() };
            Some(QueuePlace { key, token: "/a/launcher_1".into(), element, job })
        };
        assert_eq!(place(&[token, ledger], job("7")), expected(None, job("7")));
        assert_eq!(place(&[token, ledger, ("SLURM_ARRAY_TASK_ID", "3")], job("7_3")), expected(Some(3), job("7_3")));
        assert_eq!(place(&[token, ledger], None), expected(None, None));
        assert_eq!((place(&[token], None), place(&[ledger], None)), (None, None));
        assert_eq!(place(&[token, (LEDGER_VARIABLE, "nonsense")], None), None);
    }
}
