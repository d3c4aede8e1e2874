//! The queue job of a launch, whichever way it came to run there: the job was submitted for it alone,
//! or was a pilot, or a plain one that took what was READY.

use super::{Launch, QueueJob};

impl Launch {
    /// Its queue job: the one that was submitted for it or, where none was, the one that its worker
    /// runs in, or ran in last.
    pub fn queue_job(&self) -> Option<QueueJob> {
        self.queue_jobs().next()
    }

    /// The job of this name that it is of: that of an array is the name of all its elements.
    pub fn job_named(&self, name: &str) -> Option<QueueJob> {
        self.queue_jobs().find(|job| is_named(&job.id, name))
    }

    /// Both: somebody may run by hand what a job was submitted for, and in another job.
    pub fn queue_jobs(&self) -> impl Iterator<Item = QueueJob> {
        let reserved = self.reservation().map(|id| {
            let cluster = self.reservation_cluster().map(str::to_owned);
            QueueJob { id: id.to_owned(), cluster, restarts: 0 }
        });
        reserved.into_iter().chain(self.lease().and_then(|lease| lease.job))
    }
}

/// Whether a job has this id, or is an element of the array that has it.
pub fn is_named(id: &str, name: &str) -> bool {
    let rest = id.strip_prefix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('_') && may_be_array(name))
}

/// The names of a job: its id and, of an element, that of its array.
pub fn names_of(id: &str) -> impl Iterator<Item = &str> {
    let array = id.split_once('_').map(|(array, _)| array).filter(|array| may_be_array(array));
    std::iter::once(id).chain(array)
}

/// Whether an id may be that of a whole array: elements are `12_3`.
pub fn may_be_array(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use bson::{Document, doc};

    use super::*;

    fn launch(history: Vec<Document>) -> Launch {
        let document = doc! {"launch_id": 1, "fw_id": 1, "state": "RUNNING", "state_history": history};
        Launch::from_document(&document).expect("a launch")
    }

    #[test]
    fn an_element_has_the_name_of_its_array() {
        for (id, names) in [("12", vec!["12"]), ("12_3", vec!["12_3", "12"]), ("a_3", vec!["a_3"]), ("_3", vec!["_3"])]
        {
            assert_eq!(names_of(id).collect::<Vec<_>>(), names);
            assert!(names.iter().all(|name| is_named(id, name)), "{id}");
        }
    }

    #[test]
    fn each_mode_names_its_job() {
        let reserved = doc! {"state": "RESERVED", "reservation_id": "12", "reservation_cluster": "east"};
        let lease = |job: Option<Document>| doc! {"owner": "o", "host": "h", "pid": 1, "until": "2026-01-01T00:00:00Z", "job": job};
        let running = |job| doc! {"state": "RUNNING", "lease": lease(job)};
        let in_job = running(Some(doc! {"id": "13_2", "cluster": "west"}));
        let named = |launch: &Launch| launch.queue_job().map(|job| (job.id, job.cluster.unwrap_or_default()));
        let is = |id: &str, cluster: &str| Some((id.to_owned(), cluster.to_owned()));
        assert_eq!(named(&launch(vec![reserved.clone()])), is("12", "east"));
        assert_eq!(named(&launch(vec![in_job.clone(), doc! {"state": "COMPLETED"}])), is("13_2", "west"));
        assert_eq!(named(&launch(vec![running(None)])), None);
        let both = launch(vec![reserved, in_job]);
        assert_eq!(named(&both), is("12", "east"));
        let found = |name: &str| both.job_named(name).map(|job| job.id);
        assert_eq!(found("13"), Some("13_2".to_owned()));
        assert_eq!((found("12"), found("1")), (Some("12".to_owned()), None));
    }

    #[test]
    fn the_id_of_an_array_names_its_elements() {
        for (id, name, expected) in [
            ("12", "12", true),
            ("12_3", "12", true),
            ("12_3", "12_3", true),
            ("12_34", "12_3", false),
            ("120", "12", false),
            ("12", "12_3", false),
            ("12", "", false),
            ("_12", "", false),
            ("7.server", "7.server", true),
        ] {
            assert_eq!(is_named(id, name), expected, "{id} {name}");
        }
    }
}
