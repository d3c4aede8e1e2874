//! Actions that are too large for a document are kept in GridFS, where Python FireWorks keeps and
//! finds them too; what has no such place is refused, and nothing of it is stored.

use bson::{Bson, Document, doc};
use jiff::{SignedDuration, Timestamp};
use mongodb::sync::Collection;
use serde_json::{Value, json};
use volley::store::{Claim, FireworkQuery, Mending, StoreError, Verdict};
use volley::workflow::{FwAction, Launch, State, int, time};

use crate::support::peer::Peer;
use crate::support::run::Ran;
use crate::support::site::Site;
use crate::support::{Launchpad, Worker, draft, outcome};

/// More than a document holds.
const SIZE: usize = 17_000_000;

fn fw(id: i64) -> Value {
    json!({"fw_id": id, "name": "one", "spec": {"_tasks": [{"_fw_name": "ScriptTask", "script": "true"}]}})
}

fn chain() -> Value {
    json!({"fws": [fw(1), fw(2)], "links": {"1": [2]}, "name": "chain"})
}

fn site() -> Option<Site> {
    let site = Site::on(Launchpad::mongo()?);
    site.add(chain());
    Some(site)
}

fn collection(site: &Site, name: &str) -> Collection<Document> {
    site.launchpad.database().collection(name)
}

fn all(site: &Site, name: &str) -> Vec<Document> {
    let found = collection(site, name).find(doc! {}).sort(doc! {"_id": 1}).run().expect("finds");
    found.map(|document| document.expect("reads")).collect()
}

fn claim(site: &Site) -> Claim {
    Worker::new("w").claim(&*site.launchpad.store, 1).pop().expect("is ready")
}

fn large() -> FwAction {
    let stored = doc! {"text": "é".to_owned() + &"x".repeat(SIZE), "n": 1, "f": 0.5, "many": [1, f64::INFINITY]};
    FwAction { stored_data: stored, update_spec: doc! {"told": true}, ..FwAction::default() }
}

fn finish(site: &Site, claim: &Claim, action: FwAction) {
    let done = [outcome(claim, State::Completed, action)];
    assert_eq!(site.launchpad.store.finish(&done, Timestamp::now()).expect("finishes"), [Verdict::Recorded]);
}

fn launch(site: &Site, id: i64) -> Launch {
    site.launchpad.store.find_launches(&[id]).expect("finds").pop().expect("exists")
}

#[test]
fn python_reads_what_we_put_there() {
    let Some(site) = site() else { return };
    let Some(mut peer) = Peer::on(&site.launchpad) else { return };
    let claim = claim(&site);
    finish(&site, &claim, large());
    let id = claim.launch.launch_id;
    assert_eq!(launch(&site, id).action, Some(large().to_document()));
    assert_eq!((site.state(2), site.firework(2).spec.get_bool("told").ok()), (State::Ready, Some(true)));

    let read = peer.ask(json!({"verb": "stored", "fw_id": 1}));
    assert_eq!(read, json!({"text": SIZE + 1, "n": "1", "f": "0.5", "many": "[1, inf]"}));
    // As FireWorks leaves it.
    let stored = all(&site, "launches").remove(0);
    let file = all(&site, "fw_gridfs.files").remove(0);
    let place = doc! {"gridfs_id": file.get_object_id("_id").expect("an id").to_hex()};
    assert_eq!(stored.get_document("action").ok(), Some(&place));
    assert!(file.keys().eq(["_id", "encoding", "metadata", "chunkSize", "length", "uploadDate"]), "{file}");
    assert_eq!(file.get_document("metadata").ok(), Some(&doc! {"launch_id": int(id)}));
    assert_eq!((file.get("chunkSize"), file.get_str("encoding").ok()), (Some(&Bson::Int32(261_120)), Some("utf-8")));
    assert!(file.get_i64("length").is_ok_and(|length| length > SIZE as i64), "{file}");
    let names = |name: &str| {
        let mut names = collection(&site, name).list_index_names().run().expect("lists");
        names.sort();
        names
    };
    assert_eq!(names("fw_gridfs.files"), ["_id_", "filename_1_uploadDate_1", "metadata.launch_id_1"]);
    assert_eq!(names("fw_gridfs.chunks"), ["_id_", "files_id_1_n_1"]);

    peer.ask(json!({"verb": "delete", "fw_id": 1}));
    assert!(all(&site, "fw_gridfs.files").is_empty() && all(&site, "fw_gridfs.chunks").is_empty());
}

