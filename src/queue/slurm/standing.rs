//! Reads what `squeue` prints of jobs by their numbers: whose they are, and why they wait.

use std::collections::BTreeMap;

use crate::queue::{JobId, Standing};

/// Id, number and name of the user, state, reason, folder, comment. The comment is last: it may
/// contain anything.
pub const FORMAT: &str = "%i|~|%U|~|%u|~|%T|~|%r|~|%Z|~|%k";
const SEPARATOR: &str = "|~|";

/// What Slurm says of a single job that it does not know.
pub const NO_SUCH_JOB: &str = "Invalid job id specified";

/// The jobs by id; `user` and `comment` are ours. `Err` is the line that cannot be read.
pub fn parse(answer: &str, user: u32, comment: &str) -> Result<BTreeMap<JobId, Standing>, String> {
    let mut jobs = BTreeMap::new();
    // Above the jobs of a cluster that was named stands a heading.
    let lines = answer.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("CLUSTER: "));
    for line in lines {
        let fields: Vec<&str> = line.splitn(7, SEPARATOR).map(str::trim).collect();
        let [id, number, name, state, reason, dir, said] = fields[..] else { return Err(line.to_owned()) };
        let owner: u32 = number.parse().map_err(|_| line.to_owned())?;
        let stranger = if owner != user {
            Some(format!("user {name}"))
        } else if said.starts_with("volley:") && said != comment {
            Some("another launchpad".to_owned())
        } else {
            None
        };
        let words = if matches!(reason, "" | "None") { state.to_owned() } else { format!("{state} ({reason})") };
        let dir = dir.starts_with('/').then(|| dir.into());
        jobs.insert(JobId::new(id), Standing { stranger, dir, words });
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_ours_from_those_of_others() {
        let answer = "CLUSTER: east\n12|~|1000|~|me|~|PENDING|~|Priority|~|/d/a b|~|volley:a\n13|~|1000|~|me|~|RUNNING|~|None|~|N/A|~|(null)\n\
                      14|~|1001|~|ann|~|RUNNING|~|None|~|/d|~|volley:a\n15_2|~|1000|~|me|~|PENDING|~|JobHeldUser|~|/d|~|volley:b\n";
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
