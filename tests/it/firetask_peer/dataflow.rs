//! Cases of the dataflow tasks.

use serde_json::{Value, json};

use super::{Case, compare};

#[test]
fn values_are_joined() {
    let mut cases: Vec<Case> = Vec::new();
    let spec = json!({"t": {"value": 300, "unit": "K"}, "p": 1.5, "list": [1, "a"], "dict": {"t": 0, "old": true}});
    for output in ["new", "list", "dict"] {
        for inputs in [json!([]), json!(["t"]), json!(["t", "p"]), json!(["p", "list", "dict"]), json!(["none"])] {
            let mut push = |task: Value| {
                let case = Case::new(task, spec.clone());
                let joins = if case.task["_fw_name"] == "JoinListTask" { "list" } else { "dict" };
                let is_own = output == joins && inputs.as_array().is_some_and(|inputs| inputs.contains(&json!(joins)));
                cases.push(if is_own { case.but("a value that is joined to itself never ends") } else { case });
            };
            push(json!({"_fw_name": "JoinListTask", "inputs": inputs, "output": output}));
            for rename in [Value::Null, json!({}), json!({"t": "temperature"}), json!({"p": "t", "x": "y"})] {
                let mut task = json!({"_fw_name": "JoinDictTask", "inputs": inputs, "output": output});
                if !rename.is_null() {
                    task["rename"] = rename;
                }
                push(task);
            }
        }
    }
    compare(&cases);
}

