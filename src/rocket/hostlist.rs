//! Slurm's short form of a list of hosts: `n[1-3,7],login`.

/// The hosts one by one, as `scontrol show hostnames` has them.
pub fn expand(list: &str) -> Result<Vec<String>, BadHostlist> {
    let bad = || BadHostlist(list.to_owned());
    let mut hosts = Vec::new();
    for item in split(list).ok_or_else(bad)? {
        hosts.extend(expand_one(item).ok_or_else(bad)?);
    }
    if hosts.is_empty() { Err(bad()) } else { Ok(hosts) }
}

/// Something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no list of hosts, like n[1-4] or a,b")]
pub struct BadHostlist(String);

/// At the commas that are in no brackets.
fn split(list: &str) -> Option<Vec<&str>> {
    let (mut items, mut start, mut inside) = (Vec::new(), 0, false);
    for (position, character) in list.char_indices() {
        match character {
            '[' if inside => return None,
            '[' => inside = true,
            ']' if !inside => return None,
            ']' => inside = false,
            ',' if !inside => {
                items.push(&list[start..position]);
                start = position + 1;
            }
            _ => {}
        }
    }
    items.push(&list[start..]);
    (!inside).then_some(items)
}

/// The names of an item that may have several ranges: `rack[1-2]n[0-3]`.
fn expand_one(item: &str) -> Option<Vec<String>> {
    let Some((before, rest)) = item.split_once('[') else {
        return (!item.is_empty()).then(|| vec![item.to_owned()]);
    };
    let (ranges, after) = rest.split_once(']')?;
    let endings = if after.is_empty() { vec![String::new()] } else { expand_one(after)? };
    let mut hosts = Vec::new();
    for range in ranges.split(',') {
        for number in numbers(range)? {
            hosts.extend(endings.iter().map(|ending| format!("{before}{number}{ending}")));
        }
    }
    Some(hosts)
}

/// `7`, or `08-11` with its zeros.
fn numbers(range: &str) -> Option<Vec<String>> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(first) || !is_number(last) {
        return None;
    }
    let (from, to): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    // More hosts than any machine has would be a mistake that fills the memory.
    if from > to || to - from > 1_000_000 {
        return None;
    }
    Some((from..=to).map(|number| format!("{number:0width$}", width = first.len())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_expanded_as_slurm_does() {
        for (list, hosts) in [
            ("n1", vec!["n1"]),
            ("n[1-3]", vec!["n1", "n2", "n3"]),
            ("nid[000008-000011]", vec!["nid000008", "nid000009", "nid000010", "nid000011"]),
            ("n[1-2,7],login,gpu[09-10]", vec!["n1", "n2", "n7", "login", "gpu09", "gpu10"]),
            ("n[20261126001-20261126002]", vec!["n20261126001", "n20261126002"]),
            ("rack[1-2]n[0-1]-ib", vec!["rack1n0-ib", "rack1n1-ib", "rack2n0-ib", "rack2n1-ib"]),
        ] {
            assert_eq!(expand(list), Ok(hosts.into_iter().map(str::to_owned).collect()), "{list}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for list in ["", "n[1-", "n]1[", "n[3-1]", "n[a-b]", "n1,,n2", "n[[1]]", "n[]", "n[0-4000000000]"] {
            assert!(expand(list).is_err(), "{list}");
        }
    }
}
