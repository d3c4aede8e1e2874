//! The ledger of queue jobs, on every store.

use jiff::Timestamp;
use volley::store::ledger::{Change, Daemon, Entry, Holder, JobName, Key, Ledger, Word};

use crate::support::Launchpad;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn entry(token: &str, element: Option<u32>) -> Entry {
    let holder = Holder { host: "login1".into(), boot_id: "b".into(), pid: 7, born: Some(9) };
    Entry {
        token: token.into(),
        element,
        holder,
        taken: at(1),
        group: Some("g".into()),
        job: None,
        word: None,
        missed: None,
    }
}

fn daemon() -> Daemon {
    Daemon {
        id: "018f-1".into(),
        holder: Holder { host: "login1".into(), ..Holder::default() },
        command: "qlaunch rapidfire".into(),
        log: None,
        status: "2 jobs".into(),
        began: at(1),
        heard: at(2),
        stop: false,
    }
}

fn job(id: &str) -> JobName {
    JobName { id: id.into(), cluster: Some("east".into()) }
}

#[test]
fn a_story_of_places() {
    for launchpad in std::iter::once(Launchpad::sqlite()).chain(Launchpad::mongo()) {
        let store = &*launchpad.store;
        let key = Key { cluster: "east".into(), user: "1000".into() };
        let other = Key { cluster: "west".into(), ..key.clone() };
        let tokens = |key: &Key| -> Vec<(String, Option<u32>)> {
            let ledger = store.ledger(key).expect("answers");
            ledger.jobs.into_iter().map(|entry| (entry.token, entry.element)).collect()
        };
        assert_eq!(store.ledger(&key).expect("answers"), Ledger::default());
        let take = |revision, places: &[Entry], most| store.take_places(&key, revision, places, most).expect("answers");

        // Three places, and no fourth.
        let first = take(0, &[entry("/a", None), entry("/b", None)], Some(3)).expect("there is room");
        assert_eq!(take(0, &[entry("/c", None)], Some(3)), None, "somebody has counted before that");
        assert_eq!(take(first, &[entry("/c", None), entry("/d", None)], Some(3)), None, "too many");
        assert_eq!(take(first, &[entry("/c", None)], Some(0)), None);
        let second = take(first, &[entry("/c", Some(0))], Some(3)).expect("there is room");
        assert_eq!(take(second, &[entry("/d", None)], Some(3)), None, "it is full");
        assert_eq!(tokens(&other), []);
        assert_eq!(store.ledger(&key).expect("answers").jobs[0], entry("/a", None), "comes back as it was");

        // They get their jobs, and a job that begins before that says so itself.
        let settle = |changes: &[Change]| store.settle_places(&key, changes).expect("answers");
        let named = |token: &str, element, id| Change::Job { token: token.into(), element, job: job(id) };
        settle(&[named("/a", None, "11"), named("/c", Some(0), "13_0"), named("/nowhere", None, "1")]);
        let tell = |token: &str, element, job: Option<&JobName>, word| {
            store.tell_place(&key, token, element, job, word).expect("answers")
        };
        assert!(tell("/b", None, Some(&job("12")), Word::Started(at(5))));
        assert!(!tell("/c", None, None, Word::Started(at(5))), "an element has a number");
        let jobs = store.ledger(&key).expect("answers").jobs;
        let ids: Vec<_> = jobs.iter().map(|entry| entry.job.as_ref().map(|job| job.id.as_str())).collect();
        assert_eq!(ids, [Some("11"), Some("12"), Some("13_0")]);
        assert_eq!((jobs[1].word, &jobs[1].job), (Some(Word::Started(at(5))), &Some(job("12"))));

        settle(&[Change::Missed { token: "/a".into(), element: None, at: at(7) }]);
        assert_eq!(store.ledger(&key).expect("answers").jobs[0].missed, Some(at(7)));

        // A place is given back once, and only by who knows whose it is.
        let free = |token: &str, element, job: Option<&str>| {
            settle(&[Change::Free { token: token.into(), element, job: job.map(str::to_owned) }]);
        };
        free("/b", None, None);
        free("/b", None, Some("99"));
        free("/c", None, Some("13_0"));
        assert_eq!(tokens(&key).len(), 3);
        free("/b", None, Some("12"));
        assert_eq!(tokens(&key), [("/a".into(), None), ("/c".into(), Some(0))]);
        assert_eq!(take(second, &[entry("/d", None)], Some(3)), None, "the ledger has changed since");

        // A job that nobody has a place for is found once.
        let found = Entry { job: Some(job("20")), ..entry("/e", None) };
        settle(&[Change::Found(found.clone()), Change::Found(Entry { job: Some(job("21")), ..found })]);
        assert_eq!(tokens(&key).len(), 3);

        // Idle ones leave, but for one.
        let leave = |token: &str| store.leave_place(&key, token, None, 1, at(9)).expect("answers");
        assert!(tell("/c", Some(0), None, Word::Ending(at(8))));
        store.note_daemon(&key, &daemon()).expect("answers");
        let plain = Entry { group: None, job: Some(job("21")), ..entry("/f", None) };
        settle(&[Change::Found(plain)]);
        assert!(leave("/a") && !leave("/e"), "other jobs are no pilots");
        assert_eq!(store.ledger(&key).expect("answers").jobs[0].word, Some(Word::Ending(at(9))));
        // Where nobody has heard of a launcher for long there is none that wants it.
        let leave_at = |second| store.leave_place(&key, "/e", None, 1, at(second)).expect("answers");
        assert!(!leave_at(2 + 600) && leave_at(2 + 601));
        assert!(tell("/e", None, None, Word::Idle(at(8))) && !leave("/e"));
        store.drop_daemon(&key, &daemon().id).expect("answers");
        assert!(leave("/e"));
    }
}

#[test]
fn a_story_of_launchers() {
    for launchpad in std::iter::once(Launchpad::sqlite()).chain(Launchpad::mongo()) {
        let store = &*launchpad.store;
        let key = Key { cluster: "@here".into(), user: "1000".into() };
        let daemon = daemon();
        assert!(!store.stop_daemon(&key, &daemon.id).expect("answers"));
        assert!(!store.note_daemon(&key, &daemon).expect("answers"));
        assert_eq!(
            store.ledgers().expect("answers"),
            [(key.clone(), Ledger { daemons: vec![daemon.clone()], ..Ledger::default() })]
        );
        assert!(store.stop_daemon(&key, &daemon.id).expect("answers"));
        let later = Daemon { heard: at(9), ..daemon.clone() };
        assert!(store.note_daemon(&key, &later).expect("answers"), "it is to stop");
        assert_eq!(store.ledger(&key).expect("answers").daemons, [Daemon { stop: true, ..later }]);
        // Places and launchers do not disturb each other.
        assert!(store.take_places(&key, 0, &[entry("/a", None)], None).expect("answers").is_some());
        store.drop_daemon(&key, &daemon.id).expect("answers");
        let ledger = store.ledger(&key).expect("answers");
        assert_eq!((ledger.jobs.len(), ledger.daemons), (1, vec![]));
    }
}
