//! A store that goes away while a firework runs: nothing is lost, nothing is run twice.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;
use volley::store::Location;
use volley::workflow::State;

use crate::support::Launchpad;
use crate::support::run::wait_until;
use crate::support::site::{Running, Site};

/// A way to a server that can be cut.
struct Way {
    port: u16,
    open: Arc<Mutex<Option<Vec<TcpStream>>>>,
}

impl Way {
    /// To the server at `address`.
    fn to(address: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = listener.local_addr().expect("is bound").port();
        let open = Arc::new(Mutex::new(Some(Vec::new())));
        let streams = Arc::clone(&open);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let Ok(far) = TcpStream::connect(&address) else { continue };
                if let Some(streams) = &mut *streams.lock().expect("is whole") {
                    let copy = |stream: &TcpStream| stream.try_clone().expect("copies");
                    streams.extend([copy(&near), copy(&far)]);
                    pump(copy(&near), copy(&far));
                    pump(far, near);
                }
            }
        });
        Way { port, open }
    }

    fn cut(&self) {
        for stream in self.open.lock().expect("is whole").take().into_iter().flatten() {
            // The other end may have gone first.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn mend(&self) {
        *self.open.lock().expect("is whole") = Some(Vec::new());
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// A worker whose firework has ended while the server was away.
fn ended_while_away() -> Option<(Site, Way, i64, Running)> {
    let site = Site::on(Launchpad::mongo()?);
    let Location::Mongo(settings) = &site.launchpad.location else { panic!("a MongoDB launchpad") };
    let way = Way::to(settings.host.trim_start_matches("mongodb://").trim_end_matches('/').to_owned());
    let config = json!({"host": "127.0.0.1", "port": way.port, "name": settings.name});
    site.write("my_launchpad.yaml", &config.to_string());
    let task = |script: &str| json!({"_fw_name": "ScriptTask", "script": script});
    let wait = "touch begun; until [ -e go ]; do sleep 0.1; done";
    let fw_id = site.add_tasks(json!([task(wait), task("true"), task("true")]));
    let mut worker = site.rlaunch(&["--loglvl", "DEBUG", "singleshot"]);
    let worker = Running::of(worker.env("VOLLEY_PLACE", "/t").env("VOLLEY_LEDGER", "east/ann"));
    wait_until("it runs", || site.path().join("begun").exists());
    way.cut();
    site.write("go", "");
    wait_until("the result is on disk", || site.path().join("FW_result.json").exists());
    Some((site, way, fw_id, worker))
}

#[test]
fn an_outcome_arrives_when_the_store_is_back() {
    let Some((site, way, fw_id, worker)) = ended_while_away() else { return };
    assert_eq!(site.state(fw_id), State::Running);
    way.mend();
    let (code, log) = worker.end();
    assert_eq!(code, Some(0), "{log}");
    let launch = site.launch(fw_id);
    assert_eq!((site.state(fw_id), launch.state), (State::Completed, State::Completed));
    // The tasks did not wait for their checkpoints; the last one came with the outcome.
    assert!(log.contains("cannot write the checkpoint of launch"), "{log}");
    let reached = launch.state_history[0].get_document("checkpoint").and_then(|reached| reached.get_i32("_task_n"));
    assert_eq!(reached.ok(), Some(2));
}

#[test]
fn a_worker_that_may_not_wait_names_the_file() {
    let Some((site, _way, fw_id, worker)) = ended_while_away() else { return };
    worker.signal(rustix::process::Signal::TERM);
    let (code, log) = worker.end();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("1 firework was not recorded") && log.contains("/FW_result.json"), "{log}");
    assert_eq!(site.state(fw_id), State::Running, "until its lease ends");
    // Its queue may be about to kill it.
    assert!(!log.contains("cannot tell east/ann"), "{log}");
}

#[test]
fn a_result_that_was_left_is_recorded_once_by_whoever_comes() {
    let Some((site, way, fw_id, worker)) = ended_while_away() else { return };
    worker.signal(rustix::process::Signal::TERM);
    assert_eq!(worker.end().0, Some(1));
    let text = std::fs::read_to_string(site.path().join("FW_result.json")).expect("is there");
    let result: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    way.mend();
    // Several at once.
    let recover = || Running::of(&mut site.volley(&["lpad", "recover_offline"]));
    for one in [recover(), recover(), recover()] {
        let (code, log) = one.end();
        assert_eq!(code, Some(0), "{log}");
    }
    let launch = site.launch(fw_id);
    assert_eq!((site.state(fw_id), launch.state), (State::Completed, State::Completed));
    let times = launch.times();
    assert_eq!(
        (times.get_str("time_start").ok(), times.get_str("time_end").ok()),
        (result["started"].as_str(), result["ended"].as_str())
    );
    let states: Vec<_> = launch.state_history.iter().filter_map(|entry| entry.get_str("state").ok()).collect();
    assert_eq!(states, ["RUNNING", "COMPLETED"]);
    assert!(!site.path().join("FW_result.json").exists());
}

#[test]
fn a_worker_records_what_the_last_one_left_in_its_folder() {
    let Some((site, way, fw_id, worker)) = ended_while_away() else { return };
    worker.signal(rustix::process::Signal::TERM);
    assert_eq!(worker.end().0, Some(1));
    way.mend();
    let log = site.run_well(&["singleshot"]);
    assert!(log.contains("which had been waiting"), "{log}");
    assert_eq!(site.state(fw_id), State::Completed);
    assert!(!site.path().join("FW_result.json").exists());
}
