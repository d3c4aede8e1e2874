//! What a launchpad and the directories of its launches hold, as far as it can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bson::{Bson, Document};
use serde_json::{Map, Value};

/// One field a line, of each collection.
pub type Picture = BTreeMap<&'static str, String>;

/// The documents, as far as they can be compared.
pub fn picture(root: &Path, dump: Document) -> Picture {
    let dump = Bson::Document(dump);
    let Bson::Document(mut dump) = numbered(&launch_ids(&dump), "", dump) else { panic!("is a document") };
    let collections = [
        ("fireworks", "fw_id"),
        ("fw_gridfs.files", "launch_id"),
        ("fw_id_assigner", "_id"),
        ("launches", "launch_id"),
        ("offline_runs", "launch_id"),
        ("workflows", "name"),
    ];
    let mut names = Names::default();
    let mut picture = Picture::new();
    for (collection, key) in collections {
        // SQLite has but some.
        let Some(Bson::Array(mut found)) = dump.remove(collection) else { continue };
        found.sort_by_key(|one| one.as_document().and_then(|one| one.get_i32(key).ok()));
        let document = |one: Bson| {
            let document = of(collection, plain(root, "", one));
            if collection == "launches" { document } else { sorted(document) }
        };
        let text: String = found.into_iter().map(|one| lines(collection, document(one).into())).collect();
        picture.insert(collection, names.renamed(&text));
    }
    picture
}

/// What differs in the documents of one collection, and may.
fn of(collection: &str, document: Bson) -> Document {
    let Bson::Document(mut document) = document else { panic!("no document of {collection}") };
    match collection {
        // Python writes a date of BSON in some changes, and a text again in the next.
        "fireworks" => drop(document.insert("updated_on", "a date")),
        // Workers of ours take ids of launches in advance.
        "fw_id_assigner" => {
            let next = document.insert("next_launch_id", "a number");
            assert!(matches!(next, Some(Bson::Int32(_))), "{next:?}");
        }
        // The text is JSON, with other spaces.
        "fw_gridfs.files" => drop(document.insert("length", "a number")),
        _ => {}
    }
    document
}

/// New names for what is drawn by chance, in the order in which it comes: UUIDs, the local ids of
/// fireworks, the directories of rapidfire, and our databases.
#[derive(Default)]
struct Names(BTreeMap<String, String>);

impl Names {
    fn renamed(&mut self, text: &str) -> String {
        let mut renamed = String::new();
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let (found, form) = match by_chance(rest) {
                Some((length, form)) => (&rest[..length], form),
                None => (&rest[..first.len_utf8()], ""),
            };
            if form.is_empty() {
                renamed.push_str(found);
            } else {
                let number = self.0.len();
                let name = self.0.entry(found.to_owned()).or_insert_with(|| format!("{form}{number}"));
                renamed.push_str(name);
            }
            rest = &rest[found.len()..];
        }
        renamed
    }
}

/// The length and kind of what begins a text and is drawn by chance.
fn by_chance(text: &str) -> Option<(usize, &'static str)> {
    const DIRECTORY: &str = "launcher_2026-11-22-15-04-08-651000";
    if text.get(..36).is_some_and(|part| uuid::Uuid::try_parse(part).is_ok()) {
        return Some((36, "uuid "));
    }
    if text.starts_with("volley_test_") && text.get(12..44).is_some_and(|part| uuid::Uuid::try_parse(part).is_ok()) {
        return Some((44, "database "));
    }
    if text.starts_with("launcher_2") && text.get(..DIRECTORY.len()).is_some() {
        return Some((DIRECTORY.len(), "launcher "));
    }
    let digits = text.strip_prefix("\"-")?.split_once('"')?.0;
    let is_id = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then_some((digits.len() + 3, "id "))
}

