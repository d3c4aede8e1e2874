//! MongoDB writes without transactions: a worker (or a server) that dies between any two of its
//! writes must leave what others can go on with. A proxy lets through the first `n` commands of a
//! transition, each statement of a bulk counted, and cuts the line, for every `n`; then its lock
//! expires, and others come by.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use volley::store::{self, Appendix, Claim, FireworkQuery, Held, Location, Order, Store, Verb, Verdict, WorkflowQuery};
use volley::workflow::{FwAction, FwId, Launch, State, time};

use crate::support::{Launchpad, Worker, draft, outcome};

/// A line to MongoDB that can be cut.
struct Line {
    address: String,
    traffic: Arc<Mutex<Traffic>>,
}

#[derive(Default)]
struct Traffic {
    /// Commands that still go through; none: all of them.
    left: Option<usize>,
    /// The answer to what goes through now is the last.
    is_last: bool,
    dead: bool,
    sockets: Vec<TcpStream>,
    cut: Option<Sender<()>>,
}

impl Traffic {
    fn cut(&mut self) {
        self.dead = true;
        if let Some(cut) = self.cut.take() {
            let _ = cut.send(());
        }
        for socket in &self.sockets {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// What passes of a message; nothing once the line is cut.
    fn pass(&mut self, message: Vec<u8>) -> Option<Vec<u8>> {
        let Some((left, mut command)) = self.left.zip(command(&message)) else { return Some(message) };
        let statements = command.get_array("updates").map_or(1, |statements| statements.len().max(1));
        if left >= statements {
            self.left = Some(left - statements);
            return Some(message);
        }
        if left == 0 {
            self.cut();
            return None;
        }
        self.is_last = true;
        command.get_array_mut("updates").expect("has several").truncate(left);
        let mut part = message[..BODY].to_vec();
        part.extend(command.to_vec().expect("encodes"));
        let length = u32::try_from(part.len()).expect("is small").to_le_bytes();
        part[..4].copy_from_slice(&length);
        Some(part)
    }
}

impl Line {
    fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let traffic = Arc::new(Mutex::new(Traffic::default()));
        let (server, shared) = (server.to_owned(), Arc::clone(&traffic));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(upstream) = TcpStream::connect(&server) else { continue };
                let mut traffic = shared.lock().expect("no panic");
                if traffic.dead {
                    return;
                }
                let copy = |socket: &TcpStream| socket.try_clone().expect("clones");
                traffic.sockets.extend([copy(&client), copy(&upstream)]);
                let (back, there) = (copy(&client), copy(&upstream));
                let (one, other) = (Arc::clone(&shared), Arc::clone(&shared));
                std::thread::spawn(move || commands(client, upstream, &one));
                std::thread::spawn(move || answers(there, back, &other));
            }
        });
        Line { address, traffic }
    }

    /// Lets `count` more commands through; the answer comes when the one after them was cut off.
    fn cut_after(&self, count: usize) -> Receiver<()> {
        let (cut, is_cut) = channel();
        let mut traffic = self.traffic.lock().expect("no panic");
        traffic.left = Some(count);
        traffic.cut = Some(cut);
        is_cut
    }
}

fn commands(client: TcpStream, mut upstream: TcpStream, shared: &Mutex<Traffic>) {
    while let Some(message) = read_message(&client) {
        let Some(message) = shared.lock().expect("no panic").pass(message) else { return };
        if upstream.write_all(&message).is_err() {
            return;
        }
    }
}

fn answers(upstream: TcpStream, mut client: TcpStream, shared: &Mutex<Traffic>) {
    while let Some(message) = read_message(&upstream) {
        let mut traffic = shared.lock().expect("no panic");
        if traffic.is_last {
            traffic.cut();
            return;
        }
        drop(traffic);
        if client.write_all(&message).is_err() {
            return;
        }
    }
}

fn read_message(mut socket: &TcpStream) -> Option<Vec<u8>> {
    let mut message = vec![0; HEADER];
    socket.read_exact(&mut message).ok()?;
    let length = u32::from_le_bytes([message[0], message[1], message[2], message[3]]);
    message.resize(length as usize, 0);
    socket.read_exact(&mut message[HEADER..]).ok()?;
    Some(message)
}

/// Bytes before the flags of a message, and before its command.
const HEADER: usize = 16;
const BODY: usize = HEADER + 5;

