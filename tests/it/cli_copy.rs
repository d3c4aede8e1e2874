//! `lpad copy`: whole launchpads between the stores and back, without loss; nothing half copied is
//! left; a copy of what changes meanwhile is one that can go on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bson::{Bson, Document, doc};
use jiff::Timestamp;
use mongodb::sync::Database;
use serde_json::{Value, json};
use volley::launchpad::copy::copy;
use volley::store::{self, FireworkQuery, Location, Mend, Mended, Mending, Order, Store, Verb, WorkflowQuery};
use volley::workflow::{FwAction, FwId, Launch, State, int_list, time};

use crate::support::cli::Cli;
use crate::support::samples::{documents, load, names, read};
use crate::support::site::Site;
use crate::support::{Launchpad, Worker, draft, outcome};

/// Everything in a database, in extended JSON, so that types count and the order of keys.
fn content(database: &Database) -> BTreeMap<&'static str, Vec<String>> {
    let names =
        ["workflows", "fireworks", "launches", "fw_id_assigner", "offline_runs", "fw_gridfs.files", "fw_gridfs.chunks"];
    let of = |name: &&'static str| {
        let found = database.collection::<Document>(name).find(doc! {}).run().expect("finds");
        let mut lines: Vec<String> = found.map(|one| line(name, one.expect("reads"))).collect();
        lines.sort();
        (*name, lines)
    };
    names.iter().map(of).collect()
}

fn line(collection: &str, mut document: Document) -> String {
    if collection == "fw_gridfs.chunks" {
        // Chunks have no names of their own.
        document.remove("_id");
    }
    let mut fields: Vec<(String, Bson)> = document.into_iter().collect();
    // The order of a document's own fields, and of maps by id, means nothing.
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    let by_id = ["links", "parent_links", "fw_states"];
    for (_, map) in fields.iter_mut().filter(|(key, _)| by_id.contains(&key.as_str())) {
        if let Bson::Document(entries) = map {
            let mut sorted: Vec<_> = std::mem::take(entries).into_iter().collect();
            sorted.sort_by(|a, b| a.0.cmp(&b.0));
            *entries = sorted.into_iter().collect();
        }
    }
    Bson::Document(fields.into_iter().collect()).into_canonical_extjson().to_string()
}

/// Through a new SQLite file into another database, which is empty.
fn there_and_back(from: &dyn Store, folder: &Path, to: &Launchpad) -> Box<dyn Store> {
    let file = Location::Sqlite(folder.join("copy.db"));
    copy(from, &file, &mut |_| {}).expect("copies there");
    let between = store::open(&file).expect("opens");
    copy(&*between, &to.location, &mut |_| {}).expect("copies back");
    between
}

/// Empties a launchpad, and keeps its indexes.
fn empty(pad: &Launchpad) {
    load(&pad.database(), &doc! {});
    pad.database().collection::<Document>("fw_id_assigner").delete_many(doc! {}).run().expect("deletes");
}

/// A document of a sample under ids of its own: samples are all of one launchpad here.
fn shifted(document: Document, by: i32) -> Document {
    let id = |value: Bson| value.as_i32().map_or(value.clone(), |id| Bson::Int32(id + by));
    let ids = |value: Bson| match value {
        Bson::Array(list) => list.into_iter().map(id).collect(),
        other => other,
    };
    let by_id = |value: Bson| match value {
        Bson::Document(map) => Bson::Document(
            map.into_iter()
                .map(|(key, value)| ((key.parse::<i32>().expect("an id") + by).to_string(), ids(value)))
                .collect(),
        ),
        other => other,
    };
    let fields = document.into_iter().filter(|(key, _)| key != "_id").map(|(key, value)| {
        let value = match key.as_str() {
            "fw_id" | "launch_id" => id(value),
            "nodes" | "launches" | "archived_launches" => ids(value),
            "links" | "parent_links" | "fw_states" => by_id(value),
            _ => value,
        };
        (key, value)
    });
    fields.collect()
}

