//! Workers that end for want of work.

use jiff::Timestamp;
use volley::store::ledger::{Change, Daemon, Entry, Holder, JobName, Key, Word};
use volley::workflow::State;

use crate::support::processes::script;
use crate::support::run::wait_until;
use crate::support::site::{Running, Site};

#[test]
fn an_idle_worker_ends_after_its_time() {
    for site in Site::on_every_store() {
        let first = site.add_tasks(script("true"));
        let worker = site.start(&["rapidfire", "--nlaunches", "infinite", "--max-idle", "1s", "--slots", "2"]);
        wait_until("it is done", || site.state(first) == State::Completed);
        let second = site.add_tasks(script("true"));
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(site.state(second) == State::Completed && log.contains("No work for 1 secs: leaving"), "{log}");
    }
}

#[test]
fn it_says_when_it_is_idle_and_stays_when_few_would_be_left() {
    for site in Site::on_every_store() {
        let (store, now) = (&site.launchpad.store, Timestamp::now());
        let key = Key { cluster: "east".into(), user: "ann".into() };
        let entry = |token: &str, job: Option<&str>| Entry {
            token: token.into(),
            element: None,
            holder: Holder::default(),
            taken: now,
            group: Some("null".into()),
            job: job.map(|id| JobName { id: id.into(), cluster: None }),
            word: None,
            missed: None,
        };
        store.take_places(&key, 0, &[entry("/t", None)], None).expect("takes");
        let daemon = Daemon {
            id: "1f".into(),
            holder: Holder::default(),
            command: "qlaunch elastic --min 1 --max 2".into(),
            log: None,
            status: String::new(),
            began: now,
            heard: now,
            stop: false,
        };
        store.note_daemon(&key, &daemon).expect("notes");
        let word = || store.ledger(&key).expect("reads").jobs.remove(0).word;
        let arguments = ["rapidfire", "--nlaunches", "infinite", "--max-idle", "0.3s", "--least", "1"];
        let mut worker = site.rlaunch(&arguments);
        let worker = Running::of(worker.env("VOLLEY_PLACE", "/t").env("VOLLEY_LEDGER", key.id()));
        wait_until("it is idle", || matches!(word(), Some(Word::Idle(_))));
        site.add_tasks(script("until [ -e $HOME/go ]; do sleep 0.02; done"));
        wait_until("it works", || matches!(word(), Some(Word::Started(_))));
        site.write("go", "");
        wait_until("it is idle", || matches!(word(), Some(Word::Idle(_))));
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert!(matches!(word(), Some(Word::Idle(_))), "it is the last");
        store.settle_places(&key, &[Change::Found(entry("/other", Some("8")))]).expect("settles");
        let (code, log) = worker.end();
        assert_eq!(code, Some(0), "{log}");
        assert!(matches!(word(), Some(Word::Ending(_))), "{log}");
    }
}
