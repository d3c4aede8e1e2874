//! The state of a workflow as FireWorks derives it from those of its fireworks.

use std::collections::BTreeMap;

use super::{FwId, State};

/// What has to be known of a workflow to name its state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Every firework without children is COMPLETED.
    pub leaves_completed: bool,
    /// Every firework is ARCHIVED.
    pub all_archived: bool,
    /// Some firework is DEFUSED.
    pub any_defused: bool,
    /// Some firework is PAUSED.
    pub any_paused: bool,
    /// Some firework is FIZZLED.
    pub any_fizzled: bool,
    /// A FIZZLED firework stops the workflow: it is a leaf, or a child does not allow it.
    pub fizzled_stops: bool,
    /// Some firework is COMPLETED or RUNNING.
    pub any_begun: bool,
    /// Some firework is RESERVED.
    pub any_reserved: bool,
}

/// FireWorks' rule: the first that matches.
pub fn workflow_state(facts: Facts) -> State {
    if facts.leaves_completed {
        State::Completed
    } else if facts.all_archived {
        State::Archived
    } else if facts.any_defused {
        State::Defused
    } else if facts.any_paused {
        State::Paused
    } else if facts.any_fizzled {
        if facts.fizzled_stops { State::Fizzled } else { State::Running }
    } else if facts.any_begun {
        State::Running
    } else if facts.any_reserved {
        State::Reserved
    } else {
        State::Ready
    }
}

impl Facts {
    /// The facts of a workflow whose states are all known.
    pub fn of(states: &BTreeMap<FwId, State>, is_leaf: impl Fn(FwId) -> bool, stops: impl Fn(FwId) -> bool) -> Self {
        let any = |wanted: State| states.values().any(|&state| state == wanted);
        let fizzled = || states.iter().filter(|&(_, &state)| state == State::Fizzled).map(|(&fw, _)| fw);
        Facts {
            leaves_completed: states.iter().all(|(&fw, &state)| state == State::Completed || !is_leaf(fw)),
            all_archived: states.values().all(|&state| state == State::Archived),
            any_defused: any(State::Defused),
            any_paused: any(State::Paused),
            any_fizzled: any(State::Fizzled),
            fizzled_stops: fizzled().any(|fw| is_leaf(fw) || stops(fw)),
            any_begun: any(State::Completed) || any(State::Running),
            any_reserved: any(State::Reserved),
        }
    }
}

/// The state of a workflow after a firework *with children* has ended as `ended`, without a look
/// at the others: its leaves cannot all be COMPLETED, it has begun, and whatever held it before
/// still does.
pub fn after_inner_step(before: State, ended: State, stops: bool) -> State {
    match before {
        State::Defused | State::Paused | State::Fizzled => before,
        _ if ended == State::Fizzled && stops => State::Fizzled,
        _ => State::Running,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Chain of three: 1 -> 2 -> 3.
    fn chain(states: [State; 3]) -> State {
        let states: BTreeMap<FwId, State> = (1..).zip(states).collect();
        workflow_state(Facts::of(&states, |fw| fw == 3, |_| true))
    }

    #[test]
    fn first_rule_that_matches_wins() {
        use State::*;
        let cases = [
            ([Ready, Waiting, Waiting], Ready),
            ([Reserved, Waiting, Waiting], Reserved),
            ([Running, Waiting, Waiting], Running),
            ([Completed, Ready, Waiting], Running),
            ([Completed, Completed, Completed], Completed),
            ([Fizzled, Waiting, Completed], Completed),
            ([Fizzled, Waiting, Waiting], Fizzled),
            ([Completed, Fizzled, Paused], Paused),
            ([Completed, Defused, Paused], Defused),
            ([Archived, Archived, Archived], Archived),
            ([Completed, Archived, Archived], Running),
        ];
        for (states, expected) in cases {
            assert_eq!(chain(states), expected, "{states:?}");
        }
    }

    #[test]
    fn a_fizzled_parent_that_is_allowed_does_not_stop() {
        let states = BTreeMap::from([(1, State::Fizzled), (2, State::Ready)]);
        assert_eq!(workflow_state(Facts::of(&states, |fw| fw == 2, |_| false)), State::Running);
    }

    #[test]
    fn an_inner_step_agrees_with_the_whole_rule() {
        use State::*;
        for others in [Ready, Waiting, Paused, Defused, Fizzled, Running, Completed] {
            for ended in [Completed, Fizzled] {
                // 1 -> 2 ends as `ended`; 3 is a leaf of its own in state `others`.
                let of = |one| {
                    let states = BTreeMap::from([(1, one), (2, Waiting), (3, others)]);
                    workflow_state(Facts::of(&states, |fw| fw != 1, |_| true))
                };
                assert_eq!(after_inner_step(of(Running), ended, true), of(ended), "{others:?} {ended:?}");
            }
        }
    }
}
