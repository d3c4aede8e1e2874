//! What a desk does with claims, one slot and several.

use super::*;
use crate::workflow::launch::Place;
use crate::workflow::{Firework, FwAction, Launch, Lease, State as FwState};
use bson::doc;
use jiff::Timestamp;

fn desk() -> Desk {
    desk_of(1)
}

fn desk_of(slots: usize) -> Desk {
    Desk::new(Slots::new(vec!["h".into()], slots))
}

fn claim(id: i64) -> Claim {
    asking(id, doc! {})
}

/// One whose spec asks for something.
fn asking(id: i64, spec: bson::Document) -> Claim {
    let at = Timestamp::UNIX_EPOCH;
    let lease = Lease { owner: "me".into(), pid: 7, until: at, ..Lease::default() };
    let place = Place {
        fworker: doc! {},
        launch_dir: "/d".into(),
        host: "h".into(),
        ip: "127.0.0.1".into(),
        ..Place::default()
    };
    Claim {
        firework: Firework::new(id, "fw", spec, FwState::Running, at),
        launch: Launch::running(id, id, &place, &lease, at),
    }
}

fn outcome(claim: Claim) -> Outcome {
    let (state, ended) = (FwState::Completed, Timestamp::UNIX_EPOCH);
    Outcome { launch: claim.launch, state, action: FwAction::default(), ended, followed: false }
}

fn renewed_ids(desk: &Desk) -> Vec<i64> {
    match desk.next_chore(Duration::ZERO) {
        Chore::Renew(held, _) => held.iter().map(|held| held.fw_id).collect(),
        _ => panic!("renewing is due"),
    }
}

#[test]
fn everything_held_is_renewed_until_it_is_sent() {
    let desk = desk();
    desk.put((1..=3).map(claim).collect(), Instant::now());
    let first = desk.start().expect("waits").claim;
    assert_eq!(renewed_ids(&desk), [2, 3, 1]);
    assert!(desk.finish(outcome(first)).is_ok());
    assert_eq!(renewed_ids(&desk), [2, 3, 1]);
    let sending = desk.take_done();
    assert_eq!((sending.len(), renewed_ids(&desk)), (1, vec![2, 3, 1]));
    // A renewal that fails meanwhile does not make us forget it.
    desk.put_back(Vec::new(), Duration::ZERO);
    assert_eq!(renewed_ids(&desk), [2, 3, 1]);
    desk.sent();
    assert_eq!(renewed_ids(&desk), [2, 3]);
}

#[test]
fn lost_launches_leave() {
    let desk = desk();
    desk.put((1..=3).map(claim).collect(), Instant::now());
    let Started { claim: first, interrupt, .. } = desk.start().expect("waits");
    let (gone, _) = desk.renewed(&[1, 3], Instant::now());
    assert_eq!(gone.iter().map(|claim| claim.firework.fw_id).collect::<Vec<_>>(), [3]);
    assert!(interrupt.is_raised());
    assert!(desk.finish(outcome(first)).is_err(), "is not reported");
    assert_eq!(desk.start().expect("waits").claim.firework.fw_id, 2);
    assert!(desk.start().is_none() && desk.take_done().is_empty());
}

#[test]
fn a_signal_stops_what_runs_and_starts_nothing_more() {
    let desk = desk();
    desk.put((1..=2).map(claim).collect(), Instant::now());
    let interrupt = desk.start().expect("waits").interrupt;
    let stop = |signal| Stop { signal: Some(signal), near_end: false };
    desk.stop(stop(15));
    desk.stop(stop(15));
    assert!(interrupt.is_raised() && !interrupt.is_urgent());
    desk.stop(stop(2));
    assert!(interrupt.is_urgent());
    assert_eq!(desk.interrupted(1), Interrupted::Stopped(stop(15)));
    assert!(desk.start().is_none() && desk.sleep(Duration::from_secs(1000)));
    assert_eq!(desk.take_waiting().len(), 1);
}

#[test]
fn the_clock_stops_what_takes_too_long() {
    let soon = || Instant::now() + Duration::from_millis(20);
    let interrupted = |end: Option<Instant>, limit: Option<Instant>| {
        let desk = &desk();
        desk.put(vec![claim(1)], Instant::now());
        let interrupt = desk.start().expect("waits").interrupt;
        std::thread::scope(|scope| {
            scope.spawn(move || desk.keep_time(end));
            limit.iter().for_each(|&at| desk.limit(1, at));
            assert!(interrupt.is_raised_within(Duration::from_secs(60)));
            desk.close();
        });
        desk.interrupted(1)
    };
    assert_eq!(interrupted(None, Some(soon())), Interrupted::Over);
    let near_end = Stop { signal: None, near_end: true };
    assert_eq!(interrupted(Some(soon()), None), Interrupted::Stopped(near_end));
}