#[test]
fn every_sample_comes_back_as_it_was() {
    let (Some(from), Some(to)) = (Launchpad::mongo(), Launchpad::mongo()) else { return };
    for (name, by) in names().iter().zip((1000..).step_by(1000)) {
        let sample = read(name);
        for collection in ["workflows", "fireworks", "launches", "offline_runs"] {
            let shifted: Vec<Document> =
                documents(&sample, collection).into_iter().map(|document| shifted(document, by)).collect();
            // Of the one whose action is in a file there is only a part.
            if !shifted.is_empty() && !name.starts_with("16_") {
                from.database().collection(collection).insert_many(shifted).run().expect("inserts");
            }
        }
    }
    let next = doc! {"$set": {"next_fw_id": 1_000_000, "next_launch_id": 1_000_000}};
    from.database().collection::<Document>("fw_id_assigner").update_one(doc! {}, next).run().expect("updates");
    let folder = tempfile::tempdir().expect("a folder");
    let between = there_and_back(&*from.store, folder.path(), &to);
    assert_eq!(content(&to.database()), content(&from.database()));
    // And what the file shows is what the database shows.
    let fireworks = |store: &dyn Store| {
        let found = store.find_fireworks(&FireworkQuery::default()).expect("finds").into_iter();
        let seen = found.map(|one| (one.fw_id, one.name, one.state, one.spec, one.launches, one.archived_launches));
        seen.collect::<Vec<_>>()
    };
    assert!(fireworks(&*from.store).len() > 100);
    assert_eq!(fireworks(&*between), fireworks(&*from.store));
}

#[test]
fn an_action_in_gridfs_comes_back_as_it_was() {
    let (Some(from), Some(to)) = (Launchpad::mongo(), Launchpad::mongo()) else { return };
    from.store.insert(&[draft(json!({"spec": {"_tasks": []}}))], Timestamp::now()).expect("inserts");
    let claim = Worker::new("w").claim(&*from.store, 1).remove(0);
    let stored = doc! {"text": "é".to_owned() + &"x".repeat(17_000_000), "n": [1, 0.1, f64::INFINITY]};
    let action = FwAction { stored_data: stored, ..FwAction::default() };
    from.store.finish(&[outcome(&claim, State::Completed, action.clone())], Timestamp::now()).expect("finishes");
    let folder = tempfile::tempdir().expect("a folder");
    let between = there_and_back(&*from.store, folder.path(), &to);
    let of = |store: &dyn Store| store.find_launches(&[claim.launch.launch_id]).expect("finds").remove(0).action;
    assert_eq!(of(&*between), Some(action.to_document()));
    assert_eq!(of(&*to.store), Some(action.to_document()));
    assert!(content(&to.database()) == content(&from.database()), "the files, too");
    // It goes with its workflow there, too.
    between.delete_workflows(&[1]).expect("deletes");
    let folder = tempfile::tempdir().expect("a folder");
    empty(&to);
    there_and_back(&*between, folder.path(), &to);
    assert!(content(&to.database())["fw_gridfs.files"].is_empty());
}

