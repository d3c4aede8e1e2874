//! `FileWriteTask`: writes files.

use std::fs;
use std::path::Path;

use bson::{Bson, Document};

use super::super::params::{BadTask, Params};
use super::super::{Firetask, Run, TaskFailure};
use crate::workflow::FwAction;

/// Writes `files_to_write` into the launch directory, or into `dest`.
pub struct FileWriteTask;

const NAME: &str = "FileWriteTask";

impl Firetask for FileWriteTask {
    fn name(&self) -> &'static str {
        NAME
    }

    fn prepare(&self, task: &mut Document, _spec: &mut Document, _base: &Path) -> Result<(), BadTask> {
        let params = Params { task: NAME, values: task };
        params.refuse_misspelt(&["files_to_write", "dest"])?;
        params.text("dest")?;
        files(&params).map(|_| ())
    }

    fn run(&self, run: &Run<'_>) -> Result<FwAction, TaskFailure> {
        let params = Params { task: NAME, values: run.task };
        let folder = run.directory.join(params.text("dest")?.unwrap_or_default());
        for (name, contents) in files(&params)? {
            let path = folder.join(name);
            fs::write(&path, contents).map_err(|source| TaskFailure::File { verb: "write", path, source })?;
        }
        Ok(FwAction::default())
    }
}

fn files<'a>(params: &Params<'a>) -> Result<Vec<(&'a str, &'a str)>, BadTask> {
    let key = "files_to_write";
    let expected = "a list of {filename, contents}";
    let items = match params.get(key) {
        None => return Err(BadTask::Missing { task: NAME, key, expected }),
        Some(Bson::Array(items)) => items,
        Some(_) => return Err(params.wrong(key, expected)),
    };
    let file = |item: &'a Bson| {
        let item = item.as_document()?;
        Some((item.get_str("filename").ok()?, item.get_str("contents").ok()?))
    };
    items.iter().map(|item| file(item).ok_or_else(|| params.wrong(key, expected))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firetask::Interrupt;
    use bson::doc;

    #[test]
    fn writes_into_the_directory_or_dest() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("sub")).expect("a directory");
        let write = |task: Document| {
            let interrupt = Interrupt::default();
            let spec = Document::new();
            FileWriteTask.run(&Run {
                task: &task,
                spec: &spec,
                directory: directory.path(),
                seat: &crate::firetask::Seat::default(),
                interrupt: &interrupt,
                fw_id: 1,
                position: 0,
                launch_id: 1,
                template_dir: None,
                previous: &|| None,
                keep: &|_| {},
            })
        };
        let files = doc! {"files_to_write": [{"filename": "a", "contents": "1\n"}, {"filename": "b", "contents": ""}]};
        assert_eq!(write(files.clone()).expect("writes"), FwAction::default());
        let mut below = files;
        below.insert("dest", "sub");
        write(below).expect("writes");
        for name in ["a", "sub/a"] {
            assert_eq!(fs::read_to_string(directory.path().join(name)).expect("exists"), "1\n");
        }
        let failure = write(doc! {"files_to_write": [], "dest": 3}).expect_err("is refused");
        assert_eq!(failure.to_string(), "FileWriteTask: `dest` must be a string");
        let failure = write(doc! {"files_to_write": [{"filename": "no/a", "contents": ""}]}).expect_err("fails");
        assert!(failure.to_string().contains("no/a"), "{failure}");
    }
}