#[test]
fn chores_that_fail_are_done_again() {
    let desk = desk();
    desk.put((1..=3).map(claim).collect(), Instant::now());
    let first = desk.start().expect("waits").claim;
    assert!(desk.finish(outcome(first)).is_ok());
    desk.put_back(desk.take_done(), Duration::ZERO);
    assert_eq!(desk.start().expect("waits").claim.firework.fw_id, 2);
    assert_eq!(desk.take_done().len(), 1);
}

#[test]
fn nobody_waits_for_a_store_that_does_not_answer() {
    let desk = desk();
    desk.put(vec![claim(1)], Instant::now());
    let launch = desk.start().expect("waits").claim.launch;
    let next = || match desk.next_chore(Duration::from_secs(1000)) {
        Chore::Note(launch) => *launch,
        _ => panic!("there is news"),
    };
    std::thread::scope(|scope| {
        let note = || desk.note(launch.clone());
        let first = scope.spawn(note);
        let taken = next();
        assert!(!first.is_finished(), "is being written");
        desk.noted();
        first.join().expect("ends");
        let second = scope.spawn(note);
        desk.put_back_note(next(), Duration::from_millis(200));
        second.join().expect("ends while there is a pause");
        desk.note(taken);
        // The later news, after the pause.
        assert_eq!(next(), launch);
    });
    assert!(desk.lose(1) && !desk.lose(2) && desk.interrupted(1) == Interrupted::Lost);
    desk.put_back_note(launch, Duration::ZERO);
    assert!(desk.lock().notes.is_empty(), "it does not run any more");
}

#[test]
fn slots_run_side_by_side_and_in_order() {
    let desk = desk_of(3);
    desk.put(vec![claim(1), asking(2, doc! {"_slots": 2}), asking(3, doc! {"_slots": 2}), claim(4)], Instant::now());
    let first = desk.start().expect("there is room");
    let second = desk.start().expect("there is room");
    assert_eq!((&first.share.slots[..], &second.share.slots[..]), (&[0][..], &[1, 2][..]));
    drop(first.occupied);
    assert!(desk.start().is_none(), "the small one does not overtake the large one");
    drop(second.occupied);
    let (third, fourth) = (desk.start().expect("there is room"), desk.start().expect("there is room"));
    assert_eq!((third.share.slots, fourth.share.slots), (vec![0, 1], vec![2]));
    third.occupied.in_vain();
    assert_eq!((desk.begun(), desk.vacated(), desk.is_idle()), (3, 3, false));
    drop(fourth.occupied);
    assert!(desk.is_idle() && desk.room() == Room { slots: 3, nodes: 1 });
}

#[test]
fn each_launch_is_lost_limited_and_interrupted_for_itself() {
    let desk = &desk_of(3);
    desk.put((1..=3).map(claim).collect(), Instant::now());
    let [first, second, third] = [(); 3].map(|()| desk.start().expect("there is room"));
    desk.renewed(&[1], Instant::now());
    assert!(first.interrupt.is_raised() && !second.interrupt.is_raised());
    std::thread::scope(|scope| {
        scope.spawn(move || desk.keep_time(None));
        desk.limit(2, Instant::now());
        assert!(second.interrupt.is_raised_within(Duration::from_secs(60)));
        desk.close();
    });
    assert!(!third.interrupt.is_raised());
    assert_eq!((desk.interrupted(1), desk.interrupted(2)), (Interrupted::Lost, Interrupted::Over));
    assert_eq!(desk.lock().all_held(), [Held { fw_id: 3, launch_id: 3 }]);
}

#[test]
fn whoever_claims_is_woken_by_a_slot_that_nothing_waits_for() {
    let desk = &desk_of(2);
    desk.put((1..=3).map(claim).collect(), Instant::now());
    let (first, second) = (desk.start().expect("there is room"), desk.start().expect("there is room"));
    assert_eq!(desk.free_room().slots, 0);
    let vacated = desk.vacated();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || desk.wait_for_room(vacated, None));
        drop(first.occupied);
        let third = desk.start().expect("there is room");
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished(), "both slots are taken");
        drop(third.occupied);
        waiting.join().expect("ends");
    });
    assert_eq!(desk.free_room().slots, 1);
    desk.wait_for_room(desk.vacated(), Some(Duration::from_millis(1)));
    drop(second.occupied);
    desk.wait_for_all();
}
