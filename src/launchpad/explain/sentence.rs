//! What the facts amount to, in one sentence.

use jiff::Timestamp;

use super::{Attempt, Facts, Parent, Queued};
use crate::launchpad::shorten::shortened;
use crate::store::examine::age;
use crate::workflow::room::Ask;
use crate::workflow::{Lease, State};

/// The same without the directory, for where that is shown anyway.
pub fn without_directory(facts: &Facts) -> String {
    match (&facts.launch, facts.state) {
        (Some(launch), State::Completed) => {
            format!("Firework {} `{}` has completed, on {}.", facts.fw_id, facts.name, launch.host)
        }
        _ => sentence(facts),
    }
}

/// Why the firework does not run, or what became of it.
pub fn sentence(facts: &Facts) -> String {
    let id = facts.fw_id;
    let what = match facts.state {
        State::Waiting => waiting(facts),
        State::Ready => ready(facts),
        State::Reserved => reserved(facts),
        State::Running => running(facts),
        State::Completed => completed(facts),
        State::Fizzled => fizzled(facts),
        State::Paused => format!("is paused{}; `lpad resume_fws -i {id}` lets it go on", since(facts)),
        State::Defused => {
            format!(
                "is defused{}, and so out of its workflow; `lpad reignite_fws -i {id}` brings it back",
                since(facts)
            )
        }
        State::Archived => format!("is archived{}, for good", since(facts)),
    };
    format!("Firework {id} `{}` {what}.", facts.name)
}

fn since(facts: &Facts) -> String {
    facts.since.map_or_else(String::new, |since| format!(" since {}", moment(since)))
}

/// To the second, by the clock of the world.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Parents that keep it waiting.
fn holding(facts: &Facts) -> Vec<&Parent> {
    let lets_go = |parent: &&Parent| match parent.state {
        State::Completed => true,
        State::Fizzled => facts.lenient,
        _ => false,
    };
    facts.parents.iter().filter(|parent| !lets_go(parent)).collect()
}

fn waiting(facts: &Facts) -> String {
    let id = facts.fw_id;
    match holding(facts)[..] {
        [] => format!(
            "waits although nothing above keeps it: a step was left half done, which idle workers see to, or `lpad admin refresh -i {id}`"
        ),
        [parent] => format!("waits for its parent {} `{}`, which is {}", parent.fw_id, parent.name, advice(parent)),
        ref parents => {
            let shown: Vec<String> =
                parents.iter().take(5).map(|parent| format!("{} ({})", parent.fw_id, parent.state)).collect();
            let more = parents.len() - shown.len();
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let stuck = parents.iter().find(|parent| is_stuck(parent.state));
            let stuck = stuck.map_or_else(String::new, |parent| {
                format!("; {} will not go on by itself: it is {}", parent.fw_id, advice(parent))
            });
            let (count, all) = (parents.len(), facts.parents.len());
            format!("waits for {count} of its {all} parents: {}{more}{stuck}", shown.join(", "))
        }
    }
}

fn is_stuck(state: State) -> bool {
    matches!(state, State::Fizzled | State::Defused | State::Paused | State::Archived)
}

/// The state of a parent, and what to do about it.
fn advice(parent: &Parent) -> String {
    let (id, state) = (parent.fw_id, parent.state);
    match state {
        State::Fizzled => format!("{state} (`lpad rerun_fws -i {id}` runs it again)"),
        State::Defused => format!("{state} (`lpad reignite_fws -i {id}` brings it back)"),
        State::Paused => format!("{state} (`lpad resume_fws -i {id}` lets it go on)"),
        _ => state.to_string(),
    }
}

