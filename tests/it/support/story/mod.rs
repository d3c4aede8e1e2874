//! Stories that are lived twice, by Python FireWorks and by the real binaries of ours on each store,
//! and the comparison of what they leave: the documents of all collections, and the directories.
//!
//! A story is a list of steps, `[VERB, ARGUMENT...]`: `add` a workflow; `lpad` with the words of a
//! command line; `run PLACE [ID]` for one launch in a directory, `fire PLACE [COUNT]` for several;
//! `start PLACE` and `join`; `wait FILE`, `touch FILE` and `write FILE JSON`; `rerun ID MODE` of tasks; `python VERB` for
//! what Python does in our story, too; `on_mongodb` where SQLite is different; `dump` for a
//! comparison. There is one of the directories at the end.
//!
//! Left out: ids of MongoDB and numbers of launches, dates, run times, the text of failures, random
//! names, and our own keys in history entries.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::site::Site;
use crate::support::{Launchpad, service};

mod picture;
mod sides;

pub use picture::{Picture, diff, directories, picture};
use sides::{live, tell};

/// Stories by name.
pub type Stories = Vec<(&'static str, Value)>;

/// Stories that one process of Python lives through.
pub struct Book {
    stories: fn() -> Stories,
    theirs: OnceLock<BTreeMap<&'static str, Vec<Picture>>>,
}

impl Book {
    pub const fn new(stories: fn() -> Stories) -> Self {
        Book { stories, theirs: OnceLock::new() }
    }

    /// What Python makes of all; empty without Python or MongoDB.
    fn theirs(&self) -> &BTreeMap<&'static str, Vec<Picture>> {
        self.theirs.get_or_init(|| {
            let Some((python, launchpad)) = service("VOLLEY_TEST_PYTHON", "python").zip(Launchpad::mongo()) else {
                return BTreeMap::new();
            };
            let folder = tempfile::tempdir().expect("a folder");
            let stories = (self.stories)();
            let from_nothing = stories.iter().map(|(_, steps)| {
                let steps = steps.as_array().expect("steps").iter();
                std::iter::once(&json!(["reset"])).chain(steps).cloned().collect::<Value>()
            });
            let answers = tell(&python, &launchpad.location, folder.path(), from_nothing.collect());
            let lived = stories.iter().zip(answers).enumerate().map(|(number, ((name, _), dumps))| {
                let root = folder.path().join(number.to_string());
                let pictures = dumps.into_iter().map(|dump| picture(&root, dump));
                (*name, pictures.chain([directories(&root)]).collect())
            });
            lived.collect()
        })
    }

    /// Compares how one story ends on all sides.
    pub fn compare(&self, name: &str) {
        let Some(theirs) = self.theirs().get(name) else { return };
        let (_, story) = (self.stories)().into_iter().find(|(one, _)| *one == name).expect("is told");
        let steps = story.as_array().expect("steps");
        let needs_mongo = steps.iter().any(|step| step[0] == "python" || step[0] == "on_mongodb");
        for site in Site::on_every_store() {
            if needs_mongo && !site.is_mongo() {
                continue;
            }
            let ours = live(&site, steps);
            assert_eq!(ours.len(), theirs.len());
            for (number, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                let difference = diff(ours, theirs);
                let place = site.launchpad.store.describe();
                assert!(difference.is_empty(), "{name}, comparison {number} on {place}:\n{difference}");
            }
        }
    }
}

/// Tests of stories: a function `stories` with all, and for each a test of its name.
macro_rules! stories {
    ($($name:ident $steps:tt)*) => {
        fn stories() -> crate::support::story::Stories {
            vec![$((stringify!($name), serde_json::json!($steps))),*]
        }

        static BOOK: crate::support::story::Book = crate::support::story::Book::new(stories);

        $(#[test] fn $name() { BOOK.compare(stringify!($name)); })*
    };
}
pub(crate) use stories;

/// A ScriptTask.
pub fn script(text: &str) -> Value {
    json!({"script": [text], "use_shell": true, "_fw_name": "ScriptTask"})
}

/// A script that leaves this action behind.
pub fn leaves(action: &Value) -> Value {
    let given = volley::workflow::json::to_document(action.as_object().expect("an object"));
    let action = volley::workflow::FwAction::from_document(&given).expect("an action").to_document();
    let whole = Value::Object(volley::workflow::json::from_document(&action));
    script(&format!("cat > FWAction.json <<'END'\n{whole}\nEND"))
}

/// Two fireworks, the second below the first.
pub fn pair(relax: Value, static_: Value) -> Value {
    json!({
        "fws": [{"fw_id": 1, "name": "relax", "spec": relax}, {"fw_id": 2, "name": "static", "spec": static_}],
        "links": {"1": [2]},
        "name": "relax-static Si",
        "metadata": {"formula": "Si2", "nsites": 2},
    })
}

/// The folder of a place in a story.
fn below(root: &Path, place: &Value) -> std::path::PathBuf {
    root.join(place.as_str().expect("a place"))
}
