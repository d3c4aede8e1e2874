//! What others leave in a launchpad, written behind the store's back: reservations as FireWorks'
//! `qlaunch -r` makes them, launches and states that do not fit.

use bson::{Document, doc};
use jiff::Timestamp;
use rusqlite::params;
use volley::store::{self, Location, MongoSettings};
use volley::workflow::{FwId, Launch, LaunchId, State, int, time};

/// Makes a READY firework RESERVED, since then, for a queue job.
pub fn reserve(location: &Location, fw_id: FwId, job: &str, since: Timestamp) -> LaunchId {
    let launch_id = 1_000 + fw_id;
    let since = time::to_iso(since);
    let launch = doc! {
        "fworker": doc! { "name": "w", "category": "", "query": "{}", "env": {} },
        "fw_id": int(fw_id),
        "launch_dir": "/launches/there",
        "host": "h",
        "ip": "127.0.0.1",
        "trackers": [],
        "action": null,
        "state": "RESERVED",
        "state_history": [doc! { "state": "RESERVED", "created_on": &since, "updated_on": &since, "reservation_id": job }],
        "launch_id": int(launch_id),
    };
    match location {
        Location::Sqlite(path) => {
            let sql = rusqlite::Connection::open(path).expect("opens");
            let text = serde_json::to_string(&launch).expect("is JSON");
            sql.execute("INSERT INTO launches VALUES (?1, ?2, 'RESERVED', ?3)", params![launch_id, fw_id, text])
                .expect("inserts");
            let reserved = "UPDATE fireworks SET state = 'RESERVED', launches = ?2 WHERE fw_id = ?1";
            sql.execute(reserved, params![fw_id, format!("[{launch_id}]")]).expect("updates");
        }
        Location::Mongo(settings) => {
            let database = database(settings);
            database.collection::<Document>("launches").insert_one(launch).run().expect("inserts");
            let set = doc! { "$set": { "state": "RESERVED", "launches": [int(launch_id)] } };
            let fireworks = database.collection::<Document>("fireworks");
            fireworks.update_one(doc! { "fw_id": int(fw_id) }, set).run().expect("updates");
            let set = doc! { "$set": { format!("fw_states.{fw_id}"): "RESERVED", "state": "RESERVED" } };
            let workflows = database.collection::<Document>("workflows");
            workflows.update_one(doc! { "nodes": int(fw_id) }, set).run().expect("updates");
        }
    }
    launch_id
}

fn database(settings: &MongoSettings) -> mongodb::sync::Database {
    mongodb::sync::Client::with_uri_str(&settings.host).expect("connects").database(&settings.name)
}

/// Changes a launch.
pub fn edit_launch(location: &Location, launch_id: LaunchId, edit: impl FnOnce(&mut Launch)) {
    let found = store::open(location).expect("opens").find_launches(&[launch_id]).expect("finds").pop();
    let mut launch = found.expect("exists");
    edit(&mut launch);
    match location {
        Location::Sqlite(path) => {
            let text = serde_json::to_string(&launch.to_document()).expect("is JSON");
            let sql = rusqlite::Connection::open(path).expect("opens");
            let change = "UPDATE launches SET state = ?2, document = ?3 WHERE launch_id = ?1";
            sql.execute(change, params![launch_id, launch.state.as_str(), text]).expect("updates");
        }
        Location::Mongo(settings) => {
            let launches = database(settings).collection::<Document>("launches");
            let whole = launch.to_document();
            launches.replace_one(doc! { "launch_id": int(launch_id) }, whole).run().expect("replaces");
        }
    }
}

/// Lets the lease of a launch have ended so long ago.
pub fn expire(location: &Location, launch_id: LaunchId, ended: Timestamp) {
    edit_launch(location, launch_id, |launch| set_in_lease(launch, "until", ended));
}

/// And lets somebody have noticed it.
pub fn suspect(location: &Location, launch_id: LaunchId, noticed: Timestamp) {
    edit_launch(location, launch_id, |launch| set_in_lease(launch, "suspected", noticed));
}

fn set_in_lease(launch: &mut Launch, key: &str, at: Timestamp) {
    let last = launch.state_history.last_mut().expect("has a history");
    last.get_document_mut("lease").expect("has a lease").insert(key, time::to_iso(at));
}

/// Gives a firework another state, of which its workflow is not told.
pub fn set_state(location: &Location, fw_id: FwId, state: State) {
    match location {
        Location::Sqlite(path) => {
            let sql = rusqlite::Connection::open(path).expect("opens");
            let change = "UPDATE fireworks SET state = ?2 WHERE fw_id = ?1";
            sql.execute(change, params![fw_id, state.as_str()]).expect("updates");
        }
        Location::Mongo(settings) => {
            let set = doc! { "$set": { "state": state.as_str() } };
            let fireworks = database(settings).collection::<Document>("fireworks");
            fireworks.update_one(doc! { "fw_id": int(fw_id) }, set).run().expect("updates");
        }
    }
}

/// Takes the workflow of a firework away from it.
pub fn orphan(location: &Location, fw_id: FwId) {
    match location {
        Location::Sqlite(path) => {
            let sql = rusqlite::Connection::open(path).expect("opens");
            let delete = "DELETE FROM workflows WHERE id = (SELECT workflow FROM fireworks WHERE fw_id = ?1)";
            sql.execute(delete, [fw_id]).expect("deletes");
        }
        Location::Mongo(settings) => {
            let workflows = database(settings).collection::<Document>("workflows");
            workflows.delete_one(doc! { "nodes": int(fw_id) }).run().expect("deletes");
        }
    }
}