fn ready(facts: &Facts) -> String {
    if let Some(until) = facts.not_before.filter(|until| *until > facts.at) {
        let after = match facts.losses.len() {
            0 => String::new(),
            1 => " after a lost run".to_owned(),
            lost => format!(" after {lost} lost runs"),
        };
        return format!("is READY, but is not tried again before {}{after}", moment(until));
    }
    let others = format!(
        "{} at work; one that is idle leaves no trace in the launchpad",
        match facts.at_work.len() {
            0 => "no worker is".to_owned(),
            1 => "1 other is".to_owned(),
            count => format!("{count} others are"),
        }
    );
    if let Some(name) = facts.fworker.as_ref().filter(|name| !facts.at_work.iter().any(|one| one.name == **name)) {
        return format!(
            "is READY, and waits for a worker of the name `{name}`: none of that name is at work ({others})"
        );
    }
    let takes = |category: &String| {
        facts.at_work.iter().any(|one| one.categories.as_ref().is_none_or(|known| known.contains(category)))
    };
    if let Some(category) = facts.category.as_ref().filter(|category| !takes(category)) {
        return format!(
            "is READY, and waits for a worker that takes the category `{category}`: none that does is at work ({others})"
        );
    }
    if let Some(unable) = facts.unable.first() {
        return format!("is READY, and waits for another worker: {unable}");
    }
    let large = match facts.asks {
        Some(Ask::Slots(count)) => Some((format!("{count} slots"), format!("rlaunch multi {count}"))),
        Some(Ask::Nodes(count)) => Some((format!("{count} nodes"), format!("rlaunch in a job of {count} nodes"))),
        None => None,
    };
    if let Some((asked, command)) = large {
        return format!("is READY, and waits for a worker that has {asked} for it (`{command}`, or more)");
    }
    match facts.at_work.len() {
        0 => "is READY, and waits for a worker: nothing runs at the moment (`rlaunch rapidfire`, or `qlaunch`)"
            .to_owned(),
        1 => "is READY, and waits for its turn: 1 worker is at work".to_owned(),
        count => format!("is READY, and waits for its turn: {count} workers are at work"),
    }
}

/// What is said of a run that the launchpad hears of only when it is asked about.
const OFFLINE: &str = "without the launchpad; `lpad recover_offline` tells how far it has come";

fn reserved(facts: &Facts) -> String {
    let id = facts.fw_id;
    if let Some(job) = facts.launch.as_ref().filter(|launch| launch.offline).and_then(|launch| launch.job.as_ref()) {
        return format!("is RESERVED for queue job {}, which runs it {OFFLINE}", job.0);
    }
    match facts.launch.as_ref().map(|launch| &launch.job) {
        None => "is RESERVED without a launch: whoever reserved it died, which idle workers see to".to_owned(),
        Some(None) => "is RESERVED for a queue job that has no number yet".to_owned(),
        Some(Some((job, queued))) => match queued {
            Queued::There(words) => format!("is RESERVED for queue job {job}, which is {words}"),
            Queued::Gone => format!(
                "is RESERVED for queue job {job}, which the queue does not know any more; `lpad cancel_qid --qid {job}` makes it READY"
            ),
            Queued::Unknown(why) => format!("is RESERVED for queue job {job}, of which the queue says nothing: {why}"),
            Queued::Unasked => format!("is RESERVED for queue job {job} (fw {id})"),
        },
    }
}

fn running(facts: &Facts) -> String {
    let Some(launch) = &facts.launch else {
        return "is RUNNING without a launch: whoever claimed it died, which idle workers see to".to_owned();
    };
    if launch.state.is_final() {
        let id = launch.launch_id;
        return format!("is RUNNING, but its launch {id} is {}, which idle workers see to", launch.state);
    }
    if launch.offline {
        return format!("runs on {} {OFFLINE}", launch.host);
    }
    if let Some(loss) = &launch.lost {
        return format!("is RUNNING, but is lost ({loss}), which idle workers see to");
    }
    match &launch.lease {
        Some(lease) if lease.until < facts.at => format!(
            "was run by {}, whose lease ended {} ago; it is taken up when nobody renews it",
            holder(lease),
            age(facts.at, lease.until)
        ),
        Some(lease) => {
            let advance = launch.advance.as_ref().map_or_else(String::new, |advance| format!(": {}", advance.words()));
            format!("runs, by {}{advance}; its lease holds until {}", holder(lease), moment(lease.until))
        }
        None => match &launch.job {
            None => format!("runs under Python FireWorks on {}, {}", launch.host, heard(launch, facts.at)),
            // Whether an offline run is forgotten or was never one, is not to be seen from the launch.
            Some((job, _)) => format!(
                "runs in queue job {job} on {}, {}: under Python FireWorks, or offline and forgotten; then nobody will report it, and `lpad rerun_fws -i {}` runs it again",
                launch.host,
                heard(launch, facts.at),
                facts.fw_id
            ),
        },
    }
}

