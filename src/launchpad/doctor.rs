//! `doctor`: what is not as it should be, and what of it can be put right without asking anybody.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::store::examine::age;
use crate::store::mend::RUN_EXPIRATION;
use crate::store::{Finding, FireworkQuery, Mending, Result, Store, Trouble};
use crate::workflow::{Cause, FwId, Launch, LaunchId, Loss};

/// So far two clocks may be apart without a word.
const SKEW: SignedDuration = SignedDuration::from_secs(10);

/// Looks at everything in the launchpad.
pub fn examine(store: &dyn Store, now: Timestamp) -> Result<Vec<Finding>> {
    let at = store.clock()?;
    let mut findings = store.examine(now)?;
    findings.extend(skew(Timestamp::now(), at));
    // What cannot be read has to be put right first.
    let readable = !findings.iter().any(|finding| finding.trouble == Trouble::Unreadable);
    let orphans = if readable { orphans(store, at)? } else { Vec::new() };
    findings.extend(orphans.iter().map(|launch| {
        let (id, state) = (launch.launch_id, launch.state);
        let since = launch.last_heard().map_or_else(String::new, |heard| format!(" for {}", age(at, heard)));
        let text = format!("launch {id} is {state}, but the firework does not list it, and nobody was heard of{since}");
        Finding { trouble: Trouble::Launch, fw_id: Some(launch.fw_id), text }
    }));
    findings.sort_by_key(|finding| (finding.trouble, finding.fw_id));
    Ok(findings)
}

/// That the clocks of this host and of the store differ.
fn skew(here: Timestamp, store: Timestamp) -> Option<Finding> {
    let apart = here.duration_since(store);
    let side = if apart.is_negative() { "behind" } else { "ahead of" };
    let seconds = apart.abs().as_secs();
    (apart.abs() > SKEW).then(|| Finding {
        trouble: Trouble::Clock,
        fw_id: None,
        text: format!(
            "the clock of this host is {seconds} s {side} that of the store; leases are judged by the store's, but dates are wrong"
        ),
    })
}

/// Launches that are open although no firework lists them, and whose workers are gone: what Python
/// leaves when it runs something again.
fn orphans(store: &dyn Store, at: Timestamp) -> Result<Vec<Launch>> {
    let is_silent = |launch: &Launch| match launch.lease() {
        Some(lease) => lease.until < at,
        None => launch.last_heard().is_none_or(|heard| at.duration_since(heard) > RUN_EXPIRATION),
    };
    let mut silent = store.open_launches()?;
    silent.retain(is_silent);
    let ids: Vec<LaunchId> = silent.iter().map(|launch| launch.launch_id).collect();
    if ids.is_empty() {
        return Ok(silent);
    }
    let listing = FireworkQuery { launches: Some(ids), ..FireworkQuery::default() };
    let listed: BTreeSet<LaunchId> =
        store.find_fireworks(&listing)?.into_iter().flat_map(|firework| firework.launches).collect();
    silent.retain(|launch| !listed.contains(&launch.launch_id));
    Ok(silent)
}

/// Puts right what of the findings can be put right, and removes nothing. Returns what was done; what
/// is left shows at the next look.
pub fn fix(store: &dyn Store, findings: &[Finding], mending: &Mending<'_>, now: Timestamp) -> Result<Vec<String>> {
    let of = |kinds: &[Trouble]| -> Vec<FwId> {
        let these = findings.iter().filter(|finding| kinds.contains(&finding.trouble));
        these.filter_map(|finding| finding.fw_id).collect::<BTreeSet<_>>().into_iter().collect()
    };
    let mut done = Vec::new();
    if findings.iter().any(|finding| matches!(finding.trouble, Trouble::Index | Trouble::Counter)) {
        store.initialise()?;
        done.push("made missing indexes, and set the counters of ids above those in use".to_owned());
    }
    let dead = of(&[Trouble::Locked, Trouble::Reserved, Trouble::Running, Trouble::States]);
    if !dead.is_empty() {
        let mended = store.mend(&Mending { only: Some(&dead), ..*mending }, now)?;
        done.extend(mended.iter().map(ToString::to_string));
    }
    let locked = of(&[Trouble::Locked]);
    for fw_id in of(&[Trouble::States, Trouble::Reserved]).into_iter().filter(|fw_id| !locked.contains(fw_id)) {
        if !store.refresh(fw_id, now)?.is_empty() {
            done.push(format!("fw_id {fw_id}: its workflow has the states of its fireworks again"));
        }
    }
    let orphans: Vec<LaunchId> = orphans(store, store.clock()?)?.iter().map(|launch| launch.launch_id).collect();
    for launch_id in store.retire(&orphans, &Loss::new(Cause::Unexplained, "no firework lists it"), now)? {
        done.push(format!("launch {launch_id}: ended, since no firework lists it"));
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_a_little() {
        let at = |seconds: i64| Timestamp::from_second(1_000 + seconds).expect("in range");
        assert_eq!(skew(at(0), at(9)), None);
        let found = skew(at(90), at(0)).expect("is told").text;
        assert!(found.contains("90 s ahead of"), "{found}");
        assert!(skew(at(0), at(61)).expect("is told").text.contains("61 s behind"));
    }
}