#[test]
fn we_read_what_python_has_put_there() {
    let Some(site) = site() else { return };
    let Some(mut peer) = Peer::on(&site.launchpad) else { return };
    let launch_id = peer.ask(json!({"verb": "checkout", "fw_id": 1})).as_i64().expect("was free");
    let action = json!({"update_spec": {"told": true}, "stored_data": {"n": 3}});
    // It could not get the lock: the rest is ours to do.
    let ended = json!({"verb": "complete", "launch_id": launch_id, "action": action, "size": SIZE, "refresh": false});
    peer.ask(ended);
    let stored = launch(&site, launch_id).action.expect("an action");
    let stored = stored.get_document("stored_data").expect("stored");
    assert_eq!(stored.get("n"), Some(&Bson::Int32(3)));
    assert!(stored.get_str("text").is_ok_and(|text| text.len() == SIZE + 2 && text.starts_with('é')));
    let shown = Ran::of(&mut site.volley(&["lpad", "get_fws", "-i", "1", "-d", "all"])).json();
    assert_eq!(shown["launches"][0]["action"]["stored_data"]["n"], 3);

    let then = time::to_iso(Timestamp::now() - SignedDuration::from_mins(11));
    let set = doc! {"$set": {"state_history.1.created_on": then}};
    collection(&site, "launches").update_one(doc! {"launch_id": int(launch_id)}, set).run().expect("ages");
    assert_eq!(site.launchpad.store.mend(&Mending::default(), Timestamp::now()).expect("mends").len(), 1);
    assert_eq!((site.state(1), site.state(2)), (State::Completed, State::Ready));
    assert_eq!(site.firework(2).spec.get_bool("told").ok(), Some(true));
}

#[test]
fn a_launch_has_one_file() {
    let Some(site) = site() else { return };
    let first = claim(&site);
    // An earlier attempt got no further.
    let left = doc! {"_id": bson::oid::ObjectId::new(), "metadata": {"launch_id": int(first.launch.launch_id)}};
    collection(&site, "fw_gridfs.files").insert_one(left).run().expect("inserts");
    finish(&site, &first, large());
    let files = all(&site, "fw_gridfs.files");
    assert_eq!(files.len(), 1);
    // Reported again, since the answer did not arrive.
    finish(&site, &first, large());
    assert_eq!(all(&site, "fw_gridfs.files"), files);
    assert_eq!(launch(&site, first.launch.launch_id).action, Some(large().to_document()));
    // Somebody else's by now: nothing is left of it.
    let second = claim(&site);
    let away = doc! {"$set": {"state": "FIZZLED"}};
    collection(&site, "launches")
        .update_one(doc! {"launch_id": int(second.launch.launch_id)}, away)
        .run()
        .expect("ends");
    let done = [outcome(&second, State::Completed, large())];
    assert_eq!(site.launchpad.store.finish(&done, Timestamp::now()).expect("answers"), [Verdict::LeaseLost]);
    assert_eq!(all(&site, "fw_gridfs.files"), files);
}

#[test]
fn files_go_with_their_workflow() {
    let Some(site) = site() else { return };
    finish(&site, &claim(&site), large());
    site.add(chain());
    let other = Worker::new("w").claim_as(&*site.launchpad.store, 1, Some(3), volley::store::Order::Fifo).remove(0);
    finish(&site, &other, large());
    let offline = [doc! {"fw_id": 1, "launch_id": 1}, doc! {"fw_id": 3, "launch_id": int(other.launch.launch_id)}];
    collection(&site, "offline_runs").insert_many(offline).run().expect("inserts");
    site.launchpad.store.delete_workflows(&[2]).expect("deletes");
    let files = all(&site, "fw_gridfs.files");
    assert_eq!(files.len(), 1);
    let id = files[0].get_object_id("_id").expect("an id");
    assert!(all(&site, "fw_gridfs.chunks").iter().all(|chunk| chunk.get_object_id("files_id").ok() == Some(id)));
    assert_eq!(all(&site, "offline_runs").len(), 1);
    assert_eq!(launch(&site, other.launch.launch_id).action, Some(large().to_document()));
    site.launchpad.store.reset().expect("resets");
    for name in ["fw_gridfs.files", "fw_gridfs.chunks", "offline_runs"] {
        assert!(all(&site, name).is_empty(), "{name}");
    }
}

