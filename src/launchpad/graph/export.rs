//! Graphs in the languages of programs that draw.

use std::fmt::Write as _;

use super::{Graph, Node};
use crate::launchpad::shorten::plain;
use crate::workflow::{FwId, State};

/// The colours of FireWorks' web pages.
fn colour(state: State) -> &'static str {
    match state {
        State::Running => "#F4B90B",
        State::Waiting => "#1F62A2",
        State::Fizzled => "#DB0051",
        State::Ready => "#2E92F2",
        State::Completed => "#24C75A",
        State::Reserved => "#BB8BC1",
        State::Archived => "#7F8287",
        State::Defused => "#B7BCC3",
        State::Paused => "#FFCFCA",
    }
}

impl Graph {
    /// In the language of Graphviz: `dot -Tsvg`.
    pub fn dot(&self) -> String {
        let mut text = format!("digraph \"{}\" {{\n    node [style=filled, shape=box];\n", in_dot(&self.name));
        for (id, node) in &self.nodes {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "    {id} [label=\"{id} {}\\n{}\", fillcolor=\"{}\"];",
                in_dot(&node.name),
                node.state,
                colour(node.state)
            );
        }
        for (parent, child) in self.edges() {
            let _ = writeln!(text, "    {parent} -> {child};");
        }
        text + "}"
    }

    /// In the language of Mermaid, which Markdown pages draw.
    pub fn mermaid(&self) -> String {
        let mut text = String::from("flowchart TD\n");
        for (id, node) in &self.nodes {
            let _ = writeln!(text, "    {}", in_mermaid(*id, node));
        }
        for (parent, child) in self.edges() {
            let _ = writeln!(text, "    n{parent} --> n{child}");
        }
        let mut used: Vec<State> = self.nodes.values().map(|node| node.state).collect();
        used.sort_unstable();
        used.dedup();
        for state in used {
            let _ = writeln!(text, "    classDef {state} fill:{}", colour(state));
        }
        text.trim_end().to_owned()
    }
}

/// What may stand between double quotes.
fn in_dot(text: &str) -> String {
    plain(text).replace('\\', "\\\\").replace('"', "\\\"")
}

fn in_mermaid(id: FwId, node: &Node) -> String {
    // Entities stand for whatever would end the text, or be taken for HTML or Markdown.
    let mut name = String::new();
    for character in plain(&node.name).chars() {
        match character {
            '"' | '#' | '<' | '>' | '&' | ';' | '`' | '*' | '_' | '\\' => {
                let _ = write!(name, "#{};", u32::from(character));
            }
            other => name.push(other),
        }
    }
    format!("n{id}[\"{id} {name}<br>{state}\"]:::{state}", state = node.state)
}

#[cfg(test)]
mod tests {
    use super::super::tests::of;

    #[test]
    fn labels_cannot_break_out() {
        let graph = of(&[(1, "a\"] --> x\n\\"), (2, "<b>#1;")], &[(1, 2)]);
        let dot = graph.dot();
        assert!(dot.contains(r#"1 [label="1 a\"] --> x \\\nREADY", "#), "{dot}");
        assert!(dot.contains("    1 -> 2;"), "{dot}");
        let mermaid = graph.mermaid();
        assert!(mermaid.contains("n1[\"1 a#34;] --#62; x #92;<br>READY\"]:::READY"), "{mermaid}");
        assert!(mermaid.contains("n2[\"2 #60;b#62;#35;1#59;<br>READY\"]:::READY"), "{mermaid}");
        assert!(mermaid.ends_with("classDef READY fill:#2E92F2"), "{mermaid}");
    }
}