#[test]
fn what_the_columns_have_not_survives_work_on_the_file() {
    let (Some(from), Some(to)) = (Launchpad::mongo(), Launchpad::mongo()) else { return };
    load(&from.database(), &read("01_added_READY_WAITING"));
    let own = doc! {"z": 1_i64, "a": [{"$gt": bson::DateTime::from_millis(5)}], "f": 1.0};
    let all = |pad: &Launchpad, name: &str| pad.database().collection::<Document>(name);
    for (name, key) in
        [("fireworks", "mine"), ("fireworks", "spec.mine"), ("workflows", "mine"), ("workflows", "metadata.mine")]
    {
        all(&from, name).update_many(doc! {}, doc! {"$set": {key: own.clone()}}).run().expect("updates");
    }
    // An orphan, an id of 64 bits, a date of the other type.
    all(&from, "fireworks")
        .insert_one(doc! {"fw_id": 99, "spec": {"_tasks": []}, "state": "WAITING"})
        .run()
        .expect("inserts");
    let odd = doc! {"$set": {"fw_id": 2_i64, "updated_on": bson::DateTime::from_millis(1_795_359_648_064)}};
    all(&from, "fireworks").update_one(doc! {"fw_id": 2}, odd).run().expect("updates");

    all(&from, "fw_id_assigner").update_one(doc! {}, doc! {"$set": {"next_fw_id": 100}}).run().expect("updates");

    let folder = tempfile::tempdir().expect("a folder");
    let between = there_and_back(&*from.store, folder.path(), &to);
    assert_eq!(content(&to.database()), content(&from.database()));
    let worker = Worker::new("w");
    let claim = worker.claim_as(&*between, 1, Some(2), Order::Fifo).remove(0);
    let told = FwAction { update_spec: doc! {"told": true}, ..FwAction::default() };
    between.finish(&[outcome(&claim, State::Completed, told)], Timestamp::now()).expect("finishes");
    between.steer(Verb::Rerun, 2, Timestamp::now()).expect("reruns");
    between.set_priority(&[1], 7).expect("sets it");
    assert_eq!(between.delete_workflows(&[99]).expect("deletes"), [99], "an orphan goes alone");
    empty(&to);
    copy(&*between, &to.location, &mut |_| {}).expect("copies back");
    let fireworks: Vec<Document> = all(&to, "fireworks")
        .find(doc! {})
        .sort(doc! {"fw_id": 1})
        .run()
        .expect("finds")
        .map(|one| one.expect("reads"))
        .collect();
    for firework in &fireworks {
        assert_eq!(firework.get_document("mine").ok(), Some(&own));
        assert_eq!(firework.get_document("spec").and_then(|spec| spec.get_document("mine")).ok(), Some(&own));
    }
    let spec = fireworks[0].get_document("spec").expect("a spec");
    assert_eq!((spec.get("told"), spec.get("_priority")), (Some(&true.into()), Some(&7.into())));
    assert_eq!((fireworks.len(), fireworks[1].get("fw_id")), (2, Some(&Bson::Int64(2))));
    assert!(matches!(fireworks[1].get("updated_on"), Some(Bson::String(_))), "it has changed since");
    assert_eq!(int_list(fireworks[1].get("archived_launches")), [claim.launch.launch_id]);
    let workflow = all(&to, "workflows").find_one(doc! {}).run().expect("finds").expect("exists");
    assert_eq!(workflow.get_document("mine").ok(), Some(&own));
    assert_eq!(workflow.get_document("metadata").and_then(|metadata| metadata.get_document("mine")).ok(), Some(&own));
}

#[test]
fn a_backup_is_a_command() {
    for cli in Cli::everywhere() {
        cli.lpad(&["reset", "--yes"]).done();
        let cli = cli.with_five_fireworks();
        cli.volley(&["rlaunch", "-s", "singleshot"]).done();
        let ran = cli.lpad(&["copy", "--to", "backup.db"]).done();
        assert!(ran.stderr.contains("Copied 3 workflows with 5 fireworks and 1 launch from"), "{ran:?}");
        assert!(!ran.stderr.contains("RUNNING"), "{ran:?}");
        let there = |arguments: &[&str]| cli.lpad(&[&["-l", "backup.db"], arguments].concat());
        for arguments in [&["get_fws", "-d", "all"][..], &["get_wflows", "-d", "all"], &["get_fws", "-d", "ids"]] {
            assert_eq!(there(arguments).json(), cli.lpad(arguments).json());
        }
        assert_eq!(there(&["doctor"]).json(), json!([]));
        // A second time, and into itself.
        cli.lpad(&["copy", "--to", "backup.db"]).failed(1, "backup.db is not empty: it holds workflows (3)");
        cli.lpad(&["copy", "--from", "backup.db", "--to", "backup.db"]).failed(1, "is not empty");
        cli.lpad(&["copy", "--from", "none.db", "--to", "new.db"]).failed(1, "there is no launchpad");
        cli.lpad(&["copy", "--to", "none/new.db"]).failed(1, "there is no folder");
        cli.lpad(&["copy", "--to", "none.yaml"]).failed(1, "none.yaml");
        assert!(!cli.folder().join("new.db").exists() && !cli.folder().join("none.db").exists());
        // The copy is a launchpad like any other.
        let run = cli.volley(&["rlaunch", "-l", "backup.db", "-s", "rapidfire"]);
        run.done();
        assert_eq!(there(&["get_fws", "-s", "READY", "-d", "count"]).json(), 0);
        assert_eq!(there(&["add", "two.yaml"]).done().json(), json!({"1": 6, "2": 7}), "ids go on");
        assert_eq!(cli.lpad(&["get_fws", "-s", "READY", "-d", "count"]).json(), 3, "the original is as it was");
    }
}