/// The command in a message, if it is one of the store and not the driver looking after its
/// connections.
fn command(message: &[u8]) -> Option<Document> {
    const OP_MSG: [u8; 4] = 2013_u32.to_le_bytes();
    let command = (message[12..HEADER] == OP_MSG).then(|| Document::from_reader(&message[BODY..]))?.ok()?;
    let name = command.keys().next()?.as_str();
    ["find", "aggregate", "insert", "update", "delete", "findAndModify"].contains(&name).then_some(command)
}

/// A diamond 1 -> 2, 3 -> 4 of which a worker, whose line will be cut, has done the root.
struct Scene<'p> {
    pad: &'p Launchpad,
    line: Line,
    mortal: Arc<dyn Store>,
    worker: Worker,
}

impl<'p> Scene<'p> {
    fn on(pad: &'p Launchpad) -> Self {
        pad.store.reset().expect("resets");
        let Location::Mongo(settings) = &pad.location else { unreachable!("it is MongoDB") };
        let line = Line::to(settings.host.trim_start_matches("mongodb://").trim_end_matches('/'));
        let mut settings = settings.clone();
        settings.host = format!("mongodb://{}", line.address);
        let mortal: Arc<dyn Store> = store::open(&Location::Mongo(settings)).expect("prepares").into();
        let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
        let diamond = json!({"fws": [fw(1), fw(2), fw(3), fw(4)], "links": {"1": [2, 3], "2": [4], "3": [4]}});
        mortal.insert(&[draft(diamond)], Timestamp::now()).expect("inserts");
        let scene = Scene { pad, line, mortal, worker: Worker::new("mortal") };
        let root = scene.claim(1);
        finish(&*scene.mortal, &root, FwAction::default());
        scene
    }

    fn claim(&self, fw_id: FwId) -> Claim {
        self.worker.claim_as(&*self.mortal, 1, Some(fw_id), Order::Fifo).pop().expect("is ready")
    }

    fn claim_of_another(&self, fw_id: FwId) -> Claim {
        let worker = Worker::new("another");
        worker.claim_as(&*self.pad.store, 1, Some(fw_id), Order::Fifo).pop().expect("is ready")
    }

    /// Does it with only so many commands. True when they sufficed.
    fn die_after(&self, commands: usize, act: impl FnOnce(&dyn Store) + Send + 'static) -> bool {
        let is_cut = self.line.cut_after(commands);
        let (done, is_done) = channel();
        let mortal = Arc::clone(&self.mortal);
        // Left to itself once the line is cut: it will see for a while whether the server returns.
        std::thread::spawn(move || {
            act(&*mortal);
            let _ = done.send(());
        });
        loop {
            let ended = is_done.recv_timeout(Duration::from_millis(2)).is_ok();
            if is_cut.try_recv().is_ok() {
                self.expire();
                return false;
            }
            if ended {
                return true;
            }
        }
    }

    /// As if the time of the lock had passed.
    fn expire(&self) {
        let past = time::to_iso(Timestamp::now() - SignedDuration::from_secs(1));
        let workflows = self.pad.database().collection::<Document>("workflows");
        let locked = doc! {"locked": {"$exists": true}};
        workflows.update_many(locked, doc! {"$set": {"locked.until": past}}).run().expect("updates");
    }

    /// Another worker does all there is to do.
    fn drain(&self) {
        let worker = Worker::new("another");
        while let Some(claim) = worker.claim(&*self.pad.store, 1).pop() {
            let action = if claim.firework.fw_id == 3 { push(3) } else { FwAction::default() };
            finish(&*self.pad.store, &claim, action);
        }
    }

    fn states(&self) -> BTreeMap<FwId, State> {
        let fireworks = self.pad.store.find_fireworks(&FireworkQuery::default()).expect("finds");
        fireworks.into_iter().map(|firework| (firework.fw_id, firework.state)).collect()
    }

    /// What must hold at any time, once a lock has been taken over.
    fn check(&self, when: &str) {
        let workflow = self.pad.store.find_workflows(&WorkflowQuery::default()).expect("finds").pop().expect("exists");
        assert!(!workflow.contains_key("locked"), "{when}: still locked: {workflow}");
        let states = self.states();
        let parents = workflow.get_document("parent_links").expect("links");
        for (&fw_id, &state) in states.iter().filter(|&(_, &state)| state == State::Waiting) {
            let parents = volley::workflow::int_list(parents.get(fw_id.to_string()));
            let waits = parents.iter().any(|parent| states.get(parent) != Some(&State::Completed));
            assert!(waits, "{when}: firework {fw_id} is {state} for nothing: {states:?} {workflow}");
        }
        let pushed = self.pushed();
        assert!(
            pushed.iter().all(|one| pushed.iter().filter(|other| *other == one).count() == 1),
            "{when}: {pushed:?}"
        );
    }

