//! `TemplateWriterTask`, as `lpad add` takes it and `rlaunch` runs it; that it writes what Jinja2
//! writes is shown in `firetask_peer`.

use std::fs;

use serde_json::{Value, json};
use volley::workflow::State;

use crate::firetask_files::{failures, refused};
use crate::support::site::Site;

fn task(more: Value) -> Value {
    let mut task = json!({
        "_fw_name": "TemplateWriterTask", "template_file": "in.txt", "output_file": "out.txt",
        "context": {"name": "Cu", "n": 1},
    });
    task.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    task
}

#[test]
fn what_cannot_work_is_not_added() {
    let without = |key: &str| {
        let mut task = task(json!({}));
        task.as_object_mut().expect("an object").remove(key);
        task
    };
    for (task, expected) in [
        (without("context"), "TemplateWriterTask needs `context`: a mapping of the names"),
        (without("template_file"), "needs `template_file`: the name of the template"),
        (without("output_file"), "needs `output_file`: the name of the file to write"),
        (task(json!({"context": []})), "`context` must be a mapping"),
        (task(json!({"template_dri": "x"})), "did you mean `template_dir`?"),
        (task(json!({"_fw_name": "Template Writer Task", "template_file": 3})), "`template_file` must be a string"),
        (json!({"_fw_name": "TemplateWriterTask", "use_global_spec": true}), "nothing"),
    ] {
        let message = refused(&task);
        assert!(message.contains(expected), "{task}: {message}");
    }
}

#[test]
fn failures_say_what_and_why() {
    let site = Site::sqlite();
    for (name, text) in [
        ("attribute.txt", "one\n{{ missing.attribute }}\n"),
        ("syntax.txt", "one\ntwo\n{% if n %}\n"),
        ("percent.txt", "{{ '%.3f' % n }}\n"),
        ("include.txt", "{% include '../secret' %}\n"),
        ("nested.txt", "{% include 'attribute.txt' %}\n"),
    ] {
        site.write(name, text);
    }
    fs::write(site.path().join("latin.txt"), b"\xe9t\xe9").expect("writes");
    let root = site.path().display();
    let global = json!({"_fw_name": "TemplateWriterTask", "use_global_spec": true});
    let cases = [
        (
            "none.txt",
            format!(
                "{root}/none.txt: there is no such template; say where it is: `template_dir`, or TEMPLATE_DIR in FW_config.yaml"
            ),
        ),
        (
            "attribute.txt",
            format!("{root}/attribute.txt: undefined value: `missing` is undefined (in attribute.txt:2)"),
        ),
        (
            "syntax.txt",
            format!(
                "{root}/syntax.txt: syntax error: unexpected end of input, expected end of block (in syntax.txt:3)"
            ),
        ),
        (
            "percent.txt",
            format!(
                "{root}/percent.txt: invalid operation: tried to use % operator on unsupported types string and number (in percent.txt:1); write \"...\"|format(value)"
            ),
        ),
        (
            "include.txt",
            format!(
                "{root}/include.txt: template not found: tried to include non-existing template '../secret' (in include.txt:1)"
            ),
        ),
        (
            "nested.txt",
            format!(
                "{root}/nested.txt: could not render include: error in \"attribute.txt\" (in nested.txt:1): undefined value: `missing` is undefined (in attribute.txt:2)"
            ),
        ),
        ("latin.txt", format!("cannot read {root}/latin.txt: invalid utf-8 sequence of 1 bytes from index 0")),
    ];
    let mut tasks: Vec<(Value, Value)> =
        cases.iter().map(|(name, _)| (task(json!({"template_file": name})), json!({}))).collect();
    tasks.push((global, json!({"template_file": "in.txt", "output_file": "out.txt"})));
    let found = failures(&site, &tasks);
    for ((name, expected), failure) in cases.iter().zip(&found) {
        assert_eq!(failure, expected, "{name}");
    }
    let last = found.last().expect("is there");
    assert!(last.starts_with("TemplateWriterTask needs `context`"), "{last}");
}

#[test]
fn files_are_written_as_they_are_meant() {
    let site = Site::sqlite();
    fs::create_dir_all(site.path().join("templates/parts")).expect("makes it");
    site.write("templates/in.txt", "{% include 'parts/head.txt' %}\n{{ name }} < {{ n }} & \"{{ name }}\"\n");
    site.write("templates/parts/head.txt", "# {{ name }}");
    site.write("FW_config.yaml", "TEMPLATE_DIR: templates\n");
    let again = task(json!({"append": true, "context": {"name": "<N>", "n": 2}}));
    let fw_id = site.add_tasks(json!([task(json!({})), again]));
    site.run_well(&["rapidfire"]);
    assert_eq!(site.state(fw_id), State::Completed);
    // FireWorks: `&lt;`, and only the second one.
    let text = fs::read_to_string(site.launchers()[0].join("out.txt")).expect("is written");
    assert_eq!(text, "# Cu\nCu < 1 & \"Cu\"# <N>\n<N> < 2 & \"<N>\"");
}
