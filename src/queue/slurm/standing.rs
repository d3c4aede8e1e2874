//! Reads what `squeue` prints of jobs by their numbers: whose they are, and why they wait.

use std::collections::BTreeMap;

use super::mark::{is_marked, ours};
use super::records::records;
use crate::queue::{JobId, Standing};

/// Id, number and name of the user, state, reason; then as [`super::records`] has it.
pub const FORMAT: &str = "%i|~|%U|~|%u|~|%T|~|%r|~|%Z|~|%i|~|%k|~|%i";

/// What Slurm says of a single job that it does not know.
pub const NO_SUCH_JOB: &str = "Invalid job id specified";

/// The jobs by id; `user` and `mark` are ours. `Err` is the line that cannot be read.
pub fn parse(answer: &str, user: u32, mark: &str) -> Result<BTreeMap<JobId, Standing>, String> {
    let mut jobs = BTreeMap::new();
    for record in records(answer)? {
        let [id, number, name, state, reason] = record.fields;
        let owner: u32 = number.parse().map_err(|_| record.fields.join(" "))?;
        let stranger = if owner != user {
            Some(format!("user {name}"))
        } else if is_marked(record.comment) && ours(record.comment, mark).is_none() {
            Some("another launchpad".to_owned())
        } else {
            None
        };
        let words = if matches!(reason, "" | "None") { state.to_owned() } else { format!("{state} ({reason})") };
        jobs.insert(JobId::new(id), Standing { stranger, dir: record.dir.map(Into::into), words });
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ours_from_those_of_others() {
        let answer = "CLUSTER: east\n12|~|1000|~|me|~|PENDING|~|Priority|~|/d/a b|~|12|~|volley:a /d/a b|~|12\n\
                      13|~|1000|~|me|~|RUNNING|~|None|~|N/A|~|13|~|(null)|~|13\n\
                      14|~|1001|~|ann|~|RUNNING|~|None|~|/d|~|14|~|volley:a|~|14\n\
                      15_2|~|1000|~|me|~|PENDING|~|JobHeldUser|~|/d|~|15_2|~|mine volley:b /d|~|15_2\n";
        let jobs = parse(answer, 1000, "volley:a").expect("is read");
        let shown = |id: &str| (jobs[&JobId::new(id)].stranger.as_deref(), jobs[&JobId::new(id)].words.as_str());
        assert_eq!(shown("12"), (None, "PENDING (Priority)"));
        assert_eq!(shown("13"), (None, "RUNNING"));
        assert_eq!(shown("14"), (Some("user ann"), "RUNNING"));
        assert_eq!(shown("15_2"), (Some("another launchpad"), "PENDING (JobHeldUser)"));
        assert_eq!(jobs[&JobId::new("12")].dir.as_deref(), Some("/d/a b".as_ref()));
        assert_eq!(parse("down for maintenance\n", 1000, "v"), Err("down for maintenance".to_owned()));
    }
}