#[test]
fn what_runs_is_copied_as_it_is_and_told_of() {
    let Some(pad) = Launchpad::mongo() else { return };
    let site = Site::on(pad);
    site.add(json!({"spec": {"_tasks": []}}));
    site.add(json!({"spec": {"_tasks": []}}));
    Worker::new("w").claim(&*site.launchpad.store, 1);
    let copied = site.volley(&["lpad", "copy", "--to", "backup.db"]).output().expect("runs");
    let log = String::from_utf8_lossy(&copied.stderr);
    assert!(copied.status.success() && log.contains("1 firework RUNNING or RESERVED: 1."), "{log}");
    let file = store::open(&Location::Sqlite(site.path().join("backup.db"))).expect("opens");
    let running = FireworkQuery { states: vec![State::Running], ..FireworkQuery::default() };
    assert_eq!(file.count_fireworks(&running).expect("counts"), 1);
}

#[test]
fn what_was_half_done_is_mended_in_the_copy() {
    let (Some(from), Some(to)) = (Launchpad::mongo(), Launchpad::mongo()) else { return };
    // Launches of two fireworks have ended or fallen silent, and nobody has told the fireworks.
    load(&from.database(), &read("11b_FWAction_update_spec"));
    let parent = doc! {"$set": {"state": "RUNNING"}};
    let fireworks = from.database().collection::<Document>("fireworks");
    let ran = fireworks.find_one(doc! {"state": "COMPLETED"}).run().expect("finds").expect("exists");
    let ran = ran.get("fw_id").and_then(volley::workflow::as_int).expect("an id");
    fireworks.update_one(doc! {"fw_id": ran}, parent).run().expect("updates");
    fireworks.update_one(doc! {"fw_id": {"$ne": ran}}, doc! {"$set": {"state": "WAITING"}}).run().expect("updates");
    let folder = tempfile::tempdir().expect("a folder");
    let between = there_and_back(&*from.store, folder.path(), &to);
    for store in [&*between, &*to.store] {
        let mended = store.mend(&Mending::default(), Timestamp::now()).expect("mends");
        assert!(matches!(mended[..], [Mended { what: Mend::Settled(1), .. }]), "{mended:?}");
        let states = store.find_fireworks(&FireworkQuery::default()).expect("finds").into_iter().map(|one| one.state);
        assert_eq!(states.collect::<Vec<_>>(), [State::Ready, State::Completed]);
        assert_eq!(store.mend(&Mending::default(), Timestamp::now()).expect("mends"), []);
    }
    load(&from.database(), &read("03_RUNNING_mid_task"));
    let launches = |pad: &Launchpad| pad.database().collection::<Document>("launches");
    launches(&from).update_one(doc! {}, doc! {"$set": {"mine": 7_i64}}).run().expect("updates");
    let folder = tempfile::tempdir().expect("a folder");
    empty(&to);
    let between = there_and_back(&*from.store, folder.path(), &to);
    let mended = between.mend(&Mending::default(), Timestamp::now()).expect("mends");
    assert!(matches!(mended[..], [Mended { fw_id: 2, what: Mend::Lost(..) }]), "{mended:?}");
    // A launch that has changed in the file is the same document still.
    empty(&to);
    copy(&*between, &to.location, &mut |_| {}).expect("copies back");
    let of = |pad: &Launchpad| launches(pad).find_one(doc! {}).run().expect("finds").expect("exists");
    let (before, after) = (of(&from), of(&to));
    assert_eq!((after.get("_id"), after.get("mine")), (before.get("_id"), Some(&Bson::Int64(7))));
    assert_eq!(after.get_str("state").ok(), Some("FIZZLED"));
}