/// Launches by firework, then in their order: workers of ours take several fireworks at once, so
/// that launches of different ones may come in another order, and their ids have gaps.
fn launch_ids(value: &Bson) -> BTreeSet<(i32, i32)> {
    match value {
        Bson::Array(items) => items.iter().flat_map(launch_ids).collect(),
        Bson::Document(map) => {
            let own = map.get_i32("fw_id").ok().zip(map.get_i32("launch_id").ok());
            own.into_iter().chain(map.iter().flat_map(|(_, value)| launch_ids(value))).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn numbered(ids: &BTreeSet<(i32, i32)>, key: &str, value: Bson) -> Bson {
    match (key, value) {
        ("launches" | "archived_launches" | "launch_id" | "_launch_id", Bson::Int32(id)) => {
            let number = ids.iter().position(|&(_, one)| one == id).expect("is known");
            volley::workflow::int(number as i64)
        }
        (_, Bson::Array(items)) => {
            let mut items: Vec<Bson> = items.into_iter().map(|item| numbered(ids, key, item)).collect();
            if key == "archived_launches" {
                // A set in Python.
                items.sort_by_key(|item| item.as_i32().or_else(|| item.as_document()?.get_i32("launch_id").ok()));
            }
            Bson::Array(items)
        }
        (_, Bson::Document(map)) => {
            Bson::Document(map.into_iter().map(|(key, value)| (key.clone(), numbered(ids, &key, value))).collect())
        }
        (_, other) => other,
    }
}

/// What the directories hold.
pub fn directories(root: &Path) -> Picture {
    let (files, fw_json) = contents(root);
    let mut names = Names::default();
    let mut text = String::new();
    let fw_json = volley::workflow::json::to_bson(&Value::Object(fw_json));
    let ids = launch_ids(&fw_json);
    // By firework, as the launches: the directories of rapidfire are named after the time.
    let mut all: Vec<(&String, &Bson)> = fw_json.as_document().expect("a document").iter().collect();
    all.sort_by_key(|(place, document)| (document.as_document().and_then(|one| one.get_i32("fw_id").ok()), *place));
    for (place, document) in all {
        let document = numbered(&ids, "", fw_json_of(plain(root, "", document.clone())));
        text += &names.renamed(&lines(&format!("{place}/FW.json"), document));
    }
    let mut files: Vec<String> =
        files.iter().map(|(name, content)| names.renamed(&format!("file {name}: {content:?}\n"))).collect();
    files.sort();
    Picture::from([("directories", text + &files.concat())])
}

/// In FW.json FireWorks names the directory it was started in, even when it runs in another; and
/// the launch as it was before the first checkpoint.
fn fw_json_of(document: Bson) -> Bson {
    let Bson::Document(mut document) = document else { panic!("no document") };
    for launch in document.get_array_mut("launches").expect("is there").iter_mut() {
        let launch = launch.as_document_mut().expect("a document");
        launch.remove("launch_dir");
        for entry in launch.get_array_mut("state_history").expect("is there") {
            entry.as_document_mut().expect("a document").remove("checkpoint");
        }
    }
    document.into()
}

fn lines(title: &str, document: Bson) -> String {
    let Bson::Document(document) = document else { panic!("{title} is no document") };
    let fields = document.into_iter().map(|(key, value)| format!("  {key}: {}\n", value.into_canonical_extjson()));
    format!("{title}\n{}\n", fields.collect::<String>())
}

fn sorted(document: Document) -> Document {
    let mut fields: Vec<(String, Bson)> = document.into_iter().collect();
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields.into_iter().collect()
}

/// A map of fireworks; those without an id of the launchpad in the order in which they were made.
fn by_id(map: Document) -> Document {
    let mut fields: Vec<(String, Bson)> = map.into_iter().collect();
    fields.sort_by_key(|(key, _)| key.parse::<i64>().expect("an id").abs());
    fields.into_iter().collect()
}

fn in_order(ids: Bson) -> Bson {
    let Bson::Array(mut ids) = ids else { panic!("{ids} is no list") };
    ids.sort_by_key(Bson::as_i32);
    Bson::Array(ids)
}

/// A value without what differs from run to run; types stay.
fn plain(root: &Path, key: &str, value: Bson) -> Bson {
    match (key, value) {
        ("created_on" | "updated_on" | "time_start" | "time_end", Bson::String(date)) => {
            assert_eq!((date.len(), &date[26..]), (32, "+00:00"), "FireWorks' form of {date}");
            "a date".into()
        }
        ("host" | "ip" | "_stacktrace" | "gridfs_id", Bson::String(_)) => "a text".into(),
        ("state_history", Bson::Array(entries)) => {
            let own = ["lease", "owner", "lost", "spawned"];
            let entries = entries.into_iter().map(|entry| plain(root, "", without(&own, entry)));
            entries.collect()
        }
        // Python knows no details of a command that failed.
        ("_details", _) => Bson::Null,
        (_, Bson::DateTime(_)) => Bson::DateTime(bson::DateTime::from_millis(0)),
        ("runtime_secs" | "reservedtime_secs", Bson::Double(_)) => Bson::Double(0.0),
        // A set in Python.
        ("nodes", ids @ Bson::Array(_)) => in_order(ids),
        // SQLite keeps these as sets; their order in MongoDB is seen to in `fireworks_documents`.
        ("links" | "parent_links", Bson::Document(map)) => {
            Bson::Document(by_id(map.into_iter().map(|(key, ids)| (key, in_order(ids))).collect()))
        }
        ("fw_states", Bson::Document(map)) => Bson::Document(by_id(map)),
        (_, Bson::String(text)) => {
            let real = root.canonicalize().expect("exists").display().to_string();
            text.replace(&real, "ROOT").replace(&root.display().to_string(), "ROOT").into()
        }
        (_, Bson::Array(items)) => items.into_iter().map(|item| plain(root, "", item)).collect(),
        (_, Bson::Document(document)) => {
            let kept = document.into_iter().filter(|(key, _)| key != "_id");
            Bson::Document(kept.map(|(key, value)| (key.clone(), plain(root, &key, value))).collect())
        }
        (_, other) => other,
    }
}

fn without(keys: &[&str], document: Bson) -> Bson {
    let Bson::Document(document) = document else { panic!("{document} is no document") };
    document.into_iter().filter(|(key, _)| !keys.contains(&key.as_str())).collect::<Document>().into()
}

type Contents = (BTreeMap<String, String>, Map<String, Value>);

/// The files of all directories, and every FW.json.
fn contents(root: &Path) -> Contents {
    let (mut files, mut fw_json) = Contents::default();
    let mut open: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        let place = folder.strip_prefix(root).expect("is below").display().to_string();
        for entry in std::fs::read_dir(&folder).expect("reads") {
            let path = entry.expect("reads").path();
            let name = path.file_name().expect("has one").to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if name == "FW.json" {
                let text = std::fs::read_to_string(&path).expect("reads");
                fw_json.insert(place.clone(), serde_json::from_str(&text).expect("is JSON"));
            } else if !name.starts_with("FW") {
                let content = std::fs::read(&path).expect("reads");
                files.insert(format!("{place}/{name}"), String::from_utf8_lossy(&content).into_owned());
            }
        }
    }
    (files, fw_json)
}

/// The lines that differ in what both show.
pub fn diff(ours: &Picture, theirs: &Picture) -> String {
    let of = |(section, ours): (&&str, &String)| diff_text(ours, theirs.get(section).map_or("", String::as_str));
    ours.iter().map(of).collect()
}

fn diff_text(ours: &str, theirs: &str) -> String {
    let (ours, theirs): (Vec<&str>, Vec<&str>) = (ours.lines().collect(), theirs.lines().collect());
    let length = ours.len().max(theirs.len());
    let line = |lines: &[&str], number: usize| lines.get(number).copied().unwrap_or("(nothing)").to_owned();
    let different = (0..length).filter(|&number| ours.get(number) != theirs.get(number));
    let show = |number: usize| {
        let (ours, theirs) = (line(&ours, number), line(&theirs, number));
        let same = ours.chars().zip(theirs.chars()).take_while(|(one, other)| one == other).count();
        let part = |text: &str| -> String { text.chars().skip(same.saturating_sub(60)).take(400).collect() };
        format!("FireWorks {}\nVolley    {}\n", part(&theirs), part(&ours))
    };
    different.map(show).collect()
}
