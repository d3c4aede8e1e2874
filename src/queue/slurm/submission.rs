//! Reads the answer of `sbatch --parsable`.

use crate::queue::JobId;

/// The id of the job. Site wrappers print greetings before it, and some forget `--parsable`.
pub fn parse(answer: &str) -> Option<JobId> {
    let lines = || answer.lines().map(str::trim);
    lines().rev().find_map(parsable).or_else(|| lines().find_map(sentence))
}

/// `12` or `12;cluster`.
fn parsable(line: &str) -> Option<JobId> {
    let (id, cluster) = match line.split_once(';') {
        Some((id, cluster)) => (id, Some(cluster.trim().to_owned())),
        None => (line, None),
    };
    is_number(id).then(|| JobId { id: id.to_owned(), cluster })
}

/// `Submitted batch job 12` or `Submitted batch job 12 on cluster east`.
fn sentence(line: &str) -> Option<JobId> {
    let mut words = line.strip_prefix("Submitted batch job")?.split_whitespace();
    let id = words.next().filter(|id| is_number(id))?.to_owned();
    let cluster = match (words.next(), words.next()) {
        (Some("on"), Some("cluster")) => words.next().map(str::to_owned),
        _ => None,
    };
    Some(JobId { id, cluster })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_answer_of_sbatch() {
        let on = |id: &str, cluster: Option<&str>| Some(JobId { id: id.into(), cluster: cluster.map(Into::into) });
        for (answer, expected) in [
            ("12\n", on("12", None)),
            ("12;east\n", on("12", Some("east"))),
            ("Welcome to the cluster, today is 2026\n\n3100;east\n", on("3100", Some("east"))),
            ("Submitted batch job 7\n", on("7", None)),
            ("Submitted batch job 7 on cluster east\n", on("7", Some("east"))),
            ("", None),
            ("sbatch: quota exceeded\n", None),
            ("-12\n", None),
            ("12a\n", None),
        ] {
            assert_eq!(parse(answer), expected, "{answer}");
        }
    }
}