    fn pushed(&self) -> Vec<Bson> {
        let query = FireworkQuery { ids: Some(vec![4]), ..FireworkQuery::default() };
        let join = self.pad.store.find_fireworks(&query).expect("finds").pop().expect("exists");
        join.spec.get_array("from").cloned().unwrap_or_default()
    }

    /// All is done, each once.
    fn check_end(&self, when: &str, fireworks: usize) {
        self.check(when);
        let states = self.states();
        assert!(states.values().all(|&state| state == State::Completed), "{when}: {states:?}");
        assert_eq!(states.len(), fireworks, "{when}: {states:?}");
        let mut pushed: Vec<i32> = self.pushed().iter().filter_map(Bson::as_i32).collect();
        pushed.sort_unstable();
        assert_eq!(pushed, [2, 3], "{when}");
        let workflow = self.pad.store.find_workflows(&WorkflowQuery::default()).expect("finds").pop().expect("exists");
        assert_eq!(workflow.get_str("state").ok(), Some("COMPLETED"), "{when}: {workflow}");
        self.check_cache(when);
        let marked = doc! {"volley_applied": {"$exists": true}};
        let fireworks = self.pad.database().collection::<Document>("fireworks");
        assert_eq!(fireworks.count_documents(marked).run().expect("counts"), 0, "{when}: a mark is left");
    }

    fn check_cache(&self, when: &str) {
        let workflow = self.pad.store.find_workflows(&WorkflowQuery::default()).expect("finds").pop().expect("exists");
        let real: Document = self.states().iter().map(|(id, state)| (id.to_string(), state.as_str().into())).collect();
        assert_eq!(workflow.get_document("fw_states").ok(), Some(&real), "{when}");
    }
}

fn push(value: i32) -> FwAction {
    FwAction { mod_spec: vec![doc! {"_push": {"from": value}}], ..FwAction::default() }
}

/// A `_push` into the join and a detour before it.
fn push_and_detour() -> FwAction {
    let fw = |id: i64| doc! {"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}};
    let detour = doc! {"fws": [fw(-1), fw(-2)], "links": {"-1": [-2]}};
    FwAction { detours: vec![detour], ..push(2) }
}

fn finish(store: &dyn Store, claim: &Claim, action: FwAction) {
    let verdicts = store.finish(&[outcome(claim, State::Completed, action)], Timestamp::now()).expect("finishes");
    assert_eq!(verdicts, [Verdict::Recorded], "fw_id {}", claim.firework.fw_id);
}

/// Cuts the outcome of firework 2 after every command; `others_first` says who comes by first.
fn cut_every_finish(others_first: bool) {
    let Some(pad) = Launchpad::mongo() else { return };
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let left = scene.claim(2);
        let ended = outcome(&left, State::Completed, push_and_detour());
        let again = ended.clone();
        let sufficed = scene.die_after(commands, move |store| drop(store.finish(&[ended], Timestamp::now())));
        let when = format!("finish cut after {commands} commands");
        if others_first {
            scene.drain();
            scene.check(&when);
        }
        // The worker finds its result on disk and reports again.
        let verdict = scene.pad.store.finish(&[again], Timestamp::now()).expect("finishes");
        assert_eq!(verdict, [Verdict::Recorded], "{when}");
        scene.drain();
        scene.check_end(&when, 6);
        if sufficed {
            assert!((9..30).contains(&commands), "{commands}");
            return;
        }
    }
}

#[test]
fn an_outcome_cut_anywhere_is_finished_by_others() {
    cut_every_finish(true);
}

#[test]
fn an_outcome_cut_anywhere_is_finished_by_its_worker() {
    cut_every_finish(false);
}

/// A claim holds no lock: others go on, and whatever was claimed can be given back. (What a dead
/// worker has claimed is freed when its lease has expired, which is not the locks' business.)
#[test]
fn a_claim_cut_anywhere_hinders_nobody() {
    let Some(pad) = Launchpad::mongo() else { return };
    for limit in [1, 2] {
        for commands in 0.. {
            let scene = Scene::on(&pad);
            let worker = Worker::new("mortal");
            let lease = worker.lease.clone();
            let sufficed = scene.die_after(commands, move |store| {
                let _ = worker.try_claim(store, limit, None, Order::Fifo);
            });
            let when = format!("claim of {limit} cut after {commands} commands");
            scene.drain();
            scene.check(&when);
            let launches = scene.pad.database().collection::<Document>("launches");
            let mine = launches.find(doc! {"state_history.lease.owner": &lease.owner, "state": "RUNNING"});
            for launch in mine.run().expect("finds") {
                let launch = Launch::from_document(&launch.expect("reads")).expect("a launch");
                let held = Held { fw_id: launch.fw_id, launch_id: launch.launch_id };
                let given = scene.pad.store.give_back(held, "cut", Timestamp::now()).expect("gives back");
                // Several are begun before they are all claimed.
                assert!(given || limit > 1, "{when}: {held:?}");
            }
            scene.drain();
            scene.check(&when);
            if sufficed {
                break;
            }
        }
    }
}