fn heard(launch: &Attempt, at: Timestamp) -> String {
    launch.heard.map_or_else(|| "unheard of".to_owned(), |heard| format!("last heard of {} ago", age(at, heard)))
}

/// Who holds a lease.
pub fn holder(lease: &Lease) -> String {
    let job = lease.job.as_ref().map_or_else(String::new, |job| format!(", queue job {}", job.id));
    format!("process {} on {}{job}", lease.pid, lease.host)
}

fn completed(facts: &Facts) -> String {
    let Some(launch) = &facts.launch else { return format!("is COMPLETED{}", since(facts)) };
    format!("has completed, on {} in {}", launch.host, launch.dir)
}

fn fizzled(facts: &Facts) -> String {
    let error = facts.launch.as_ref().and_then(|launch| launch.error.as_deref());
    let error = shortened(error.unwrap_or("nobody knows why").trim_end_matches('.'), 300);
    format!("has failed: {error} (`lpad rerun_fws -i {}` runs it again)", facts.fw_id)
}

#[cfg(test)]
mod tests {
    use super::super::AtWork;
    use super::*;
    use crate::workflow::lease::QueueJob;
    use crate::workflow::{Cause, FwId, Loss};
    use jiff::SignedDuration;

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).expect("in range")
    }

    fn of(state: State) -> Facts {
        Facts {
            fw_id: 7,
            name: "relax".into(),
            state,
            since: Some(now() - SignedDuration::from_mins(5)),
            at: now(),
            parents: Vec::new(),
            lenient: false,
            locked_by: None,
            fworker: None,
            category: None,
            asks: None,
            not_before: None,
            at_work: Vec::new(),
            launchers: Vec::new(),
            unable: Vec::new(),
            launch: None,
            losses: Vec::new(),
        }
    }

    fn under(parents: &[(FwId, State)]) -> Facts {
        let parent = |&(fw_id, state): &(FwId, State)| Parent { fw_id, name: format!("p{fw_id}"), state };
        Facts { parents: parents.iter().map(parent).collect(), ..of(State::Waiting) }
    }

    fn attempt(state: State) -> Attempt {
        Attempt {
            launch_id: 3,
            state,
            host: "n1".into(),
            dir: "/d".into(),
            heard: Some(now() - SignedDuration::from_mins(3)),
            lease: None,
            job: None,
            error: None,
            offline: false,
            advance: None,
            lost: None,
        }
    }

    fn with(state: State, launch: Attempt) -> Facts {
        Facts { launch: Some(launch), ..of(state) }
    }

    fn leased(until: Timestamp) -> Facts {
        let job = Some(QueueJob { id: "12".into(), cluster: None, restarts: 0 });
        let lease = Lease { owner: "o".into(), host: "n1".into(), pid: 5, job, until, ..Lease::default() };
        with(State::Running, Attempt { lease: Some(lease), ..attempt(State::Running) })
    }

    fn queued(queued: Queued) -> Facts {
        with(State::Reserved, Attempt { job: Some(("12".into(), queued)), ..attempt(State::Reserved) })
    }

    #[test]
    fn every_case_has_its_sentence() {
        use State::{Archived, Completed, Defused, Fizzled, Paused, Ready, Reserved, Running, Waiting};
        let minute = SignedDuration::from_mins(1);
        let worker = |name: &str, category: Option<&str>| AtWork {
            name: name.into(),
            categories: category.map(|one| vec![one.to_owned()]),
        };
        let loss = (2, Loss::new(Cause::Unexplained, "gone"), None);
        for (facts, words) in [
            (under(&[(1, Running)]), "waits for its parent 1 `p1`, which is RUNNING."),
            (under(&[(1, Fizzled), (2, Completed)]), "which is FIZZLED (`lpad rerun_fws -i 1` runs it again)."),
            (
                under(&[(1, Waiting), (2, Ready), (3, Completed)]),
                "waits for 2 of its 3 parents: 1 (WAITING), 2 (READY).",
            ),
            (
                under(&[(1, Running), (2, Paused)]),
                "2 will not go on by itself: it is PAUSED (`lpad resume_fws -i 2` lets it go on).",
            ),
            (under(&[(1, Completed)]), "waits although nothing above keeps it"),
            (Facts { lenient: true, ..under(&[(1, Fizzled)]) }, "waits although nothing above keeps it"),
            (of(Ready), "waits for a worker: nothing runs at the moment"),
            (Facts { at_work: vec![worker("w", None)], ..of(Ready) }, "waits for its turn: 1 worker is at work."),
            (
                Facts { not_before: Some(now() + minute), losses: vec![loss], ..of(Ready) },
                "is not tried again before 2027-01-15 08:01:00 UTC after a lost run.",
            ),
            (Facts { not_before: Some(now() - minute), ..of(Ready) }, "waits for a worker"),
            (Facts { asks: Some(Ask::Slots(4)), ..of(Ready) }, "a worker that has 4 slots for it (`rlaunch multi 4`"),
            (Facts { asks: Some(Ask::Nodes(2)), ..of(Ready) }, "a worker that has 2 nodes for it"),
            (
                Facts { fworker: Some("gpu1".into()), at_work: vec![worker("w", None)], ..of(Ready) },
                "waits for a worker of the name `gpu1`: none of that name is at work (1 other is at work; one that is idle leaves no trace",
            ),
            (
                Facts { category: Some("gpu".into()), at_work: vec![worker("w", Some("cpu"))], ..of(Ready) },
                "waits for a worker that takes the category `gpu`",
            ),
            (
                Facts { category: Some("gpu".into()), at_work: vec![worker("w", Some("gpu"))], ..of(Ready) },
                "waits for its turn",
            ),
            (
                Facts { unable: vec!["worker w on h cannot run X".into()], ..of(Ready) },
                "waits for another worker: worker w on h cannot run X.",
            ),
            (
                queued(Queued::There("PENDING (Priority)".into())),
                "is RESERVED for queue job 12, which is PENDING (Priority).",
            ),
            (queued(Queued::Gone), "`lpad cancel_qid --qid 12` makes it READY."),
            (queued(Queued::Unknown("no sbatch".into())), "of which the queue says nothing: no sbatch."),
            (with(Reserved, attempt(Reserved)), "for a queue job that has no number yet."),
            (of(Reserved), "is RESERVED without a launch"),
            (
                leased(now() + minute),
                "runs, by process 5 on n1, queue job 12; its lease holds until 2027-01-15 08:01:00 UTC.",
            ),
            (leased(now() - minute), "was run by process 5 on n1, queue job 12, whose lease ended 1 min ago"),
            (with(Running, attempt(Running)), "runs under Python FireWorks on n1, last heard of 3 min ago."),
            (
                with(Running, Attempt { job: Some(("12".into(), Queued::Unasked)), ..attempt(Running) }),
                "runs in queue job 12 on n1, last heard of 3 min ago: under Python FireWorks, or offline and forgotten",
            ),
            (with(Running, attempt(Completed)), "is RUNNING, but its launch 3 is COMPLETED"),
            (of(Running), "is RUNNING without a launch"),
            (with(Completed, attempt(Completed)), "has completed, on n1 in /d."),
            (with(Running, Attempt { offline: true, ..attempt(Running) }), "runs on"),
            (
                with(Running, Attempt { lost: Some(Loss::new(Cause::NodeFail, "it burnt")), ..attempt(Running) }),
                "is lost (it burnt), which idle workers see to",
            ),
            (
                with(Fizzled, Attempt { error: Some("ValueError: no.".into()), ..attempt(Fizzled) }),
                "has failed: ValueError: no (`lpad rerun_fws -i 7` runs it again).",
            ),
            (of(Fizzled), "has failed: nobody knows why"),
            (of(Paused), "is paused since 2027-01-15 07:55:00 UTC; `lpad resume_fws -i 7`"),
            (of(Defused), "is defused since"),
            (of(Archived), "is archived since"),
        ] {
            let said = sentence(&facts);
            assert!(said.starts_with("Firework 7 `relax` ") && said.ends_with('.'), "{said}");
            assert!(said.contains(words), "no `{words}` in: {said}");
        }
    }
}
