//! The rooms of the house: an arrow of `src/lib.rs` may be skipped, never turned round.

use std::path::{Path, PathBuf};

/// Rooms from the bottom up; those of one floor may look into each other.
const FLOORS: [&[&str]; 8] = [
    &["workflow", "science"],
    &["recipes", "config", "store", "queue"],
    &["launchpad"],
    &["firetask"],
    &["rocket", "launcher"],
    &["verbs"],
    &["tui", "cli"],
    &["main"],
];

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The rooms that a source mentions, each with its line: `crate::ROOM`, and `crate::{ROOM, ...}`
/// wherever the braces end.
fn rooms_of(text: &str) -> Vec<(usize, String)> {
    // Comments and their links may look anywhere.
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let code = lines.collect::<Vec<_>>().join("\n");
    let mut found = Vec::new();
    for (start, prefix) in code.match_indices("crate::").chain(code.match_indices("volley::")) {
        let line = code[..start].matches('\n').count() + 1;
        let rest = &code[start + prefix.len()..];
        let mut depth = 0;
        let mut word = String::new();
        let mut after_colon = false;
        for character in rest.chars() {
            match character {
                'a'..='z' | '_' | '0'..='9' | 'A'..='Z' => word.push(character),
                _ => {
                    let first = depth == usize::from(rest.starts_with('{')) && !after_colon;
                    if first && !word.is_empty() {
                        found.push((line, word.clone()));
                    }
                    word.clear();
                    match character {
                        '{' => depth += 1,
                        '}' => depth -= usize::from(depth > 0),
                        _ => {}
                    }
                    after_colon = match character {
                        ':' => true,
                        ',' | '{' => false,
                        _ => after_colon,
                    };
                    if depth == 0 {
                        break;
                    }
                }
            }
        }
    }
    found
}

#[test]
fn nobody_looks_upwards() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut wrong = Vec::new();
    let mut arrows = 0;
    for file in files {
        let inside = file.strip_prefix(&src).expect("below src");
        let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let room = first.trim_end_matches(".rs");
        if room == "lib" {
            continue;
        }
        let Some(own) = floor(room) else {
            wrong.push(format!("{}: the room `{room}` is on no floor", inside.display()));
            continue;
        };
        let text = std::fs::read_to_string(&file).expect("readable");
        for (line, used) in rooms_of(&text) {
            arrows += 1;
            if floor(&used).is_some_and(|used| used > own) {
                wrong.push(format!("{}:{line}: `{room}` looks up into `{used}`", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(arrows > 50, "only {arrows} imports were seen");
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "use crate::store::{self, Store};\nuse crate::{\n    cli::exit::Exit,\n    workflow::{FwId, json},\n};\n// crate::tui\nfn f() { crate::config::load() }\n";
    let rooms: Vec<(usize, String)> = rooms_of(text);
    let names: Vec<&str> = rooms.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["store", "cli", "workflow", "config"]);
    assert_eq!(rooms[0].0, 1);
    assert_eq!(rooms[3].0, 7);
}