#[test]
fn a_file_that_is_missing_is_told_of_and_not_acted_upon() {
    let Some(site) = site() else { return };
    let Some(mut peer) = Peer::on(&site.launchpad) else { return };
    let launch_id = peer.ask(json!({"verb": "checkout", "fw_id": 1})).as_i64().expect("was free");
    peer.ask(json!({"verb": "complete", "launch_id": launch_id, "action": {}, "size": SIZE, "refresh": false}));
    collection(&site, "fw_gridfs.chunks").delete_one(doc! {"n": 3}).run().expect("deletes");
    let shown = Ran::of(&mut site.volley(&["lpad", "get_fws", "-i", "1", "-d", "all"]));
    assert!(shown.stderr.contains("is not all there"), "{shown:?}");
    assert!(shown.json()["launches"][0]["action"]["gridfs_id"].is_string());
    let then = time::to_iso(Timestamp::now() - SignedDuration::from_mins(11));
    let set = doc! {"$set": {"state_history.1.created_on": then}};
    collection(&site, "launches").update_one(doc! {"launch_id": int(launch_id)}, set).run().expect("ages");
    assert_eq!(site.launchpad.store.mend(&Mending::default(), Timestamp::now()).expect("goes on"), []);
    assert_eq!(site.state(1), State::Running);
}

#[test]
fn a_firework_or_workflow_that_is_too_large_is_not_added() {
    let Some(site) = site() else { return };
    let counters = all(&site, "fw_id_assigner");
    let mut firework = fw(1);
    firework["spec"]["text"] = "x".repeat(SIZE).into();
    let workflow = json!({"fws": [fw(1)], "links": {}, "metadata": {"text": "x".repeat(SIZE)}});
    for (added, what) in [(json!({"fws": [fw(2), firework], "links": {}}), "firework 1 `one`"), (workflow, "workflow")]
    {
        let error = site.launchpad.store.insert(&[draft(chain()), draft(added)], Timestamp::now());
        let error = error.expect_err("is refused");
        assert!(matches!(error, StoreError::TooLarge { .. }) && error.to_string().contains(what), "{error}");
        assert_eq!((all(&site, "fireworks").len(), all(&site, "workflows").len()), (2, 1));
        assert_eq!(all(&site, "fw_id_assigner"), counters);
    }
}

#[test]
fn an_action_that_adds_too_much_fizzles_and_adds_nothing() {
    let Some(site) = site() else { return };
    site.launchpad.store.reset().expect("resets");
    // Nearly as large as it may be.
    let text = "x".repeat(16 * 1024 * 1024 - 128 * 1024);
    site.add(json!({"fws": [fw(1), fw(2), fw(3)], "links": {"1": [3], "2": [3]}, "metadata": {"text": text}}));
    let mut huge = doc! {"fws": [{"fw_id": -1, "spec": {"_tasks": [], "text": "x".repeat(SIZE)}}], "links": {}};
    let claims = Worker::new("w").claim(&*site.launchpad.store, 2);
    for claim in &claims {
        let action = FwAction { additions: vec![huge.clone()], ..FwAction::default() };
        finish(&site, claim, action);
        assert_eq!(site.state(claim.firework.fw_id), State::Fizzled);
        let many: Vec<Document> = (1..=2000).map(|id| doc! {"fw_id": -id, "spec": {"_tasks": []}}).collect();
        huge = doc! {"fws": many, "links": {}};
    }
    let query = FireworkQuery::default();
    assert_eq!(site.launchpad.store.count_fireworks(&query).expect("counts"), 3);
    assert!(!all(&site, "workflows").remove(0).contains_key("locked"));
    assert_eq!(site.state(3), State::Waiting);
}
