//! Takes apart what `squeue` prints when it is asked for fields of which two, the folder and the
//! comment, may contain anything: line ends and what stands between fields included.
//!
//! The id of the job stands before, between and after the two (`%Z|~|%i|~|%k|~|%i`); nobody knew it when they were
//! written. So whatever is cut short is seen: to take a listing that we cannot read for "no jobs"
//! would fill the queue.

/// What stands between fields.
const SEPARATOR: &str = "|~|";
/// A job.
#[derive(Debug, PartialEq, Eq)]
pub struct Record<'a, const N: usize> {
    /// The cluster that it is said to be of.
    pub cluster: Option<&'a str>,
    /// The plain fields; the first is the id.
    pub fields: [&'a str; N],
    /// The folder it was submitted from.
    pub dir: Option<&'a str>,
    /// Its comment.
    pub comment: &'a str,
}

/// The jobs of an answer; `Err` is the line that cannot be read.
pub fn records<const N: usize>(answer: &str) -> Result<Vec<Record<'_, N>>, String> {
    let mut cluster = None;
    let mut records = Vec::new();
    let mut rest = answer.trim_start();
    while let Some(line) = rest.lines().next() {
        // With SLURM_CLUSTERS, or in a federation, a heading stands above the jobs of each.
        if let Some(name) = line.strip_prefix("CLUSTER: ") {
            cluster = Some(name.trim());
            rest = rest[line.len()..].trim_start();
            continue;
        }
        let wrong = || line.trim().to_owned();
        let (fields, text) = plain(rest).ok_or_else(wrong)?;
        let (dir, text) = text.split_once(&format!("{SEPARATOR}{}{SEPARATOR}", fields[0])).ok_or_else(wrong)?;
        let end = format!("{SEPARATOR}{}", fields[0]);
        let is_end = |at: &usize| text[at + end.len()..].chars().next().is_none_or(char::is_whitespace);
        let at = text.match_indices(&end).map(|(at, _)| at).find(is_end).ok_or_else(wrong)?;
        let dir = Some(dir).filter(|dir| dir.starts_with('/'));
        records.push(Record { cluster, fields, dir, comment: text[..at].trim() });
        rest = text[at + end.len()..].trim_start();
    }
    Ok(records)
}

/// The plain fields, and what follows them.
fn plain<const N: usize>(text: &str) -> Option<([&str; N], &str)> {
    let mut fields = [""; N];
    let mut rest = text;
    for field in &mut fields {
        let (value, after) = rest.split_once(SEPARATOR)?;
        *field = value.trim();
        rest = after;
    }
    let is_plain = fields.iter().all(|field| !field.contains('\n'));
    (is_plain && fields.first()?.starts_with(|c: char| c.is_ascii_digit())).then_some((fields, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_text_may_be_anything() {
        let answer = "CLUSTER: east\n7_1|~|RUNNING|~|/a |~| b\nc|~|7_1|~|x|~|7_11\n8|~|y|~|7_1\n\n\
                      CLUSTER: west\n8|~|PENDING|~|(null)|~|8|~|(null)|~|8\n";
        let records: Vec<Record<'_, 2>> = records(answer).expect("is read");
        let expected = [
            Record {
                cluster: Some("east"),
                fields: ["7_1", "RUNNING"],
                dir: Some("/a |~| b\nc"),
                comment: "x|~|7_11\n8|~|y",
            },
            Record { cluster: Some("west"), fields: ["8", "PENDING"], dir: None, comment: "(null)" },
        ];
        assert_eq!(records, expected);
        assert_eq!(super::records::<2>("\n"), Ok(Vec::new()));
    }

    #[test]
    fn what_is_cut_short_is_not_read() {
        let whole = "7|~|RUNNING|~|/a|~|7|~|c|~|7\n18|~|RUNNING|~|/a|~|18|~|c|~|18";
        assert_eq!(records::<2>(whole).map(|records| records.len()), Ok(2));
        let second = whole.find("18").expect("is there") + 1;
        for end in second..whole.len() {
            assert!(records::<2>(&whole[..end]).is_err(), "{}", &whole[..end]);
        }
        for answer in
            ["slurm is down for maintenance\n", "7|~|RUNNING\n", "JOBID|~|STATE|~|WORK_DIR|~|JOBID|~|x|~|JOBID\n"]
        {
            assert_eq!(records::<2>(answer), Err(answer.trim().to_owned()));
        }
    }
}
