//! The queue on the screen: jobs with state, reason, time left and fireworks; cancelling; the real queues.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use volley::launchpad::jobs::Job;
use volley::queue::{Details, JobId, JobState, Queue as _, QueuedJob};
use volley::store::ledger::Word;
use volley::tui::Event;
use volley::tui::ask::queue::{self, Jobs, Listing};
use volley::tui::ask::{Answer, Ask, act};
use volley::tui::state::{App, Screen};
use volley::verbs::action::{Action, Target};
use volley::workflow::{FwId, State};

use crate::monitor_overview::acted;
use crate::support::place::{Cleanup, Place};
use crate::support::run::wait_until;
use crate::support::screen::{answer, app, asks, compare, now, picture, press};
use crate::support::service;

/// A job as a queue shows it.
pub fn job(id: &str, state: &str, left: Option<Duration>) -> Job {
    let is_running = state == "RUNNING";
    let details = Details {
        state: state.to_owned(),
        reason: (!is_running).then(|| "Priority".to_owned()),
        left,
        hosts: is_running.then(|| format!("node{id}")),
        partition: Some("debug".to_owned()),
    };
    let queued = QueuedJob {
        id: JobId::new(id),
        state: if is_running { JobState::Running } else { JobState::Waiting },
        running_for: is_running.then_some(Duration::from_secs(754)),
        token: None,
        dir: None,
        details,
    };
    Job { queued, cluster: "east".to_owned(), runs: Vec::new(), launcher: Some("launcher-1".to_owned()), word: None }
}

/// So many jobs, of which a quarter waits, and one does nothing.
pub fn pilots(count: FwId) -> Vec<Job> {
    let pilot = |i: FwId| {
        let is_running = i * 4 < count * 3;
        let left = is_running.then(|| Duration::from_secs(5000 + 60 * i.unsigned_abs()));
        let mut one = job(&format!("48211{i:02}"), if is_running { "RUNNING" } else { "PENDING" }, left);
        one.runs = if is_running { (i * 8..i * 8 + 8).map(|id| (id, State::Running)).collect() } else { Vec::new() };
        one
    };
    let mut jobs: Vec<Job> = (0..count).map(pilot).collect();
    if let [first, second, .., last] = jobs.as_mut_slice() {
        first.runs = vec![(7, State::Running)];
        second.runs.clear();
        second.word = Some(Word::Idle(now() - SignedDuration::from_secs(300)));
        last.queued.details.reason = Some("ReqNodeNotAvail, UnavailableNodes:node[0001-0400]".to_owned());
        last.runs = vec![(9001, State::Reserved)];
    }
    jobs
}

fn shown(jobs: Jobs) -> App {
    let mut app = app();
    let effects = press(&mut app, "4");
    tell(&mut app, &asks(&effects).into_iter().cloned().collect::<Vec<_>>(), &jobs);
    app.update(Event::Pulse(Ok(false)));
    app
}

fn tell(app: &mut App, questions: &[Ask], jobs: &Jobs) {
    for ask in questions {
        answer(app, ask, Answer::Queue(Box::new(queue::Answer::Jobs(jobs.clone()))));
    }
}

fn listing(jobs: Vec<Job>) -> Jobs {
    Ok(Listing { queue: "Slurm".to_owned(), jobs })
}

#[test]
fn what_is_known_is_drawn() {
    let mut unknown = app();
    press(&mut unknown, "4");
    compare(&mut unknown, "queue-unknown");
    compare(&mut shown(listing(Vec::new())), "queue-empty");
    compare(&mut shown(listing(pilots(6))), "queue-small");
    let mut large = shown(listing(pilots(64)));
    press(&mut large, "G");
    compare(&mut large, "queue-large");
    compare(
        &mut shown(Err(
            "`squeue -h` ended with exit code 1: slurm_load_jobs error: Unable to contact slurm controller".into(),
        )),
        "queue-away",
    );
}