#[test]
fn what_has_no_launch_is_free_again_in_the_copy() {
    let (Some(from), Some(to)) = (Launchpad::mongo(), Launchpad::mongo()) else { return };
    let one = || draft(json!({"spec": {"_tasks": []}}));
    from.store.insert(&[one(), one()], Timestamp::now()).expect("inserts");
    // A claim and a reservation that died after their first writes.
    let old = Timestamp::now() - jiff::SignedDuration::from_mins(11);
    let claimed = doc! {"state": "RUNNING", "launches": [99], "updated_on": time::to_iso(old)};
    let reserved = doc! {"state": "RESERVED", "updated_on": time::to_bson_date(old)};
    let fireworks = from.database().collection::<Document>("fireworks");
    for (fw_id, set) in [(1, claimed), (2, reserved)] {
        fireworks.update_one(doc! {"fw_id": fw_id}, doc! {"$set": set}).run().expect("updates");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let between = there_and_back(&*from.store, folder.path(), &to);
    for store in [&*between, &*to.store] {
        let mut mended = store.mend(&Mending::default(), Timestamp::now()).expect("mends");
        mended.sort_by_key(|one| one.fw_id);
        let freed = |fw_id, state| Mended { fw_id, what: Mend::Freed(state) };
        assert_eq!(mended, [freed(1, State::Running), freed(2, State::Reserved)]);
        let free = store.find_fireworks(&FireworkQuery::default()).expect("finds");
        assert!(free.iter().all(|one| one.state == State::Ready && one.launches.is_empty()), "{free:?}");
        assert_eq!(Worker::new("w").claim(store, 2).len(), 2);
    }
}

#[test]
fn a_copy_that_fails_leaves_nothing() {
    let (Some(from), Some(to)) = (Launchpad::mongo(), Launchpad::mongo()) else { return };
    load(&from.database(), &read("05_COMPLETED_all"));
    // One that no program of FireWorks can have written: the file cannot take it.
    let bad = doc! {"fw_id": 7, "name": "bad"};
    from.database().collection::<Document>("fireworks").insert_one(bad).run().expect("inserts");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("copy.db");
    let left = || std::fs::read_dir(folder.path()).expect("reads").count();
    let error = copy(&*from.store, &Location::Sqlite(file.clone()), &mut |_| {}).expect_err("fails");
    assert!(error.to_string().contains("firework 7 has no usable `spec`"), "{error}");
    assert_eq!(left(), 0);
    // One that is there already stays as it is.
    let there = store::open(&Location::Sqlite(file.clone())).expect("makes it");
    copy(&*from.store, &Location::Sqlite(file), &mut |_| {}).expect_err("fails");
    assert_eq!(there.count_fireworks(&FireworkQuery::default()).expect("counts"), 0);
    assert!(there.examine(Timestamp::now()).expect("examines").is_empty());
    // A database that cannot take two of one id.
    let twice = doc! {"fw_id": 1, "spec": {"_tasks": []}, "state": "READY"};
    let fireworks = from.database().collection::<Document>("fireworks");
    fireworks.drop_index("fw_id_1").run().expect("drops");
    fireworks.insert_one(twice).run().expect("inserts");
    copy(&*from.store, &to.location, &mut |_| {}).expect_err("fails");
    let content = content(&to.database());
    let counts = |name: &str| content[name].len();
    assert_eq!([counts("workflows"), counts("fireworks"), counts("launches")], [0, 0, 0]);
    // One that was killed half way says what it is.
    to.database().collection::<Document>("volley_copy").insert_one(doc! {"_id": "volley_copy"}).run().expect("marks");
    to.store.insert(&[draft(json!({"spec": {"_tasks": []}}))], Timestamp::now()).expect("inserts");
    let error = copy(&*from.store, &to.location, &mut |_| {}).expect_err("fails");
    assert!(error.to_string().contains("it holds workflows (1) of a copy that did not come to its end"), "{error}");
    to.store.reset().expect("resets");
    let names = to.database().list_collection_names().run().expect("lists");
    assert!(!names.contains(&"volley_copy".to_owned()));
}

#[test]
fn a_file_of_the_first_version_is_brought_up_to_date() {
    let cli = Cli::sqlite();
    let sql = include_str!("../fixtures/sqlite/version_1.sql");
    let path = cli.folder().join("launchpad.db");
    rusqlite::Connection::open(&path).expect("opens").execute_batch(sql).expect("is SQL");
    assert_eq!(cli.lpad(&["doctor"]).json(), json!([]));
    let shown = cli.lpad(&["get_fws", "-i", "3", "-d", "all"]).json();
    assert_eq!((&shown["state"], &shown["archived_launches"][0]["state"]), (&json!("READY"), &json!("FIZZLED")));
    assert_eq!(cli.states(), ["COMPLETED", "COMPLETED", "READY", "COMPLETED", "READY"]);
    cli.rapidfire();
    assert_eq!(cli.states(), ["COMPLETED", "COMPLETED", "FIZZLED", "COMPLETED", "COMPLETED"]);
    let version: i64 = rusqlite::Connection::open(&path)
        .expect("opens")
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .expect("reads");
    assert_eq!(version, 3);
    cli.lpad(&["copy", "--to", "new.db"]).done();
    let all = |path: &str| -> Value { cli.lpad(&["-l", path, "get_fws", "-d", "all"]).json() };
    assert_eq!(all("new.db"), all("launchpad.db"));
}

/// Every firework that waits does so for a parent, and what has been spawned is linked.
fn check(copy: &dyn Store) {
    let fireworks = copy.find_fireworks(&FireworkQuery::default()).expect("finds");
    let states: BTreeMap<FwId, State> = fireworks.iter().map(|one| (one.fw_id, one.state)).collect();
    let workflows = copy.find_workflows(&WorkflowQuery::default()).expect("finds");
    let linked: usize = workflows.iter().map(|workflow| int_list(workflow.get("nodes")).len()).sum();
    assert_eq!(linked, fireworks.len());
    let parents: BTreeMap<FwId, Vec<FwId>> = workflows
        .iter()
        .flat_map(|workflow| workflow.get_document("parent_links").expect("links"))
        .map(|(child, parents)| (child.parse().expect("an id"), int_list(Some(parents))))
        .collect();
    // Where a busy machine held up whoever had locked it, a workflow is copied as it is, to be mended.
    let locked = workflows.iter().filter(|workflow| workflow.contains_key("locked"));
    let unsettled: BTreeSet<FwId> = locked.flat_map(|workflow| int_list(workflow.get("nodes"))).collect();
    for (fw_id, state) in states.iter().filter(|(fw_id, _)| !unsettled.contains(fw_id)) {
        let all = parents.get(fw_id).into_iter().flatten().all(|parent| states[parent] == State::Completed);
        assert_eq!(*state == State::Waiting, !all, "firework {fw_id} is {state}: {states:?} {parents:?}");
    }
    let launches: Vec<i64> = fireworks.iter().flat_map(|one| one.launches.iter().copied()).collect();
    let launches: Vec<Launch> = copy.find_launches(&launches).expect("finds");
    for launch in launches.iter().filter(|launch| states[&launch.fw_id] == State::Completed) {
        for spawned in launch.spawned().into_iter().flatten() {
            assert!(states.contains_key(&spawned), "firework {spawned} of {launch:?}");
        }
    }
}

#[test]
fn a_copy_of_what_changes_can_go_on() {
    let Some(pad) = Launchpad::mongo() else { return };
    let fw = |id: i64| json!({"fw_id": id, "spec": {"_tasks": []}});
    for _ in 0..4 {
        let links: serde_json::Map<String, Value> =
            (1..12).map(|id: i64| (id.to_string(), json!([12, 13]))).chain([("12".to_owned(), json!([13]))]).collect();
        pad.store
            .insert(&[draft(json!({"fws": (1..=13).map(fw).collect::<Vec<_>>(), "links": links}))], Timestamp::now())
            .expect("inserts");
    }
    let folder = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| {
            let worker = Worker::new("w");
            let store = &*store::open(&pad.location).expect("connects");
            let mut left = 30;
            while let Some(claim) = worker.claim(store, 1).pop() {
                let detour = doc! {"fws": [{"fw_id": -1, "spec": {"_tasks": []}}], "links": {}};
                let spawns = left > 0 && claim.firework.fw_id % 2 == 0;
                left -= i32::from(spawns);
                let detours = if spawns { vec![detour] } else { Vec::new() };
                let action = FwAction { detours, ..FwAction::default() };
                store.finish(&[outcome(&claim, State::Completed, action)], Timestamp::now()).expect("finishes");
            }
        });
        let mut copies = 0;
        while !drain.is_finished() || copies == 0 {
            let file = Location::Sqlite(folder.path().join(format!("{copies}.db")));
            copy(&*pad.store, &file, &mut |_| {}).expect("copies");
            check(&*store::open(&file).expect("opens"));
            copies += 1;
        }
    });
    let all = pad.store.find_fireworks(&FireworkQuery::default()).expect("finds");
    assert!(all.iter().all(|firework| firework.state == State::Completed));
}
