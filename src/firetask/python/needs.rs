//! What a firework needs of the Python of the worker that runs it: classes by their `_fw_name`, and
//! packages of functions. Read off the spec, so that it can be asked before anything is run.

use std::collections::BTreeSet;

use bson::{Bson, Document};

use crate::firetask::{find, name_of};
use crate::workflow::fworker::package_of;

/// Something that Python must have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A class that FireWorks finds by this `_fw_name`.
    Class(String),
    /// A package. Whether it has the function in question is for the task to find out.
    Package(String),
}

/// What one task needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// The task, by its `_fw_name`.
    pub task: String,
    /// What it needs.
    pub thing: Thing,
}

/// What the tasks of a spec need, as far as they are not native.
pub fn needs(spec: &Document) -> BTreeSet<Need> {
    let tasks = spec.get_array("_tasks").into_iter().flatten().filter_map(Bson::as_document);
    let of = |task: &Document| {
        let class = Thing::Class(name_of(task).to_owned());
        let package = package_of(task).map(|package| Thing::Package(package.to_owned()));
        let name = name_of(task).to_owned();
        std::iter::once(class).chain(package).map(move |thing| Need { task: name.clone(), thing })
    };
    tasks.filter(|task| find(task).is_none()).flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    fn things(task: Document) -> Vec<Thing> {
        let native = doc! {"_fw_name": "Script Task", "script": "true"};
        needs(&doc! {"_tasks": [native, task], "other": {"_fw_name": "X"}}).into_iter().map(|need| need.thing).collect()
    }

    #[test]
    fn classes_and_the_packages_of_functions() {
        let class = |name: &str| Thing::Class(name.to_owned());
        let package = |name: &str| Thing::Package(name.to_owned());
        assert_eq!(things(doc! {"_fw_name": "FileWriteTask"}), []);
        assert_eq!(things(doc! {"_fw_name": "{{a.B}}", "func": "c.d"}), [class("{{a.B}}")]);
        assert_eq!(things(doc! {"_fw_name": "PyTask", "func": "print"}), [class("PyTask")]);
        assert_eq!(things(doc! {"_fw_name": "PyTask", "func": "a.b.f"}), [class("PyTask"), package("a")]);
        let job = doc! {"_fw_name": "J", "job": {"function": {"@module": "q.r", "@callable": "f"}}};
        assert_eq!(things(job), [class("J"), package("q")]);
    }
}
