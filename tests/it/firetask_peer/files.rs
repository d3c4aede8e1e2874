//! Cases of the tasks on files.

use std::io::Write as _;

use serde_json::{Value, json};

use super::Entry::{Bytes, Link, Mode, Text};
use super::{Case, Entry, compare};

fn task(name: &str, parameters: Value) -> Value {
    let mut task = json!({"_fw_name": name});
    task.as_object_mut().expect("an object").extend(parameters.as_object().expect("an object").clone());
    task
}

fn text(text: &str) -> Entry {
    Text(text.to_owned())
}

/// Files of every kind.
fn tree() -> Vec<(&'static str, Entry)> {
    vec![
        ("a.txt", text("a\n")),
        ("script.sh", Mode(0o750, "#!/bin/sh\n".to_owned())),
        ("private", Mode(0o600, "secret\n".to_owned())),
        ("folder/b.txt", text("b\n")),
        ("folder/deep/c.txt", text("c\n")),
        ("folder/link", Link("b.txt")),
        ("link", Link("a.txt")),
        ("folder_link", Link("folder")),
        ("there/a.txt", text("older\n")),
    ]
}

#[test]
fn files_are_written_and_deleted() {
    let mut cases = Vec::new();
    for dest in [json!({}), json!({"dest": "folder"}), json!({"dest": "none"})] {
        let mut write = task("FileWriteTask", dest.clone());
        write["files_to_write"] = json!([{"filename": "new.txt", "contents": "new\n"}]);
        cases.push(Case::new(write, json!({})).with_all(&tree()));
        for (names, ignore) in
            [(["a.txt", "b.txt"], None), (["a.txt", "none"], Some(false)), (["deep", "link"], Some(true))]
        {
            let mut delete = task("FileDeleteTask", dest.clone());
            delete["files_to_delete"] = json!(names);
            if let Some(ignore) = ignore {
                delete["ignore_errors"] = json!(ignore);
            }
            cases.push(Case::new(delete, json!({})).with_all(&tree()));
        }
    }
    compare(&cases);
}

#[test]
fn files_are_transferred() {
    let mut cases = Vec::new();
    let case = |parameters: Value| Case::new(task("FileTransferTask", parameters), json!({})).with_all(&tree());
    for mode in ["mv", "cp", "copy2", "copytree", "copyfile"] {
        for src in ["a.txt", "script.sh", "folder", "folder/", "missing", "link", "folder_link", "./there/../a.txt"] {
            for dest in ["new", "new/", "there", "private", "none/such", "a.txt", "folder/deep/../new", "link"] {
                cases.push(case(json!({"mode": mode, "files": [src], "dest": dest})));
            }
        }
    }
    for mode in ["move", "copy"] {
        let files = json!([{"src": "a.txt", "dest": "there/x"}, "script.sh", {"src": "private"}]);
        cases.push(case(json!({"mode": mode, "files": files, "dest": "folder"})));
    }
    for ignores in [true, false] {
        let files = json!(["missing", "a.txt"]);
        cases.push(case(json!({"mode": "cp", "files": files, "dest": "there", "ignore_errors": ignores})));
        cases.push(case(json!({"mode": "copytree", "files": files, "dest": "new", "ignore_errors": ignores})));
        let files = json!(["$HOME/from_home.txt", "~/from_home.txt", "${HOME}/none"]);
        cases.push(case(json!({"mode": "cp", "files": files, "dest": "there", "ignore_errors": ignores})));
        let files = json!(["a.txt", "~/from_home.txt"]);
        let literal =
            json!({"mode": "cp", "files": files, "dest": "$x", "shell_interpret": false, "ignore_errors": ignores});
        cases.push(case(literal).with("~/from_home.txt", "mine\n"));
        let files = json!([{"src": "folder", "dest": "new"}, {"src": "missing", "dest": "new"}]);
        let again = json!({"mode": "mv", "files": files, "dest": "x", "ignore_errors": ignores, "max_retry": 0});
        cases.push(case(again));
    }
    let dangling = json!({"mode": "copytree", "files": ["folder"], "dest": "new"});
    cases.push(case(dangling.clone()).with_all(&[("folder/loose", Link("nowhere"))]));
    let named = |name| json!({"mode": "cp", "files": [name], "dest": "there"});
    let mistake = "a name with `src` or `dest` in it is taken for a mapping";
    cases.push(case(named("src.txt")).with("src.txt", "s\n").but(mistake));
    cases.push(case(named("dest.txt")).with("dest.txt", "d\n").but(mistake));
    for ignores in [true, false] {
        // When another one fails then, as what was moved already does, FireWorks never ends.
        cases.push(case(json!({
            "mode": "cp", "files": ["private", "missing"], "dest": "there",
            "max_retry": 1, "retry_delay": 0, "ignore_errors": ignores,
        })));
    }
    compare(&cases);
}

fn gz(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("compresses");
    encoder.finish().expect("compresses")
}

fn bz2(text: &str) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("compresses");
    encoder.finish().expect("compresses")
}

#[test]
fn folders_are_compressed_and_decompressed() {
    let compressed = [
        ("z.gz", Bytes(gz("z\n"))),
        ("Z2.GZ", Bytes(gz("z2\n"))),
        ("old.z", Bytes(gz("old\n"))),
        ("two.gz", Bytes([gz("one\n"), gz("two\n")].concat())),
        ("folder/y.bz2", Bytes(bz2("y\n"))),
        ("folder/two.bz2", Bytes([bz2("one\n"), bz2("two\n")].concat())),
        ("empty", text("")),
        (".hidden", text("h\n")),
        ("a.tar.gz.txt", text("t\n")),
    ];
    let mut cases = Vec::new();
    for dest in [json!({}), json!({"dest": "folder"}), json!({"dest": "none"}), json!({"dest": "folder_link"})] {
        for compression in [None, Some("gz"), Some("bz2")] {
            let mut parameters = dest.clone();
            if let Some(compression) = compression {
                parameters["compression"] = json!(compression);
            }
            cases.push(Case::new(task("CompressDirTask", parameters), json!({})));
        }
        cases.push(Case::new(task("DecompressDirTask", dest), json!({})));
    }
    let mut cases: Vec<Case> =
        cases.into_iter().map(|case| case.with_all(&tree()).with_all(&compressed).without_attributes()).collect();
    for ignores in [true, false] {
        let broken = json!({"ignore_errors": ignores});
        let case = Case::new(task("DecompressDirTask", broken), json!({})).without_attributes();
        let case = case.with_all(&[("broken.gz", Bytes(gz("something long enough\n")[..20].to_vec()))]);
        cases.push(case.but("half a file is left of what cannot be decompressed"));
    }
    compare(&cases);
}

#[test]
fn folders_are_archived() {
    let mut cases = Vec::new();
    for format in [None, Some("gztar"), Some("tar"), Some("bztar"), Some("xztar"), Some("zip")] {
        for base_name in ["archive", "new/folder/archive", "there/archive.x"] {
            let mut parameters = json!({"base_name": base_name});
            if let Some(format) = format {
                parameters["format"] = json!(format);
            }
            let case = Case::new(task("ArchiveDirTask", parameters), json!({})).with_all(&tree());
            // An archive of the day before is not in the new one.
            cases.push(case.with("archive.tar", "older").with("archive.zip", "older").without_attributes());
        }
    }
    compare(&cases);
}