#[test]
fn keys_are_about_the_chosen_job() {
    let mut app = shown(listing(pilots(6)));
    press(&mut app, "<Enter>");
    assert!(matches!(app.screen(), Screen::Firework(one) if one.fw_id == 7), "the only one that it runs");
    press(&mut app, "<Esc>jj");
    let effects = press(&mut app, "c");
    let [Ask::Act(act::Ask::Plan(Action::Cancel, Target::Jobs(ids)))] = asks(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*ids, ["4821102"]);
    press(&mut app, "<Esc>");
    let effects = press(&mut app, "x");
    let [Ask::Act(act::Ask::Plan(Action::Defuse, Target::Fireworks(selection)))] = asks(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(selection.ids, Some((16..24).collect()));
    press(&mut app, "<Esc><Enter>");
    assert_eq!(app.tab, 2, "what the job has run");
}

#[test]
fn keys_are_about_all_marked_jobs() {
    let mut app = shown(listing(pilots(6)));
    press(&mut app, "j j ");
    let seen = picture(&mut app, (60, 15));
    assert!(seen.contains("2 marked") && seen.contains("*4821101") && seen.contains("*4821103"), "{seen}");
    let effects = press(&mut app, "c");
    let [Ask::Act(act::Ask::Plan(Action::Cancel, jobs @ Target::Jobs(ids)))] = asks(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(*ids, ["4821101", "4821103"]);
    press(&mut app, "<Esc>");
    let effects = press(&mut app, "p");
    let [Ask::Act(act::Ask::Plan(Action::Pause, Target::Fireworks(selection)))] = asks(&effects)[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(selection.ids, Some((24..32).collect()), "job 4821101 runs nothing");
    press(&mut app, "<Esc>");
    // What has gone is not marked any more, and neither is what was cancelled.
    tell(&mut app, &[Ask::Queue(queue::Ask::Jobs)], &listing(pilots(6).split_off(2)));
    assert!(picture(&mut app, (60, 15)).contains("1 marked"));
    acted(&mut app, jobs.clone());
    assert!(!picture(&mut app, (60, 15)).contains(" marked"));
    press(&mut app, "a");
    assert!(picture(&mut app, (60, 15)).contains("4 marked"));
    press(&mut app, "a");
    assert!(!picture(&mut app, (60, 15)).contains(" marked"));
}

#[test]
fn it_is_asked_at_once_after_an_action_and_again_soon() {
    let mut app = shown(listing(pilots(2)));
    app.update(Event::Clock(now() + SignedDuration::from_secs(1)));
    let mut asked = Vec::new();
    let first = acted(&mut app, Target::Jobs(vec!["4821101".into()]));
    asked.extend(asks(&first).iter().map(|_| 1));
    tell(&mut app, &asks(&first).into_iter().cloned().collect::<Vec<_>>(), &listing(pilots(2)));
    for second in 2..9 {
        let effects = app.update(Event::Clock(now() + SignedDuration::from_secs(second)));
        let questions: Vec<Ask> = asks(&effects).into_iter().cloned().collect();
        asked.extend(questions.iter().map(|_| second));
        tell(&mut app, &questions, &listing(pilots(2)));
    }
    assert_eq!(asked, [1, 4]);
}

#[test]
fn the_cursor_stays_with_its_job() {
    let mut app = shown(listing(pilots(6)));
    press(&mut app, "jj");
    let on = |app: &App| {
        let Screen::Queue(one) = app.screen() else { panic!("the queue") };
        one.chosen().map(|job| job.queued.id.id.clone())
    };
    for (jobs, expected) in [(pilots(6).split_off(1), "4821102"), (pilots(6).split_off(3), "4821104")] {
        tell(&mut app, &[Ask::Queue(queue::Ask::Jobs)], &listing(jobs));
        assert_eq!(on(&app).as_deref(), Some(expected));
    }
    let mut app = shown(listing(pilots(6).split_off(1)));
    tell(&mut app, &[Ask::Queue(queue::Ask::Jobs)], &listing(pilots(6)));
    assert_eq!(on(&app).as_deref(), Some("4821101"), "also before any key");
}

#[test]
fn it_is_asked_every_ten_seconds_at_most() {
    let mut app = shown(listing(pilots(2)));
    let mut asked = 0;
    for second in 1..=60 {
        app.update(Event::Clock(now() + SignedDuration::from_secs(second)));
        let effects = app.update(Event::Pulse(Ok(true)));
        let questions: Vec<Ask> = asks(&effects).into_iter().cloned().collect();
        asked += questions.len();
        tell(&mut app, &questions, &listing(pilots(2)));
    }
    assert_eq!(asked, 6);
    assert!(picture(&mut app, (80, 24)).contains("asked 0 s ago"));
}

/// What the monitor says of the jobs of a place.
fn jobs_of(place: &Place) -> Value {
    place.run(&["lpad", "monitor", "--json"]).json()
}

#[test]
fn jobs_of_this_machine_are_shown_with_what_they_run() {
    let place = Place::with_adapter("_fw_q_type: LOCAL\nrocket_launch: rlaunch singleshot\n");
    let queue = Cleanup(place.local());
    place.add_scripts(1, "sleep 1000");
    assert_eq!(jobs_of(&place)["queue"], json!({"name": "local", "jobs": []}));
    place.run(&["qlaunch", "singleshot"]).done();
    wait_until("the job runs it", || jobs_of(&place)["queue"]["jobs"][0]["fw_ids"] == json!([1]));
    let found = jobs_of(&place);
    let job = &found["queue"]["jobs"][0];
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    assert_eq!((&job["id"], &job["state"], &job["hosts"]), (&json!("1"), &json!("RUNNING"), &json!(host)), "{found}");
    assert!(job["launcher"].as_str().is_some_and(|launcher| launcher.starts_with(&host)), "{found}");
    let member = &found["crew"][0];
    assert_eq!(
        (&member["job"]["id"], &member["slots"], &member["fw_ids"]),
        (&json!("1"), &json!(1), &json!([1])),
        "{found}"
    );
    queue.0.cancel(&[JobId::new("1")]).expect("cancels");
    wait_until("it is gone", || jobs_of(&place)["queue"]["jobs"] == json!([]));
}

#[test]
fn jobs_of_slurm_are_shown_with_their_time_and_reason() {
    let Some(conf) = service("VOLLEY_TEST_SLURM_CONF", "slurm") else { return };
    let adapter = "_fw_q_type: SLURM\nqueue: debug\nwalltime: '00:30:00'\nrocket_launch: rlaunch singleshot\n";
    let place = Place::with_adapter(adapter).set("SLURM_CONF", &conf);
    let queue = Cleanup(place.slurm(&conf));
    place.add_scripts(1, "sleep 1000");
    place.run(&["qlaunch", "singleshot"]).done();
    wait_until("the job runs it", || jobs_of(&place)["queue"]["jobs"][0]["fw_ids"] == json!([1]));
    let found = jobs_of(&place);
    let job = &found["queue"]["jobs"][0];
    assert_eq!((&job["state"], &job["partition"], &job["reason"]), (&json!("RUNNING"), &json!("debug"), &Value::Null));
    assert!(job["hosts"].is_string() && job["launcher"].is_string(), "{found}");
    let left = |value: &Value| value["seconds_left"].as_u64().is_some_and(|left| (1..=1800).contains(&left));
    assert!(left(job) && left(&found["crew"][0]), "{found}");

    std::fs::write(place.path().join("held.sh"), "#!/bin/bash\n#SBATCH --hold --output=/dev/null\ntrue\n")
        .expect("written");
    let held = queue.0.submit(&volley::queue::Job::new(place.path(), "held.sh")).expect("submitted");
    let found = jobs_of(&place);
    let jobs = found["queue"]["jobs"].as_array().expect("a list");
    let job = jobs.iter().find(|job| job["id"] == held.id).expect("is shown");
    assert_eq!((&job["state"], &job["reason"]), (&json!("PENDING"), &json!("JobHeldUser")), "{found}");
    assert_eq!((&job["seconds_left"], &job["fw_ids"]), (&Value::Null, &json!([])), "{found}");
}
