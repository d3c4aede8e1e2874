//! What Python FireWorks leaves in a database: dumps of all collections after this and that
//! (`tests/fixtures/fireworks`, recorded with FireWorks 2.1.4), in extended JSON.

use bson::{Bson, Document, doc};
use mongodb::sync::Database;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/fireworks");

/// The collections of a launchpad, as the dumps name them.
pub const COLLECTIONS: [&str; 7] = [
    "workflows",
    "fireworks",
    "launches",
    "fw_id_assigner",
    "offline_runs",
    "fw_gridfs.files",
    "fw_gridfs.chunks (first, data cut)",
];

/// The names of all samples.
pub fn names() -> Vec<String> {
    let entries = std::fs::read_dir(FOLDER).expect("a folder").map(|entry| entry.expect("reads").file_name());
    let names = entries.filter_map(|name| Some(name.to_str()?.strip_suffix(".json")?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// A sample.
pub fn read(sample: &str) -> Document {
    read_in(FOLDER, sample)
}

/// A sample of somebody else.
pub fn read_in(folder: &str, sample: &str) -> Document {
    let text = std::fs::read_to_string(format!("{folder}/{sample}.json")).expect("a sample");
    let json: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
    match Bson::try_from(json).expect("extended JSON") {
        Bson::Document(document) => document,
        other => panic!("{other} is no document"),
    }
}

/// The documents of a collection in a sample.
pub fn documents(sample: &Document, collection: &str) -> Vec<Document> {
    let array = sample.get_array(collection).into_iter().flatten();
    array.filter_map(|document| document.as_document().cloned()).collect()
}

/// Makes a database what the sample was taken from; nothing else is left in it.
pub fn load(database: &Database, sample: &Document) {
    for name in COLLECTIONS {
        let collection = database.collection::<Document>(name.split(' ').next().expect("a name"));
        collection.delete_many(doc! {}).run().expect("empties");
        let documents = documents(sample, name);
        if !documents.is_empty() {
            collection.insert_many(documents).run().expect("inserts");
        }
    }
}