#[test]
fn data_is_imported() {
    let mut cases = Vec::new();
    let spec = json!({"a": {"b": {"c": 1}, "n": 2}, "k": 0, "l": []});
    for (name, text) in [
        ("data.json", r#"{"x": [1, 2.5, null, true], "c": {"y": "é"}}"#),
        ("data.json", "[1, 2]"),
        ("data.json", "7"),
        ("data.json", "{"),
        ("data.yaml", "x: [1, 2.5, null, true]\nc: {y: é, no: no}\n"),
        ("data.yaml", "- a\n- 1e3\n- 0o17\n- 12:30\n- '1'\n"),
        ("data.yaml", "text"),
        ("data.yaml", "a: [\n"),
        ("data.txt", "{}"),
        ("none.json", ""),
    ] {
        for mapstring in ["new", "a", "a/b", "a/b/c", "a/new", "a/n", "k", "l", "none/x", "a/none/x", "l/0"] {
            let task = json!({"_fw_name": "ImportDataTask", "filename": name, "mapstring": mapstring});
            let case = Case::new(task, spec.clone());
            cases.push(if name.starts_with("none") { case } else { case.with(name, text) });
        }
    }
    compare(&cases);
}

#[test]
fn lists_are_split() {
    let mut cases = Vec::new();
    let mut push = |items: Value, inputs: Value, chunks: Value| {
        let inner = json!({"_fw_name": "PyTask", "func": "mod.f", "inputs": inputs, "outputs": ["out"]});
        let mut task = json!({"_fw_name": "ForeachTask", "task": inner, "split": "items"});
        if !chunks.is_null() {
            task["number of chunks"] = chunks;
        }
        let spec = json!({"items": items, "more": {"x": 1}, "_priority": 3});
        cases.push(Case::new(task, spec));
    };
    for length in 0..=5 {
        let items: Vec<Value> = (0..length).map(|item| json!({"source": {"type": "data", "value": item}})).collect();
        for chunks in [Value::Null, json!(0), json!(1), json!(2), json!(3), json!(7)] {
            push(json!(items), json!(["items"]), chunks);
        }
    }
    push(json!([1, 2]), json!("items"), Value::Null);
    push(json!([1, 2]), json!(["other", "items"]), Value::Null);
    push(json!([1, 2]), json!(["other"]), Value::Null);
    push(json!("no list"), json!(["items"]), Value::Null);
    compare(&cases);
}

/// A command that tells its arguments, and what it reads.
fn echo() -> Value {
    json!(["sh", "-c", "printf '<%s>' \"$@\"; cat", "sh"])
}

fn command_line(command: Value, labels: &Value, inputs: &[&str], outputs: &[&str]) -> Value {
    let mut command_spec = json!({"command": command});
    command_spec.as_object_mut().expect("an object").extend(labels.as_object().expect("an object").clone());
    json!({"_fw_name": "CommandLineTask", "command_spec": command_spec, "inputs": inputs, "outputs": outputs})
}

#[test]
fn commands_are_run() {
    let mut cases = Vec::new();
    let labels = json!({
        "text": {"source": {"type": "data", "value": "two words"}},
        "whole": {"source": {"type": "data", "value": 3}},
        "small": {"source": {"type": "data", "value": 1e-6}},
        "flag": {"source": {"type": "data", "value": true}},
        "bound": {"binding": {"prefix": "-c", "separator": "="}, "source": "named"},
        "prefix": {"binding": {"prefix": "--"}, "source": {"type": "path", "value": "in.txt"}},
        "many": "many",
        "stdin text": {"source": {"type": "data", "value": 12}, "target": {"type": "stdin"}},
        "stdin file": {"binding": "binding", "source": {"type": "path", "value": "in.txt"}, "target": {"type": "stdin"}},
        "printed": {"source": {"type": "stdout"}, "target": {"type": "data", "more": 1}},
        "stdout file": {"source": {"type": "stdout"}, "target": {"type": "path", "value": "out.txt"}},
        "stdout folder": {"source": {"type": "stdout"}, "target": "folder"},
        "stderr file": {"source": {"type": "stderr"}, "target": {"type": "path", "value": "err.txt"}},
        "argument": {"binding": {"separator": "o="}, "target": {"type": "path", "value": "by_argument"}},
        "copied": {"source": {"type": "path", "value": "in.txt"}, "target": {"type": "path", "value": "copy.txt"}},
        "not there": {"source": {"type": "path", "value": "none"}, "target": {"type": "path", "value": "copy.txt"}},
        "other": {"source": {"type": "data", "value": "x"}, "target": {"type": "path", "value": "named"}},
    });
    let spec = json!({
        "named": {"type": "data", "value": 2.5}, "binding": {"prefix": "-i"}, "folder": {"type": "path", "value": "folder"},
        "many": [{"type": "data", "value": 1}, {"source": {"type": "data", "value": "b"}, "binding": {"prefix": "-b"}}],
    });
    let inputs: [&[&str]; 9] = [
        &[],
        &["text", "whole", "small", "flag"],
        &["bound", "prefix"],
        &["many"],
        &["many", "stdin text"],
        &["stdin file"],
        &["stdin file", "text"],
        &["none"],
        &["stdin text"],
    ];
    let outputs: [&[&str]; 10] = [
        &[],
        &["printed"],
        &["stdout file"],
        &["stdout folder"],
        &["stderr file", "printed"],
        &["argument", "printed"],
        &["copied", "printed"],
        &["not there"],
        &["other"],
        &["none"],
    ];
    for inputs in inputs {
        for outputs in outputs {
            for chunk in [None, Some(0)] {
                let mut task = command_line(echo(), &labels, inputs, outputs);
                if let Some(chunk) = chunk {
                    task["chunk_number"] = json!(chunk);
                }
                let case = Case::new(task, spec.clone()).with("in.txt", "from a file\n").with("folder/x", "");
                let is_wrong = chunk.is_some() && outputs.len() > 1 && !inputs.contains(&"none");
                cases.push(if is_wrong { case.but("the words `type` and `value` are pushed") } else { case });
            }
        }
    }
    for command in
        [json!(["false"]), json!(["/no/such/program"]), json!("true"), json!([]), json!(["sh", "-c", "kill $$"])]
    {
        cases.push(Case::new(command_line(command, &labels, &[], &["printed"]), spec.clone()));
    }
    for missing in ["inputs", "outputs"] {
        let mut task = command_line(echo(), &labels, &["text"], &["printed"]);
        task.as_object_mut().expect("an object").remove(missing);
        cases.push(Case::new(task, spec.clone()));
    }
    compare(&cases);
}

#[test]
fn mistakes_with_commands_are_not_repeated() {
    let spec = json!({
        "single": {"type": "data", "value": "x"},
        "outputs": [{"source": {"type": "stdout"}, "target": {"type": "data"}}],
    });
    let labels = json!({
        "single": "single",
        "no prefix": {"binding": {"prefix": null, "separator": "="}, "source": {"type": "data", "value": "x"}},
        "named": "outputs",
        "printed": {"source": {"type": "stdout"}, "target": {"type": "data"}},
        "errors": {"source": {"type": "stderr"}, "target": {"type": "data"}},
        "file": {"source": {"type": "stdout"}, "target": {"type": "path", "value": "out.txt"}},
    });
    let cases = [
        (vec!["single"], vec!["printed"], "the keys of a single mapping are taken for items"),
        (vec!["no prefix"], vec!["printed"], "null is no prefix, other than documented"),
        (vec![], vec!["named"], "an output that the spec describes fails after the command has run"),
        (vec![], vec!["printed", "file"], "what goes to a file cannot be kept"),
        (vec![], vec!["errors"], "stdout is kept for stderr"),
    ];
    let cases: Vec<Case> = cases
        .into_iter()
        .map(|(inputs, outputs, mistake)| {
            let command = json!(["sh", "-c", "printf '<%s>' \"$@\"; echo wrong >&2", "sh"]);
            Case::new(command_line(command, &labels, &inputs, &outputs), spec.clone()).but(mistake)
        })
        .collect();
    compare(&cases);
}
