//! How many places there are of which kind, for people.

use std::collections::BTreeMap;

use crate::store::ledger::{Entry, Ledger, Word};

/// The places of jobs with the same resources.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// What they are, where jobs take only what asks for those.
    pub group: Option<String>,
    /// The job is being handed over, or nobody knows whether it was.
    pub submitting: usize,
    /// The job has not said that it has begun.
    pub queued: usize,
    /// It has.
    pub running: usize,
    /// It has found nothing to do.
    pub idle: usize,
    /// It is about to end, or has ended.
    pub ending: usize,
}

/// One for each kind of resources.
pub fn tallies(ledger: &Ledger) -> Vec<Tally> {
    let mut found: BTreeMap<Option<&str>, Tally> = BTreeMap::new();
    for Entry { group, job, word, .. } in &ledger.jobs {
        let tally = found.entry(group.as_deref()).or_insert_with(|| Tally { group: group.clone(), ..Tally::default() });
        let count = match (word, job) {
            (Some(Word::Started(_)), _) => &mut tally.running,
            (Some(Word::Idle(_)), _) => &mut tally.idle,
            (Some(Word::Ending(_)), _) => &mut tally.ending,
            (None, Some(_)) => &mut tally.queued,
            (None, None) => &mut tally.submitting,
        };
        *count += 1;
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::store::ledger::{Holder, JobName};

    #[test]
    fn counts_by_what_jobs_say() {
        let at = Timestamp::UNIX_EPOCH;
        let entry = |group: Option<&str>, has_job: bool, word| Entry {
            token: "/a".into(),
            element: None,
            holder: Holder::default(),
            taken: at,
            group: group.map(str::to_owned),
            job: has_job.then(|| JobName { id: "1".into(), cluster: None }),
            word,
            missed: None,
        };
        let jobs = vec![
            entry(None, false, None),
            entry(None, true, None),
            entry(Some("null"), true, Some(Word::Started(at))),
            entry(Some("null"), true, Some(Word::Idle(at))),
            entry(Some("null"), true, Some(Word::Ending(at))),
            entry(Some("null"), true, Some(Word::Started(at))),
        ];
        let plain = Tally { submitting: 1, queued: 1, ..Tally::default() };
        let pilots = Tally { group: Some("null".into()), running: 2, idle: 1, ending: 1, ..Tally::default() };
        assert_eq!(tallies(&Ledger { jobs, ..Ledger::default() }), [plain, pilots]);
    }
}