#[test]
fn a_rerun_cut_anywhere_is_finished_by_the_next() {
    let Some(pad) = Launchpad::mongo() else { return };
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let left = scene.claim(2);
        finish(&*scene.mortal, &left, push(2));
        scene.drain();
        scene.check_end("before", 4);
        let sufficed = scene.die_after(commands, |store| drop(store.steer(Verb::Rerun, 1, Timestamp::now())));
        let when = format!("rerun cut after {commands} commands");
        scene.pad.store.steer(Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        scene.check_cache(&when);
        let expected = [(1, State::Ready), (2, State::Waiting), (3, State::Waiting), (4, State::Waiting)];
        assert_eq!(scene.states(), BTreeMap::from(expected), "{when}");
        if sufficed {
            return;
        }
    }
}

/// Fireworks of the workflow of firework 1, and of all others.
fn members(scene: &Scene<'_>) -> (Vec<FwId>, Vec<Vec<FwId>>) {
    let nodes = |workflow: &Document| volley::workflow::int_list(workflow.get("nodes"));
    let all = scene.pad.store.find_workflows(&WorkflowQuery::default()).expect("finds");
    let (own, others): (Vec<_>, Vec<_>) = all.iter().map(nodes).partition(|nodes: &Vec<FwId>| nodes.contains(&1));
    (own.into_iter().next().expect("exists"), others)
}

#[test]
fn a_rerun_that_replaces_a_detour_can_be_cut_anywhere() {
    let Some(pad) = Launchpad::mongo() else { return };
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let left = scene.claim(2);
        finish(&*scene.mortal, &left, push_and_detour());
        scene.drain();
        scene.check_end("before", 6);
        let sufficed = scene.die_after(commands, |store| drop(store.steer(Verb::Rerun, 1, Timestamp::now())));
        let when = format!("rerun cut after {commands} commands");
        scene.pad.store.steer(Verb::Rerun, 1, Timestamp::now()).expect("reruns");
        let (own, mut others) = members(&scene);
        others.iter_mut().for_each(|nodes| nodes.sort_unstable());
        assert_eq!((own.len(), others), (4, vec![vec![5, 6]]), "{when}");
        use State::{Archived, Ready, Waiting};
        let expected = [(1, Ready), (2, Waiting), (3, Waiting), (4, Waiting), (5, Archived), (6, Archived)];
        assert_eq!(scene.states(), BTreeMap::from(expected), "{when}");
        scene.drain();
        assert_eq!(scene.states().values().filter(|&&state| state == State::Completed).count(), 4, "{when}");
        if sufficed {
            return;
        }
    }
}

#[test]
fn an_appended_workflow_cut_anywhere_is_there_or_not() {
    let Some(pad) = Launchpad::mongo() else { return };
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}});
    for commands in 0.. {
        let scene = Scene::on(&pad);
        let draft = draft(json!({"fws": [fw(-1), fw(-2)], "links": {"-1": [-2]}}));
        let appendix = Appendix { draft, parents: vec![1], detour: false, pull_spec_mods: true };
        let again = appendix.clone();
        let sufficed = scene.die_after(commands, move |store| drop(store.append(&appendix, Timestamp::now())));
        let when = format!("append cut after {commands} commands");
        // Somebody comes by, and finishes it or undoes it.
        let left = scene.claim_of_another(2);
        finish(&*scene.pad.store, &left, push(2));
        let (mut own, others) = members(&scene);
        own.sort_unstable();
        let known: Vec<FwId> = scene.states().into_keys().collect();
        // Cut off before the lock, the fireworks are not there either.
        assert_eq!((&own, others), (&known, Vec::new()), "{when}");
        assert!(matches!(own.len(), 4 | 6), "{when}: {own:?}");
        scene.pad.store.append(&again, Timestamp::now()).expect("appends");
        scene.drain();
        assert!(scene.states().values().all(|&state| state == State::Completed), "{when}: {:?}", scene.states());
        scene.check(&when);
        scene.check_cache(&when);
        if sufficed {
            return;
        }
    }
}
