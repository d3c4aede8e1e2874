//! `lpad graph`: a workflow as a picture, and for programs that draw.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::cli_errors::mixed;
use crate::support::cli::Cli;

#[test]
fn layers_are_drawn_with_their_lines() {
    for cli in Cli::everywhere() {
        mixed(&cli);
        if let Some(lines) = cli.picture(60, "graph -i 5") {
            let shape = lines.join("\n");
            for part in ["1 mixed FIZZLED", "1 WAITING, 1 COMPLETED, 3 FIZZLED", "2 relax a", "┌", "┘", "5 report"]
            {
                assert!(shape.contains(part), "no {part} in\n{shape}");
            }
        }
        let found = cli.lpad(&["graph", "-i", "1"]).json();
        assert_eq!(found["links"], json!([[1, 2], [1, 3], [1, 4], [2, 5], [3, 5], [4, 5]]));
        assert_eq!(found["nodes"][4], json!({"fw_id": 5, "name": "report", "state": "WAITING", "layer": 2}));
        cli.lpad(&["graph", "-i", "9"]).failed(1, "there is no firework 9");
        cli.lpad(&["graph", "-i", "1", "--dot", "--mermaid"]).failed(2, "cannot be used with");
    }
}

#[test]
fn a_wide_workflow_fits_a_narrow_terminal() {
    let cli = Cli::sqlite();
    let fw = |id: usize, name: String| json!({"fw_id": id, "name": name, "spec": {"_tasks": []}});
    let mut fws = vec![fw(1, "bulk".into())];
    fws.extend((2..=61).map(|id| fw(id, format!("relax {id}"))));
    fws.push(fw(62, "collect \"all\"; [x] <b>".into()));
    let links: serde_json::Map<String, Value> =
        (2..=61).map(|id| (format!("{id}"), json!([62]))).chain([("1".to_owned(), (2..=61).collect())]).collect();
    cli.write("wide.json", &json!({"fws": fws, "links": links, "name": "wide"}).to_string());
    cli.lpad(&["add", "wide.json"]).done();
    cli.lpad(&["pause_fws", "-i", "2-11"]).done();
    for columns in [40, 80] {
        let Some(lines) = cli.picture(columns, "graph -i 1") else { return };
        let shape = lines.join("\n");
        assert!(shape.contains("×60 relax #") && shape.contains("50 WAITING, 10 PAUSED"), "{shape}");
    }
    let dot = cli.lpad(&["graph", "-i", "1", "--dot"]).done().stdout;
    let edges: BTreeSet<&str> = dot.lines().filter(|line| line.contains(" -> ")).collect();
    assert_eq!(edges.len(), 120);
    assert!(dot.starts_with("digraph \"wide\" {") && dot.trim_end().ends_with('}'));
    // Every line of it is a statement whose quotes are closed.
    for line in dot.lines().filter(|line| line.starts_with("    ")) {
        let quotes = line.replace("\\\\", "").replace("\\\"", "").matches('"').count();
        assert!(line.ends_with(';') && quotes % 2 == 0, "{line}");
    }
    let mermaid = cli.lpad(&["graph", "-i", "1", "--mermaid"]).done().stdout;
    assert!(mermaid.starts_with("flowchart TD\n"));
    for line in mermaid.lines().skip(1) {
        let is_node = line.starts_with("    n") && line.matches('"').count() == 2 && line.contains("\"]:::");
        let is_edge = line.contains(" --> ") && !line.contains('"');
        assert!(is_node || is_edge || line.starts_with("    classDef "), "{line}");
    }
}
