//! How many pilots to submit now, and for which resources. Pure.
//!
//! A pilot runs so many fireworks side by side, one after the other, and takes only what asks for the
//! resources that its job has. One that waits, or has nothing to do, will take as many as it has slots.
//! One that runs has taken all it can: what is READY then is for others.

use crate::launcher::plan::Doing;

/// The resources of fireworks that ask for none of their own.
pub const PLAIN: &str = "null";

/// How many there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many pilots are kept, whether there is work for them or not.
    pub least: usize,
    /// There are never more jobs than this.
    pub most: usize,
    /// So many fireworks run side by side in one.
    pub slots: u64,
}

/// A pilot that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pilot<'a> {
    /// Its resources.
    pub group: &'a str,
    /// What it does.
    pub doing: Doing,
}

/// Pilots to be submitted: for which resources, and how many. `demand` says how many slots the READY
/// work of each kind fills, and `places` how many jobs there are in all.
pub fn plan<'a>(
    demand: &[(&'a str, u64)],
    pilots: &[Pilot<'_>],
    places: usize,
    limits: Limits,
) -> Vec<(&'a str, usize)> {
    let slots = limits.slots.max(1);
    let mut room = limits.most.saturating_sub(places);
    let takes = |pilot: &&Pilot<'_>| matches!(pilot.doing, Doing::Waits | Doing::Begins);
    let need = |&(group, ready): &(&'a str, u64)| {
        let coming = pilots.iter().filter(|pilot| pilot.group == group).filter(takes).count() as u64;
        let missing = ready.saturating_sub(coming * slots).div_ceil(slots);
        (group, usize::try_from(missing).unwrap_or(usize::MAX))
    };
    let mut needs: Vec<(&str, usize)> = demand.iter().map(need).collect();
    let mut plan: Vec<(&str, usize)> = demand.iter().map(|(group, _)| (*group, 0)).collect();
    // In turns: no kind of work waits until there is none of another.
    while room > 0 && needs.iter().any(|(_, need)| *need > 0) {
        for ((_, need), (_, count)) in needs.iter_mut().zip(&mut plan) {
            if *need > 0 && room > 0 {
                (*need, *count, room) = (*need - 1, *count + 1, room - 1);
            }
        }
    }
    let living = pilots.iter().filter(|pilot| pilot.doing != Doing::Ends).count();
    let planned: usize = plan.iter().map(|(_, count)| count).sum();
    let missing = limits.least.saturating_sub(living + planned).min(room);
    if missing > 0 {
        let group = demand.iter().max_by_key(|(_, ready)| *ready).map_or(PLAIN, |(group, _)| *group);
        match plan.iter_mut().find(|(known, _)| *known == group) {
            Some((_, count)) => *count += missing,
            None => plan.push((group, missing)),
        }
    }
    plan.retain(|(_, count)| *count > 0);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_by_table() {
        let (fresh, busy, waits, ends) = (Doing::Begins, Doing::Runs, Doing::Waits, Doing::Ends);
        type Case<'a> = (&'a [(&'a str, u64)], &'a [(&'a str, Doing)], (usize, usize, u64), &'a [(&'a str, usize)]);
        let cases: &[Case<'_>] = &[
            // Nothing to do.
            (&[], &[], (0, 4, 1), &[]),
            (&[(PLAIN, 0)], &[], (0, 4, 1), &[]),
            // As many as the work fills, and never above the limit.
            (&[(PLAIN, 3)], &[], (0, 4, 1), &[(PLAIN, 3)]),
            (&[(PLAIN, 9)], &[], (0, 4, 1), &[(PLAIN, 4)]),
            (&[(PLAIN, 9)], &[(PLAIN, busy), (PLAIN, ends)], (0, 4, 1), &[(PLAIN, 2)]),
            (&[(PLAIN, 9)], &[(PLAIN, busy), (PLAIN, busy)], (0, 1, 1), &[]),
            // A pilot takes as many as it has slots.
            (&[(PLAIN, 9)], &[], (0, 9, 4), &[(PLAIN, 3)]),
            (&[(PLAIN, 8)], &[], (0, 9, 4), &[(PLAIN, 2)]),
            (&[(PLAIN, 5)], &[(PLAIN, waits)], (0, 9, 4), &[(PLAIN, 1)]),
            (&[(PLAIN, 4)], &[(PLAIN, waits)], (0, 9, 4), &[]),
            // One that has just begun may yet take its own; one that ends will not.
            (&[(PLAIN, 2)], &[(PLAIN, fresh), (PLAIN, waits)], (0, 9, 1), &[]),
            (&[(PLAIN, 2)], &[(PLAIN, ends), (PLAIN, busy)], (0, 9, 1), &[(PLAIN, 2)]),
            // So many there are in any case.
            (&[], &[], (2, 4, 1), &[(PLAIN, 2)]),
            (&[], &[(PLAIN, waits), (PLAIN, ends)], (2, 4, 1), &[(PLAIN, 1)]),
            (&[], &[(PLAIN, busy)], (2, 1, 1), &[]),
            (&[("a", 1), ("b", 2)], &[], (4, 9, 1), &[("a", 1), ("b", 3)]),
            // Kinds of work take turns, and pilots of one are none of another.
            (&[("a", 9), ("b", 9)], &[], (0, 4, 1), &[("a", 2), ("b", 2)]),
            (&[("a", 9), ("b", 1)], &[], (0, 4, 1), &[("a", 3), ("b", 1)]),
            (&[("a", 2), (PLAIN, 2)], &[("a", waits), ("a", waits)], (0, 9, 1), &[(PLAIN, 2)]),
        ];
        for (demand, pilots, (least, most, slots), expected) in cases {
            let pilots: Vec<Pilot<'_>> = pilots.iter().map(|&(group, doing)| Pilot { group, doing }).collect();
            let limits = Limits { least: *least, most: *most, slots: *slots };
            assert_eq!(plan(demand, &pilots, pilots.len(), limits), *expected, "{demand:?} {pilots:?} {limits:?}");
        }
    }
}
